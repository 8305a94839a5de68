//! Where a change stands, told by its type: a [`Draft`] is valid and nobody was asked; a [`Decided`] one has been
//! before every before handler; only the commit takes a `Decided`, and only this module makes one.
use std::collections::{HashMap, HashSet};

use hookswitch_model::{
    Object,
    event::{Event, Kind},
    json,
    moment::Moment,
    refusal::Refusal,
};
use hookswitch_store::Tx;
use serde_json::Value;
use uuid::Uuid;

use super::At;

/// One object's share in an action, as an event without its id. A simple action has one; a compound one has many,
/// in the order in which they happen.
#[derive(Debug, Clone)]
pub struct Part {
    /// What happens to the object.
    pub kind: Kind,
    /// The object; the id of a new one is already known.
    pub object_id: i64,
    /// Its client.
    pub clients_id: i64,
    /// The client's reseller.
    pub companies_id: i64,
    /// As the contract's table of events says.
    pub data: Object,
    /// Old values of the keys of `data` (updates only).
    pub previous: Option<Object>,
    /// The whole object: as it would be, or as it was for `delete` and `archive`.
    pub object: Object,
    /// What the chain's answer depends on: the present values of the keys of `data`, and of `status`. A key that stands
    /// deeper in the whole object has its path, such as `custom_fields.contract_no`.
    pub watched: Object,
    /// The moment that it belongs to, if that is not the one at which it was asked for: a step of the clock that was missed.
    pub dt: Option<Moment>,
}

impl Part {
    /// The same share in a second asking and at commit has the same key.
    fn key(&self) -> (&'static str, i64) {
        (self.kind.events_id, self.object_id)
    }

    fn into_event(self, id: Uuid, at: &At) -> Event {
        Event {
            id,
            dt: self.dt.unwrap_or(at.now),
            kind: self.kind,
            object_id: self.object_id,
            clients_id: self.clients_id,
            companies_id: self.companies_id,
            era: at.era,
            mode: at.mode,
            actor: at.caller.actor.clone(),
            cause: at.cause.clone(),
            trace: at.trace,
            data: self.data,
            previous: self.previous,
            object: self.object,
        }
    }
}

/// What was written: the answer, and the balance edges that were found on the way.
pub struct Written {
    /// The method's result; `None` = the draft's preview holds.
    pub result: Option<Value>,
    /// Balance edges, in order; they follow the action's own events.
    pub edges: Vec<Part>,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

impl Written {
    /// As drafted, with nothing more to tell.
    #[must_use]
    pub fn as_drafted() -> Self {
        Self { result: None, edges: Vec::new(), warnings: Vec::new() }
    }

    /// As drafted, with balance edges.
    #[must_use]
    pub fn with_edges(edges: Vec<Part>) -> Self {
        Self { edges, ..Self::as_drafted() }
    }
}

/// Writes what was drafted from the state of the very same transaction.
pub type Write = Box<dyn FnOnce(&mut Tx, &At) -> Result<Written, Refusal> + Send>;

/// A valid change that nobody was asked about.
pub struct Draft {
    /// Its events, in order.
    pub parts: Vec<Part>,
    /// What the caller would get.
    pub preview: Value,
    /// How it is written.
    pub write: Write,
    /// Handlers have put it off for as long as they may: they are not asked.
    pub overrules: bool,
}

impl Draft {
    /// A change with its events.
    #[must_use]
    pub fn new(parts: Vec<Part>, preview: Value, write: Write) -> Self {
        Self { parts, preview, write, overrules: false }
    }

    /// A change without events.
    #[must_use]
    pub fn silent(preview: Value, write: Write) -> Self {
        Self::new(Vec::new(), preview, write)
    }

    /// Nothing changes: the answer is known, nothing is written.
    #[must_use]
    pub fn nothing(answer: Value) -> Self {
        Self::silent(answer, Box::new(|_, _| Ok(Written::as_drafted())))
    }
}

/// A request whose before handlers have all spoken, and what they were shown.
pub(super) struct Decided {
    request: Object,
    shown: Shown,
}

impl Decided {
    /// Nobody had to be asked: the request stands as it came.
    #[must_use]
    pub(super) fn undisputed(request: Object) -> Self {
        Self { request, shown: Shown::nothing() }
    }

