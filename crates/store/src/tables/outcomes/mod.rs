//! Which before handlers are to hear how an action ended that they were asked about: a row an event and handler.
//!
//! ```text
//!   (asked about) --> asked --> committed: in the very transaction of the change --.
//!                       |                                                          +--> told: deleted
//!                       '-----> aborted: refused, failed, or the program died -----'     |  given up: dead, kept
//! ```
//!
//! From *committed* or *aborted* on, a row is a delivery like those in `deliveries`, but for its order, which is none.
//!
//! | file | subject |
//! |---|---|
//! | here | a row's life |
//! | `list` | as the Core API lists them; what `resend` and `discard` choose |
mod list;

use hookswitch_model::{
    event::{self, Kind as EventKind},
    moment::Moment,
    trace::Trace,
};
use uuid::Uuid;

use super::{deliveries::Failed, executions};
use crate::{Error, Row, Tx, params};

pub use list::{LIST, OUTCOMES, STATES, selected, selection};
pub use list::{get, search};

/// One that begins: somebody is about to be asked.
#[derive(Debug, Clone)]
pub struct New {
    /// About which event.
    pub event_id: Uuid,
    /// Its name.
    pub events_id: &'static str,
    /// Who is asked.
    pub handlers_id: i64,
    /// His reseller; `None` = the whole system.
    pub handlers_companies_id: Option<i64>,
    /// About what.
    pub object_id: i64,
    /// Whose.
    pub clients_id: i64,
    /// The client's reseller.
    pub companies_id: i64,
    /// The member `event` of what he is asked, as JSON.
    pub head: String,
    /// The life of the node that asks; 0 = there is only one node.
    pub asked_by: i64,
    /// What the calls about it are made within.
    pub trace: Option<Trace>,
}

/// Writes one; gives its id.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, new: &New) -> Result<i64, Error> {
    const SQL: &str = "INSERT INTO outcomes
      (event_id, events_id, handlers_id, handlers_companies_id, object_id, clients_id, companies_id, head, asked_at, outcome, dead, attempt,
       next_at, resend, asked_by, trace)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'asked', 0, 0, $9, 0, $10, $11) RETURNING id";
    let (now, trace) = (tx.now(), new.trace.map(Trace::to_bytes));
    let values = params![
        new.event_id.as_bytes(),
        new.events_id,
        new.handlers_id,
        new.handlers_companies_id,
        new.object_id,
        new.clients_id,
        new.companies_id,
        &new.head,
        now,
        new.asked_by,
        trace.as_ref().map(<[u8; Trace::BYTES]>::as_slice)
    ];
    tx.returning(SQL, values, |row| row.get(0))?.ok_or_else(|| Error::engine("the outcome got no id"))
}

/// The event is committed: under this number, in this very transaction. False if it was decided otherwise: then it must not be.
///
/// # Errors
/// Whatever the engine says.
pub fn commit(tx: &mut Tx<'_>, id: i64, seq: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE outcomes SET outcome = 'committed', seq = $1, next_at = $2 WHERE id = $3 AND outcome = 'asked'";
    let now = tx.now();
    Ok(tx.execute(SQL, params![seq, now, id])? > 0)
}

/// The event will never be committed. One that is decided already stays as it is.
///
/// # Errors
/// Whatever the engine says.
pub fn abort(tx: &mut Tx<'_>, id: i64, ended_by: &str, message: Option<&str>) -> Result<(), Error> {
    const SQL: &str = "UPDATE outcomes SET outcome = 'aborted', ended_by = $1, message = $2, next_at = $3
      WHERE id = $4 AND outcome = 'asked'";
    let now = tx.now();
    tx.put(SQL, params![ended_by, message, now, id])
}

/// What is undecided will never be committed here: the database was restored, and whoever had asked is not there.
///
/// # Errors
/// Whatever the engine says.
pub fn abort_undecided(tx: &mut Tx<'_>, ended_by: &str, message: &str) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE outcomes SET outcome = 'aborted', ended_by = $1, message = $2, next_at = $3 WHERE outcome = 'asked'";
    let now = tx.now();
    tx.execute(SQL, params![ended_by, message, now]).map(drop)
}

/// He was not asked after all.
///
/// # Errors
/// Whatever the engine says.
pub fn withdraw(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM outcomes WHERE id = $1 AND outcome = 'asked'", params![id])
}

