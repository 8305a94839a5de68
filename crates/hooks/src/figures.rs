//! How calls went, counted since the start: for `/metrics`.
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::standing::HandlerFigures;

/// Upper bounds in seconds, in steps of about two, from half a millisecond to the longest that a call may take.
const BOUNDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The statuses of the log, as counters know them.
const STATUSES: [&str; 4] = ["success", "forbidden", "failed", "skipped"];

/// How long calls took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times {
    /// All of them together.
    pub sum_seconds: f64,
    /// How many.
    pub count: u64,
    /// Upper bound in seconds, and how many lie between it and the one before; the last bound is `f64::MAX`.
    pub buckets: Vec<(f64, u64)>,
}

/// Where handlers and deliveries stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Calls to before handlers, by how they ended (`success`, `forbidden`, `failed`, `skipped`).
    pub before_calls: Vec<(&'static str, u64)>,
    /// How long those took that were made.
    pub before_time: Times,
    /// Before handlers that are not called for now because they failed too often.
    pub before_tripped: u64,
    /// After handlers that are paused, by hand or by the breaker.
    pub after_paused: u64,
    /// Calls to after handlers, by how they ended.
    pub after_calls: Vec<(&'static str, u64)>,
    /// How long those took that were made.
    pub after_time: Times,
    /// Deliveries that are not done, by state (`waiting`, `retrying`, `dead`).
    pub deliveries: Vec<(&'static str, u64)>,
    /// What before handlers have not heard yet of how actions ended, by state (`asked`, `waiting`, `retrying`, `dead`).
    pub outcomes: Vec<(&'static str, u64)>,
    /// Seconds since the oldest event was asked for that is neither delivered nor given up; 0 if there is none.
    pub queue_age_seconds: f64,
    /// How each after handler stands.
    pub handlers: Vec<HandlerFigures>,
    /// Rows that the execution log could not keep, because the disk was nearly full or the store refused them.
    pub log_rows_dropped: u64,
    /// Handlers that answer each other.
    pub loops: crate::loops::Counted,
}

/// Counts the calls of one stage.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    by_status: [AtomicU64; STATUSES.len()],
    by_time: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Calls {
    /// Counts one; `took` is `None` if the handler was not called.
    pub(crate) fn count(&self, status: &str, took: Option<Duration>) {
        if let Some(index) = STATUSES.iter().position(|known| *known == status) {
            self.by_status[index].fetch_add(1, Ordering::Relaxed);
        }
        if let Some(took) = took {
            let bucket = BOUNDS.iter().position(|bound| took.as_secs_f64() <= *bound).unwrap_or(BOUNDS.len());
            self.by_time[bucket].fetch_add(1, Ordering::Relaxed);
            self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    pub(crate) fn by_status(&self) -> Vec<(&'static str, u64)> {
        STATUSES.into_iter().zip(self.by_status.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }

    pub(crate) fn times(&self) -> Times {
        let bounds = BOUNDS.into_iter().chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> = bounds.zip(self.by_time.iter().map(|count| count.load(Ordering::Relaxed))).collect();
        Times {
            sum_seconds: Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64(),
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_how_they_ended_and_how_long_they_took() {
        let calls = Calls::default();
        calls.count("success", Some(Duration::from_micros(700)));
        calls.count("failed", Some(Duration::from_secs(60)));
        calls.count("skipped", None);
        assert_eq!(calls.by_status(), [("success", 1), ("forbidden", 0), ("failed", 1), ("skipped", 1)]);
        let times = calls.times();
        assert_eq!((times.count, times.buckets[1].1, times.buckets[BOUNDS.len()].1), (2, 1, 1));
        assert!((times.sum_seconds - 60.0007).abs() < 1e-9);
    }
}
