//! `provisioning.handlers.figures`, `provisioning.events.hours`: what pictures of the last day are drawn from.
use std::{collections::HashMap, time::Duration};

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
/// Medians are found for so many at most, those who had the most calls: each is a look into the log.
const MEDIANS_MAX: usize = 200;

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
                    "description": format!("How long half of its last {} calls took at most; null if it had none in these hours, or many others had more", hours::MEDIAN_OF),
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
        .collect();
    if let (Some(id), true) = (one, ids.is_empty()) {
        return Err(Refusal::not_found(handlers::OBJECT, id));
    }
    let calls = hours::calls_since(tx, one, at.now.plus_millis(-DAY_MS))?;
    let mut busiest: Vec<(i64, i64)> = ids.iter().map(|id| (own(&calls, *id).map(count).sum(), *id)).collect();
    busiest.retain(|(count, _)| *count > 0);
    busiest.sort_unstable_by(|one, other| other.cmp(one));
    busiest.truncate(MEDIANS_MAX);
    let medians: HashMap<i64, Option<Value>> =
        busiest.into_iter().map(|(_, id)| Ok((id, median(tx, id)?))).collect::<Result<_, Refusal>>()?;
    let shown = |id: i64| {
        let hours: Vec<Value> = own(&calls, id).map(of_hour).collect();
        json!({"id": id, "median_ms": medians.get(&id), "hours": hours})
    };
    Ok(ids.into_iter().map(shown).collect())
}

/// The hours of one handler, of those of all in the order of handlers.
fn own(calls: &[hours::Calls], id: i64) -> impl Iterator<Item = &hours::Calls> {
    let begin = calls.partition_point(|calls| calls.handlers_id < id);
    calls[begin..].iter().take_while(move |calls| calls.handlers_id == id)
}

fn count(calls: &hours::Calls) -> i64 {
    calls.by_status.iter().sum()
}

fn median(tx: &Tx, id: i64) -> Result<Option<Value>, Refusal> {
    let mut durations = hours::last_durations(tx, id)?;
    let middle = durations.len() / 2;
    Ok((!durations.is_empty()).then(|| milliseconds(*durations.select_nth_unstable(middle).1)))
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
    let since = since.max(earliest);
    let rows =
        if at.caller.companies_id.is_none() { hours::all_events_since(tx, since)? } else { events_in_reach(tx, at, since)? };
    Ok(rows.into_iter().map(|(hour, events)| json!({"hour": hour.iso(), "events": events})).collect())
}

/// Of a reseller and those below it.
fn events_in_reach(tx: &Tx, at: &At, since: Moment) -> Result<Vec<(Moment, i64)>, Refusal> {
    let mut rows: Vec<(Moment, i64)> = Vec::new();
    let in_reach = |(companies_id, ..): &(i64, Moment, i64)| at.access.sees(&at.caller, *companies_id);
    for (_, hour, events) in hours::events_since(tx, since)?.into_iter().filter(in_reach) {
        match rows.last_mut() {
            Some((last, sum)) if *last == hour => *sum += events,
            _ => rows.push((hour, events)),
        }
    }
    Ok(rows)
}
