//! How attempts end with the program: first no new ones begin, then those under way are broken off. They will be made again.
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

/// Whether attempts may begin, and how many are under way; a cheap handle.
#[derive(Clone)]
pub(crate) struct Shutdown(Arc<Shared>);

struct Shared {
    phase: watch::Sender<Phase>,
    under_way: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// No new attempts.
    Stopping,
    /// Those under way are broken off.
    Cut,
}

impl Shutdown {
    pub(crate) fn not_yet() -> Self {
        Self(Arc::new(Shared { phase: watch::Sender::new(Phase::Running), under_way: AtomicUsize::new(0) }))
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.phase.borrow() > Phase::Running
    }

    /// No new attempts from now on.
    pub(crate) fn begin(&self) {
        self.0.phase.send_replace(Phase::Stopping);
    }

    /// Those under way get `grace` to end, and are broken off then.
    pub(crate) async fn within(&self, grace: Duration) {
        let ended = async {
            let mut phase = self.0.phase.subscribe();
            while self.0.under_way.load(Ordering::Acquire) > 0 {
                // Woken by each attempt that ends.
                let _changed = phase.changed().await;
            }
        };
        if tokio::time::timeout(grace, ended).await.is_err() {
            self.0.phase.send_replace(Phase::Cut);
        }
    }

    /// A call, unless the program ends meanwhile.
    pub(crate) async fn unless_cut<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut phase = self.0.phase.subscribe();
        tokio::select! {
            called = call => Some(called),
            _ = phase.wait_for(|phase| *phase == Phase::Cut) => None,
        }
    }

    /// Counts an attempt that begins; it has ended, and its end is on its way to the database, when this is dropped.
    pub(crate) fn attempt(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(self.clone())
    }
}

/// An attempt under way.
pub(crate) struct UnderWay(Shutdown);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.fetch_sub(1, Ordering::AcqRel);
        if self.0.has_begun() {
            self.0.0.phase.send_modify(|_| {});
        }
    }
}
