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
/// How often it is looked whether the system's clock was set back, and what is no more than its being put right gently.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const GENTLE_US: i64 = 1_000_000;

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

    /// Waits until the clock is set back by more than a second from the latest time that was seen; gives by how many
    /// microseconds. `latest` is then the time after that.
    pub async fn set_back(&self, latest: &mut Moment) -> i64 {
        loop {
            let moved = self.0.as_ref().map(|manual| manual.moved.notified());
            let now = self.now();
            let back = latest.0 - now.0;
            if back > GENTLE_US {
                *latest = now;
                return back;
            }
            *latest = now.max(*latest);
            match moved {
                Some(moved) => moved.await,
                None => tokio::time::sleep(LOOK_EVERY).await,
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
