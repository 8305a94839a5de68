//! What is not yet delivered: a row per event and after handler, deleted when it is done.
//!
//! A row's columns are what outlives a crash: how many attempts were made, when the next is due, when the first was,
//! whether it is dead. `error` holds the last attempt's error, or before the first attempt what is to be noted about
//! it (a condition that could not be evaluated).
//!
//! | file | subject |
//! |---|---|
//! | here | a delivery's life: written, loaded, failed, done, sent again |
//! | `fold` | only the latest: a newer one stands for those that wait |
//! | `list` | as the Core API lists them; what `resend` and `discard` choose |
//! | `shift` | times that are moved: its handler stood still, the clock was set back |
//! | `standing` | how the queues stand |
mod fold;
mod list;
mod shift;
mod standing;

#[cfg(test)]
mod tests;

use hookswitch_model::{
    event::{self, Kind as EventKind},
    moment::Moment,
    trace::Trace,
};
use uuid::Uuid;

use super::executions;
use crate::{Error, Param, Row, Tx, params};

pub use fold::{fold, is_there};
pub use list::{LIST, STATES, Selected, get, search, selected, selection};
pub use shift::{back_again, move_on, set_back};
pub use standing::{Lane, Standing, lane, standing};

/// A delivery that begins.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
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
    /// Its place among the deliveries of this event.
    pub place: usize,
    /// The event's id.
    pub event_id: Uuid,
    /// What is to be noted in the log with its first attempt.
    pub note: Option<&'a str>,
    /// What it may stand for, see [`fold`]; `None` = for itself only.
    pub fold: Option<&'a str>,
    /// How many earlier ones it stands for.
    pub folded: i64,
}

/// Deliveries that one event may have.
const PLACES: i64 = 1 << 16;

/// Writes a new one, due now; gives its id. Ids rise with the events' rows, so in the order of commits.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, new: New<'_>) -> Result<i64, Error> {
    const SQL: &str = "INSERT INTO deliveries
      (id, handlers_id, clients_id, companies_id, seq, events_row, event_id, dead, attempt, next_at, first_at, error, resend, fold,
       folded)
      VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, NULL, $9, 0, $10, $11)";
    let New { handlers_id, clients_id, companies_id, seq, events_row, place, event_id, note, fold, folded } = new;
    let place = i64::try_from(place).ok().filter(|place| *place < PLACES);
    let id = place.and_then(|place| events_row.checked_mul(PLACES)?.checked_add(place));
    let id = id.ok_or_else(|| Error::engine("an event has too many deliveries"))?;
    let now = tx.now();
    let event_id = event_id.as_bytes();
    tx.put(SQL, params![id, handlers_id, clients_id, companies_id, seq, events_row, event_id, now, note, fold, folded])?;
    Ok(id)
}

/// A delivery that is not dead, with all that its next attempt needs.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Ascending with the client's `seq`.
    pub id: i64,
    /// Whose event.
    pub clients_id: i64,
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
    /// The client's reseller.
    pub companies_id: i64,
    /// Attempts made.
    pub attempt: i64,
    /// When the next is due.
    pub next_at: Moment,
    /// When the first was made.
    pub first_at: Option<Moment>,
    /// See [`New::note`].
    pub note: Option<String>,
    /// Sent again on demand.
    pub resend: bool,
    /// True if a resync tells it.
    pub resync: bool,
    /// What its calls are made within.
    pub trace: Option<Trace>,
    /// The payload, passwords masked.
    pub body: String,
    /// The passwords, sealed.
    pub secrets: Option<Vec<u8>>,
}

macro_rules! waiting {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.clients_id, d.events_row, d.event_id, e.events_id, e.object_id, e.companies_id, d.attempt,
               d.next_at, d.first_at, d.error, d.resend, e.body, e.secrets, d.seq, e.resyncs_id, e.trace
             FROM deliveries d JOIN events e ON e.row_id = d.events_row ",
            $rest
        )
    };
}

