//! `provisioning.executions.*`: the log of every call to a handler.
use hookswitch_model::{
    Object,
    event::Stage,
    field::{Field, Kind},
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};
use serde_json::Value;

use super::params;
use crate::{
    perform::At,
    registry::{Gives, Method, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.executions";

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "provisioning.executions.search",
        "Lists calls to handlers, newest first",
        Takes::Filters(&tables::executions::LIST),
        Gives::Rows(ROW),
        |tx, at, given| tables::executions::search(tx, &at.asked(given)),
    ),
    Method::reads(
        "provisioning.executions.get",
        "Gives a call with what was sent, what came back and what was changed",
        Takes::Fields(params::ID),
        Gives::ObjectAnd(ROW, BODIES),
        get,
    ),
];

/// A row of the log.
const ROW: &[Field] = &[
    Field::id("id", "Given by the system"),
    Field::new("dt", Kind::Time, "When the call was made"),
    Field::new("events_id", Kind::Line { min: 1, max: 64 }, "A name from the catalogue of events"),
    Field::new("event_id", Kind::Uuid, "The event's id"),
    Field::new("stage", Kind::Choice(Stage::LOGGED), "Asked before, told after, or told how it ended"),
    Field::new("handlers_id", NUMBER, "The handler"),
    Field::new("handlers_name", Kind::Line { min: 1, max: 128 }, "Its name at that time"),
    Field::new("object_id", NUMBER, "The object"),
    Field::new("clients_id", NUMBER, "Its client"),
    Field::new("attempt", NUMBER, "From 1"),
    Field::new("status", Kind::Choice(tables::executions::STATUSES), "How it ended"),
    Field::new("duration_ms", NUMBER, "How long it took").or_null(),
    Field::new("response_status", Kind::Integer { min: i64::MIN, max: i64::MAX }, "HTTP status or exit status").or_null(),
    Field::new("error", Kind::Text { max: usize::MAX }, "What went wrong, in words").or_null(),
    Field::new("shadow", Kind::Boolean, "Asked as a shadow: whatever it said decided nothing"),
];
/// What is shown of a single call besides.
const BODIES: &[Field] = &[
    Field::new("request", Kind::Text { max: usize::MAX }, "What was sent, secrets masked").or_null(),
    Field::new("response", Kind::Text { max: usize::MAX }, "What came back, secrets masked").or_null(),
    Field::new("changes", Kind::Any { bytes: usize::MAX }, "Keys that a before handler changed: {key: {old, new}}").or_null(),
];
const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    let call = tables::executions::get(tx, id, at.access.scope(&at.caller).as_deref())?;
    Ok(call.ok_or_else(|| Refusal::not_found(OBJECT, id))?.into())
}
