//! Deliveries as the Core API lists them, and what `resend` and `discard` choose.
use hookswitch_model::{
    Object,
    event::Kind as EventKind,
    moment::Moment,
    refusal::{FieldErrors, Refusal},
};
use serde_json::Value;
use uuid::Uuid;

use super::{kind, uuid};
use crate::{
    Error, Row, Tx, params,
    tables::{
        handlers::is_foreign,
        search::{Asked, Bound, Column, Kind, List, Query},
    },
};

/// The words of `state`, in the order of a delivery's life.
pub const STATES: &[&str] = &["waiting", "retrying", "dead"];

/// What is being retried and what is dead has an index each, which costs nothing while all goes well.
const SPELLED: &[(&str, &str)] =
    &[("waiting", "d.dead = 0 AND d.attempt = 0"), ("retrying", "d.dead = 0 AND d.attempt > 0"), ("dead", "d.dead = 1")];

/// What the list may be asked.
pub static LIST: List = List {
    table: "deliveries d",
    from: "deliveries d JOIN events e ON e.row_id = d.events_row LEFT JOIN handlers h ON h.id = d.handlers_id",
    select: "d.id, d.event_id, e.events_id, d.handlers_id, d.clients_id, d.seq, d.dead, d.attempt, d.next_at, d.error, h.companies_id, d.folded, e.dt",
    scope: "d.companies_id",
    scope_indexed: false,
    key: "d.id",
    newest_first: false,
    columns: &[
        Column::new("id", "d.id", Kind::Integer),
        Column::new("event_id", "d.event_id", Kind::Uuid),
        Column::new("events_id", "e.events_id", Kind::Text).joined(),
        Column::new("handlers_id", "d.handlers_id", Kind::Integer).indexed(),
        Column::new("clients_id", "d.clients_id", Kind::Integer).loosely_indexed(),
        Column::new("seq", "d.seq", Kind::Integer),
        Column::new(
            "state",
            "(CASE WHEN d.dead = 1 THEN 'dead' WHEN d.attempt > 0 THEN 'retrying' ELSE 'waiting' END)",
            Kind::Choice(STATES),
        )
        .spelled(SPELLED),
        Column::new("attempt", "d.attempt", Kind::Integer),
        Column::new("next_dt", "d.next_at", Kind::Time),
        Column::new("folded", "d.folded", Kind::Integer),
        Column::new("dt", "e.dt", Kind::Time).joined(),
    ],
};

/// A row as the Core API shows it. What somebody else's handler said is not told to a reseller.
fn shown(row: &Row<'_>, scope: Option<&[i64]>) -> Result<Object, Error> {
    let (dead, attempt): (bool, i64) = (row.get(6)?, row.get(7)?);
    let hidden = is_foreign(row.get(10)?, scope);
    let error: Option<String> = row.get(9)?;
    let state = match (dead, attempt) {
        (true, _) => "dead",
        (false, 0) => "waiting",
        (false, _) => "retrying",
    };
    let values = [
        ("id", row.get::<i64>(0)?.into()),
        ("event_id", uuid(&row.get::<Vec<u8>>(1)?)?.to_string().into()),
        ("events_id", row.get::<String>(2)?.into()),
        ("handlers_id", row.get::<i64>(3)?.into()),
        ("clients_id", row.get::<i64>(4)?.into()),
        ("seq", row.get::<i64>(5)?.into()),
        ("state", state.into()),
        ("attempt", attempt.into()),
        ("next_dt", if dead { Value::Null } else { row.get::<Moment>(8)?.iso().into() }),
        ("error", error.filter(|_| !hidden).into()),
        ("folded", row.get::<i64>(11)?.into()),
        ("dt", row.get::<Moment>(12)?.iso().into()),
    ];
    Ok(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| shown(row, asked.scope()))
}

/// One delivery, as the Core API shows it, within these resellers.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64, scope: Option<&[i64]>) -> Result<Option<Object>, Refusal> {
    let only_it = [("id".to_owned(), Value::from(id))].into_iter().collect();
    let (mut rows, _) = LIST.query(&only_it, scope)?.rows(tx, |row| shown(row, scope))?;
    Ok(rows.pop())
}

/// What `resend` and `discard` work on: the filters of [`search`] without paging, at least one. A reseller reaches
/// the deliveries of its own handlers only.
///
/// # Errors
/// Every wrong or unknown filter.
pub fn selection(filters: &Object, scope: Option<&[i64]>) -> Result<Query, FieldErrors> {
    let mut query = LIST.selection(filters, scope)?;
    if let Some(ids) = scope {
        query.and_within("h.companies_id", ids.iter().copied().map(Bound::Int).collect());
    }
    Ok(query)
}

/// A delivery of a selection.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Which one.
    pub id: i64,
    /// To whom.
    pub handlers_id: i64,
    /// Whose event.
    pub clients_id: i64,
    /// The client's reseller.
    pub companies_id: i64,
    /// The client's number of the event.
    pub seq: i64,
    /// The event's row in the journal.
    pub events_row: i64,
    /// The event's id.
    pub event_id: Uuid,
    /// What happened.
    pub kind: EventKind,
    /// To what.
    pub object_id: i64,
    /// True if it was given up.
    pub dead: bool,
    /// Attempts made.
    pub attempt: i64,
}

/// The next deliveries of a selection, in order of id, from behind `after`.
///
/// # Errors
/// Whatever the engine says.
pub fn selected(tx: &Tx<'_>, selection: &Query, after: i64, limit: i64) -> Result<Vec<Selected>, Error> {
    let (filter, mut values) = selection.conditions();
    let (behind, most) = (values.len() + 1, values.len() + 2);
    let joint = if filter.is_empty() { "WHERE" } else { "AND" };
    let sql = format!(
        "SELECT d.id, d.handlers_id, d.clients_id, e.companies_id, d.seq, d.events_row, d.event_id, e.events_id, e.object_id, d.dead,
         d.attempt FROM {}{filter} {joint} d.id > ${behind} ORDER BY d.id LIMIT ${most}",
        LIST.from
    );
    values.extend(params![after, limit]);
    tx.query(&sql, &values, |row| {
        Ok(Selected {
            id: row.get(0)?,
            handlers_id: row.get(1)?,
            clients_id: row.get(2)?,
            companies_id: row.get(3)?,
            seq: row.get(4)?,
            events_row: row.get(5)?,
            event_id: uuid(&row.get::<Vec<u8>>(6)?)?,
            kind: kind(&row.get::<String>(7)?)?,
            object_id: row.get(8)?,
            dead: row.get(9)?,
            attempt: row.get(10)?,
        })
    })
}
