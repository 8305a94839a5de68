//! `provisioning.loops.*`: handlers that answered each other, and the way it ran.
use hookswitch_model::{
    Object,
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
pub(crate) const OBJECT: &str = "provisioning.loops";

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "provisioning.loops.search",
        "Lists handlers that answered each other through the API, newest first",
        Takes::Filters(&tables::loops::LIST),
        Gives::Rows(ROW),
        |tx, at, given| tables::loops::search(tx, &at.asked(given)),
    ),
    Method::reads(
        "provisioning.loops.get",
        "Gives such a loop with the way it ran last",
        Takes::Fields(params::ID),
        Gives::ObjectAnd(ROW, WAY),
        get,
    ),
];

/// A loop.
const ROW: &[Field] = &[
    Field::id("id", "Given by the system"),
    Field::new("state", Kind::Choice(tables::loops::STATES), "cut: its actions are refused; suspected: it is let run"),
    Field::new(
        "found_by",
        Kind::Choice(tables::loops::WAYS),
        "depth: of its causes; states: the same ones come back; rate: it goes on with ever new values",
    ),
    Field::new("first_dt", Kind::Time, "When it was seen first"),
    Field::new("last_dt", Kind::Time, "When it was seen last"),
    Field::new("companies_id", NUMBER, "The reseller of the clients that go round"),
    Field::new("clients_id", NUMBER, "The client of the last time"),
    Field::new("events_id", Kind::Line { min: 1, max: 64 }, "What happened last"),
    Field::new("object_id", NUMBER, "To which object"),
    Field::new("handlers", Kind::IntegerList { items: usize::MAX, min: 1, max: i64::MAX }, "The handlers that answer each other"),
    Field::new("count", NUMBER, "How often an action was refused because of it, or it was seen"),
];
/// What is shown of a single one besides.
const WAY: &[Field] = &[Field::new(
    "way",
    Kind::Any { bytes: usize::MAX },
    "Its last steps, oldest first: {event_id, events_id, object_id, clients_id, dt, actor, handlers}; handlers = whom the step answered",
)];
const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    let found = tables::loops::get(tx, id, at.access.scope(&at.caller).as_deref())?;
    Ok(found.ok_or_else(|| Refusal::not_found(OBJECT, id))?.into())
}
