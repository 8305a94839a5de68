//! Is the database what it promises to be? The ledger, the balance edges, the numbers of events, the queue.
use hookswitch_store::{
    Error, Store, Tx,
    tables::check::{self, Offender},
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
        promise: "every delivery has its event and its handler",
        question: check::orphans,
        words: |o| format!("delivery {} of client {} has lost its event or handler", o.stored, o.clients_id),
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
    store
        .read_whole(|tx| {
            let look = |promise: &Promise| {
                let broken = (promise.question)(tx)?.iter().map(promise.words).collect();
                Ok(Finding { promise: promise.promise, broken })
            };
            PROMISES.iter().map(look).collect()
        })
        .await
}
