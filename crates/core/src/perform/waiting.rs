//! At most so many actions of one client wait for handlers at once: a slow handler can't pile up a client's callers.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_model::refusal::Refusal;

/// The contract's bound.
const WAITING_MAX: u32 = 16;

/// Counts the actions of each client that wait for handlers.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Arc<Mutex<HashMap<i64, u32>>>);

/// One waiting action; dropped when it waits no more.
pub(crate) struct Place {
    waiting: Waiting,
    clients_id: i64,
}

impl Waiting {
    /// Takes a place.
    ///
    /// # Errors
    /// `TooMany` if the client has none left.
    pub(crate) fn enter(&self, clients_id: i64) -> Result<Place, Refusal> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(clients_id).or_default();
        if *count >= WAITING_MAX {
            let message = format!("{WAITING_MAX} actions of client {clients_id} wait for handlers already; try again later");
            return Err(Refusal::TooMany(message));
        }
        *count += 1;
        Ok(Place { waiting: self.clone(), clients_id })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.clients_id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.clients_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seventeenth_is_refused_and_a_place_left_is_free_again() {
        let waiting = Waiting::default();
        let mut places: Vec<Place> = (0..WAITING_MAX).map(|_| waiting.enter(1).unwrap()).collect();
        assert!(matches!(waiting.enter(1), Err(Refusal::TooMany(_))));
        assert!(waiting.enter(2).is_ok());
        places.pop();
        assert!(waiting.enter(1).is_ok());
        places.clear();
        assert!(waiting.0.lock().unwrap().is_empty());
    }
}
