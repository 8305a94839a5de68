//! Until when this node may act without asking again.
//!
//! ```text
//!    asks       the database says: 10 s from its now                     1 s before: acts no more
//!     |--- on the way ---|                                                      |         |
//!     '------------------------------- counted from here -----------------------'---------'
//! ```
//!
//! The database gives a lease on its own clock; the node counts it from *before* it asked, so it ends for the node first. It
//! counts on a clock that goes on while the machine sleeps: else a node that wakes would think that no time had passed. What is
//! left between the two ends, [`MARGIN`] and the way, is for clocks that run at different speeds, and for a call to be broken
//! off.
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// How long a lease is good for.
pub const LEASE: Duration = Duration::from_secs(10);
/// How often it is renewed.
pub const RENEW_EVERY: Duration = Duration::from_secs(2);
/// So long before its end nothing is begun any more, and what is under way is broken off.
pub const MARGIN: Duration = Duration::from_secs(1);

/// A clock that nobody sets and that goes on while the machine sleeps.
pub trait Stopwatch: Send + Sync + 'static {
    /// Time since some beginning.
    fn now(&self) -> Duration;
}

/// The machine's, since it was started.
#[derive(Debug, Clone, Copy, Default)]
pub struct SinceBoot;

impl Stopwatch for SinceBoot {
    fn now(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// A node's lease, as it counts it.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    /// Microseconds of the stopwatch at which it ends; 0 = there is none.
    ends: AtomicI64,
}

impl Lease {
    /// It was given, to one who asked at that time.
    pub(crate) fn given(&self, asked_at: Duration) {
        self.ends.store(micros(asked_at + LEASE), Ordering::SeqCst);
    }

    /// There is none any more.
    pub(crate) fn is_gone(&self) {
        self.ends.store(0, Ordering::SeqCst);
    }

    /// Which one it is: when it ends, in microseconds of the stopwatch.
    pub(crate) fn end(&self) -> Option<i64> {
        Some(self.ends.load(Ordering::SeqCst)).filter(|ends| *ends > 0)
    }

    /// How long may still be acted; `None` if not at all.
    pub(crate) fn left(&self, now: Duration) -> Option<Duration> {
        let left = self.ends.load(Ordering::SeqCst) - micros(MARGIN) - micros(now);
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_micros)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_clock_of_the_machine_runs() {
        assert!(SinceBoot.now() > Duration::ZERO && SinceBoot.now() <= SinceBoot.now());
    }

    #[test]
    fn without_one_nothing_may_be_done() {
        let lease = Lease::default();
        assert_eq!(lease.left(Duration::ZERO), None);
        lease.given(Duration::from_secs(100));
        assert_eq!(lease.left(Duration::from_secs(101)), Some(Duration::from_secs(8)));
        lease.is_gone();
        assert_eq!(lease.left(Duration::from_secs(101)), None);
    }

    proptest! {
        /// However long the question and the answer take, and although the clocks run at speeds that differ by a twentieth.
        #[test]
        fn a_node_stops_before_another_may_end_it(
            asked_at in 0u64..1_000_000_000, there in 0u64..5_000_000, back in 0u64..20_000_000, speed in 95u64..=105, after in 0u64..20_000_000,
        ) {
            let lease = Lease::default();
            lease.given(Duration::from_micros(asked_at));
            // On the database's clock, counted from the question.
            let ends = there + u64::try_from(LEASE.as_micros()).unwrap();
            let acts_at = back.max(after);
            let on_its_clock = acts_at * 100 / speed;
            if lease.left(Duration::from_micros(asked_at + acts_at)).is_some() {
                prop_assert!(on_its_clock < ends, "acts {on_its_clock} after the question, ended at {ends}");
            }
        }
    }
}
