//! `provisioning.deliveries.*`: what is waiting, retrying or dead, and the repair at hand.
use hookswitch_model::{
    Object,
    field::{Field, Kind, schema},
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};
use serde_json::{Value, json};

use super::params;
use crate::{
    Core,
    perform::At,
    registry::{Gives, Method, Steered, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.deliveries";

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "provisioning.deliveries.search",
        "Lists deliveries that are waiting, retrying or dead",
        Takes::Filters(&tables::deliveries::LIST),
        Gives::Rows(ROW),
        |tx, at, given| tables::deliveries::search(tx, &at.asked(given)),
    ),
    Method::reads("provisioning.deliveries.get", "Gives a delivery", Takes::Fields(params::ID), Gives::Object(ROW), get),
    Method::steers(
        "provisioning.deliveries.resend",
        "Sends dead deliveries again, and retrying ones now: one, a selection, or everything dead",
        Takes::Selection(&tables::deliveries::LIST, FORCE),
        Gives::Other(resent),
        resend,
    ),
    Method::steers(
        "provisioning.deliveries.discard",
        "Discards deliveries that wait or are dead; the log says who did it, and why",
        Takes::Selection(&tables::deliveries::LIST, REASON),
        Gives::Other(discarded),
        discard,
    ),
];

/// A delivery that is not done.
const ROW: &[Field] = &[
    Field::id("id", "Given by the system"),
    Field::new("event_id", Kind::Uuid, "The event's id"),
    Field::new("events_id", Kind::Line { min: 1, max: 64 }, "A name from the catalogue of events"),
    Field::new("handlers_id", NUMBER, "Who is to be told"),
    Field::new("clients_id", NUMBER, "Whose event it is"),
    Field::new("seq", NUMBER, "The number of the client's event"),
    Field::new("state", Kind::Choice(tables::deliveries::STATES), "waiting, retrying or dead"),
    Field::new("attempt", NUMBER, "Attempts made"),
    Field::new("next_dt", Kind::Time, "When it is tried next; null = dead").or_null(),
    Field::new("error", Kind::Text { max: usize::MAX }, "What went wrong last, in words").or_null(),
    Field::new("folded", NUMBER, "Earlier events that it stands for (ordering latest)"),
    Field::new("dt", Kind::Time, "When the event was asked for"),
];
const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };
const FORCE: &[Field] = &[Field::FORCE];
const REASON: &[Field] = &[Field::REASON];

fn resent() -> Value {
    schema::object(
        &[
            Field::new("resent", NUMBER, "Sent again"),
            Field::new("overtaken", NUMBER, "Left out: a later event of the same object has overtaken them"),
        ],
        &["resent", "overtaken"],
    )
}

fn discarded() -> Value {
    schema::object(&[Field::new("discarded", NUMBER, "Discarded")], &["discarded"])
}

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    let delivery = tables::deliveries::get(tx, id, at.access.scope(&at.caller).as_deref())?;
    Ok(delivery.ok_or_else(|| Refusal::not_found(OBJECT, id))?.into())
}

fn resend(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let scope = at.access.scope(&at.caller);
        let done = core.hooks.after.resend(core.hooks.rules(), request, scope, at.mode).await?;
        Ok(json!({"resent": done.resent, "overtaken": done.overtaken}))
    })
}

fn discard(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let scope = at.access.scope(&at.caller);
        let by = at.caller.login();
        let discarded = core.hooks.after.discard(core.hooks.rules(), request, scope, by, at.mode).await?;
        Ok(json!({"discarded": discarded}))
    })
}
