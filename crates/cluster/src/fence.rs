//! Nothing is written as a node that has ended.
//!
//! A node may freeze, and wake when others have long taken over. Whatever it was about to write then is out of date. So each
//! transaction that writes the end of a delivery or takes a step of the clock checks, as its first thing, that the life of the
//! node in which that was begun still goes on; who ends a life takes the same lock for himself alone, so either the write comes
//! first and is seen by the successor, or it does not happen.
use hookswitch_model::refusal::Refusal;
use hookswitch_store::{Error, Subject, Tx, tables::nodes};

/// A life of a node, to be checked by what is written as it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence(Option<(i64, i64)>);

/// Why a check fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fenced {
    /// Another node has taken over.
    #[error("this node was taken for dead, and another has taken over")]
    Ended,
    /// It could not be found out.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Fence {
    /// Of a node that is alone: it holds always.
    pub const NONE: Self = Self(None);

    pub(crate) fn of(node: i64, epoch: i64) -> Self {
        Self(Some((node, epoch)))
    }

    /// True if the life still goes on, and does so until this transaction has ended.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn holds(self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let Some((node, epoch)) = self.0 else { return Ok(true) };
        tx.lock_shared(Subject::Node(node))?;
        Ok(nodes::epoch(tx, node)? == Some(epoch))
    }

    /// The same, or nothing is to be written.
    ///
    /// # Errors
    /// [`Fenced`].
    pub fn check(self, tx: &mut Tx<'_>) -> Result<(), Fenced> {
        if self.holds(tx)? { Ok(()) } else { Err(Fenced::Ended) }
    }
}

impl From<Fenced> for Refusal {
    fn from(fenced: Fenced) -> Self {
        match fenced {
            Fenced::Ended => Self::conflict(fenced.to_string()),
            Fenced::Store(error) => error.into(),
        }
    }
}
