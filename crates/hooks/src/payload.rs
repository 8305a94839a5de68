//! The payload of contract section 2 as bytes, for whoever gets it: with account passwords in clear, masked for a handler
//! that says so, and masked for the journal with the passwords beside it.
//!
//! Most events have no password; then all of these are the same bytes, written once.
use std::borrow::Cow;

use bytes::Bytes;
use hookswitch_model::{
    Object,
    event::{Event, Stage},
    json::MASK,
};
use hookswitch_store::{Error, Vault};
use serde::Serialize;
use serde_json::Value;

/// The key of an account's password, wherever an account stands in a payload.
const PASSWORD: &str = "password";
/// Where an account may stand.
const MEMBERS: [&str; 3] = ["data", "previous", "object"];

/// An event as its receivers get it.
#[derive(Debug, Clone)]
pub struct Payload {
    /// Passwords masked: what the journal keeps.
    pub masked: Bytes,
    /// Passwords in clear; `None` = there are none, `masked` is the whole truth.
    pub clear: Option<Clear>,
}

/// A payload with passwords.
#[derive(Debug, Clone)]
pub struct Clear {
    /// The bytes.
    pub bytes: Bytes,
    /// The passwords in it, to be masked in the log.
    pub passwords: Vec<String>,
}

impl Payload {
    /// Of an event at a stage; `seq` is absent before the commit.
    #[must_use]
    pub fn of(event: &Event, stage: Stage, seq: Option<i64>) -> Self {
        let clear = written(event, stage, seq);
        let passwords = passwords(event);
        if passwords.is_empty() {
            return Self { masked: clear, clear: None };
        }
        let masked = written(&masked(event), stage, seq);
        Self { masked, clear: Some(Clear { bytes: clear, passwords }) }
    }

    /// Of an event that nobody is told of: for the journal alone.
    #[must_use]
    pub fn untold(event: &Event, seq: i64) -> Self {
        let has_passwords = members(event).any(|(_, object)| password(object).is_some());
        let event = if has_passwords { Cow::Owned(masked(event)) } else { Cow::Borrowed(event) };
        Self { masked: written(&event, Stage::After, Some(seq)), clear: None }
    }

    /// As the journal has it: the masked payload, and its passwords sealed.
    ///
    /// # Errors
    /// If they can't be opened or put back.
    pub fn recorded(body: String, secrets: Option<&[u8]>, vault: &Vault) -> Result<Self, Error> {
        let clear = secrets.map(|sealed| unsealed(&body, &vault.open(sealed)?)).transpose()?;
        Ok(Self { masked: body.into(), clear })
    }

    /// The passwords by member, sealed; `None` if there are none.
    #[must_use]
    pub fn sealed_passwords(event: &Event, vault: &Vault) -> Option<Vec<u8>> {
        let found: Object =
            members(event).filter_map(|(name, object)| Some((name.to_owned(), Value::from(password(object)?)))).collect();
        (!found.is_empty()).then(|| vault.seal(&Value::Object(found).to_string()))
    }

    /// What a handler gets, by its `passwords`.
    #[must_use]
    pub fn for_handler(&self, passwords: bool) -> Bytes {
        match &self.clear {
            Some(clear) if passwords => clear.bytes.clone(),
            _ => self.masked.clone(),
        }
    }

    /// The passwords that such a handler gets.
    #[must_use]
    pub fn passwords_told(&self, passwords: bool) -> &[String] {
        self.clear.as_ref().filter(|_| passwords).map_or(&[], |clear| &clear.passwords)
    }

    /// Bytes that it holds in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.masked.len() + self.clear.as_ref().map_or(0, |clear| clear.bytes.len())
    }
}

/// The event with passwords masked, for a handler that does not get them.
#[must_use]
pub fn masked(event: &Event) -> Event {
    let mut event = event.clone();
    for object in [Some(&mut event.data), event.previous.as_mut(), Some(&mut event.object)].into_iter().flatten() {
        if password(object).is_some() {
            object.insert(PASSWORD.to_owned(), MASK.into());
        }
    }
    event
}

