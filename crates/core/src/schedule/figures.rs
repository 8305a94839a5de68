//! How the clock is doing: steps taken and refused, and how far it is behind.
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use hookswitch_store::{Error, tables::client_packages::due};

use crate::Core;

/// Steps since the process started.
#[derive(Debug, Default)]
pub(super) struct Steps {
    taken: AtomicU64,
    refused: AtomicU64,
}

impl Steps {
    pub(super) fn count(&self, was_taken: bool) {
        let count = if was_taken { &self.taken } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// How the clock is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Steps by how they ended, since the process started.
    pub steps: Vec<(&'static str, u64)>,
    /// Since when the oldest step has been due that is not taken yet.
    pub lag: Duration,
}

impl Figures {
    /// Looks.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) async fn of(core: &Core) -> Result<Self, Error> {
        let now = core.store.clock().now();
        let oldest = core.store.read(due::oldest).await?;
        let lag_ms = oldest.map_or(0, |oldest| now.millis_since(oldest).max(0)).unsigned_abs();
        let steps = &core.schedule.0.steps;
        let steps = vec![("taken", steps.taken.load(Ordering::Relaxed)), ("refused", steps.refused.load(Ordering::Relaxed))];
        Ok(Self { steps, lag: Duration::from_millis(lag_ms) })
    }
}
