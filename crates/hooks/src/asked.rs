//! What handlers are being asked about right now. A before handler that calls us back names an event that is not in the
//! journal yet, and may never be: its cause is found here.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_model::event::{Cause, Event};
use uuid::Uuid;

use crate::loops::Step;

/// The events of actions that wait for handlers.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<HashMap<Uuid, Step>>>);

/// Events that are being asked about, until this is dropped.
pub struct BeingAsked {
    asked: Asked,
    ids: Vec<Uuid>,
}

impl Asked {
    /// Notes these events.
    pub(crate) fn note(&self, events: &[Event]) -> BeingAsked {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(events.iter().map(|event| (event.id, Step::of(event))));
        BeingAsked { asked: self.clone(), ids: events.iter().map(|event| event.id).collect() }
    }

    /// The cause of such an event, if it has one.
    pub(crate) fn cause(&self, event_id: Uuid) -> Option<Cause> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&event_id)?.cause.clone()
    }

    /// Such an event, its cause if that is one too, and so on.
    pub(crate) fn chain(&self, event_id: Uuid) -> Vec<Step> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A cause is older than what it causes: it ends.
        let above = |step: &&Step| known.get(&step.reaction()?.event_id);
        std::iter::successors(known.get(&event_id), above).cloned().collect()
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
