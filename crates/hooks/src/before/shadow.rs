//! Shadows: before handlers that are really asked, off the caller's path, and decide nothing.
//!
//! Each asking is a task of its own. A handler has at most its `concurrency` of them in flight, and some more that wait for a
//! place; who finds no room is left out, with a row in the log. There is no breaker: a dead shadow costs nobody anything.
use std::sync::Arc;

use hookswitch_model::event::Event;

use super::{
    Asking, Shared,
    budget::limit,
    turn::{self, Shown, Turn},
};
use crate::rules::Rule;

/// Has a shadow asked about an event as it stands now. Called by the thread that commits, too: it never waits.
pub(super) fn ask(shared: &Arc<Shared>, rule: &Arc<Rule>, event: &Event, asking: &Asking) {
    let gate = shared.gates.of(&rule.handler);
    let Some(seat) = gate.seat() else {
        let words = "busy: too many of its calls were in flight or waiting; a shadow is left out then".to_owned();
        return shared.log.record_if_room(turn::skipped(rule, turn::about(shared, event, asking.attempt), words));
    };
    let (shared, rule, event, asking) = (Arc::clone(shared), Arc::clone(rule), event.clone(), asking.clone());
    shared.runtime.clone().spawn(async move {
        let _seat = seat;
        let (shown, share) = (Shown::new(&event), limit(&rule.handler));
        let turn = Turn { shared: &shared, rule: &rule, event: &event, shown: &shown, asking: &asking, owed: None, share };
        turn.shadow(&gate).await;
    });
}
