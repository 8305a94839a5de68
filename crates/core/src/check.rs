//! Is the database what it promises to be? The ledger, the balance edges, the numbers of events, the queue.
use hookswitch_store::{
    Error, Store, Tx,
    tables::check::{self, GivenAgain, Offender},
};

/// One promise that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is promised, in words.
    pub promise: &'static str,
    /// Where it does not hold, in words; empty = it holds.
    pub broken: Vec<String>,
}

/// A promise, the question that finds where it is broken, and words for each place.
struct Promise {
    promise: &'static str,
    question: fn(&Tx) -> Result<Vec<Offender>, Error>,
    words: fn(&Offender) -> String,
}

const PROMISES: &[Promise] = &[
    Promise {
        promise: "every balance is the sum of its transactions",
        question: check::ledger,
        words: |o| {
            format!("client {}: the balance is {} millionths, its transactions make {}", o.clients_id, o.stored, o.expected)
        },
    },
    Promise {
        promise: "the live state of funds agrees with the balance",
        question: check::live_funds,
        words: |o| {
            format!(
                "client {}: {} funds by its live state, but {} by its balance",
                o.clients_id,
                side(o.stored),
                side(o.expected)
            )
        },
    },
    Promise {
        promise: "the available state of funds agrees with balance and credit",
        question: check::available_funds,
        words: |o| {
            format!(
                "client {}: {} funds by its available state, but {} by its numbers",
                o.clients_id,
                side(o.stored),
                side(o.expected)
            )
        },
    },
    Promise {
        promise: "each client's events are numbered without a gap",
        question: check::seqs,
        words: |o| format!("client {}: {} events should be there, {} are", o.clients_id, o.stored, o.expected),
    },
    Promise {
        promise: "each client's counter is the number of its last event",
        question: check::last_seqs,
        words: |o| format!("client {}: the counter is {}, the last event is {}", o.clients_id, o.stored, o.expected),
    },
    Promise {
        promise: "no handler has heard an event that was never numbered",
        question: check::told,
        words: |o| format!("client {}: a handler has heard event {}, the last one is {}", o.clients_id, o.stored, o.expected),
    },
    Promise {
        promise: "the journal has no more rows than its counters say",
        question: check::journal,
        words: |o| format!("the journal has {} rows, by its counters it has {}", o.stored, o.expected),
    },
    Promise {
        promise: "the log is numbered on behind its last row",
        question: check::log,
        words: |o| format!("the last row of the log is {}, its counter is {}", o.stored, o.expected),
    },
    Promise {
        promise: "every delivery has its event and its handler",
        question: check::orphans,
        words: |o| format!("delivery {} of client {} has lost its event or handler", o.stored, o.clients_id),
    },
    Promise {
        promise: "every delivery is of the event that it names",
        question: check::others_events,
        words: |o| {
            format!(
                "delivery {} of client {} is not of the event in row {}: number, client, reseller or id differ",
                o.stored, o.clients_id, o.expected
            )
        },
    },
    Promise {
        promise: "every outcome says how it ended",
        question: check::outcomes,
        words: |o| format!("outcome {} of client {} is neither undecided nor committed nor aborted", o.stored, o.clients_id),
    },
    Promise {
        promise: "every resync that is under way has its handler",
        question: check::resyncs,
        words: |o| format!("resync {} is for handler {}, which is gone", o.stored, o.expected),
    },
    Promise {
        promise: "every shard that is owned is a node's",
        question: check::shards,
        words: |o| format!("shard {} is of node {}: the one or the other does not exist", o.stored, o.expected),
    },
    Promise {
        promise: "the clock watches over every activated client package",
        question: check::unwatched,
        words: |o| format!("client package {} of client {} is activated, and nothing is planned for it", o.stored, o.clients_id),
    },
    Promise {
        promise: "every client package that was activated has a period",
        question: check::without_period,
        words: |o| format!("client package {} of client {} was activated without a period", o.stored, o.clients_id),
    },
    Promise {
        promise: "no object has two custom fields of one key",
        question: check::custom_keys,
        words: |o| format!("the custom fields {} and {} have one key", o.stored, o.expected),
    },
    Promise {
        promise: "every account is of its client's reseller",
        question: check::accounts_resellers,
        words: |o| format!("client {} is of reseller {}, an account of it of reseller {}", o.clients_id, o.expected, o.stored),
    },
];

fn side(in_funds: i64) -> &'static str {
    if in_funds == 1 { "in" } else { "out of" }
}

/// Looks at every promise, in one snapshot.
///
/// # Errors
/// Whatever the store says.
pub async fn check(store: &Store) -> Result<Vec<Finding>, Error> {
    store.read_whole(look).await
}

/// Looks at every promise.
///
/// # Errors
/// Whatever the store says.
pub fn look(tx: &Tx<'_>) -> Result<Vec<Finding>, Error> {
    let look = |promise: &Promise| {
        let broken = (promise.question)(tx)?.iter().map(promise.words).collect();
        Ok(Finding { promise: promise.promise, broken })
    };
    let mut findings: Vec<Finding> = PROMISES.iter().map(look).collect::<Result<_, Error>>()?;
    let again = |GivenAgain { table, highest, next }: GivenAgain| {
        format!("{table}: id {highest} is there, and the next that would be given is {next}")
    };
    let broken = check::ids(tx)?.into_iter().map(again).collect();
    findings.push(Finding { promise: "no id is given twice", broken });
    Ok(findings)
}