fn password(object: &Object) -> Option<&str> {
    object.get(PASSWORD).and_then(Value::as_str)
}

fn members(event: &Event) -> impl Iterator<Item = (&'static str, &Object)> {
    let objects = [Some(&event.data), event.previous.as_ref(), Some(&event.object)];
    MEMBERS.into_iter().zip(objects).filter_map(|(name, object)| Some((name, object?)))
}

/// The passwords in an event.
pub(crate) fn passwords(event: &Event) -> Vec<String> {
    let mut found: Vec<String> = members(event).filter_map(|(_, object)| password(object)).map(str::to_owned).collect();
    found.dedup();
    found
}

fn unsealed(body: &str, passwords: &str) -> Result<Clear, Error> {
    let broken = |error: serde_json::Error| Error::Engine(format!("a recorded event can't be read: {error}"));
    let mut payload: Object = serde_json::from_str(body).map_err(broken)?;
    let passwords: Object = serde_json::from_str(passwords).map_err(broken)?;
    for (name, password) in &passwords {
        if let Some(Value::Object(object)) = payload.get_mut(name) {
            object.insert(PASSWORD.to_owned(), password.clone());
        }
    }
    let bytes = serde_json::to_vec(&payload).map_err(broken)?.into();
    Ok(Clear { bytes, passwords: passwords.values().filter_map(Value::as_str).map(str::to_owned).collect() })
}

/// Borrowed, because it is written inside the one writer's transaction.
#[derive(Serialize)]
struct Written<'a> {
    event: Value,
    data: &'a Object,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a Object>,
    object: &'a Object,
}

fn written(event: &Event, stage: Stage, seq: Option<i64>) -> Bytes {
    let Event { data, previous, object, .. } = event;
    let whole = Written { event: event.head(stage, seq), data, previous: previous.as_ref(), object };
    // Maps with text keys and exact numbers: there is nothing that could not be written.
    serde_json::to_vec(&whole).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use hookswitch_model::{
        event::{self, Actor, Mode},
        moment::Moment,
    };
    use hookswitch_store::MasterKey;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn changed_password() -> Event {
        Event {
            id: Uuid::nil(),
            dt: Moment(0),
            kind: &event::ACCOUNTS_UPDATE,
            object_id: 1,
            clients_id: 1,
            companies_id: 1,
            era: 0,
            mode: Mode::Live,
            actor: Actor::Cli,
            cause: None,
            trace: None,
            data: object(json!({"id": 1, "password": "new-one"})),
            previous: Some(object(json!({"password": "old-one"}))),
            object: object(json!({"id": 1, "password": "new-one", "credit": 0.1})),
        }
    }

    #[test]
    fn what_the_journal_keeps_has_no_password_and_gives_the_same_payload_back() {
        let (event, vault) = (changed_password(), Vault::new(MasterKey::from_bytes([3; 32])));
        let fresh = Payload::of(&event, Stage::After, Some(7));
        let journal = String::from_utf8(fresh.masked.to_vec()).unwrap();
        assert!(!journal.contains("-one") && journal.contains(MASK), "{journal}");
        let sealed = Payload::sealed_passwords(&event, &vault);
        let again = Payload::recorded(journal, sealed.as_deref(), &vault).unwrap();
        assert_eq!(again.for_handler(true), fresh.for_handler(true));
        assert_eq!(again.for_handler(false), fresh.masked);
        assert_eq!((again.passwords_told(true).len(), again.passwords_told(false).len()), (3, 0));
    }

    #[test]
    fn an_event_without_a_password_is_written_once() {
        let mut event = changed_password();
        (event.data, event.previous, event.object) = (Object::new(), None, object(json!({"password": null})));
        let payload = Payload::of(&event, Stage::After, Some(1));
        assert!(payload.clear.is_none());
        assert_eq!(Payload::sealed_passwords(&event, &Vault::new(MasterKey::from_bytes([3; 32]))), None);
        assert!(!payload.masked.windows(8).any(|part| part == b"previous"));
    }
}
