//! The execution log: one row per call to a handler, cut by age, by size and before the disk is full.
use hookswitch_model::{
    Object,
    event::Stage,
    moment::Moment,
    refusal::{FieldErrors, Refusal},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    cut::{Found, Mark},
    handlers::is_foreign,
    search::{Asked, Bound, Column, Kind, List},
};
use crate::{Error, Row, Tx, params};

/// The words of `status`.
pub const STATUSES: &[&str] = &["success", "forbidden", "failed", "skipped"];

/// A text in bodies is looked for within a handler, a client, or a range of at most this long.
const TEXT_RANGE_MAX_MS: i64 = 24 * 60 * 60 * 1_000;

/// What is shown of each body.
const BODY_SHOWN_MAX: usize = 64 << 10;
/// What a row takes besides its texts, roughly, with its share of the indexes.
const ROW_BYTES: i64 = 400;

/// A call that has ended, secrets masked.
#[derive(Debug, Clone)]
pub struct Ended {
    /// When it began.
    pub dt: Moment,
    /// The event's id.
    pub event_id: Uuid,
    /// The event's name.
    pub events_id: &'static str,
    /// Asked, told, or told how it ended.
    pub stage: Stage,
    /// Who.
    pub handlers_id: i64,
    /// His name at that time.
    pub handlers_name: String,
    /// About what.
    pub object_id: i64,
    /// Whose.
    pub clients_id: i64,
    /// The client's reseller.
    pub companies_id: i64,
    /// The handler's reseller; `None` = the whole system.
    pub handlers_companies_id: Option<i64>,
    /// From 1.
    pub attempt: i64,
    /// One of [`STATUSES`].
    pub status: &'static str,
    /// How long it took.
    pub duration_us: i64,
    /// The HTTP status, or the exit status.
    pub response_status: Option<i64>,
    /// Plain words.
    pub error: Option<String>,
    /// What was sent; `None` = the very body of the event in the journal.
    pub request: Option<String>,
    /// What came back.
    pub response: Option<String>,
    /// `{"key": {"old", "new"}}`, as JSON.
    pub changes: Option<String>,
    /// Asked as a shadow: it decided nothing.
    pub shadow: bool,
}

impl Ended {
    /// How much it takes in the log, roughly.
    #[must_use]
    pub fn size(&self) -> i64 {
        let texts = [&self.request, &self.response, &self.changes, &self.error];
        let characters: usize = texts.into_iter().flatten().map(|text| text.chars().count()).sum();
        ROW_BYTES.saturating_add(i64::try_from(characters).unwrap_or(i64::MAX))
    }
}

/// Writes rows.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, rows: &[Ended]) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO executions
      (id, dt, event_id, events_id, stage, handlers_id, handlers_name, object_id, clients_id, companies_id, handlers_companies_id, attempt, status,
       duration_us, response_status, error, request, response, changes, shadow)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    if rows.is_empty() {
        return Ok(());
    }
    let given = i64::try_from(rows.len()).unwrap_or(0);
    for (id, row) in (moved_on(tx, given)? - given + 1..).zip(rows) {
        let values = params![
            id,
            row.dt,
            row.event_id.as_bytes(),
            row.events_id,
            row.stage.word(),
            row.handlers_id,
            &row.handlers_name,
            row.object_id,
            row.clients_id,
            row.companies_id,
            row.handlers_companies_id,
            row.attempt,
            row.status,
            row.duration_us,
            row.response_status,
            row.error.as_ref(),
            row.request.as_ref(),
            row.response.as_ref(),
            row.changes.as_ref(),
            row.shadow,
        ];
        tx.put(SQL, values)?;
    }
    count(tx, rows.iter().map(Ended::size).sum())
}