/// What came of looking for what was left undecided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Handlers that have something to hear.
    pub waiting: Vec<i64>,
    /// True if anything was undecided.
    pub decided: bool,
}

/// What was left undecided by a life of a node that is over, or by the only node before it was started: what the journal has is
/// committed, and nothing else is.
///
/// # Errors
/// Whatever the engine says.
pub fn recover(tx: &mut Tx<'_>, ended_by: &str, message: &str) -> Result<Recovered, Error> {
    // Rows and events are one transaction, so the first finds nothing; should it ever, the journal is the truth.
    const COMMITTED: &str = "UPDATE outcomes SET outcome = 'committed', next_at = $1,
        seq = (SELECT e.seq FROM events e WHERE e.id = outcomes.event_id)
      WHERE outcome = 'asked' AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.epoch = outcomes.asked_by)
        AND EXISTS (SELECT 1 FROM events e WHERE e.id = outcomes.event_id)";
    const ABORTED: &str = "UPDATE outcomes SET outcome = 'aborted', ended_by = $1, message = $2, next_at = $3
      WHERE outcome = 'asked' AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.epoch = outcomes.asked_by)";
    let now = tx.now();
    let decided = tx.execute(COMMITTED, params![now])? + tx.execute(ABORTED, params![ended_by, message, now])?;
    Ok(Recovered { waiting: waiting(tx)?, decided: decided > 0 })
}

/// Which handlers have something to hear.
///
/// # Errors
/// Whatever the engine says.
pub fn waiting(tx: &Tx<'_>) -> Result<Vec<i64>, Error> {
    tx.query("SELECT DISTINCT handlers_id FROM outcomes WHERE dead = 0 ORDER BY handlers_id", &[], |row| row.get(0))
}

/// One that is to be told, with all that the call needs.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its row.
    pub id: i64,
    /// Which event.
    pub event_id: Uuid,
    /// What would have happened, or has.
    pub kind: EventKind,
    /// To what.
    pub object_id: i64,
    /// Whose.
    pub clients_id: i64,
    /// The client's reseller.
    pub companies_id: i64,
    /// The member `event` of what the handler was asked, as JSON.
    pub head: String,
    /// The event's number; `None` = it was aborted.
    pub seq: Option<i64>,
    /// What aborted it, as JSON.
    pub ended_by: Option<String>,
    /// In words.
    pub message: Option<String>,
    /// Attempts made.
    pub attempt: i64,
    /// When the first was made.
    pub first_at: Option<Moment>,
    /// Sent again on demand.
    pub resend: bool,
    /// What its calls are made within.
    pub trace: Option<Trace>,
}

impl Due {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let events_id: String = row.get(2)?;
        Ok(Self {
            id: row.get(0)?,
            event_id: Uuid::from_slice(&row.get::<Vec<u8>>(1)?).map_err(Error::engine)?,
            kind: event::kind(&events_id).ok_or_else(|| Error::engine(format!("an outcome of unknown type {events_id}")))?,
            object_id: row.get(3)?,
            clients_id: row.get(4)?,
            companies_id: row.get(5)?,
            head: row.get(6)?,
            seq: row.get(7)?,
            ended_by: row.get(8)?,
            message: row.get(9)?,
            attempt: row.get(10)?,
            first_at: row.get(11)?,
            resend: row.get(12)?,
            trace: row.get::<Option<Vec<u8>>>(14)?.and_then(|bytes| Trace::from_bytes(&bytes)),
        })
    }
}

/// What a handler is to hear now of these clients, the longest due first; and when the next is due that is not due yet.
///
/// # Errors
/// Whatever the engine says.
pub fn due(
    tx: &Tx<'_>,
    handlers_id: i64,
    now: Moment,
    limit: usize,
    is_mine: impl Fn(i64) -> bool,
) -> Result<(Vec<Due>, Option<Moment>), Error> {
    const DUE: &str =
        "SELECT id, event_id, events_id, object_id, clients_id, companies_id, head, seq, ended_by, message, attempt, first_at,
        resend, next_at, trace
      FROM outcomes WHERE handlers_id = $1 AND outcome <> 'asked' AND dead = 0 AND next_at <= $2 AND (next_at, id) > ($3, $4)
      ORDER BY next_at, id LIMIT $5";
    const NEXT: &str = "SELECT next_at FROM outcomes
      WHERE handlers_id = $1 AND outcome <> 'asked' AND dead = 0 AND next_at > $2 ORDER BY next_at LIMIT 1";
    let page = i64::try_from(limit).unwrap_or(i64::MAX);
    let (mut due, mut behind) = (Vec::new(), (Moment(i64::MIN), 0));
    while due.len() < limit {
        let values = params![handlers_id, now, behind.0, behind.1, page];
        let rows = tx.query(DUE, values, |row| Ok((row.get::<Moment>(13)?, Due::read(row)?)))?;
        let is_last = rows.len() < limit;
        behind = rows.last().map_or(behind, |(next_at, one)| (*next_at, one.id));
        due.extend(rows.into_iter().map(|(_, one)| one).filter(|one| is_mine(one.clients_id)));
        if is_last {
            break;
        }
    }
    due.truncate(limit);
    Ok((due, tx.first(NEXT, params![handlers_id, now], |row| row.get(0))?))
}