    /// Every handler has allowed `request`, having been shown `shown`.
    #[must_use]
    pub(super) fn by_handlers(request: Object, shown: Shown) -> Self {
        Self { request, shown }
    }

    /// The request with what the handlers made of it.
    #[must_use]
    pub(super) fn request(&self) -> &Object {
        &self.request
    }

    /// True if the present state is still the one that the handlers were shown.
    #[must_use]
    pub(super) fn still_holds(&self, parts: &[Part]) -> bool {
        self.shown.agrees_with(parts)
    }
}

/// What the chain was shown: the watched values by part, of each key the first one shown; and which parts there were last,
/// since a handler that changes the data back to what is stored leaves none. A key that a handler adds was shown in the
/// object, before anybody was asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(Option<Seen>);

#[derive(Debug, Clone, Default)]
struct Seen {
    watched: HashMap<(&'static str, i64), Object>,
    objects: HashMap<(&'static str, i64), Object>,
    last: HashSet<(&'static str, i64)>,
}

impl Shown {
    fn nothing() -> Self {
        Self(None)
    }

    /// Takes note of what these parts show.
    pub(super) fn note(&mut self, parts: &[Part]) {
        let seen = self.0.get_or_insert_default();
        seen.last = parts.iter().map(Part::key).collect();
        for part in parts {
            let Some(known) = seen.watched.get_mut(&part.key()) else {
                seen.watched.insert(part.key(), part.watched.clone());
                seen.objects.insert(part.key(), part.object.clone());
                continue;
            };
            let object = seen.objects.get(&part.key());
            for (name, value) in &part.watched {
                if !known.contains_key(name) {
                    let shown = object.and_then(|object| within(object, name));
                    known.insert(name.clone(), shown.unwrap_or_else(|| value.clone()));
                }
            }
        }
    }

    fn agrees_with(&self, parts: &[Part]) -> bool {
        let Some(seen) = &self.0 else { return true };
        let as_shown = |part: &Part| {
            let known = seen.watched.get(&part.key());
            let is_same = |(name, value): (&String, &Value)| known?.get(name).map(|old| json::same(old, value));
            seen.last.contains(&part.key()) && part.watched.iter().all(|watched| is_same(watched).unwrap_or(true))
        };
        seen.last.len() == parts.len() && parts.iter().all(as_shown)
    }
}

/// A value of the whole object by its path. In an inner object, keys that are not set are left out: they were shown as null.
fn within(object: &Object, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => object.get(path).cloned(),
        Some((outer, key)) => Some(object.get(outer)?.get(key).cloned().unwrap_or(Value::Null)),
    }
}

/// The ids of an action's events: the same for each part through every asking and the commit.
#[derive(Debug, Clone, Default)]
pub(super) struct EventIds(HashMap<(&'static str, i64), Uuid>);

impl EventIds {
    /// The parts as events, with their ids; a part seen for the first time gets a new one.
    pub(super) fn events(&mut self, parts: Vec<Part>, at: &At) -> Vec<Event> {
        parts
            .into_iter()
            .map(|part| {
                let id = *self.0.entry(part.key()).or_insert_with(|| new_event_id(at));
                part.into_event(id, at)
            })
            .collect()
    }
}

/// Balance edges as events: each is its own, also when both bases cross at once.
#[must_use]
pub(super) fn edge_events(edges: Vec<Part>, at: &At) -> Vec<Event> {
    edges.into_iter().map(|part| part.into_event(new_event_id(at), at)).collect()
}

/// A UUID v7 of the action's own time: an event's id tells when it was asked for.
#[must_use]
pub fn new_event_id(at: &At) -> Uuid {
    event_id_at(at.now)
}

/// A UUID v7 of this time.
#[must_use]
pub(crate) fn event_id_at(now: Moment) -> Uuid {
    let micros = now.0.max(0).unsigned_abs();
    let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0); // under 10^9
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, micros / 1_000_000, nanos))
}

#[cfg(test)]
mod tests {
    use hookswitch_model::event;
    use serde_json::json;

    use super::*;

