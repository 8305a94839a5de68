//! What a handler calls the events that it takes: one that was saved under names of the first API generation goes on
//! hearing those, in its payload, its headers and its condition. Journal, queue and log know the present names only.
//!
//! The names are worked out when a handler is loaded. All others, which is nearly all handlers, share the bytes of a
//! payload as ever; only for such a one are they written anew.
use std::borrow::Cow;

use bytes::Bytes;
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Kind},
    handler::Handler,
};
use serde_json::Value;

/// The events that a handler knows by other names than we do.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<(&'static str, String)>);

impl Names {
    /// Of a handler, by the names and patterns under which it was saved.
    pub(crate) fn of(handler: &Handler) -> Self {
        let renamed = |kind: &Kind| match handler.name_of(kind.events_id) {
            Cow::Owned(name) => Some((kind.events_id, name)),
            Cow::Borrowed(_) => None,
        };
        Self(CATALOGUE.iter().filter_map(renamed).collect())
    }

    fn old(&self, kind: Kind) -> Option<&str> {
        self.0.iter().find(|(events_id, _)| *events_id == kind.events_id).map(|(_, name)| name.as_str())
    }

    /// True if it knows this event by another name.
    pub(crate) fn rename(&self, kind: Kind) -> bool {
        self.old(kind).is_some()
    }

    /// The event's name for this handler.
    pub(crate) fn name(&self, kind: Kind) -> Cow<'static, str> {
        self.old(kind).map_or(Cow::Borrowed(kind.events_id), |name| Cow::Owned(name.to_owned()))
    }

    /// The written payload for this handler.
    pub(crate) fn body(&self, kind: Kind, body: Bytes) -> Bytes {
        let Some(name) = self.old(kind) else { return body };
        // We wrote it ourselves; should it ever be unreadable, the present name is better than no payload.
        let written = serde_json::from_slice(&body).map(|payload| serde_json::to_vec(&renamed(payload, name)));
        written.and_then(|written| written).map_or(body, Bytes::from)
    }

    /// The payload for this handler's condition.
    pub(crate) fn payload<'a>(&self, kind: Kind, payload: &'a Object) -> Cow<'a, Object> {
        self.old(kind).map_or(Cow::Borrowed(payload), |name| Cow::Owned(renamed(payload.clone(), name)))
    }
}

fn renamed(mut payload: Object, name: &str) -> Object {
    if let Some(Value::Object(event)) = payload.get_mut("event") {
        event.insert("events_id".to_owned(), name.into());
    }
    payload
}

#[cfg(test)]
mod tests {
    use hookswitch_model::{event, handler::check_create};
    use serde_json::json;

    use super::*;

    fn names(events: Value) -> Names {
        let Value::Object(given) = json!({"name": "h", "event": events, "task": "http://127.0.0.1:1/"}) else {
            panic!("an object")
        };
        Names::of(&Handler::from_checked(1, &check_create(&given).unwrap()).unwrap())
    }

    #[test]
    fn a_payload_is_written_anew_only_for_who_knows_the_event_by_its_old_name() {
        let body =
            Bytes::from_static(br#"{"event":{"id":"x","events_id":"clients.accounts.create","seq":1},"data":{"fee":0.10}}"#);
        let old = names(json!("accounts.*"));
        let expected = r#"{"event":{"id":"x","events_id":"accounts.create","seq":1},"data":{"fee":0.10}}"#;
        assert_eq!(old.body(&event::ACCOUNTS_CREATE, body.clone()), expected);
        assert_eq!(old.name(&event::ACCOUNTS_CREATE), "accounts.create");
        let new = names(json!(["clients.accounts.*", "clients.*"]));
        assert_eq!(new.body(&event::ACCOUNTS_CREATE, body.clone()).as_ptr(), body.as_ptr());
        assert_eq!(new.name(&event::ACCOUNTS_CREATE), "clients.accounts.create");
    }

    #[test]
    fn the_first_pattern_that_matches_names_the_event() {
        let mixed = names(json!(["clients.accounts.create", "accounts.*"]));
        assert!(!mixed.rename(&event::ACCOUNTS_CREATE) && mixed.rename(&event::ACCOUNTS_DELETE));
    }
}
