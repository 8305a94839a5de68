//! How many clients' steps are taken at once. Those who ask nobody are done in no time, and share few places. Those who ask
//! handlers may take long; each reseller has its share of many places, so that one reseller's slow handler holds up nobody
//! else's steps.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_model::event::STEPS_OF_PACKAGES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Core;

/// How many places there are.
pub(super) struct Bounds {
    /// For clients whose steps ask nobody: enough to share a flush of the disk.
    pub(super) quick: usize,
    /// For clients whose steps ask handlers, all together.
    pub(super) asking: usize,
    /// The same, of one reseller.
    pub(super) asking_of_one: usize,
}

/// The places.
pub(super) struct Places {
    quick: Arc<Semaphore>,
    asking: Arc<Semaphore>,
    asking_of_one: usize,
    of_resellers: Mutex<HashMap<i64, Arc<Semaphore>>>,
}

/// A place that was taken; given back when it is dropped.
pub(super) struct Place {
    _held: [Option<OwnedSemaphorePermit>; 2],
}

impl Places {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            quick: Arc::new(Semaphore::new(bounds.quick)),
            asking: Arc::new(Semaphore::new(bounds.asking)),
            asking_of_one: bounds.asking_of_one,
            of_resellers: Mutex::default(),
        }
    }

    /// A place for the steps of a client of this reseller. Waits for one among those who ask nobody; `None` if the reseller's
    /// share of those who ask is taken.
    pub(super) async fn take(&self, core: &Core, companies_id: i64) -> Option<Place> {
        if !asks(core, companies_id) {
            return self.quick().await;
        }
        let of_reseller = self.share_of(companies_id).try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.asking).try_acquire_owned().ok()?;
        Some(Place { _held: [Some(of_reseller), Some(of_all)] })
    }

    /// The same, but waits for its turn in any case, first come, first served. `None`: never.
    pub(super) async fn wait(&self, core: &Core, companies_id: i64) -> Option<Place> {
        if !asks(core, companies_id) {
            return self.quick().await;
        }
        let of_reseller = self.share_of(companies_id).acquire_owned().await.ok()?;
        let of_all = Arc::clone(&self.asking).acquire_owned().await.ok()?;
        Some(Place { _held: [Some(of_reseller), Some(of_all)] })
    }

    async fn quick(&self) -> Option<Place> {
        // Never closed.
        Arc::clone(&self.quick).acquire_owned().await.ok().map(|held| Place { _held: [Some(held), None] })
    }

    fn share_of(&self, companies_id: i64) -> Arc<Semaphore> {
        let mut shares = self.of_resellers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shares.entry(companies_id).or_insert_with(|| Arc::new(Semaphore::new(self.asking_of_one))))
    }
}

/// True if some before handler may have to be asked about a step of this reseller's client.
fn asks(core: &Core, companies_id: i64) -> bool {
    let rules = core.hooks.rules();
    STEPS_OF_PACKAGES.iter().any(|kind| rules.wants_before_of(kind, companies_id, &core.access))
}
