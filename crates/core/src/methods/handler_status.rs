//! `provisioning.handlers.status`: where handlers stand, and whether one client's present state is known to them.
use hookswitch_hooks::{
    rules::Rules,
    standing::{OfClient, Standing, State},
};
use hookswitch_model::{
    Object,
    event::Stage,
    field::{Field, Kind},
    handler::{Handler, Status},
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};
use serde_json::{Value, json};

use super::{handlers, params, reach, system};
use crate::{
    Core,
    access::{Access, Right},
    perform::At,
    registry::{Gives, Method, Steered, Takes},
};

const ASKED: &[Field] = &[
    Field::id("id", "One handler; null = all").or_null(),
    Field::new("clients_id", Kind::Integer { min: 1, max: i64::MAX }, "What handlers have heard of this client").or_null(),
];

pub(crate) static METHODS: &[Method] = &[Method::steers(
    "provisioning.handlers.status",
    "Tells where handlers stand: in step, behind by how many and since when; or what they have heard of one client",
    Takes::Fields(ASKED),
    Gives::Other(schema),
    status,
)
.by(Right::Read)];

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "clients_id": {"type": "integer", "description": "The client that was asked about"},
            "last_seq": {"type": "integer", "minimum": 0, "description": "The number of its last event"},
            "handlers": {"type": "array", "items": {"anyOf": [system::standing_schema(), lane_schema()]}},
        },
        "required": ["handlers"],
    })
}

/// What one handler has heard of one client.
fn lane_schema() -> Value {
    let number = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer", "format": "int64"},
            "name": {"type": "string"},
            "status": {"type": "string", "enum": Status::WORDS},
            "state": {"type": "string", "enum": State::WORDS},
            "delivered_seq": {"type": ["integer", "null"], "description": "The number of the last event that it was told"},
            "delivered_dt": {"type": ["string", "null"], "format": "date-time", "description": "When it was told that"},
            "waiting": number("The client's events that it has not heard of yet"),
            "dead": number("The client's events that were given up"),
            "next_seq": {"type": ["integer", "null"], "description": "The number of the first event that waits"},
            "resyncs_id": {"type": ["integer", "null"], "description": "A resync that it is still to be told of"},
        },
        "required": ["id", "name", "status", "state", "resyncs_id", "delivered_seq", "delivered_dt", "waiting", "dead", "next_seq"],
    })
}

fn status(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let id = params::integer(&request, "id");
        match params::integer(&request, "clients_id") {
            Some(clients_id) => {
                let (rules, access) = (core.hooks.rules(), core.access.clone());
                core.store.search(move |tx| of_client(tx, &at, &rules, &access, id, clients_id)).await
            }
            None => of_all(core, &at, id).await,
        }
    })
}

async fn of_all(core: &Core, at: &At, id: Option<i64>) -> Result<Value, Refusal> {
    let mut all = core.hooks.standing().await?;
    all.retain(|standing| handlers::is_reached(at, &standing.handler) && id.is_none_or(|id| standing.handler.id == id));
    if let (Some(id), true) = (id, all.is_empty()) {
        return Err(Refusal::not_found(handlers::OBJECT, id));
    }
    let shown: Vec<Value> = all.iter().map(|standing: &Standing| standing.shown(at.now)).collect();
    Ok(json!({"handlers": shown}))
}

/// Of the after handlers that hear of this client's reseller. The system's own are told of to a reseller too: whether the
/// softswitch knows his client is his business.
fn of_client(tx: &Tx, at: &At, rules: &Rules, access: &Access, id: Option<i64>, clients_id: i64) -> Result<Value, Refusal> {
    let companies_id = match reach::client(tx, at, clients_id) {
        Ok(client) => client.companies_id,
        // A deleted one's events may still be on their way.
        Err(refusal) => deleted(tx, at, clients_id)?.ok_or(refusal)?,
    };
    let concerns = |handler: &Handler| {
        handler.stage == Stage::After
            && handler.status != Status::Archived
            && handler.companies_id.is_none_or(|top| at.access.is_within(companies_id, top))
            && (handler.companies_id.is_none() || handlers::is_reached(at, handler))
            && id.is_none_or(|id| handler.id == id)
    };
    let mut told: Vec<_> = rules.all().filter(|rule| concerns(&rule.handler)).collect();
    told.sort_unstable_by_key(|rule| rule.handler.id);
    let client = OfClient::read(tx, clients_id, companies_id, access)?;
    let rows: Vec<Value> = told.into_iter().map(|rule| client.heard_by(tx, rule)).collect::<Result<_, _>>()?;
    if let (Some(id), true) = (id, rows.is_empty()) {
        return Err(Refusal::not_found(handlers::OBJECT, id));
    }
    Ok(json!({"clients_id": clients_id, "last_seq": tables::events::last_seq(tx, clients_id)?, "handlers": rows}))
}

/// The reseller of a client that is gone, by its last event.
fn deleted(tx: &Tx, at: &At, clients_id: i64) -> Result<Option<i64>, Refusal> {
    let reseller = tables::events::reseller_of(tx, clients_id)?;
    Ok(reseller.filter(|companies_id| at.access.sees(&at.caller, *companies_id)))
}
