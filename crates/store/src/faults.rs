//! Failures on purpose: a plan that a test passes along when it opens a store, asked where a disk can fail.
//!
//! What the plan says takes the very way that the engine's own failure takes. It may also take its time: a slow disk. The program
//! passes none, and then nothing is asked.
use std::{fmt, sync::Arc};

use crate::Error;

/// Where a disk can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A transaction is about to begin: nothing was written yet.
    Begin,
    /// A transaction is about to be flushed: all of it is written, nothing of it is durable.
    Flush,
    /// A snapshot is about to be taken.
    Read,
}

/// A plan; a cheap handle.
#[derive(Clone)]
pub struct Faults(Arc<dyn Fn(Place) -> Result<(), Error> + Send + Sync>);

impl Faults {
    /// Fails wherever `plan` says so; it is called by the store's threads.
    pub fn new(plan: impl Fn(Place) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        Self(Arc::new(plan))
    }

    /// What the plan says, if there is one.
    pub(crate) fn ask(faults: Option<&Self>, place: Place) -> Result<(), Error> {
        faults.map_or(Ok(()), |Self(plan)| plan(place))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Faults")
    }
}
