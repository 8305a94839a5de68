//! The steps that the clock takes. Every open client package has a moment at which something may have to be done (`due_at`);
//! when that has come, the step that is due goes through the one door like anybody's action.
//!
//! ```text
//!   sleep until the next due moment, or until somebody nudges: a commit that planned something earlier, a payment, new terms
//!     -> sweep   packages with new terms: those who have them become due, a portion at a time          sweep.rs
//!     -> pass    over all that is due, oldest first: a worker for each client, so that one client's    pass.rs
//!                steps keep their order and nobody waits for another's handlers                        worker.rs
//!   urgent       what has become due by an action just now (a payment, an assignment) waits for        urgent.rs
//!                no pass: the night of 200,000 renewals must not hold it up
//! ```
//!
//! Nothing is lost with this process: what is due stands in the database, and a step changes it in its own transaction. A step
//! is decided anew in the transaction that writes it, so that it happens once, whatever runs twice or crashes in between.
//!
//! With several nodes each takes the steps of its own clients. A node that was taken for dead takes none: the transaction of a step
//! checks that its life still goes on ([`hookswitch_cluster::Fence`]).
mod figures;
mod pass;
mod places;
mod sweep;
mod urgent;
mod worker;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use hookswitch_cluster::{Cluster, Notice};
use hookswitch_model::{moment::Moment, objects::client_package::ClientPackage};
use hookswitch_store::{Error, Tx, tables::client_packages::due};
use tokio::sync::Notify;

use crate::{Core, perform::At};
pub use figures::Figures;
use places::{Bounds, Places};
use urgent::Urgent;

/// After an error of the database.
const PAUSE: Duration = Duration::from_secs(1);
/// For those of a pass.
const PLACES: Bounds = Bounds { quick: 48, asking: 512, asking_of_one: 64 };
/// Between two portions of new terms, and before those are looked at again who found no place.
const BREATH: Duration = Duration::from_millis(20);
/// Other nodes look at what is due at least as often as that: what is due later need not be told.
const TOLD_WITHIN_MS: i64 = 120_000;

/// The clock's entrance; a cheap handle.
#[derive(Clone)]
pub struct Schedule(Arc<Shared>);

struct Shared {
    cluster: Cluster,
    nudge: Notify,
    /// Until when the clock sleeps; while it is awake, everything counts as earlier.
    asleep_until: AtomicI64,
    stopped: AtomicBool,
    /// Clients whose steps are being taken.
    busy: Mutex<HashSet<i64>>,
    places: Places,
    urgent: Urgent,
    steps: figures::Steps,
}

impl Schedule {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self(Arc::new(Shared {
            cluster,
            nudge: Notify::new(),
            asleep_until: AtomicI64::new(i64::MAX),
            stopped: AtomicBool::new(false),
            busy: Mutex::default(),
            places: Places::new(&PLACES),
            urgent: Urgent::default(),
            steps: figures::Steps::default(),
        }))
    }

    /// Once this is committed, the clock has something to do about a client package when it is due.
    pub(crate) fn plan(&self, tx: &mut Tx, now: Moment, own: &ClientPackage) {
        match own.planned.due {
            None => {}
            Some(due) if due <= now => self.hurry(tx, own.clients_id),
            Some(due) => {
                let (schedule, clients_id) = (self.clone(), own.clients_id);
                tx.on_commit(move || schedule.will_be_due(clients_id, due, now));
            }
        }
    }

    /// Once this is committed, a client has steps that are due now.
    fn hurry(&self, tx: &mut Tx, clients_id: i64) {
        let schedule = self.clone();
        tx.on_commit(move || {
            if !schedule.0.cluster.owns(clients_id) {
                schedule.0.cluster.tell(Notice::Due { clients_id });
            }
            schedule.is_due(clients_id);
        });
    }

    /// A client has steps that are due now; nothing happens if it is another node's.
    pub(crate) fn is_due(&self, clients_id: i64) {
        if self.0.cluster.owns(clients_id) && !self.0.urgent.put(clients_id) {
            self.look();
        }
    }

    fn will_be_due(&self, clients_id: i64, due: Moment, now: Moment) {
        if self.0.cluster.owns(clients_id) {
            self.nudge_if_before(due);
        } else if due.millis_since(now) < TOLD_WITHIN_MS {
            self.0.cluster.tell(Notice::DueAt { at: due.0 });
        }
    }

    /// Once this is committed, the clock looks at everything again.
    pub(crate) fn look_again(&self, tx: &mut Tx) {
        let schedule = self.clone();
        tx.on_commit(move || {
            schedule.0.cluster.tell(Notice::Terms);
            schedule.look();
        });
    }

    /// Looks at everything again.
    pub(crate) fn look(&self) {
        self.0.nudge.notify_one();
    }

    pub(crate) fn nudge_if_before(&self, due: Moment) {
        if due.0 < self.0.asleep_until.load(Ordering::SeqCst) {
            self.0.nudge.notify_one();
        }
    }

    /// No new steps.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.nudge.notify_one();
        self.0.urgent.wake();
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    fn busy<T>(&self, use_them: impl FnOnce(&mut HashSet<i64>) -> T) -> T {
        use_them(&mut self.0.busy.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A client's balance or credit rose: what waits is tried at once.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn funds_rose(tx: &mut Tx, at: &At, clients_id: i64) -> Result<(), Error> {
    if due::for_funds(tx, clients_id)? {
        at.schedule.hurry(tx, clients_id);
    }
    Ok(())
}

/// Starts the clock. Called within a runtime.
pub(crate) fn start(core: &Core) {
    tokio::spawn(run(core.clone()));
    tokio::spawn(urgent::run(core.clone()));
}

/// What the clock does when it has looked at everything.
enum Then {
    /// Sleeps until something is due.
    Sleep(Option<Moment>),
    /// Looks again, after a breath: there are more with new terms.
    Breathe,
}

async fn run(core: Core) {
    let schedule = core.schedule.clone();
    while !schedule.is_stopped() {
        schedule.0.asleep_until.store(i64::MAX, Ordering::SeqCst);
        match work(&core).await {
            Ok(Then::Sleep(next)) => sleep(&core, next).await,
            Ok(Then::Breathe) => tokio::time::sleep(BREATH).await,
            Err(error) => {
                tracing::error!(%error, "what is due could not be read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Sends everybody on his way whose step is due.
async fn work(core: &Core) -> Result<Then, Error> {
    // One node makes them due, and tells the others that they are.
    let more_terms = core.cluster.is_leader() && sweep::portion(core).await?;
    if more_terms {
        core.cluster.tell(Notice::Terms);
    }
    // What becomes due while the pass is under way is due next.
    let now = core.store.clock().now();
    let left_out = pass::through(core, now).await?;
    if more_terms {
        return Ok(Then::Breathe);
    }
    if left_out {
        // A place becomes free when a worker ends, which nudges: many of them are worth one look.
        tokio::time::sleep(BREATH).await;
    }
    core.store.read(move |tx| due::next_after(tx, now)).await.map(Then::Sleep)
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
