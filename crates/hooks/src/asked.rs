//! What handlers are being asked about right now. A before handler that calls us back names an event that is not in the
//! journal yet, and may never be: its cause is found here.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_model::event::{Cause, Event};
use uuid::Uuid;

/// The events of actions that wait for handlers.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<HashMap<Uuid, Option<Cause>>>>);

/// Events that are being asked about, until this is dropped.
pub struct BeingAsked {
    asked: Asked,
    ids: Vec<Uuid>,
}

impl Asked {
    /// Notes these events.
    pub(crate) fn note(&self, events: &[Event]) -> BeingAsked {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(events.iter().map(|event| (event.id, event.cause.clone())));
        BeingAsked { asked: self.clone(), ids: events.iter().map(|event| event.id).collect() }
    }

    /// The cause of such an event, if it has one.
    pub(crate) fn cause(&self, event_id: Uuid) -> Option<Cause> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&event_id).cloned().flatten()
    }
}

impl Drop for BeingAsked {
    fn drop(&mut self) {
        let mut known = self.asked.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.ids {
            known.remove(id);
        }
    }
}