impl Waiting {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let attempt: i64 = row.get(7)?;
        Ok(Self {
            id: row.get(0)?,
            clients_id: row.get(1)?,
            events_row: row.get(2)?,
            event_id: uuid(&row.get::<Vec<u8>>(3)?)?,
            kind: kind(&row.get::<String>(4)?)?,
            object_id: row.get(5)?,
            companies_id: row.get(6)?,
            attempt,
            next_at: row.get(8)?,
            first_at: row.get(9)?,
            note: row.get::<Option<String>>(10)?.filter(|_| attempt == 0),
            resend: row.get(11)?,
            body: row.get(12)?,
            secrets: row.get(13)?,
            seq: row.get(14)?,
            resync: row.get::<Option<i64>>(15)?.is_some(),
            trace: row.get::<Option<Vec<u8>>>(16)?.and_then(|bytes| Trace::from_bytes(&bytes)),
        })
    }
}

const OF_CLIENT: &str =
    waiting!("WHERE d.clients_id = $1 AND d.handlers_id = $2 AND d.id > $3 AND d.dead = 0 ORDER BY d.id LIMIT $4");

/// The deliveries of one client to one handler that are not dead, in order of id, from behind `after`.
///
/// # Errors
/// Whatever the engine says.
pub fn of_client(tx: &Tx<'_>, handlers_id: i64, clients_id: i64, after: i64, limit: i64) -> Result<Vec<Waiting>, Error> {
    tx.query(OF_CLIENT, params![clients_id, handlers_id, after, limit], Waiting::read)
}

/// The same of several clients at once, each from behind its own `after`: `(clients_id, after, limit)`.
///
/// # Errors
/// Whatever the engine says.
pub fn of_clients(tx: &Tx<'_>, handlers_id: i64, lanes: &[(i64, i64, i64)]) -> Result<Vec<Vec<Waiting>>, Error> {
    let sets: Vec<Vec<Param<'_>>> =
        lanes.iter().map(|(clients_id, after, limit)| params![*clients_id, handlers_id, *after, *limit].to_vec()).collect();
    tx.query_each(OF_CLIENT, &sets, Waiting::read)
}

