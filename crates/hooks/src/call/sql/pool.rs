//! Connections that rest. A handler has at most as many calls under way as its `concurrency` says, so it never has more connections than
//! that; one that has rested for long may have been cut on the way, and is given up instead of being tried.
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long an unused connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// The connections of one handler that are not in use.
pub(super) struct Pool<C>(Mutex<Vec<(Instant, C)>>);

impl<C> Default for Pool<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C> Pool<C> {
    /// The one that was used last.
    pub(super) fn take(&self) -> Option<C> {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|(since, _)| since.elapsed() < IDLE_MAX);
        resting.pop().map(|(_, connection)| connection)
    }

    /// Puts one back, after a call that left it usable.
    pub(super) fn put(&self, connection: C) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|(since, _)| since.elapsed() < IDLE_MAX);
        resting.push((Instant::now(), connection));
    }

    /// After one was found broken the others are too, most likely.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
