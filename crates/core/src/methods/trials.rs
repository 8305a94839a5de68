//! Trying a before handler without risk: `provisioning.handlers.backtest` asks it about what the journal has, and
//! `provisioning.handlers.shadow` tells out of the log what it would have decided. Both give one summary.
//!
//! A back-test asks about events of the journal rather than about requests of the log: the log cuts long bodies and has one for
//! each handler that was asked, the journal has each event whole and once. So what was refused is not among them, the data is
//! what was committed, and passwords are masked.
use hookswitch_hooks::before::summary::{Said, Summary};
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Stage},
    field::{Field, Kind, schema},
    handler::Handler,
    moment::Moment,
    refusal::{FailureReason, Refusal},
};
use hookswitch_store::{
    Tx,
    tables::{self, search::Asked, shadows},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{handlers, params, sample};
use crate::{Core, perform::At, registry::Steered};

/// Calls that one summary reads: the newest.
const READ_MAX: i64 = 10_000;
/// Events of one back-test.
const LAST_MAX: i64 = 1_000;
const LAST_DEFAULT: i64 = 100;

/// What a back-test may be told.
pub(super) const BACKTEST: &[Field] = &[
    Field::OPTIONAL_ID,
    Field::HANDLER,
    Field::CHANGES,
    Field::new("last", Kind::Integer { min: 1, max: LAST_MAX }, "So many events, the newest (default 100)"),
    Field::EVENTS_ID,
    Field::id("clients_id", "Events of this client only").or_null(),
];
/// What the summary of a shadow may be asked.
pub(super) const SHADOW: &[Field] = &[
    Field::ID,
    Field::new("dt_from", Kind::TimeOrDate, "Calls at or after this").or_null(),
    Field::new("dt_to", Kind::TimeOrDate, "Calls before this").or_null(),
];

const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };
const COUNTS: Kind = Kind::Object { bytes: usize::MAX };
const SUMMARY: &[Field] = &[
    Field::new("asked", NUMBER, "Calls that were made"),
    Field::new("would_allow", NUMBER, "It would have allowed these as they were"),
    Field::new("would_change", NUMBER, "It would have allowed these with changes"),
    Field::new("would_forbid", NUMBER, "It would have forbidden these"),
    Field::new("failed", NUMBER, "Here it failed: on_failure would have decided"),
    Field::new("skipped", NUMBER, "It was due and not called, because too many of its calls were under way"),
    Field::new("changed_keys", COUNTS, "How often it would have changed each key"),
    Field::new("failed_reasons", COUNTS, "How often it failed for each reason"),
    Field::new(
        "forbidden_examples",
        Kind::Any { bytes: usize::MAX },
        "The first of those that it would have forbidden, at most 10",
    ),
    Field::new("median_ms", NUMBER, "Half of the calls took at most this").or_null(),
    Field::new("p95_ms", NUMBER, "95 % of the calls took at most this").or_null(),
];
const PLANNED: &[Field] = &[
    Field::new(
        "planned",
        NUMBER,
        "Events that there were to ask about; what is missing in asked and unwanted did not fit into the time",
    ),
    Field::new("unwanted", NUMBER, "Events that its condition left out"),
];
const READ: &[Field] = &[Field::new("complete", Kind::Boolean, "False: there were more than 10000 calls; these are the newest")];

fn summary_and(further: &[Field]) -> Value {
    let fields: Vec<Field> = [SUMMARY, further].concat();
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    schema::shown_object(&fields, &names)
}

/// A back-test's answer.
pub(super) fn backtest_schema() -> Value {
    summary_and(PLANNED)
}

/// A shadow's summary.
pub(super) fn shadow_schema() -> Value {
    summary_and(READ)
}

/// `provisioning.handlers.backtest`
pub(super) fn backtest(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let (handler, events) = core.store.search(move |tx| subject(tx, &at, &request)).await?;
        let load = |id: Uuid| async move {
            let row = core.store.read(move |tx| tables::events::get(tx, &id)).await?;
            Ok(row.and_then(|row| row.event()))
        };
        core.hooks.before.backtest(&handler, events, load).await.map(Value::Object)
    })
}