/// Deletes one: the handler has heard.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM outcomes WHERE id = $1", params![id])
}

/// Deletes all of a handler that is not there any more.
///
/// # Errors
/// Whatever the engine says.
pub fn delete_of_gone(tx: &mut Tx<'_>, handlers_id: i64) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM outcomes WHERE handlers_id = $1 AND NOT EXISTS (SELECT 1 FROM handlers WHERE id = $1)";
    tx.put(SQL, params![handlers_id])
}

/// Takes these away, each with a row in the log that says why.
///
/// # Errors
/// Whatever the engine says.
pub fn discard(tx: &mut Tx<'_>, ids: &[i64], error: &str) -> Result<(), Error> {
    const LOG: &str = "INSERT INTO executions
      (id, dt, event_id, events_id, stage, handlers_id, handlers_name, object_id, clients_id, companies_id, handlers_companies_id,
       attempt, status, duration_us, error)
      SELECT $1, $2, o.event_id, o.events_id, 'outcome', o.handlers_id, COALESCE(h.name, ''), o.object_id, o.clients_id,
        o.companies_id, o.handlers_companies_id, o.attempt, 'skipped', 0, $3
      FROM outcomes o LEFT JOIN handlers h ON h.id = o.handlers_id WHERE o.id = $4";
    let (now, last_id) = (tx.now(), executions::last_id(tx)?);
    for (row, id) in (last_id + 1..).zip(ids) {
        tx.put(LOG, params![row, now, error, *id])?;
        delete(tx, *id)?;
    }
    executions::written(tx, i64::try_from(ids.len()).unwrap_or(0), error.len())
}

/// Takes away all that a handler has, what is decided with a row in the log that says why. What is still undecided goes without:
/// nobody is left to hear of it.
///
/// # Errors
/// Whatever the engine says.
pub fn discard_of_handler(tx: &mut Tx<'_>, handlers_id: i64, handlers_name: &str, error: &str) -> Result<(), Error> {
    const LOG: &str = "INSERT INTO executions
      (id, dt, event_id, events_id, stage, handlers_id, handlers_name, object_id, clients_id, companies_id, handlers_companies_id,
       attempt, status, duration_us, error)
      SELECT $1 + ROW_NUMBER() OVER (ORDER BY o.id), $2, o.event_id, o.events_id, 'outcome', o.handlers_id, $3, o.object_id, o.clients_id,
        o.companies_id, o.handlers_companies_id, o.attempt, 'skipped', 0, $4
      FROM outcomes o WHERE o.handlers_id = $5 AND o.outcome <> 'asked' ORDER BY o.id";
    let (now, last_id) = (tx.now(), executions::last_id(tx)?);
    let logged = tx.execute(LOG, params![last_id, now, handlers_name, error, handlers_id])?;
    executions::written(tx, i64::try_from(logged).unwrap_or(0), error.len())?;
    tx.put("DELETE FROM outcomes WHERE handlers_id = $1", params![handlers_id])
}

/// Writes down a failed attempt.
///
/// # Errors
/// Whatever the engine says.
pub fn fail(tx: &mut Tx<'_>, id: i64, failed: &Failed) -> Result<(), Error> {
    const SQL: &str = "UPDATE outcomes SET dead = $1, attempt = $2, next_at = $3, first_at = $4, error = $5 WHERE id = $6";
    let Failed { dead, attempt, next_at, first_at, error } = failed;
    tx.put(SQL, params![*dead, *attempt, *next_at, *first_at, error, id])
}