/// Until this transaction ends, nobody else writes rows or ends deliveries: whoever ends some, or moves the times of many, comes
/// here first, then to the deliveries, then to what goes with them (passwords, what was told). So none of them is in
/// another's way, and what one finds waiting still waits when it is ended. Only a commit that folds deliveries comes by itself.
///
/// # Errors
/// Whatever the engine says.
pub fn hold(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.hold("UPDATE counters SET value = value WHERE name = 'log_last_id'", &[])
}

/// The id of the newest row that ever was. No other row is written until this transaction ends.
pub(super) fn last_id(tx: &mut Tx<'_>) -> Result<i64, Error> {
    hold(tx)?;
    Ok(tx.first("SELECT value FROM counters WHERE name = 'log_last_id'", &[], |row| row.get(0))?.unwrap_or(0))
}

/// So many rows were written beside [`insert`], with nothing but an error of so many bytes each.
pub(super) fn written(tx: &mut Tx<'_>, rows: i64, error_bytes: usize) -> Result<(), Error> {
    moved_on(tx, rows)?;
    count(tx, rows.saturating_mul(ROW_BYTES.saturating_add(i64::try_from(error_bytes).unwrap_or(0))))
}

/// So many ids are given; gives the last of them. The counter is this transaction's until it ends: so ids rise in the order of
/// commits, and a page that ends with one has seen all before it.
fn moved_on(tx: &mut Tx<'_>, given: i64) -> Result<i64, Error> {
    const SQL: &str = "UPDATE counters SET value = value + $1 WHERE name = 'log_last_id' RETURNING value";
    tx.returning(SQL, params![given], |row| row.get(0))?.ok_or_else(|| Error::engine("the log has no counter"))
}

fn count(tx: &mut Tx<'_>, bytes: i64) -> Result<(), Error> {
    tx.put("UPDATE counters SET value = value + $1 WHERE name = 'log_bytes'", params![bytes])
}

/// How large the log is, roughly.
///
/// # Errors
/// Whatever the engine says.
pub fn bytes(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(tx.first("SELECT value FROM counters WHERE name = 'log_bytes'", &[], |row| row.get(0))?.unwrap_or(0))
}

/// Looks at most `limit` rows further, in the order of time, for those from before a moment. Rows of events that are not yet
/// delivered are kept with them.
///
/// # Errors
/// Whatever the engine says.
pub fn old(tx: &Tx<'_>, before: Moment, from: Mark, limit: i64) -> Result<Found, Error> {
    const OLDEST: &str = "SELECT x.dt, x.id,
        EXISTS (SELECT 1 FROM events e JOIN deliveries d ON d.id >= e.row_id * 65536 AND d.id < (e.row_id + 1) * 65536
          WHERE e.id = x.event_id)
      FROM executions x WHERE x.dt < $1 AND (x.dt, x.id) > ($2, $3) ORDER BY x.dt, x.id LIMIT $4";
    let looked_at = tx.query(OLDEST, params![before, from.dt, from.id, limit], |row| {
        let mark = Mark { dt: row.get(0)?, id: row.get(1)? };
        Ok((mark, mark.id, row.get(2)?))
    })?;
    Ok(Found::among(&looked_at, limit))
}

/// What a cut came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cut {
    /// Rows that were deleted.
    pub rows: u64,
    /// How much they took, roughly.
    pub bytes: i64,
}

/// Deletes rows that [`old`] has found, one after another, until at least so many bytes are free.
///
/// # Errors
/// Whatever the engine says.
pub fn cut(tx: &mut Tx<'_>, rows: &[i64], bytes_wanted: i64) -> Result<Cut, Error> {
    const SQL: &str =
        "DELETE FROM executions WHERE id = $1 RETURNING LENGTH(COALESCE(request, '')) + LENGTH(COALESCE(response, ''))
        + LENGTH(COALESCE(changes, '')) + LENGTH(COALESCE(error, ''))";
    let mut cut = Cut::default();
    for id in rows {
        if cut.bytes >= bytes_wanted {
            break;
        }
        // Somebody else may have cut it meanwhile, to make room.
        if let Some(characters) = tx.returning(SQL, params![*id], |row| row.get::<i64>(0))? {
            cut.rows += 1;
            cut.bytes = cut.bytes.saturating_add(ROW_BYTES).saturating_add(characters);
        }
    }
    count(tx, -cut.bytes)?;
    Ok(cut)
}

