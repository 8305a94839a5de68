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

/// One of an action's events, shared by all that are asked about it.
type One = (Arc<[Event]>, usize);

/// Has a shadow asked about an event as it stands now; never waits.
pub(super) fn ask(shared: &Arc<Shared>, rule: &Arc<Rule>, (events, index): One, asking: &Asking) {
    let gate = shared.gates.of(&rule.handler);
    let Some(seat) = gate.seat() else {
        let words = "busy: too many of its calls were in flight or waiting; a shadow is left out then".to_owned();
        return shared.log.record_if_room(turn::skipped(rule, turn::about(shared, &events[index], asking.attempt), words));
    };
    let (shared, rule, asking) = (Arc::clone(shared), Arc::clone(rule), asking.clone());
    shared.runtime.clone().spawn(async move {
        let (_seat, event) = (seat, &events[index]);
        let (shown, share) = (Shown::new(event), limit(&rule.handler));
        let turn = Turn { shared: &shared, rule: &rule, event, shown: &shown, asking: &asking, owed: None, share };
        turn.shadow(&gate).await;
    });
}
