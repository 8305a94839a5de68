//! Time is passed in: the system's, or one that a test turns by hand.
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hookswitch_model::moment::Moment;
use tokio::sync::Notify;

/// The longest sleep in one piece, so that a changed system clock is noticed.
const NAP_MAX: Duration = Duration::from_secs(60);

/// Tells the time and waits for it; a cheap handle.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Manual>>);

#[derive(Debug)]
struct Manual {
    now: AtomicI64,
    moved: Notify,
}

/// Turns a manual clock.
#[derive(Debug, Clone)]
pub struct Hand(Arc<Manual>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `start` until its hand is turned.
    #[must_use]
    pub fn manual(start: Moment) -> (Self, Hand) {
        let manual = Arc::new(Manual { now: AtomicI64::new(start.0), moved: Notify::new() });
        (Self(Some(Arc::clone(&manual))), Hand(manual))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        match &self.0 {
            Some(manual) => Moment(manual.now.load(Ordering::SeqCst)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Moment(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
        }
    }

    /// Waits until then.
    pub async fn sleep_until(&self, then: Moment) {
        loop {
            let moved = self.0.as_ref().map(|manual| manual.moved.notified());
            let left = then.0 - self.now().0;
            if left <= 0 {
                return;
            }
            match moved {
                Some(moved) => moved.await,
                None => tokio::time::sleep(Duration::from_micros(left.unsigned_abs()).min(NAP_MAX)).await,
            }
        }
    }

    /// Waits that many milliseconds.
    pub async fn sleep(&self, ms: i64) {
        self.sleep_until(self.now().plus_millis(ms)).await;
    }
}

impl Hand {
    /// Turns the clock on by `ms` milliseconds and wakes who waits.
    pub fn advance(&self, ms: i64) {
        self.0.now.fetch_add(ms * 1_000, Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// Sets the clock and wakes who waits.
    pub fn set(&self, now: Moment) {
        self.0.now.store(now.0, Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }
}
