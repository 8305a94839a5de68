//! The journal: one row per committed event, and the counter of each client's events, which outlives the client.
//!
//! A row holds the whole payload as after handlers get it, but for account passwords: these are masked in it and stand
//! beside it, sealed, until the event's last delivery is done.
use hookswitch_model::{
    Object,
    event::{self, Cause, Event, Kind as EventKind, Mode},
    moment::Moment,
    refusal::Refusal,
    trace::Trace,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::{
    cut::Found,
    search::{Asked, Column, Kind, List},
};
use crate::{Error, Row, Tx, params};

/// What a row takes besides its body, roughly, with its share of the indexes.
const ROW_BYTES: i64 = 400;

/// The client's next number.
///
/// # Errors
/// Whatever the engine says.
pub fn next_seq(tx: &mut Tx<'_>, clients_id: i64) -> Result<i64, Error> {
    const SQL: &str = "INSERT INTO client_seqs (clients_id, seq) VALUES ($1, 1)
      ON CONFLICT (clients_id) DO UPDATE SET seq = client_seqs.seq + 1 RETURNING seq";
    tx.returning(SQL, params![clients_id], |row| row.get(0))?.ok_or_else(|| Error::engine("the counter gave no number"))
}

/// The number of a client's last event; 0 if there is none.
///
/// # Errors
/// Whatever the engine says.
pub fn last_seq(tx: &Tx<'_>, clients_id: i64) -> Result<i64, Error> {
    let last = tx.first("SELECT seq FROM client_seqs WHERE clients_id = $1", params![clients_id], |row| row.get(0))?;
    Ok(last.unwrap_or(0))
}

/// A client's last events, the newest first, without what resyncs told.
///
/// # Errors
/// Whatever the engine says.
pub fn last_of_client(tx: &Tx<'_>, clients_id: i64, limit: i64) -> Result<Vec<Recorded>, Error> {
    const SQL: &str = "SELECT id, dt, events_id, object_id, clients_id, companies_id, seq, cause, body FROM events
      WHERE clients_id = $1 AND resyncs_id IS NULL ORDER BY seq DESC LIMIT $2";
    tx.query(SQL, params![clients_id, limit], Recorded::read)
}

/// The reseller of a client at the time of its last event, if the journal has one: also of a client that is deleted.
///
/// # Errors
/// Whatever the engine says.
pub fn reseller_of(tx: &Tx<'_>, clients_id: i64) -> Result<Option<i64>, Error> {
    const SQL: &str = "SELECT companies_id FROM events WHERE clients_id = $1 ORDER BY seq DESC LIMIT 1";
    tx.first(SQL, params![clients_id], |row| row.get(0))
}

/// What is written of an event besides the event itself.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The client's number for it.
    pub seq: i64,
    /// The payload, passwords masked.
    pub body: &'a str,
    /// The passwords, sealed; `None` if there are none or nobody will be told.
    pub secrets: Option<&'a [u8]>,
}

/// Writes an event; gives the number of its row.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, event: &Event, entry: Entry<'_>) -> Result<i64, Error> {
    const SQL: &str = "INSERT INTO events
      (id, dt, events_id, object_id, clients_id, companies_id, seq, body, cause, secrets, resyncs_id, trace)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING row_id";
    let cause = event.cause.as_ref().map(serde_json::to_string).transpose().map_err(Error::engine)?;
    let Event { id, dt, kind, object_id, clients_id, companies_id, .. } = event;
    let trace = event.trace.map(Trace::to_bytes);
    let values = params![
        id.as_bytes(),
        *dt,
        kind.events_id,
        *object_id,
        *clients_id,
        *companies_id,
        entry.seq,
        entry.body,
        cause.as_ref(),
        entry.secrets,
        event.cause.as_ref().and_then(Cause::resync).map(|resync| resync.id),
        trace.as_ref().map(<[u8; Trace::BYTES]>::as_slice)
    ];
    tx.returning(SQL, values, |row| row.get(0))?.ok_or_else(|| Error::engine("the journal gave no row"))
}

/// Forgets the passwords of an event that nobody waits for any more.
///
/// # Errors
/// Whatever the engine says.
pub fn forget_secrets(tx: &mut Tx<'_>, row_id: i64) -> Result<(), Error> {
    // Of two who end its last two deliveries at once, each would find the other's still there.
    const HOLD: &str = "UPDATE events SET secrets = secrets WHERE row_id = $1 AND secrets IS NOT NULL";
    const SQL: &str = "UPDATE events SET secrets = NULL
      WHERE row_id = $1 AND secrets IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deliveries WHERE id >= $1 * 65536 AND id < ($1 + 1) * 65536)";
    tx.hold(HOLD, params![row_id])?;
    tx.put(SQL, params![row_id])
}

