//! Resyncs: a row each, written in the transaction that writes a portion of its events.
//!
//! | file | subject |
//! |---|---|
//! | here | the rows, and how the deliveries of one stand |
//! | [`count`] | how many objects of each kind there are, by reseller |
pub mod count;

use hookswitch_model::{
    objects::resync::{Outstanding, Resync, State},
    refusal::Refusal,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::search::{Asked, Column, Kind, List};
use crate::{Error, Row, Tx, params};

macro_rules! columns {
    () => {
        "id, handlers_id, scope_id, state, reason, selection, rate, total, sent, lost, place, first_row, last_row, actor, started_at,
         ended_at"
    };
}

fn read(row: &Row<'_>) -> Result<Resync, Error> {
    let state: String = row.get(3)?;
    Ok(Resync {
        id: row.get(0)?,
        handlers_id: row.get(1)?,
        scope_id: row.get(2)?,
        state: State::from_word(&state).ok_or_else(|| Error::engine(format!("a resync of unknown state {state}")))?,
        reason: row.get(4)?,
        selection: json(&row.get::<String>(5)?)?,
        rate: row.get(6)?,
        total: row.get(7)?,
        sent: row.get(8)?,
        lost: row.get(9)?,
        place: json(&row.get::<String>(10)?)?,
        rows: row.get::<Option<i64>>(11)?.zip(row.get::<Option<i64>>(12)?),
        actor: json(&row.get::<String>(13)?)?,
        started: row.get(14)?,
        ended: row.get(15)?,
    })
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(Error::engine)
}

fn text(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::engine)
}

/// One resync.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Resync>, Error> {
    tx.first(concat!("SELECT ", columns!(), " FROM resyncs WHERE id = $1"), params![id], read)
}

/// Those of a handler that are not over, in order of id.
///
/// # Errors
/// Whatever the engine says.
pub fn open_of_handler(tx: &Tx<'_>, handlers_id: i64) -> Result<Vec<Resync>, Error> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM resyncs WHERE handlers_id = $1 AND ended_at IS NULL ORDER BY id");
    tx.query(SQL, params![handlers_id], read)
}

/// Those of all handlers that are not over, in order of id, but for such as wait for a repair only.
///
/// # Errors
/// Whatever the engine says.
pub fn untold(tx: &Tx<'_>) -> Result<Vec<Resync>, Error> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM resyncs WHERE ended_at IS NULL AND state <> 'incomplete' ORDER BY id");
    tx.query(SQL, &[], read)
}

/// The ids of all that are neither over nor paused.
///
/// # Errors
/// Whatever the engine says.
pub fn under_way(tx: &Tx<'_>) -> Result<Vec<i64>, Error> {
    const SQL: &str = "SELECT id FROM resyncs WHERE ended_at IS NULL AND state <> 'paused' ORDER BY id";
    tx.query(SQL, &[], |row| row.get(0))
}

/// Writes a new one.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, new: &Resync) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO resyncs
      (id, handlers_id, scope_id, state, selection, rate, total, sent, lost, place, login, actor, started_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9, $10, $11)";
    let Resync { id, handlers_id, scope_id, state, selection, rate, total, place, actor, started, .. } = new;
    let (selection, place, actor) = (text(selection)?, text(place)?, text(actor)?);
    let values =
        params![*id, *handlers_id, *scope_id, state.word(), &selection, *rate, *total, &place, new.by(), &actor, *started];
    tx.put(SQL, values)
}

/// Writes where it stands (but for what was discarded of it, which is only ever counted up).
///
/// # Errors
/// Whatever the engine says.
pub fn update(tx: &mut Tx<'_>, resync: &Resync) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE resyncs SET state = $1, reason = $2, total = $3, sent = $4, place = $5, first_row = $6, last_row = $7,
      ended_at = $8 WHERE id = $9";
    let Resync { id, state, reason, total, sent, place, rows, ended, .. } = resync;
    let (first, last) = rows.unzip();
    tx.put(SQL, params![state.word(), reason.as_deref(), *total, *sent, &text(place)?, first, last, *ended, *id])
}

/// Ends those of a handler that is deleted.
///
/// # Errors
/// Whatever the engine says.
pub fn end_of_handler(tx: &mut Tx<'_>, handlers_id: i64, reason: &str) -> Result<(), Error> {
    let now = tx.now();
    for mut resync in open_of_handler(tx, handlers_id)? {
        resync.end(State::Cancelled, Some(reason.to_owned()), now);
        update(tx, &resync)?;
    }
    Ok(())
}

