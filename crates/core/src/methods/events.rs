//! `provisioning.events.*`: the catalogue, and what happened.
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Stage},
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};
use serde_json::{Value, json};

use super::params;
use crate::{
    access::Right,
    perform::At,
    registry::{Method, Run},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.events";

pub(crate) static METHODS: &[Method] = &[
    Method {
        name: "provisioning.events.list",
        about: "Gives the catalogue of events",
        right: Right::Read,
        params: &[],
        check: |given| params::checked(&[], given),
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(|_, _, _| Ok(catalogue())),
    },
    Method {
        name: "provisioning.events.search",
        about: "Lists what happened, newest first",
        right: Right::Read,
        params: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(|tx, at, given| tables::events::search(tx, given, at.access.scope(&at.caller).as_deref())),
    },
    Method {
        name: "provisioning.events.get",
        about: "Gives an event with its data",
        right: Right::Read,
        params: EVENT_ID,
        check: |given| params::checked(EVENT_ID, given),
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(get),
    },
];

const EVENT_ID: &[hookswitch_model::field::Field] = &[hookswitch_model::field::Field::EVENT_UUID];

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
