//! How many clients' steps are taken at once. Those who ask nobody are done in no time, and share few places: callers need not
//! wait for them. Those who ask handlers may take long; each reseller has its share of many places, so that one reseller's slow
//! handler holds up nobody else's steps.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_model::event::STEPS_OF_PACKAGES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Core;

/// Clients whose steps ask nobody: enough to share a flush of the disk.
const AT_ONCE: usize = 48;
/// Clients whose steps ask handlers, together and of one reseller.
const ASKING_AT_ONCE: usize = 512;
const ASKING_OF_ONE: usize = 64;

/// The places.
pub(super) struct Places {
    quick: Arc<Semaphore>,
    asking: Arc<Semaphore>,
    of_resellers: Mutex<HashMap<i64, Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            quick: Arc::new(Semaphore::new(AT_ONCE)),
            asking: Arc::new(Semaphore::new(ASKING_AT_ONCE)),
            of_resellers: Mutex::default(),
        }
    }
}

/// A place that was taken; given back when it is dropped.
pub(super) struct Place {
    _held: [Option<OwnedSemaphorePermit>; 2],
}

impl Places {
    /// A place for the steps of a client of this reseller. Waits for one among those who ask nobody; `None` if the reseller's
    /// share of those who ask is taken.
    pub(super) async fn take(&self, core: &Core, companies_id: i64) -> Option<Place> {
        if !asks(core, companies_id) {
            // Never closed.
            return Arc::clone(&self.quick).acquire_owned().await.ok().map(|held| Place { _held: [Some(held), None] });
        }
        let own = {
            let mut shares = self.of_resellers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(shares.entry(companies_id).or_insert_with(|| Arc::new(Semaphore::new(ASKING_OF_ONE))))
        };
        let of_reseller = own.try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.asking).try_acquire_owned().ok()?;
        Some(Place { _held: [Some(of_reseller), Some(of_all)] })
    }
}

/// True if some before handler may have to be asked about a step of this reseller's client.
fn asks(core: &Core, companies_id: i64) -> bool {
    let rules = core.hooks.rules();
    STEPS_OF_PACKAGES.iter().any(|kind| rules.wants_before_of(kind, companies_id, &core.access))
}