/// Counts a delivery that is about to be discarded, if a resync told its event, or if it stands for earlier events, one of which
/// a resync may have told.
///
/// # Errors
/// Whatever the engine says.
pub fn lost(tx: &mut Tx<'_>, delivery: i64, events_row: i64) -> Result<(), Error> {
    const TOLD: &str = "SELECT resyncs_id FROM events WHERE row_id = $1 AND events_id <> 'provisioning.resync_done'";
    const FOLDED: &str = "SELECT r.id FROM deliveries d JOIN resyncs r ON r.handlers_id = d.handlers_id AND r.ended_at IS NULL
      WHERE d.id = $1 AND d.folded > 0";
    const SQL: &str = "UPDATE resyncs SET lost = lost + 1 WHERE id = $1";
    let told = tx.first(TOLD, params![events_row], |row| row.get::<Option<i64>>(0))?.flatten();
    let whose = match told {
        Some(id) => Some(id),
        None => tx.first(FOLDED, params![delivery], |row| row.get(0))?,
    };
    whose.map_or(Ok(()), |id| tx.put(SQL, params![id]))
}

/// How those of its deliveries stand that are not done. A delivery's id begins with its event's row, so that only the stretch
/// of the handler's queue is looked at in which its events were written. Of a handler that only wants the latest, those that
/// stand for earlier ones count as well: they may stand for one of the resync.
///
/// # Errors
/// Whatever the engine says.
pub fn outstanding(tx: &Tx<'_>, resync: &Resync) -> Result<Outstanding, Error> {
    const OWN: &str = "SELECT COALESCE(SUM(CASE WHEN d.dead = 0 AND d.attempt = 0 THEN 1 ELSE 0 END), 0),
        COALESCE(SUM(CASE WHEN d.dead = 0 AND d.attempt > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(d.dead), 0)
      FROM deliveries d JOIN events e ON e.row_id = d.events_row
      WHERE d.handlers_id = $1 AND d.id >= $2 * 65536 AND d.id < ($3 + 1) * 65536 AND e.resyncs_id = $4";
    const FOLDED: &str = "SELECT COALESCE(SUM(CASE WHEN d.dead = 0 AND d.attempt = 0 THEN 1 ELSE 0 END), 0),
        COALESCE(SUM(CASE WHEN d.dead = 0 AND d.attempt > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(d.dead), 0)
      FROM deliveries d JOIN events e ON e.row_id = d.events_row
      WHERE d.handlers_id = $1 AND d.fold IS NOT NULL AND d.folded > 0 AND d.id >= $2 * 65536
        AND (e.resyncs_id IS NULL OR e.resyncs_id <> $3)";
    let Some((first, last)) = resync.rows else { return Ok(Outstanding::default()) };
    let read = |row: &Row<'_>| Ok(Outstanding { waiting: row.get(0)?, retrying: row.get(1)?, dead: row.get(2)? });
    let own = tx.first(OWN, params![resync.handlers_id, first, last, resync.id], read)?.unwrap_or_default();
    let folded = tx.first(FOLDED, params![resync.handlers_id, first, resync.id], read)?.unwrap_or_default();
    Ok(Outstanding {
        waiting: own.waiting + folded.waiting,
        retrying: own.retrying + folded.retrying,
        dead: own.dead + folded.dead,
    })
}

/// How many deliveries wait for a handler, `most` at most. Only the newest are looked at, however many dead ones there are.
///
/// # Errors
/// Whatever the engine says.
pub fn waiting_for(tx: &Tx<'_>, handlers_id: i64, most: i64) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM
        (SELECT newest.dead FROM (SELECT dead FROM deliveries WHERE handlers_id = $1 ORDER BY id DESC LIMIT $2) newest
         WHERE newest.dead = 0 LIMIT $3) portion";
    Ok(tx.first(SQL, params![handlers_id, most.saturating_mul(4), most], |row| row.get(0))?.unwrap_or(0))
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "resyncs",
    from: "resyncs",
    select: columns!(),
    scope: "scope_id",
    scope_indexed: false,
    key: "id",
    newest_first: true,
    columns: &[
        Column::new("id", "id", Kind::Integer),
        Column::new("handlers_id", "handlers_id", Kind::Integer).indexed(),
        Column::new("state", "state", Kind::Choice(State::WORDS)),
        Column::new("by", "login", Kind::Text).quick(),
        Column::new("started_dt", "started_at", Kind::Time),
        Column::new("ended_dt", "ended_at", Kind::Time).nullable(),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row)?.shown()))
}
