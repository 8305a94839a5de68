//! Which process takes a call: one that waits, else a new one, never more than `concurrency` at once.
//!
//! The one that answered last is taken first, so that those which are not needed stay idle and are ended. A script whose new
//! processes fail one after another is left alone for a while, longer each time, and its calls fail at once: else each
//! of them would start an interpreter for nothing.
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    PACE, Pace,
    process::{Leaving, Worker},
};
use crate::call::script::{
    constant,
    folder::Print,
    starter::{Script, Starter},
};

/// So many failures in a row cost nothing...
const FAILURES_FREE: u32 = 2;
/// ...the next one this, and each further one twice as much...
const WAIT_MIN: Duration = Duration::from_millis(100);
/// ...up to this.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The processes of one handler, as it was saved. Dropped, they are let end; a call that is under way keeps it.
pub(in crate::call) struct Pool(Arc<Shared>);

struct Shared {
    name: String,
    args: Vec<String>,
    starter: Starter,
    leaving: Leaving,
    pace: Pace,
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last one answered last.
    idle: Vec<Worker>,
    /// Somebody looks after the idle ones.
    tended: bool,
    health: Health,
}

/// How starting goes.
#[derive(Default)]
struct Health {
    /// Of which file: another one gets a new chance.
    print: Option<Print>,
    failures: u32,
    not_before: Option<Instant>,
    words: String,
}

impl Pool {
    pub(in crate::call::script) fn new(
        name: &str,
        args: &[String],
        concurrency: u32,
        starter: Starter,
        leaving: Leaving,
    ) -> Self {
        Self::with_pace(PACE, name, args, concurrency, starter, leaving)
    }

    pub(super) fn with_pace(
        pace: Pace,
        name: &str,
        args: &[String],
        concurrency: u32,
        starter: Starter,
        leaving: Leaving,
    ) -> Self {
        Self(Arc::new(Shared {
            name: name.to_owned(),
            args: args.to_vec(),
            starter,
            leaving,
            pace,
            places: Arc::new(Semaphore::new(concurrency as usize)),
            state: Mutex::default(),
        }))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    /// A place among `concurrency`.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        // Never closed.
        Arc::clone(&self.0.places).acquire_owned().await.ok()
    }

    /// A process that waits for a call.
    pub(super) fn idle(&self) -> Option<Worker> {
        let print = self.0.print();
        loop {
            let worker = self.0.state().idle.pop()?;
            if Some(worker.print) != print {
                worker.dismiss(&self.0.leaving);
            } else if worker.waits() {
                return Some(worker);
            }
        }
    }

    /// A new process, or in plain words why there is none.
    pub(super) async fn start(&self) -> Result<Worker, String> {
        let shared = &self.0;
        let failed = |reason: &str| format!("the script {}: {reason}", shared.name);
        // Before it is started: what is written meanwhile makes it outdated.
        let print = shared.print();
        shared.state().health.may_start(print).map_err(|reason| failed(&reason))?;
        let script = Script {
            name: shared.name.clone(),
            args: shared.args.clone(),
            environment: constant().to_vec(),
            lives: shared.pace.lifetime,
        };
        let running = shared.starter.start(script).await.map_err(|reason| failed(&reason))?;
        let print = print.ok_or_else(|| failed("it has gone"))?;
        Worker::new(running, print).map_err(|error| failed(&format!("it can't be followed: {}", error.kind())))
    }

    /// A call was answered, by a `fresh` process or an old one; it is kept if it may take another one.
    pub(super) fn answered(&self, fresh: bool, worker: Option<Worker>) {
        let mut state = self.0.state();
        if fresh {
            state.health = Health::default();
        }
        let Some(worker) = worker else { return };
        if worker.calls >= self.0.pace.calls_max || worker.began.elapsed() >= self.0.pace.lifetime {
            return worker.dismiss(&self.0.leaving);
        }
        state.idle.push(worker);
        if !std::mem::replace(&mut state.tended, true) {
            tokio::spawn(tend(Arc::downgrade(&self.0), self.0.pace.idle / 4));
        }
    }

    /// A new process did not answer its first call.
    pub(super) fn failed_to_start(&self, words: &str) {
        let print = self.0.print();
        self.0.state().health.failed(print, words);
    }

    #[cfg(test)]
    pub(super) fn idle_count(&self) -> usize {
        self.0.state().idle.len()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> PathBuf {
        self.starter.scripts_dir().join(&self.name)
    }

    /// The file as it is now; `None` if it is gone.
    fn print(&self) -> Option<Print> {
        Print::of(&self.file())
    }

    /// Ends those that are not needed or not fit any more; false when none are left.
    fn weed(&self) -> bool {
        let print = self.print();
        let mut state = self.state();
        let newest = state.idle.len().saturating_sub(1);
        let idle = std::mem::take(&mut state.idle);
        for (index, worker) in idle.into_iter().enumerate() {
            let surplus = index < newest && worker.idle_since.elapsed() >= self.pace.idle;
            if surplus || worker.began.elapsed() >= self.pace.lifetime || Some(worker.print) != print {
                worker.dismiss(&self.leaving);
            } else if worker.waits() {
                state.idle.push(worker);
            }
        }
        state.tended = !state.idle.is_empty();
        state.tended
    }
}

/// Looks after idle processes, for as long as there are any.
async fn tend(pool: Weak<Shared>, every: Duration) {
    // Often enough for one that writes to standard error all the time.
    let every = every.min(Duration::from_secs(1));
    loop {
        tokio::time::sleep(every).await;
        if !pool.upgrade().is_some_and(|pool| pool.weed()) {
            return;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for worker in std::mem::take(&mut self.state().idle) {
            worker.dismiss(&self.leaving);
        }
    }
}

impl Health {
    fn may_start(&mut self, print: Option<Print>) -> Result<(), String> {
        if self.print != print {
            *self = Self::default();
        }
        let Some(_left) = self.not_before.and_then(|at| at.checked_duration_since(Instant::now())) else { return Ok(()) };
        let Self { failures, words, .. } = self;
        Err(format!("it is not started for now, because it failed {failures} times in a row, at last so: {words}"))
    }

    fn failed(&mut self, print: Option<Print>, words: &str) {
        self.print = print;
        self.failures = self.failures.saturating_add(1);
        words.clone_into(&mut self.words);
        if let Some(doubled) = self.failures.checked_sub(FAILURES_FREE + 1) {
            let wait = WAIT_MIN.saturating_mul(1 << doubled.min(16)).min(WAIT_MAX);
            self.not_before = Some(Instant::now() + wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_one_after_another_is_left_alone_longer_each_time() {
        let mut health = Health::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            health.failed(None, "why");
            waits.push(health.not_before.map_or(0, |at| (at - Instant::now()).as_millis().div_ceil(100) * 100));
        }
        assert_eq!(waits[..5], [0, 0, 100, 200, 400]);
        assert_eq!(waits[11], 10_000);
        let words = health.may_start(None).unwrap_err();
        assert_eq!(words, "it is not started for now, because it failed 12 times in a row, at last so: why");
    }
}