/// A row of the journal.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What happened.
    pub kind: EventKind,
    /// The client's reseller at that time.
    pub companies_id: i64,
    /// When it was asked for.
    pub dt: Moment,
    /// The client's number for it.
    pub seq: i64,
    /// What it was a reaction to.
    pub cause: Option<Cause>,
    id: Uuid,
    object_id: i64,
    clients_id: i64,
    payload: Object,
}

impl Recorded {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let events_id: String = row.get(2)?;
        let cause: Option<String> = row.get(7)?;
        Ok(Self {
            id: uuid(&row.get::<Vec<u8>>(0)?)?,
            dt: row.get(1)?,
            kind: event::kind(&events_id).ok_or_else(|| Error::engine(format!("an event of unknown type {events_id}")))?,
            object_id: row.get(3)?,
            clients_id: row.get(4)?,
            companies_id: row.get(5)?,
            seq: row.get(6)?,
            cause: cause.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::engine)?,
            payload: serde_json::from_str(&row.get::<String>(8)?).map_err(Error::engine)?,
        })
    }

    fn member(&self, name: &str) -> Option<Object> {
        match self.payload.get(name) {
            Some(Value::Object(object)) => Some(object.clone()),
            _ => None,
        }
    }

    /// The event, passwords masked; `None` if the actor can't be read any more.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        Some(Event {
            id: self.id,
            dt: self.dt,
            kind: self.kind,
            object_id: self.object_id,
            clients_id: self.clients_id,
            companies_id: self.companies_id,
            era: self.payload.get("event").and_then(|head| head.get("era")).and_then(Value::as_i64).unwrap_or(0),
            mode: Mode::Live,
            actor: serde_json::from_value(self.payload.get("event")?.get("actor")?.clone()).ok()?,
            cause: self.cause.clone(),
            trace: None,
            data: self.member("data").unwrap_or_default(),
            previous: self.member("previous"),
            object: self.member("object").unwrap_or_default(),
        })
    }

    /// The event as `provisioning.events.get` shows it: passwords stay masked.
    #[must_use]
    pub fn shown(&self) -> Object {
        let actor = self.payload.get("event").and_then(|head| head.get("actor")).cloned().unwrap_or_default();
        let mut shown = columns(
            &self.id,
            self.dt,
            [self.object_id, self.clients_id, self.companies_id, self.seq],
            self.kind.events_id,
            actor,
            self.cause.as_ref(),
            self.payload.get("previous").and_then(Value::as_object),
        );
        for name in ["data", "previous", "object"] {
            shown.insert(name.to_owned(), self.payload.get(name).cloned().unwrap_or_default());
        }
        shown
    }
}

fn uuid(bytes: &[u8]) -> Result<Uuid, Error> {
    Uuid::from_slice(bytes).map_err(Error::engine)
}

/// The columns of a list, in the order of the contract.
fn columns(
    id: &Uuid,
    dt: Moment,
    numbers: [i64; 4],
    events_id: &str,
    actor: Value,
    cause: Option<&Cause>,
    previous: Option<&Object>,
) -> Object {
    let [object_id, clients_id, companies_id, seq] = numbers;
    let values = [
        ("id", id.to_string().into()),
        ("dt", dt.iso().into()),
        ("events_id", events_id.into()),
        ("object_id", object_id.into()),
        ("clients_id", clients_id.into()),
        ("companies_id", companies_id.into()),
        ("seq", seq.into()),
        ("actor", actor),
        ("cause", cause.map_or(Value::Null, Cause::shown)),
        ("changed", previous.into_iter().flat_map(Object::keys).map(String::as_str).collect()),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// One event.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: &Uuid) -> Result<Option<Recorded>, Error> {
    const SQL: &str = "SELECT id, dt, events_id, object_id, clients_id, companies_id, seq, cause, body FROM events WHERE id = $1";
    tx.first(SQL, params![id.as_bytes()], Recorded::read)
}

/// What an event was a reaction to; `None` if it is not there, or was no reaction.
///
/// # Errors
/// Whatever the engine says.
pub fn cause(tx: &Tx<'_>, id: &Uuid) -> Result<Option<Cause>, Error> {
    const SQL: &str = "SELECT cause FROM events WHERE id = $1";
    let text = tx.first(SQL, params![id.as_bytes()], |row| row.get::<Option<String>>(0))?.flatten();
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::engine)
}

/// What a handler may have been told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The handler: what a resync tells another one is none of its.
    pub handlers_id: i64,
    /// The types of events that it takes.
    pub events_ids: &'a [&'a str],
}

/// True if the journal has a later event of an object of this client that this handler was or will be told of.
///
/// # Errors
/// Whatever the engine says.
pub fn has_later(tx: &Tx<'_>, clients_id: i64, seq: i64, object_id: i64, told: Told<'_>) -> Result<bool, Error> {
    let Told { handlers_id, events_ids } = told;
    let places: Vec<String> = (5..5 + events_ids.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "SELECT 1 FROM events WHERE clients_id = $1 AND seq > $2 AND object_id = $3
         AND (resyncs_id IS NULL OR resyncs_id IN (SELECT r.id FROM resyncs r WHERE r.handlers_id = $4))
         AND events_id IN ({}) LIMIT 1",
        places.join(", ")
    );
    let mut values = params![clients_id, seq, object_id, handlers_id].to_vec();
    values.extend(events_ids.iter().map(|name| crate::Param::Text(name)));
    Ok(tx.first(&sql, &values, |_| Ok(()))?.is_some())
}

