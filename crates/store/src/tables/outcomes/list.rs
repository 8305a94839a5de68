//! Outcomes as the Core API lists them, and what `resend` and `discard` choose.
//!
//! A reseller sees those of its own handlers, whoever else's handlers were asked about the same client: what was promised to a
//! handler is its owner's business.
use hookswitch_model::{
    Object,
    moment::Moment,
    refusal::{FieldErrors, Refusal},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Error, Row, Tx, params,
    tables::search::{Asked, Column, Kind, List, Query},
};

/// The words of `outcome`.
pub const OUTCOMES: &[&str] = &["asked", "committed", "aborted"];
/// The words of `state`, in the order of a row's life.
pub const STATES: &[&str] = &["asked", "waiting", "retrying", "dead"];

const SPELLED: &[(&str, &str)] = &[
    ("asked", "o.outcome = 'asked'"),
    ("waiting", "o.outcome <> 'asked' AND o.dead = 0 AND o.attempt = 0"),
    ("retrying", "o.dead = 0 AND o.attempt > 0"),
    ("dead", "o.dead = 1"),
];

/// What the list may be asked.
pub static LIST: List = List {
    table: "outcomes o",
    from: "outcomes o",
    select: "o.id, o.event_id, o.events_id, o.handlers_id, o.object_id, o.clients_id, o.companies_id, o.outcome, o.seq, o.ended_by, o.message,
      o.dead, o.attempt, o.next_at, o.error, o.asked_at",
    scope: "o.handlers_companies_id",
    scope_indexed: false,
    key: "o.id",
    newest_first: false,
    columns: &[
        Column::new("id", "o.id", Kind::Integer),
        Column::new("event_id", "o.event_id", Kind::Uuid).loosely_indexed(),
        Column::new("events_id", "o.events_id", Kind::Text),
        Column::new("handlers_id", "o.handlers_id", Kind::Integer).indexed(),
        Column::new("object_id", "o.object_id", Kind::Integer),
        Column::new("clients_id", "o.clients_id", Kind::Integer),
        Column::new("outcome", "o.outcome", Kind::Choice(OUTCOMES)),
        Column::new(
            "state",
            "(CASE WHEN o.dead = 1 THEN 'dead' WHEN o.attempt > 0 THEN 'retrying' WHEN o.outcome = 'asked' THEN 'asked' ELSE 'waiting' END)",
            Kind::Choice(STATES),
        )
        .spelled(SPELLED),
        Column::new("attempt", "o.attempt", Kind::Integer),
        Column::new("asked_dt", "o.asked_at", Kind::Time),
        Column::new("next_dt", "o.next_at", Kind::Time),
    ],
};

fn shown(row: &Row<'_>) -> Result<Object, Error> {
    let (outcome, dead, attempt): (String, bool, i64) = (row.get(7)?, row.get(11)?, row.get(12)?);
    let state = match (dead, attempt) {
        (true, _) => "dead",
        (false, 0) if outcome == "asked" => "asked",
        (false, 0) => "waiting",
        (false, _) => "retrying",
    };
    let ended_by: Option<String> = row.get(9)?;
    let ended_by = ended_by.map(|text| serde_json::from_str::<Value>(&text)).transpose().map_err(Error::engine)?;
    let next = if matches!(state, "asked" | "dead") { Value::Null } else { row.get::<Moment>(13)?.iso().into() };
    let values = [
        ("id", row.get::<i64>(0)?.into()),
        ("event_id", Uuid::from_slice(&row.get::<Vec<u8>>(1)?).map_err(Error::engine)?.to_string().into()),
        ("events_id", row.get::<String>(2)?.into()),
        ("handlers_id", row.get::<i64>(3)?.into()),
        ("object_id", row.get::<i64>(4)?.into()),
        ("clients_id", row.get::<i64>(5)?.into()),
        ("companies_id", row.get::<i64>(6)?.into()),
        ("outcome", outcome.into()),
        ("seq", row.get::<Option<i64>>(8)?.into()),
        ("by", ended_by.unwrap_or_default()),
        ("message", row.get::<Option<String>>(10)?.into()),
        ("state", state.into()),
        ("attempt", attempt.into()),
        ("asked_dt", row.get::<Moment>(15)?.iso().into()),
        ("next_dt", next),
        ("error", row.get::<Option<String>>(14)?.into()),
    ];
    Ok(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, shown)
}

/// One outcome, as the Core API shows it, within these resellers.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64, scope: Option<&[i64]>) -> Result<Option<Object>, Refusal> {
    let only_it = [("id".to_owned(), Value::from(id))].into_iter().collect();
    let (mut rows, _) = LIST.query(&only_it, scope)?.rows(tx, shown)?;
    Ok(rows.pop())
}

/// What `resend` and `discard` work on: the filters of [`search`] without paging, at least one.
///
/// # Errors
/// Every wrong or unknown filter.
pub fn selection(filters: &Object, scope: Option<&[i64]>) -> Result<Query, FieldErrors> {
    LIST.selection(filters, scope)
}

/// The next of a selection that are decided, in order of id, from behind `after`: each with its handler. `tried`: only those that
/// were told in vain before.
///
/// # Errors
/// Whatever the engine says.
pub fn selected(tx: &Tx<'_>, selection: &Query, tried: bool, after: i64, limit: i64) -> Result<Vec<(i64, i64)>, Error> {
    let (filter, mut values) = selection.conditions();
    let (behind, most) = (values.len() + 1, values.len() + 2);
    let which = if tried { "(o.dead = 1 OR o.attempt > 0)" } else { "o.outcome <> 'asked'" };
    let joint = if filter.is_empty() { "WHERE" } else { "AND" };
    let sql = format!(
        "SELECT o.id, o.handlers_id FROM outcomes o{filter} {joint} {which} AND o.id > ${behind} ORDER BY o.id LIMIT ${most}"
    );
    values.extend(params![after, limit]);
    tx.query(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
}