    fn part(object_id: i64, watched: Value) -> Part {
        let Value::Object(watched) = watched else { panic!("an object") };
        Part {
            kind: &event::CLIENTS_UPDATE,
            object_id,
            clients_id: object_id,
            companies_id: 1,
            data: Object::new(),
            previous: None,
            object: Object::new(),
            watched,
            dt: None,
        }
    }

    fn decided(shown: &[Part]) -> Decided {
        let mut note = Shown::default();
        note.note(shown);
        Decided::by_handlers(Object::new(), note)
    }

    #[test]
    fn a_watched_key_that_moved_is_noticed() {
        let decided = decided(&[part(1, json!({"name": "a", "status": "active"}))]);
        assert!(decided.still_holds(&[part(1, json!({"name": "a", "status": "active"}))]));
        assert!(!decided.still_holds(&[part(1, json!({"name": "b", "status": "active"}))]));
        assert!(!decided.still_holds(&[part(1, json!({"name": "a", "status": "stopped"}))]));
    }

    #[test]
    fn the_first_value_shown_of_a_key_counts() {
        let mut shown = Shown::default();
        shown.note(&[part(1, json!({"credit": 1}))]);
        shown.note(&[part(1, json!({"credit": 2, "notes": "n"}))]);
        let decided = Decided::by_handlers(Object::new(), shown);
        assert!(decided.still_holds(&[part(1, json!({"credit": 1.0, "notes": "n"}))]));
        assert!(!decided.still_holds(&[part(1, json!({"credit": 2, "notes": "n"}))]));
    }

    #[test]
    fn a_key_that_a_handler_added_was_shown_in_the_object() {
        let object = |notes: &str| Object::from_iter([("credit".to_owned(), json!(5)), ("notes".to_owned(), json!(notes))]);
        let mut shown = Shown::default();
        shown.note(&[Part { object: object("old"), ..part(1, json!({"credit": 4})) }]);
        // Somebody else's change came before the handler's reply.
        shown.note(&[Part { object: object("handler"), ..part(1, json!({"credit": 4, "notes": "mine"})) }]);
        let decided = Decided::by_handlers(Object::new(), shown);
        assert!(decided.still_holds(&[part(1, json!({"credit": 4, "notes": "old"}))]));
        assert!(!decided.still_holds(&[part(1, json!({"credit": 4, "notes": "mine"}))]));
    }

    #[test]
    fn a_custom_field_that_a_handler_added_was_shown_in_the_object_too() {
        let object = |custom: Value| Object::from_iter([("custom_fields".to_owned(), custom)]);
        let mut shown = Shown::default();
        shown.note(&[Part { object: object(json!({"a": 2})), ..part(1, json!({"custom_fields.a": 1})) }]);
        // The handler adds b, which somebody else has set before the reply came.
        shown.note(&[part(1, json!({"custom_fields.a": 1, "custom_fields.b": "theirs"}))]);
        let decided = Decided::by_handlers(Object::new(), shown);
        assert!(decided.still_holds(&[part(1, json!({"custom_fields.a": 1, "custom_fields.b": null}))]));
        assert!(!decided.still_holds(&[part(1, json!({"custom_fields.a": 1, "custom_fields.b": "theirs"}))]));
    }

    #[test]
    fn a_part_that_came_or_went_is_noticed() {
        let decided = decided(&[part(1, json!({})), part(2, json!({}))]);
        assert!(decided.still_holds(&[part(1, json!({})), part(2, json!({}))]));
        assert!(!decided.still_holds(&[part(1, json!({}))]));
        assert!(!decided.still_holds(&[part(1, json!({})), part(3, json!({}))]));
    }

    #[test]
    fn a_request_that_was_changed_back_to_nothing_still_holds() {
        let mut shown = Shown::default();
        shown.note(&[part(1, json!({"credit": 100}))]);
        shown.note(&[]);
        let decided = Decided::by_handlers(Object::new(), shown);
        assert!(decided.still_holds(&[]));
        assert!(!decided.still_holds(&[part(1, json!({"credit": 50}))]), "what is stored has moved: there is a change again");
    }

    #[test]
    fn who_was_shown_nothing_depends_on_nothing() {
        assert!(Decided::undisputed(Object::new()).still_holds(&[part(1, json!({"name": "a"}))]));
    }
}