/// Which deliveries of a handler are not dead, in order of id, from behind `after`: each with its client.
///
/// # Errors
/// Whatever the engine says.
pub fn waiting_behind(tx: &Tx<'_>, handlers_id: i64, after: i64, limit: i64) -> Result<Vec<(i64, i64)>, Error> {
    const SQL: &str =
        "SELECT id, clients_id FROM deliveries WHERE handlers_id = $1 AND id > $2 AND dead = 0 ORDER BY id LIMIT $3";
    tx.query(SQL, params![handlers_id, after, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The same, of one reseller's clients.
///
/// # Errors
/// Whatever the engine says.
pub fn waiting_of_reseller(
    tx: &Tx<'_>,
    handlers_id: i64,
    companies_id: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>, Error> {
    const SQL: &str = "SELECT id, clients_id FROM deliveries
      WHERE handlers_id = $1 AND companies_id = $2 AND id > $3 AND dead = 0 ORDER BY id LIMIT $4";
    tx.query(SQL, params![handlers_id, companies_id, after, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whose clients have deliveries to a handler that are not dead: the resellers, in ascending order.
///
/// # Errors
/// Whatever the engine says.
pub fn resellers_waiting(tx: &Tx<'_>, handlers_id: i64) -> Result<Vec<i64>, Error> {
    // One step into the index for each.
    const SQL: &str = "SELECT MIN(companies_id) FROM deliveries WHERE handlers_id = $1 AND companies_id > $2 AND dead = 0";
    let (mut resellers, mut last) = (Vec::new(), i64::MIN);
    while let Some(next) = tx.first(SQL, params![handlers_id, last], |row| row.get::<Option<i64>>(0))?.flatten() {
        resellers.push(next);
        last = next;
    }
    Ok(resellers)
}

/// Those of a handler's deliveries with these ids that are not dead, in order of id. `ids` must be sorted.
///
/// # Errors
/// Whatever the engine says.
pub fn with_ids(tx: &Tx<'_>, handlers_id: i64, ids: &[i64]) -> Result<Vec<Waiting>, Error> {
    const SQL: &str = waiting!("WHERE d.id = $1 AND d.handlers_id = $2 AND d.dead = 0");
    let sets: Vec<_> = ids.iter().map(|id| params![*id, handlers_id].to_vec()).collect();
    Ok(tx.query_each(SQL, &sets, Waiting::read)?.into_iter().flatten().collect())
}

fn uuid(bytes: &[u8]) -> Result<Uuid, Error> {
    Uuid::from_slice(bytes).map_err(Error::engine)
}

fn kind(events_id: &str) -> Result<EventKind, Error> {
    event::kind(events_id).ok_or_else(|| Error::engine(format!("a delivery of unknown type {events_id}")))
}

/// Deletes one: it is done, or discarded.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM deliveries WHERE id = $1", params![id])
}

/// What a failed attempt leaves, of a delivery or of an outcome.
#[derive(Debug, Clone)]
pub struct Failed {
    /// True if it was the last one.
    pub dead: bool,
    /// Attempts made.
    pub attempt: i64,
    /// When the next is due.
    pub next_at: Moment,
    /// When the first was made.
    pub first_at: Moment,
    /// Why, in plain words.
    pub error: String,
}

/// Writes down a failed attempt.
///
/// # Errors
/// Whatever the engine says.
pub fn fail(tx: &mut Tx<'_>, id: i64, failed: &Failed) -> Result<(), Error> {
    const SQL: &str = "UPDATE deliveries SET dead = $1, attempt = $2, next_at = $3, first_at = $4, error = $5 WHERE id = $6";
    let Failed { dead, attempt, next_at, first_at, error } = failed;
    tx.put(SQL, params![*dead, *attempt, *next_at, *first_at, error, id])
}

/// A dead one begins anew, with its old number.
///
/// # Errors
/// Whatever the engine says.
pub fn revive(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE deliveries SET dead = 0, attempt = 0, next_at = $1, first_at = NULL, error = NULL, resend = 1
      WHERE id = $2";
    let now = tx.now();
    tx.put(SQL, params![now, id])
}

/// One that is being retried is due now.
///
/// # Errors
/// Whatever the engine says.
pub fn hurry(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE deliveries SET next_at = $1, resend = 1 WHERE id = $2";
    let now = tx.now();
    tx.put(SQL, params![now, id])
}

/// How many a handler has, dead ones included.
///
/// # Errors
/// Whatever the engine says.
pub fn count_of_handler(tx: &Tx<'_>, handlers_id: i64) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM deliveries WHERE handlers_id = $1";
    Ok(tx.first(SQL, params![handlers_id], |row| row.get(0))?.unwrap_or(0))
}

/// Takes away all that a handler has, each with a row in the log that says why. Set by set rather than one by one: it may
/// be a million.
///
/// # Errors
/// Whatever the engine says.
pub fn discard_of_handler(tx: &mut Tx<'_>, handlers_id: i64, handlers_name: &str, error: &str) -> Result<(), Error> {
    const LOG: &str = "INSERT INTO executions
      (id, dt, event_id, events_id, stage, handlers_id, handlers_name, object_id, clients_id, companies_id, handlers_companies_id,
       attempt, status, duration_us, error)
      SELECT $1 + ROW_NUMBER() OVER (ORDER BY d.id), $2, d.event_id, e.events_id, 'after', d.handlers_id, $3, e.object_id, d.clients_id,
        e.companies_id, h.companies_id, d.attempt, 'skipped', 0, $4
      FROM deliveries d JOIN events e ON e.row_id = d.events_row LEFT JOIN handlers h ON h.id = d.handlers_id
      WHERE d.handlers_id = $5 ORDER BY d.id";
    const FORGET: &str = "UPDATE events SET secrets = NULL WHERE secrets IS NOT NULL
      AND row_id IN (SELECT events_row FROM deliveries WHERE handlers_id = $1)
      AND NOT EXISTS (SELECT 1 FROM deliveries o
        WHERE o.id >= events.row_id * 65536 AND o.id < (events.row_id + 1) * 65536 AND o.handlers_id <> $1)";
    let (now, last_id) = (tx.now(), executions::last_id(tx)?);
    let logged = tx.execute(LOG, params![last_id, now, handlers_name, error, handlers_id])?;
    executions::written(tx, i64::try_from(logged).unwrap_or(0), error.len())?;
    tx.put(FORGET, params![handlers_id])?;
    tx.put("DELETE FROM deliveries WHERE handlers_id = $1", params![handlers_id])
}