/// Moves on what was tried already, by the time in which its handler stood still (in microseconds).
///
/// # Errors
/// Whatever the engine says.
pub fn move_on(tx: &mut Tx<'_>, handlers_id: i64, micros: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE outcomes SET next_at = next_at + $1, first_at = first_at + $1
      WHERE handlers_id = $2 AND dead = 0 AND attempt > 0";
    executions::hold(tx)?;
    tx.put(SQL, params![micros, handlers_id])
}

/// A node's clock was set back by so many microseconds (0: the only node's): moves back what is dated later than now, and what was
/// never tried is due at
/// once; among at most `limit` rows behind `after`. Gives behind which one to go on; `None` = that was all.
///
/// # Errors
/// Whatever the engine says.
pub fn set_back(tx: &mut Tx<'_>, node: i64, after: i64, limit: i64, micros: i64) -> Result<Option<i64>, Error> {
    const UPTO: &str = "SELECT MAX(id) FROM (SELECT id FROM outcomes WHERE id > $1 ORDER BY id LIMIT $2) portion";
    const SQL: &str = "UPDATE outcomes
      SET next_at = CASE WHEN next_at <= $1 THEN next_at WHEN attempt = 0 THEN $1 ELSE next_at - $2 END,
        first_at = CASE WHEN first_at > $1 THEN first_at - $2 ELSE first_at END
      WHERE id > $3 AND id <= $4 AND dead = 0 AND outcome <> 'asked' AND (next_at > $1 OR first_at > $1)
        AND (EXISTS (SELECT 1 FROM shards s WHERE s.shard = (outcomes.clients_id & 255) AND s.nodes_id = $5) OR $5 = 0)";
    executions::hold(tx)?;
    let now = tx.now();
    let upto: Option<i64> = tx.first(UPTO, params![after, limit], |row| row.get(0))?.flatten();
    if let Some(upto) = upto {
        tx.put(SQL, params![now, micros, after, upto, node])?;
    }
    Ok(upto)
}

/// A dead one begins anew; one that is being retried is due now.
///
/// # Errors
/// Whatever the engine says.
pub fn send_again(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    const REVIVE: &str = "UPDATE outcomes SET dead = 0, attempt = 0, next_at = $1, first_at = NULL, error = NULL, resend = 1
      WHERE id = $2 AND dead = 1";
    const HURRY: &str = "UPDATE outcomes SET next_at = $1, resend = 1 WHERE id = $2 AND dead = 0 AND attempt > 0";
    let now = tx.now();
    tx.put(HURRY, params![now, id])?;
    tx.put(REVIVE, params![now, id])
}

/// How many a handler has that are decided, dead ones included.
///
/// # Errors
/// Whatever the engine says.
pub fn count_of_handler(tx: &Tx<'_>, handlers_id: i64) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM outcomes WHERE handlers_id = $1 AND outcome <> 'asked'";
    Ok(tx.first(SQL, params![handlers_id], |row| row.get(0))?.unwrap_or(0))
}

/// How the outcomes of one handler stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which handler.
    pub handlers_id: i64,
    /// Not decided yet.
    pub asked: i64,
    /// Never tried.
    pub waiting: i64,
    /// Tried, and to be tried again.
    pub retrying: i64,
    /// Given up.
    pub dead: i64,
}

impl Standing {
    /// Of a handler that has none.
    #[must_use]
    pub fn nothing(handlers_id: i64) -> Self {
        Self { handlers_id, asked: 0, waiting: 0, retrying: 0, dead: 0 }
    }
}

/// How they stand for every handler that has some.
///
/// # Errors
/// Whatever the engine says.
pub fn standing(tx: &Tx<'_>) -> Result<Vec<Standing>, Error> {
    const SQL: &str = "SELECT handlers_id, SUM(CASE WHEN outcome = 'asked' THEN 1 ELSE 0 END),
        SUM(CASE WHEN outcome <> 'asked' AND dead = 0 AND attempt = 0 THEN 1 ELSE 0 END),
        SUM(CASE WHEN dead = 0 AND attempt > 0 THEN 1 ELSE 0 END), SUM(dead)
      FROM outcomes GROUP BY handlers_id ORDER BY handlers_id";
    tx.query(SQL, &[], |row| {
        Ok(Standing {
            handlers_id: row.get(0)?,
            asked: row.get(1)?,
            waiting: row.get(2)?,
            retrying: row.get(3)?,
            dead: row.get(4)?,
        })
    })
}
