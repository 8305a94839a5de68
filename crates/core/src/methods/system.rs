//! `system.status`: is anything wrong?
use hookswitch_hooks::standing::State;
use hookswitch_model::{Object, event::Stage, handler::Status};
use hookswitch_store::tables;
use serde_json::{Value, json};

use crate::{
    Core,
    access::Right,
    perform::At,
    registry::{Gives, Method, Steered, Takes},
};

pub(crate) static METHODS: &[Method] = &[Method::steers(
    "system.status",
    "Tells how the program is: version, database, deliveries by handler",
    Takes::Fields(&[]),
    Gives::Other(status_schema),
    status,
)
.by(Right::Read)];

/// What is shown as recent.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn status_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "version": {"type": "string", "description": "The program's version"},
            "dt": {"type": "string", "format": "date-time", "description": "The server's time"},
            "database": {"type": "string", "description": "The engine"},
            "handlers": {
                "type": "array",
                "items": standing_schema(),
                "description": "How each handler's queue stands; for users of the whole system",
            },
            "loops": {
                "type": "object",
                "properties": {"cut": {"type": "integer", "minimum": 0}, "suspected": {"type": "integer", "minimum": 0}},
                "required": ["cut", "suspected"],
                "description": "Handlers that answered each other within 24 hours; for users of the whole system",
            },
            "clock_lag_s": {
                "type": "integer",
                "description": "Since when a step of a client package has been due, in seconds; for users of the whole system",
            },
        },
        "required": ["version", "dt", "database"],
    })
}

/// How one handler stands.
pub(super) fn standing_schema() -> Value {
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer", "format": "int64"},
            "name": {"type": "string"},
            "type": {"type": "string", "enum": Stage::WORDS},
            "status": {"type": "string", "enum": Status::WORDS},
            "paused": {"type": ["object", "null"], "description": "null, or {by, since, reason} while nothing is sent"},
            "tripped_since": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "Since when a before handler has been failing that is not asked for now",
            },
            "state": {"type": "string", "enum": State::WORDS},
            "waiting": count("Deliveries that were not tried yet"),
            "retrying": count("Deliveries that failed and are tried again"),
            "dead": count("Deliveries that were given up"),
            "outcomes": {
                "type": "object",
                "description": "What it is to hear as a before handler that is told how it ended",
                "properties": {
                    "asked": count("Actions that it was asked about and that are not decided yet"),
                    "waiting": count("Outcomes that it was not told yet"),
                    "retrying": count("Outcomes that it did not take, and is told again"),
                    "dead": count("Outcomes that were given up"),
                },
                "required": ["asked", "waiting", "retrying", "dead"],
            },
            "resyncs_id": {"type": ["integer", "null"], "description": "A resync that it is still to be told of"},
            "folded": count("Earlier events that those which wait stand for (ordering latest)"),
            "behind_since": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When the oldest event happened that it has not heard of",
            },
            "oldest_age_s": {"type": ["integer", "null"], "minimum": 0, "description": "How long the oldest has waited, in seconds"},
        },
        "required": ["id", "name", "type", "status", "paused", "state", "waiting", "retrying", "dead", "folded", "oldest_age_s", "outcomes"],
    })
}

fn status(core: &Core, at: At, _request: Object) -> Steered<'_> {
    Box::pin(async move {
        let whole_system = at.caller.companies_id.is_none();
        let mut status = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "dt": at.now.iso(),
            "database": core.store.engine(),
        });
        if whole_system {
            status["handlers"] = core.hooks.standing().await?.iter().map(|standing| standing.shown(at.now)).collect();
            let day_ago = at.now.plus_millis(-DAY_MS);
            let (cut, suspected) = core.store.read(move |tx| tables::loops::count_since(tx, day_ago)).await?;
            status["loops"] = json!({"cut": cut, "suspected": suspected});
            status["clock_lag_s"] = core.clock_figures().await?.lag.as_secs().into();
        }
        Ok(status)
    })
}