const COLUMNS: &str = "x.id, x.dt, x.events_id, x.event_id, x.stage, x.handlers_id, x.handlers_name, x.object_id, x.clients_id,
  x.attempt, x.status, x.duration_us, x.response_status, x.error, x.handlers_companies_id, x.shadow";

/// Trouble has an index, which is small: most calls are successes.
const SPELLED: &[(&str, &str)] = &[
    ("success", "+x.status = 'success'"),
    ("forbidden", "x.status = 'forbidden' AND x.status <> 'success'"),
    ("failed", "x.status = 'failed' AND x.status <> 'success'"),
    ("skipped", "x.status = 'skipped' AND x.status <> 'success'"),
];

/// What the list may be asked.
pub static LIST: List = List {
    table: "executions x",
    from: "executions x LEFT JOIN events e ON e.id = x.event_id",
    select: COLUMNS,
    scope: "x.companies_id",
    scope_indexed: true,
    key: "x.id",
    newest_first: true,
    columns: &[
        Column::new("id", "x.id", Kind::Integer),
        Column::new("dt", "x.dt", Kind::Time).indexed(),
        Column::new("events_id", "x.events_id", Kind::Text).indexed(),
        Column::new("event_id", "x.event_id", Kind::Uuid).indexed(),
        Column::new("stage", "x.stage", Kind::Choice(Stage::LOGGED)).indexed(),
        Column::new("handlers_id", "x.handlers_id", Kind::Integer).indexed(),
        Column::new("handlers_name", "x.handlers_name", Kind::Text),
        Column::new("object_id", "x.object_id", Kind::Integer).indexed(),
        Column::new("clients_id", "x.clients_id", Kind::Integer).indexed(),
        Column::new("attempt", "x.attempt", Kind::Integer).indexed_but_for(1),
        Column::new("status", "x.status", Kind::Choice(STATUSES)).spelled(SPELLED),
        Column::new("duration_ms", "(x.duration_us / 1000)", Kind::Integer),
        Column::new("response_status", "x.response_status", Kind::Integer).nullable().indexed_but_for(200),
        Column::new("error", "x.error", Kind::Text).nullable().quick(),
        Column::new("request", "COALESCE(x.request, e.body)", Kind::Text).nullable().joined().quick(),
        Column::new("response", "x.response", Kind::Text).nullable().quick(),
        Column::new("changes", "x.changes", Kind::Text).nullable().quick(),
        Column::new("shadow", "x.shadow", Kind::Boolean).indexed_but_for(0),
    ],
};

/// What tells more about somebody else's handler than a reseller may know: its id, its name and its verdict.
const TELLING: &[&str] = &["error", "response_status", "request", "response", "changes", "q", "duration_ms"];

/// The list.
///
/// # Errors
/// Wrong filters by name, a text that is looked for in too much, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let (filters, scope) = (asked.filters, asked.scope());
    let mut query = LIST.query(filters, scope).and_then(|query| match too_wide(filters) {
        Some(name) => {
            Err(FieldErrors::one(name, "needs a handlers_id, a clients_id, or dt_from and dt_to at most 24 hours apart"))
        }
        None => Ok(query),
    })?;
    if let Some(ids) = scope.filter(|_| asks_too_much(filters)) {
        query.and_within("x.handlers_companies_id", ids.iter().copied().map(Bound::Int).collect());
    }
    Ok(query.counting(asked).page(tx, |row| shown(row, scope))?)
}

