//! Clients whose steps became due by an action just now: a payment, an assignment, a raised credit. They go ahead of whatever
//! pass is under way, with places of their own; each waits for one by itself, so that nobody waits for another reseller's
//! handlers.
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_store::tables::client_packages::due::{self, Due};
use tokio::sync::{Notify, Semaphore};

use super::{
    places::{Bounds, Places},
    worker,
};
use crate::Core;

/// Those that wait to be looked at, and those that wait for a place, at most; the others are found by the next pass.
const WAITING_MAX: usize = 10_000;
const PLACES: Bounds = Bounds { quick: 16, asking: 256, asking_of_one: 32 };

/// The waiting ones.
pub(super) struct Urgent {
    waiting: Mutex<VecDeque<i64>>,
    came: Notify,
    in_hand: Arc<Semaphore>,
    places: Places,
}

impl Default for Urgent {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            came: Notify::new(),
            in_hand: Arc::new(Semaphore::new(WAITING_MAX)),
            places: Places::new(&PLACES),
        }
    }
}

impl Urgent {
    /// One more; false if too many wait. Called by the store's writer: it neither blocks nor takes long.
    pub(super) fn put(&self, clients_id: i64) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = waiting.len() < WAITING_MAX;
        if has_room {
            waiting.push_back(clients_id);
        }
        drop(waiting);
        self.came.notify_one();
        has_room
    }

    pub(super) fn wake(&self) {
        self.came.notify_one();
    }

    fn next(&self) -> Option<i64> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Sends them on their way, for ever.
pub(super) async fn run(core: Core) {
    let schedule = core.schedule.clone();
    let urgent = &schedule.0.urgent;
    while !schedule.is_stopped() {
        let Some(clients_id) = urgent.next() else {
            urgent.came.notified().await;
            continue;
        };
        match core.store.read(move |tx| due::first_of_client(tx, clients_id)).await {
            Ok(Some(first)) if core.cluster.owns(first.clients_id) => send(&core, first),
            // Somebody else was faster, or it is another node's by now.
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, clients_id, "what is due of a client could not be read; the next pass finds it");
                schedule.0.nudge.notify_one();
            }
        }
    }
}

/// A worker for the client as soon as there is a place.
fn send(core: &Core, first: Due) {
    let Ok(in_hand) = Arc::clone(&core.schedule.0.urgent.in_hand).try_acquire_owned() else {
        return core.schedule.0.nudge.notify_one();
    };
    let core = core.clone();
    tokio::spawn(async move {
        if let Some(place) = core.schedule.0.urgent.places.wait(&core, first.companies_id).await {
            worker::start(&core, first, place);
        }
        drop(in_hand);
    });
}
