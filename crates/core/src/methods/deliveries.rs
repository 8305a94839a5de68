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
    access::Right,
    perform::At,
    registry::{Gives, Method, Run, Steered, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.deliveries";

pub(crate) static METHODS: &[Method] = &[
    Method {
        name: "provisioning.deliveries.search",
        about: "Lists deliveries that are waiting, retrying or dead",
        right: Right::Read,
        takes: Takes::Filters(&tables::deliveries::LIST),
        gives: Gives::Rows(ROW),
        codes: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(|tx, at, given| tables::deliveries::search(tx, &at.asked(given))),
    },
    Method {
        name: "provisioning.deliveries.get",
        about: "Gives a delivery",
        right: Right::Read,
        takes: Takes::Fields(params::ID),
        gives: Gives::Object(ROW),
        codes: &[],
        check: params::id_only,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(get),
    },
    Method {
        name: "provisioning.deliveries.resend",
        about: "Sends dead deliveries again, and retrying ones now: one, a selection, or everything dead",
        right: Right::Operate,
        takes: Takes::Selection(&tables::deliveries::LIST, FORCE),
        gives: Gives::Other(resent),
        codes: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Steer(resend),
    },
    Method {
        name: "provisioning.deliveries.discard",
        about: "Discards deliveries that wait or are dead; the log says who did it",
        right: Right::Operate,
        takes: Takes::Selection(&tables::deliveries::LIST, &[]),
        gives: Gives::Other(discarded),
        codes: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Steer(discard),
    },
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
];
const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };
const FORCE: &[Field] = &[Field::FORCE];

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
        let by = at.caller.login().to_owned();
        let discarded = core.hooks.after.discard(core.hooks.rules(), request, scope, by, at.mode).await?;
        Ok(json!({"discarded": discarded}))
    })
}
