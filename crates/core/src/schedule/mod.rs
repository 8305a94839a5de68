//! The steps that the clock takes. Every open client package has a moment at which something may have to be done (`due_at`);
//! when that has come, the step that is due goes through the one door like anybody's action.
//!
//! ```text
//!   sleep until the next due moment, or until somebody nudges: a commit that planned something earlier, a payment, a new term
//!     -> sweep   packages with new terms: those who have them become due, a portion at a time          sweep.rs
//!     -> pass    over all that is due, oldest first: a worker for each client, so that one client's     pass.rs
//!                steps keep their order and nobody waits for another's handlers
//! ```
//!
//! Nothing is lost with this process: what is due stands in the database, and a step changes it in its own transaction. A step
//! is decided anew in the transaction that writes it, so that it happens once, whatever runs twice or crashes in between.
mod figures;
mod pass;
mod sweep;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error, Tx,
    tables::client_packages::due::{self, Due},
};
use tokio::sync::{Notify, Semaphore};

use crate::{Core, perform::At};

/// Clients whose steps are taken at once: enough to share a flush of the disk, few enough that callers need not wait for them.
const AT_ONCE: usize = 48;
/// The same where handlers are asked: those who wait for a slow one must not hold up the others.
const ASKING_AT_ONCE: usize = 512;
/// After an error of the database.
const PAUSE: Duration = Duration::from_secs(1);

pub use figures::Figures;

/// The clock's entrance; a cheap handle.
#[derive(Clone)]
pub struct Schedule(Arc<Shared>);

struct Shared {
    nudge: Notify,
    /// Until when the clock sleeps; while it is awake, everything counts as earlier.
    asleep_until: AtomicI64,
    stopped: AtomicBool,
    /// Clients whose steps are being taken.
    busy: Mutex<HashSet<i64>>,
    /// Places for them.
    places: Arc<Semaphore>,
    /// Places where handlers are asked.
    asking: Arc<Semaphore>,
    steps: figures::Steps,
}

impl Default for Schedule {
    fn default() -> Self {
        Self(Arc::new(Shared {
            nudge: Notify::new(),
            asleep_until: AtomicI64::new(i64::MAX),
            stopped: AtomicBool::new(false),
            busy: Mutex::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            asking: Arc::new(Semaphore::new(ASKING_AT_ONCE)),
            steps: figures::Steps::default(),
        }))
    }
}

impl Schedule {
    /// Once this is committed, the clock has something to do at `due`.
    pub(crate) fn plan(&self, tx: &mut Tx, due: Option<Moment>) {
        if let Some(due) = due {
            let schedule = self.clone();
            tx.on_commit(move || schedule.nudge_if_before(due));
        }
    }

    fn nudge_if_before(&self, due: Moment) {
        if due.0 < self.0.asleep_until.load(Ordering::SeqCst) {
            self.0.nudge.notify_one();
        }
    }

    /// No new steps.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.nudge.notify_one();
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    fn places(&self, asks: bool) -> Arc<Semaphore> {
        Arc::clone(if asks { &self.0.asking } else { &self.0.places })
    }

    fn busy<T>(&self, use_them: impl FnOnce(&mut HashSet<i64>) -> T) -> T {
        use_them(&mut self.0.busy.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A client's balance or credit rose: what waits for money is tried at once.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn funds_rose(tx: &mut Tx, at: &At, clients_id: i64) -> Result<(), Error> {
    if due::for_funds(tx, clients_id)? {
        at.schedule.plan(tx, Some(at.now));
    }
    Ok(())
}

/// Starts the clock. Called within a runtime.
pub(crate) fn start(core: &Core) {
    tokio::spawn(run(core.clone()));
}

async fn run(core: Core) {
    let schedule = core.schedule.clone();
    while !schedule.is_stopped() {
        schedule.0.asleep_until.store(i64::MAX, Ordering::SeqCst);
        match work(&core).await {
            Ok(next) => sleep(&core, next).await,
            Err(error) => {
                tracing::error!(%error, "what is due could not be read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Sends everybody on his way whose step is due; gives the moment at which something is due next.
async fn work(core: &Core) -> Result<Option<Moment>, Error> {
    sweep::packages(core).await?;
    // What becomes due while the pass is under way is due next.
    let now = core.store.clock().now();
    pass::through(core, now).await?;
    core.store.read(move |tx| due::next_after(tx, now)).await
}

async fn sleep(core: &Core, next: Option<Moment>) {
    let Shared { nudge, asleep_until, .. } = &*core.schedule.0;
    // From here on a commit that plans something earlier nudges; one that did so before has left its nudge.
    asleep_until.store(next.map_or(i64::MAX, |next| next.0), Ordering::SeqCst);
    match next {
        None => nudge.notified().await,
        Some(next) => tokio::select! {
            () = core.store.clock().sleep_until(next) => {}
            () = nudge.notified() => {}
        },
    }
}

/// The first that is due now, of all.
const FIRST: Due = Due::START;
