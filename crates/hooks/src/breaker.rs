//! When a handler is taken for dead: it has failed so often in a row, over at least so long. Both stages ask the same; what
//! follows differs (`before::gate` trips, [`after::breaker`](crate::after) pauses).
use std::time::Duration;

use hookswitch_model::moment::Moment;

/// Between two probes of a handler that was taken for dead.
pub(crate) const PROBE_EVERY_MS: i64 = 10_000;

/// When a handler is taken for dead.
#[derive(Debug, Clone, Copy)]
pub struct Breaker {
    /// So many failures in a row...
    pub failures: u32,
    /// ...over at least this time.
    pub over: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 10, over: Duration::from_secs(30) }
    }
}

/// Failures in a row.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) failures: u32,
    /// When the first of them was.
    since: Moment,
}

impl Streak {
    /// Notes how a call ended; true if the handler is to be taken for dead.
    pub(crate) fn note(&mut self, succeeded: bool, now: Moment, breaker: Breaker) -> bool {
        if succeeded {
            *self = Self::default();
            return false;
        }
        // Also when the clock was set back: the time since is never negative.
        if self.failures == 0 || now < self.since {
            self.since = now;
        }
        self.failures = self.failures.saturating_add(1);
        let over_ms = i64::try_from(breaker.over.as_millis()).unwrap_or(i64::MAX);
        self.failures >= breaker.failures && self.lasts_ms(now) >= over_ms
    }

    /// One that was taken for dead already, after failures from then on.
    pub(crate) fn since(since: Moment) -> Self {
        Self { failures: u32::MAX, since }
    }

    /// When the first of the failures was.
    pub(crate) fn began(&self) -> Moment {
        self.since
    }

    /// Since the first of the failures.
    pub(crate) fn lasts_ms(&self, now: Moment) -> i64 {
        now.millis_since(self.since)
    }
}
