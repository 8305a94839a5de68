//! Calls about a client are held back for a moment to try out whether handlers answer each other ([`crate::loops`]). That is
//! nobody else's business: a delivery that is held gives its place among `concurrency` back, and only its own lane stands.
use std::sync::{Arc, PoisonError};

use super::{lanes::Place, queue::Queue};

impl Queue {
    /// Whether calls about this client are held.
    pub(super) fn holds(&self, clients_id: i64) -> bool {
        self.shared.loops.held(clients_id).is_some()
    }

    /// Gives back the place of a delivery about a client whose calls are held. One task lets all of that client go.
    pub(super) fn hold_back(self: &Arc<Self>, place: Place, id: i64, clients_id: i64) {
        self.change(|lanes, _| lanes.held_back(place, id));
        let is_first = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let of_client = held.entry(clients_id).or_default();
            of_client.push((place, id));
            of_client.len() == 1
        };
        if is_first {
            self.shared.runtime.spawn(Arc::clone(self).let_go(clients_id));
        }
    }

    async fn let_go(self: Arc<Self>, clients_id: i64) {
        self.shared.loops.wait(clients_id).await;
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&clients_id).unwrap_or_default();
        self.change(|lanes, now| held.into_iter().for_each(|(place, id)| lanes.let_go(place, id, now)));
    }
}
