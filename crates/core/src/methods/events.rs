//! `provisioning.events.*`: the catalogue, and what happened.
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Stage},
    field::{Field, Kind},
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};
use serde_json::{Value, json};

use super::params;
use crate::{
    perform::At,
    registry::{Gives, Method, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.events";

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "provisioning.events.list",
        "Gives the catalogue of events",
        Takes::Fields(&[]),
        Gives::Other(catalogue_schema),
        |_, _, _| Ok(catalogue()),
    ),
    Method::reads(
        "provisioning.events.search",
        "Lists what happened, newest first",
        Takes::Filters(&tables::events::LIST),
        Gives::Rows(ROW),
        |tx, at, given| tables::events::search(tx, &at.asked(given)),
    ),
    Method::reads(
        "provisioning.events.get",
        "Gives an event with its data",
        Takes::Fields(EVENT_ID),
        Gives::ObjectAnd(ROW, WHOLE),
        get,
    ),
];

const EVENT_ID: &[Field] = &[Field::EVENT_UUID];

/// A row of the journal.
const ROW: &[Field] = &[
    Field::new("id", Kind::Uuid, "The event's id"),
    Field::new("dt", Kind::Time, "When it was asked for"),
    Field::new("events_id", Kind::Line { min: 1, max: 64 }, "A name from the catalogue of events"),
    Field::new("object_id", NUMBER, "The object"),
    Field::new("clients_id", NUMBER, "Its client"),
    Field::new("companies_id", NUMBER, "The client's reseller"),
    Field::new("seq", NUMBER, "The number of the client's event, from 1 without a gap"),
    Field::new("actor", ANY_OBJECT, "Who did it: {type, id, login}"),
    Field::new("cause", Kind::Line { min: 0, max: 64 }, "The event that a handler was reacting to, or resync").or_null(),
    Field::new("changed", KEYS, "The keys that an update changed"),
];
/// What is shown of a single event besides.
const WHOLE: &[Field] = &[
    Field::new("data", ANY_OBJECT, "As the catalogue's schema has it"),
    Field::new("previous", ANY_OBJECT, "Old values of the keys of data that changed").or_null(),
    Field::new("object", ANY_OBJECT, "The whole object"),
];
const KEYS: Kind = Kind::LineList { items: usize::MAX, min: 0, max: usize::MAX };
const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };
const ANY_OBJECT: Kind = Kind::Object { bytes: usize::MAX };

/// The catalogue as JSON Schema.
fn catalogue_schema() -> Value {
    let stage = json!({"enum": Stage::WORDS});
    let row = json!({
        "type": "object",
        "properties": {
            "events_id": {"type": "string"},
            "title": {"type": "string"},
            "stages": {"type": "array", "items": stage},
            "object": {"type": "string", "description": "What object_id identifies: a collection"},
            "schema": {"type": "object", "description": "JSON Schema of the event's data"},
        },
        "required": ["events_id", "title", "stages", "object", "schema"],
    });
    json!({"type": "array", "items": row})
}

fn catalogue() -> Value {
    let row = |kind: &&hookswitch_model::event::EventType| {
        json!({
            "events_id": kind.events_id,
            "title": kind.title,
            "stages": kind.stages.iter().map(|stage: &Stage| stage.word()).collect::<Vec<_>>(),
            "object": kind.object,
            "schema": hookswitch_model::event::schema::of(kind),
        })
    };
    CATALOGUE.iter().map(row).collect()
}

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::text(request, "id").unwrap_or_default();
    let not_found = || Refusal::not_found(OBJECT, id);
    let uuid = id.parse().map_err(|_| Refusal::field("id", "must be the id of an event"))?;
    let event = tables::events::get(tx, &uuid)?.ok_or_else(not_found)?;
    if at.access.sees(&at.caller, event.companies_id) { Ok(event.shown().into()) } else { Err(not_found()) }
}
