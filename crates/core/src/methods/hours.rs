//! `provisioning.handlers.figures`, `provisioning.events.hours`: what pictures of the last day are drawn from.
use std::time::Duration;

use hookswitch_model::{
    Object,
    field::{Field, Kind},
    moment::Moment,
    refusal::Refusal,
};
use hookswitch_store::{
    Tx,
    tables::{self, executions::STATUSES, hours},
};
use serde_json::{Value, json};

use super::{handlers, params};
use crate::{
    perform::At,
    registry::{Gives, Method, Takes},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Handlers in one answer at most: those with the lowest ids.
const HANDLERS_MAX: usize = 1_000;

const OF_HANDLERS: &[Field] = &[Field::id("id", "One handler; null = all").or_null()];
const SINCE: &[Field] =
    &[Field::new("dt_from", Kind::Time, "The first moment, 31 days ago at the earliest; null = 24 hours ago").or_null()];
const DAYS_MAX: i64 = 31;

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "provisioning.handlers.figures",
        "Tells how calls to handlers went, hour by hour of the last 24, and how long the last of them took",
        Takes::Fields(OF_HANDLERS),
        Gives::Other(figures_schema),
        figures,
    ),
    Method::reads(
        "provisioning.events.hours",
        "Tells how many events there were, hour by hour",
        Takes::Fields(SINCE),
        Gives::Other(hours_schema),
        events,
    ),
];

fn figures_schema() -> Value {
    let number = json!({"type": "integer", "minimum": 0});
    let mut hour = json!({
        "hour": {"type": "string", "format": "date-time", "description": "Its first moment"},
        "duration_ms": {"type": "number", "minimum": 0, "description": "How long they took together"},
    });
    for status in STATUSES {
        hour[*status] = number.clone();
    }
    let required: Vec<&str> = ["hour", "duration_ms"].into_iter().chain(STATUSES.iter().copied()).collect();
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "id": {"type": "integer", "format": "int64"},
                "median_ms": {
                    "type": ["number", "null"],
                    "description": format!("How long half of its last {} calls took at most; null if it was not called", hours::MEDIAN_OF),
                },
                "hours": {
                    "type": "array",
                    "items": {"type": "object", "properties": hour, "required": required},
                    "description": "Hours without calls are left out",
                },
            },
            "required": ["id", "median_ms", "hours"],
        },
    })
}

fn figures(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let one = params::integer(request, "id");
    let ids: Vec<i64> = tables::handlers::owners(tx)?
        .into_iter()
        .filter(|(id, companies_id)| handlers::is_in_reach(at, *companies_id) && one.is_none_or(|one| one == *id))
        .map(|(id, _)| id)
        .take(HANDLERS_MAX)
        .collect();
    if let (Some(id), true) = (one, ids.is_empty()) {
        return Err(Refusal::not_found(handlers::OBJECT, id));
    }
    let calls = hours::calls_since(tx, one, at.now.plus_millis(-DAY_MS))?;
    ids.into_iter().map(|id| of_handler(tx, id, &calls)).collect()
}

fn of_handler(tx: &Tx, id: i64, calls: &[hours::Calls]) -> Result<Value, Refusal> {
    let mut durations = hours::last_durations(tx, id)?;
    let middle = durations.len() / 2;
    let median = (!durations.is_empty()).then(|| milliseconds(*durations.select_nth_unstable(middle).1));
    let begin = calls.partition_point(|calls| calls.handlers_id < id);
    let own = calls[begin..].iter().take_while(|calls| calls.handlers_id == id);
    Ok(json!({"id": id, "median_ms": median, "hours": own.map(of_hour).collect::<Vec<_>>()}))
}

fn of_hour(calls: &hours::Calls) -> Value {
    let mut hour = json!({"hour": calls.hour.iso()});
    for (status, count) in STATUSES.iter().zip(calls.by_status) {
        hour[*status] = count.into();
    }
    hour["duration_ms"] = milliseconds(calls.duration_us);
    hour
}

fn milliseconds(micros: i64) -> Value {
    json!(Duration::from_micros(micros.unsigned_abs()).as_secs_f64() * 1_000.0)
}

fn hours_schema() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "hour": {"type": "string", "format": "date-time", "description": "Its first moment"},
                "events": {"type": "integer", "minimum": 0, "description": "How many events the clients had that you see; resyncs don't count"},
            },
            "required": ["hour", "events"],
        },
        "description": "Hours without events are left out; the last seconds may be missing",
    })
}

fn events(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let earliest = at.now.plus_millis(-DAYS_MAX * DAY_MS);
    let since = params::moment(request, "dt_from", at.access.timezone(&at.caller)).unwrap_or(at.now.plus_millis(-DAY_MS));
    let mut rows: Vec<(Moment, i64)> = Vec::new();
    for (companies_id, hour, events) in hours::events_since(tx, since.max(earliest))? {
        if !at.access.sees(&at.caller, companies_id) {
            continue;
        }
        match rows.last_mut() {
            Some((last, sum)) if *last == hour => *sum += events,
            _ => rows.push((hour, events)),
        }
    }
    Ok(rows.into_iter().map(|(hour, events)| json!({"hour": hour.iso(), "events": events})).collect())
}
