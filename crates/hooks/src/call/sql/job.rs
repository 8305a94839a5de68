//! What one delivery does in its target: a transaction, the same for every engine, and what can go wrong with it.
use super::{seen::Seen, statement::Ready};

/// A transaction.
pub(crate) struct Job<'s> {
    /// Which event this is; `None` = one that did not happen: everything is rolled back.
    pub(crate) seen: Option<Seen>,
    pub(crate) statements: Vec<Ready<'s>>,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Each statement, with the rows that it changed.
    Applied(Vec<u64>),
    /// A newer event of the object, or this very one, was applied before.
    Old,
}

/// Why it did not end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No connection.
    Unreachable(String),
    /// The connection was lost: nobody knows how far it came. Repeating it is no harm.
    Lost(String),
    /// Somebody else was in the way (a deadlock): nothing was done.
    Again(String),
    /// The database refused a statement, from 0; `None` = one of ours.
    Refused { statement: Option<usize>, words: String },
}

impl Trouble {
    /// In words.
    pub(crate) fn words(&self, statements: usize) -> String {
        match self {
            Self::Unreachable(words) | Self::Lost(words) | Self::Again(words) => words.clone(),
            Self::Refused { statement: Some(index), words } => format!("statement {} of {statements}: {words}", index + 1),
            Self::Refused { statement: None, words } => words.clone(),
        }
    }
}
