//! What the ready-made kinds have in common: they are configured rather than programmed, with texts that hold expressions.
//!
//! | file | subject |
//! |---|---|
//! | [`settings`] | single values of a handler's `settings` |
//! | [`by_event`] | what is set for each event, or for a pattern of events |
//! | [`text`], [`json`] | texts and JSON with `{{ expression }}` in them |
//! | [`people`] | an event in words, for whoever reads |
pub(super) mod by_event;
pub(super) mod json;
pub(super) mod people;
pub(super) mod settings;
pub(super) mod text;

use hookswitch_model::{Object, event::aliases, handler::Handler, refusal::FailureReason};
use serde_json::{Value as Json, json};

use super::{CallError, Kind, Reply};

/// What expressions see of a handler, beside the payload.
pub(super) struct Surroundings {
    handler: Json,
    settings: Json,
}

impl Surroundings {
    /// `open` is what they may see of the settings.
    pub(super) fn new(handler: &Handler, open: Object) -> Self {
        Self { handler: json!({"id": handler.id, "name": handler.name}), settings: Json::Object(open) }
    }

    /// The payload with `settings` and `handler` beside its own members.
    pub(super) fn around(&self, body: &[u8]) -> Result<Object, CallError> {
        let mut payload: Object = serde_json::from_slice(body).map_err(|_| unusable("the event can't be read"))?;
        payload.insert("settings".to_owned(), self.settings.clone());
        payload.insert("handler".to_owned(), self.handler.clone());
        Ok(payload)
    }
}

/// What was configured does not fit this event: nothing was sent.
pub(super) fn unusable(words: impl Into<String>) -> CallError {
    CallError::new(FailureReason::Status, words)
}

/// Done, or nothing was to be done: what is told of it in the log.
pub(super) fn done(status: i64, told: &Json) -> Reply {
    let body = told.to_string().into_bytes();
    Reply { kind: Kind::ReadyMade, status, body, stderr: String::new(), first_line: String::new(), retry_after: None }
}

/// The handler has nothing to do for this event.
pub(super) fn nothing_to_do() -> Reply {
    done(0, &json!({"applied": false, "reason": "there is nothing to be done for this event"}))
}

/// The first name of the first API generation among a handler's events, in words: what is configured for events goes by present names.
pub(super) fn old_name(handler: &Handler) -> Option<String> {
    let (old, present) = handler.event.iter().find_map(|name| Some((name, aliases::present(name)?)))?;
    Some(format!("{old} is a name of the first API generation: write {present}"))
}
