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

type Question = fn(&Tx) -> Result<Vec<Offender>, Error>;

const PROMISES: &[(&str, Question, fn(&Offender) -> String)] = &[
    ("every balance is the sum of its transactions", check::ledger, |o| {
        format!("client {}: the balance is {} millionths, its transactions make {}", o.clients_id, o.stored, o.expected)
    }),
    ("the live state of funds agrees with the balance", check::live_funds, |o| {
        format!("client {}: {} funds by its live state, but {} by its balance", o.clients_id, side(o.stored), side(o.expected))
    }),
    ("the available state of funds agrees with balance and credit", check::available_funds, |o| {
        format!("client {}: {} funds by its available state, but {} by its numbers", o.clients_id, side(o.stored), side(o.expected))
    }),
    ("each client's events are numbered without a gap", check::seqs, |o| {
        format!("client {}: {} events should be there, {} are", o.clients_id, o.stored, o.expected)
    }),
    ("each client's counter is the number of its last event", check::last_seqs, |o| {
        format!("client {}: the counter is {}, the last event is {}", o.clients_id, o.stored, o.expected)
    }),
    ("every delivery has its event and its handler", check::orphans, |o| {
        format!("delivery {} of client {} has lost its event or handler", o.stored, o.clients_id)
    }),
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
        .read(|tx| {
            let look = |(promise, question, word): &(&'static str, Question, fn(&Offender) -> String)| {
                Ok(Finding { promise, broken: question(tx)?.iter().map(word).collect() })
            };
            PROMISES.iter().map(look).collect()
        })
        .await
}