/// True if what is hidden could be found out by filtering or sorting by it.
fn asks_too_much(filters: &Object) -> bool {
    let order = match filters.get("order") {
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    let sorted_by = order.iter().filter_map(Value::as_str).map(|name| name.trim_start_matches('-'));
    filters.keys().map(String::as_str).chain(sorted_by).any(|name| TELLING.contains(&name))
}

/// The filter that looks into too much: bodies have no index for words, they are read.
fn too_wide(filters: &Object) -> Option<&'static str> {
    let looks_inside = ["q", "request", "response", "changes", "error"].into_iter().find(|name| filters.contains_key(*name));
    let narrow = ["handlers_id", "clients_id", "event_id", "id"].into_iter().any(|name| filters.get(name).is_some_and(is_one));
    let moment = |name: &str| filters.get(name).and_then(Value::as_str).and_then(Moment::parse);
    let short = moment("dt_from").zip(moment("dt_to")).is_some_and(|(from, to)| to.millis_since(from) <= TEXT_RANGE_MAX_MS);
    looks_inside.filter(|_| !narrow && !short)
}

fn is_one(value: &Value) -> bool {
    value.is_number() || value.is_string()
}

/// A row as the Core API lists it.
fn shown(row: &Row<'_>, scope: Option<&[i64]>) -> Result<Object, Error> {
    let hidden = is_foreign(row.get(14)?, scope);
    let (response_status, error): (Option<i64>, Option<String>) = (row.get(12)?, row.get(13)?);
    let values = [
        ("id", row.get::<i64>(0)?.into()),
        ("dt", row.get::<Moment>(1)?.iso().into()),
        ("events_id", row.get::<String>(2)?.into()),
        ("event_id", Uuid::from_slice(&row.get::<Vec<u8>>(3)?).map_err(Error::engine)?.to_string().into()),
        ("stage", row.get::<String>(4)?.into()),
        ("handlers_id", row.get::<i64>(5)?.into()),
        ("handlers_name", row.get::<String>(6)?.into()),
        ("object_id", row.get::<i64>(7)?.into()),
        ("clients_id", row.get::<i64>(8)?.into()),
        ("attempt", row.get::<i64>(9)?.into()),
        ("status", row.get::<String>(10)?.into()),
        ("duration_ms", if hidden { Value::Null } else { (row.get::<i64>(11)? / 1_000).into() }),
        ("response_status", response_status.filter(|_| !hidden).into()),
        ("error", error.filter(|_| !hidden).into()),
        ("shadow", row.get::<bool>(15)?.into()),
    ];
    Ok(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// One call, whole, within these resellers; what it says of somebody else's handler is no more than its verdict.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64, scope: Option<&[i64]>) -> Result<Option<Object>, Refusal> {
    const BODIES: &str = "SELECT COALESCE(x.request, e.body), x.response, x.changes
      FROM executions x LEFT JOIN events e ON e.id = x.event_id WHERE x.id = $1";
    let only_it = [("id".to_owned(), Value::from(id))].into_iter().collect();
    let mut hidden = false;
    let (mut rows, _) = LIST.query(&only_it, scope)?.rows(tx, |row| {
        hidden = is_foreign(row.get(14)?, scope);
        shown(row, scope)
    })?;
    let Some(mut call) = rows.pop() else { return Ok(None) };
    let bodies: [Option<String>; 3] =
        tx.first(BODIES, params![id], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?.unwrap_or_default();
    for (name, text) in ["request", "response", "changes"].into_iter().zip(bodies) {
        call.insert(name.to_owned(), text.filter(|_| !hidden).map_or(Value::Null, |text| readable(name, text)));
    }
    Ok(Some(call))
}

/// Changes are ours and always JSON; bodies are shown as they were.
fn readable(name: &str, text: String) -> Value {
    match name {
        "changes" => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        _ => {
            // A body that is kept in the journal only may be longer than what the log keeps.
            let mut text = text;
            text.truncate(text.floor_char_boundary(BODY_SHOWN_MAX));
            Value::String(text)
        }
    }
}
