//! `provisioning.outcomes.*`: what before handlers are still to hear of how actions ended, and the repair at hand.
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
pub(crate) const OBJECT: &str = "provisioning.outcomes";

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "provisioning.outcomes.search",
        "Lists what before handlers have not heard yet of how actions ended",
        Takes::Filters(&tables::outcomes::LIST),
        Gives::Rows(ROW),
        |tx, at, given| tables::outcomes::search(tx, &at.asked(given)),
    ),
    Method::reads("provisioning.outcomes.get", "Gives an outcome", Takes::Fields(params::ID), Gives::Object(ROW), get),
    Method::steers(
        "provisioning.outcomes.resend",
        "Tells dead outcomes again, and retrying ones now: one, a selection, or everything dead",
        Takes::Selection(&tables::outcomes::LIST, &[]),
        Gives::Other(resent),
        resend,
    ),
    Method::steers(
        "provisioning.outcomes.discard",
        "Discards outcomes that wait or are dead: their handlers will not hear of them; the log says who did it, and why",
        Takes::Selection(&tables::outcomes::LIST, REASON),
        Gives::Other(discarded),
        discard,
    ),
];

/// An outcome that was not heard.
const ROW: &[Field] = &[
    Field::id("id", "Given by the system"),
    Field::new("event_id", Kind::Uuid, "The event's id"),
    Field::new("events_id", Kind::Line { min: 1, max: 64 }, "A name from the catalogue of events"),
    Field::new("handlers_id", NUMBER, "Who was asked and is to hear"),
    Field::new("object_id", NUMBER, "The object"),
    Field::new("clients_id", NUMBER, "Its client"),
    Field::new("companies_id", NUMBER, "The client's reseller"),
    Field::new("outcome", Kind::Choice(tables::outcomes::OUTCOMES), "How it ended; asked = it is not decided yet"),
    Field::new("seq", NUMBER, "The number of the client's event, where it was committed").or_null(),
    Field::new("by", Kind::Object { bytes: usize::MAX }, "What aborted it: {type, ...}; null = nothing did").or_null(),
    Field::new("message", Kind::Text { max: usize::MAX }, "The same in words").or_null(),
    Field::new("state", Kind::Choice(tables::outcomes::STATES), "asked, waiting, retrying or dead"),
    Field::new("attempt", NUMBER, "Attempts made to tell it"),
    Field::new("asked_dt", Kind::Time, "When the handler was asked"),
    Field::new("next_dt", Kind::Time, "When it is told next; null = dead, or not decided yet").or_null(),
    Field::new("error", Kind::Text { max: usize::MAX }, "What went wrong last, in words").or_null(),
];
const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };
const REASON: &[Field] = &[Field::REASON];

fn resent() -> Value {
    schema::object(&[Field::new("resent", NUMBER, "Told again")], &["resent"])
}

fn discarded() -> Value {
    schema::object(&[Field::new("discarded", NUMBER, "Discarded")], &["discarded"])
}

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    let outcome = tables::outcomes::get(tx, id, at.access.scope(&at.caller).as_deref())?;
    Ok(outcome.ok_or_else(|| Refusal::not_found(OBJECT, id))?.into())
}

fn resend(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let resent = core.hooks.outcomes.resend(request, at.access.scope(&at.caller), at.mode).await?;
        Ok(json!({"resent": resent}))
    })
}

fn discard(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let scope = at.access.scope(&at.caller);
        let discarded = core.hooks.outcomes.discard(request, scope, at.caller.login(), at.mode).await?;
        Ok(json!({"discarded": discarded}))
    })
}