/// Looks at most `limit` events further, in the order in which they were asked for, for those from before a moment that no
/// delivery needs any more. What counts is when they came about, which their ids tell: a step of the clock that was missed may
/// have a much older date, and must not leave a gap behind.
///
/// # Errors
/// Whatever the engine says.
pub fn old(tx: &Tx<'_>, before: Moment, from: Uuid, limit: i64) -> Result<Found<Uuid>, Error> {
    const OLDEST: &str = "SELECT e.id, e.row_id,
        EXISTS (SELECT 1 FROM deliveries d WHERE d.id >= e.row_id * 65536 AND d.id < (e.row_id + 1) * 65536)
      FROM events e WHERE e.id > $1 AND e.id < $2 ORDER BY e.id LIMIT $3";
    let millis = u64::try_from(before.millis()).unwrap_or(0);
    let end = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    let looked_at = tx.query(OLDEST, params![from.as_bytes(), end.as_bytes(), limit], |row| {
        Ok((uuid(&row.get::<Vec<u8>>(0)?)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(Found::among(&looked_at, limit))
}

/// Deletes events that [`old`] has found, as far as no delivery needs them; gives how many.
///
/// # Errors
/// Whatever the engine says.
pub fn cut(tx: &mut Tx<'_>, rows: &[i64]) -> Result<i64, Error> {
    const SQL: &str = "DELETE FROM events
      WHERE row_id = $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE id >= $1 * 65536 AND id < ($1 + 1) * 65536)";
    let mut cut = 0;
    for row_id in rows {
        cut += i64::try_from(tx.execute(SQL, params![*row_id])?).unwrap_or(0);
    }
    tx.put("UPDATE counters SET value = value + $1 WHERE name = 'events_cut'", params![cut])?;
    Ok(cut)
}

/// How many events are too many for a journal of at most so many bytes, roughly: by its rows, and the mean of what the newest of
/// them hold.
///
/// # Errors
/// Whatever the engine says.
pub fn too_many(tx: &Tx<'_>, bytes_max: i64) -> Result<i64, Error> {
    const ROWS: &str = "SELECT COALESCE(MAX(row_id), 0) - (SELECT value FROM counters WHERE name = 'events_cut') FROM events";
    const MEAN: &str = "SELECT CAST(COALESCE(AVG(LENGTH(body)), 0) AS BIGINT) FROM (SELECT body FROM events ORDER BY row_id DESC LIMIT 1000) newest";
    let rows: i64 = tx.first(ROWS, &[], |row| row.get(0))?.unwrap_or(0);
    let mean: i64 = tx.first(MEAN, &[], |row| row.get(0))?.unwrap_or(0);
    Ok((rows - bytes_max / (mean + ROW_BYTES)).max(0))
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "events",
    from: "events",
    select: "id, dt, events_id, object_id, clients_id, companies_id, seq, cause, body",
    scope: "companies_id",
    scope_indexed: true,
    key: "row_id",
    newest_first: true,
    columns: &[
        Column::new("id", "id", Kind::Uuid).indexed(),
        Column::new("dt", "dt", Kind::Time).indexed(),
        Column::new("events_id", "events_id", Kind::Text).indexed(),
        Column::new("object_id", "object_id", Kind::Integer).indexed(),
        Column::new("clients_id", "clients_id", Kind::Integer).loosely_indexed(),
        Column::new("companies_id", "companies_id", Kind::Integer).indexed(),
        Column::new("seq", "seq", Kind::Integer).indexed(),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, listed)
}

/// The ids of what a list would show, without reading what happened.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn found(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Vec<Uuid>, Refusal> {
    let (found, _) = LIST.query(asked.filters, asked.scope())?.rows(tx, |row| uuid(&row.get::<Vec<u8>>(0)?))?;
    Ok(found)
}

/// Only the actor is read out of the payload: the rest of it may be long.
fn listed(row: &Row<'_>) -> Result<Object, Error> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        actor: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        event: Head<'a>,
        previous: Option<Object>,
    }
    let body: String = row.get(8)?;
    let read: Body<'_> = serde_json::from_str(&body).map_err(Error::engine)?;
    let cause: Option<String> = row.get(7)?;
    let cause: Option<Cause> = cause.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::engine)?;
    Ok(columns(
        &uuid(&row.get::<Vec<u8>>(0)?)?,
        row.get(1)?,
        [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
        &row.get::<String>(2)?,
        serde_json::from_str(read.event.actor.get()).map_err(Error::engine)?,
        cause.as_ref(),
        read.previous.as_ref(),
    ))
}