/// The handler, and the events to ask it about, the newest first: of the resellers that it hears of, which the caller sees all.
fn subject(tx: &Tx, at: &At, request: &Object) -> Result<(Handler, Vec<Uuid>), Refusal> {
    let handler = handlers::saved_or_not(tx, at, request)?;
    if handler.stage != Stage::Before {
        return Err(Refusal::field("id", "a back-test is for before handlers only"));
    }
    let limit = params::integer(request, "last").unwrap_or(LAST_DEFAULT);
    let mut filters: Object =
        [("events_id".to_owned(), events_of(&handler, params::text(request, "events_id"))?), ("limit".to_owned(), limit.into())]
            .into_iter()
            .collect();
    if let Some(clients_id) = params::integer(request, "clients_id") {
        filters.insert("clients_id".to_owned(), clients_id.into());
    }
    let within = handler.companies_id.map(|top| at.access.within(top));
    let events = tables::events::found(tx, &Asked::within(&filters, within))?;
    Ok((handler, events))
}

/// The names of the events that it would be asked about, or the one of them that is meant.
fn events_of(handler: &Handler, meant: Option<&str>) -> Result<Value, Refusal> {
    let asked = CATALOGUE.iter().filter(|kind| kind.stages.contains(&Stage::Before) && handler.wants(kind.events_id));
    let Some(name) = meant else { return Ok(asked.map(|kind| kind.events_id).collect()) };
    let kind = sample::kind_named(name).filter(|kind| asked.clone().any(|one| one == kind));
    kind.map(|kind| kind.events_id.into()).ok_or_else(|| Refusal::field("events_id", "the handler is not asked about it"))
}

/// `provisioning.handlers.shadow`
pub(super) fn shadow(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        // A list in all but name: nobody who acts waits for it.
        let rows = core.store.search(move |tx| calls(tx, &at, &request)).await?;
        let complete = (rows.len() as i64) < READ_MAX;
        let mut summary = Summary::default();
        for row in rows {
            let took_us = row.duration_us;
            summary.add(said(row), took_us);
        }
        let mut shown = summary.shown();
        shown.insert("complete".into(), complete.into());
        Ok(shown.into())
    })
}

fn calls(tx: &Tx, at: &At, request: &Object) -> Result<Vec<shadows::Asked>, Refusal> {
    let handler = handlers::reached(tx, at, params::id(request))?;
    let timezone = at.access.timezone(&at.caller);
    let from = params::moment(request, "dt_from", timezone).unwrap_or(Moment(i64::MIN));
    let to = params::moment(request, "dt_to", timezone).unwrap_or(Moment(i64::MAX));
    Ok(shadows::newest(tx, handler.id, from, to, READ_MAX)?)
}

fn said(row: shadows::Asked) -> Said {
    match row.status.as_str() {
        "skipped" => Said::Skipped,
        "failed" => {
            let words = row.error.unwrap_or_default();
            // A note about its condition may stand before it.
            let reason = |part: &str| FailureReason::ALL.iter().find(|reason| part.split(':').next() == Some(reason.word()));
            Said::Failed(words.split("; ").find_map(reason).map_or("", |reason| reason.word()).to_owned())
        }
        "forbidden" => Said::Forbid(json!({
            "id": row.id,
            "dt": row.dt.iso(),
            "event_id": row.event_id.to_string(),
            "events_id": row.events_id,
            "object_id": row.object_id,
            "clients_id": row.clients_id,
            "message": row.error,
        })),
        _ => match row.changes.as_deref().map(serde_json::from_str::<Object>) {
            Some(Ok(changes)) if !changes.is_empty() => Said::Change(changes.into_iter().map(|(key, _)| key).collect()),
            // Too long to be kept whole: which keys is not known any more.
            Some(Err(_)) => Said::Change(Vec::new()),
            _ => Said::Allow,
        },
    }
}
