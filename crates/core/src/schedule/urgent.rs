//! Clients whose steps became due by an action just now: a payment, an assignment, a raised credit. They go ahead of whatever
//! pass is under way, with places of their own.
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_store::tables::client_packages::due;
use tokio::sync::{Notify, Semaphore};

use super::worker;
use crate::Core;

/// Those that wait at most; the others are found by the next pass.
const WAITING_MAX: usize = 10_000;
/// Clients whose steps are taken at once.
const AT_ONCE: usize = 16;

/// The waiting ones.
#[derive(Default)]
pub(super) struct Urgent {
    waiting: Mutex<VecDeque<i64>>,
    came: Notify,
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
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let schedule = core.schedule.clone();
    while !schedule.is_stopped() {
        let Some(clients_id) = schedule.0.urgent.next() else {
            schedule.0.urgent.came.notified().await;
            continue;
        };
        // Never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let first = core.store.read(move |tx| due::first_of_client(tx, clients_id)).await;
        match first {
            Ok(Some(first)) => worker::start(&core, first, place),
            // Somebody else was faster.
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, clients_id, "what is due of a client could not be read; the next pass finds it");
                schedule.0.nudge.notify_one();
            }
        }
    }
}
