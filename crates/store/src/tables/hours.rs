//! Hour by hour: how many calls of each kind a handler had, and how many events each reseller's clients. Pictures are drawn from
//! these few rows, however long the log is.
use std::collections::BTreeMap;

use hookswitch_model::moment::Moment;

use super::executions::{Ended, STATUSES};
use crate::{Error, Row, Tx, params};

const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// A median is found among so many of the last calls.
pub const MEDIAN_OF: i64 = 50;

/// The hour that a moment lies in, by its first moment.
#[must_use]
pub fn hour_of(moment: Moment) -> Moment {
    Moment(moment.0.div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR)
}

/// The calls of a handler in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// Whose.
    pub handlers_id: i64,
    /// Its first moment.
    pub hour: Moment,
    /// How many ended how, in the order of [`STATUSES`].
    pub by_status: [i64; STATUSES.len()],
    /// How long they took together.
    pub duration_us: i64,
}

/// The calls of these rows, by handler and hour, in that order: so two who add never wait for each other crosswise.
#[must_use]
pub fn of_rows(rows: &[Ended]) -> Vec<Calls> {
    let mut hours: BTreeMap<(i64, Moment), Calls> = BTreeMap::new();
    for row in rows {
        let (handlers_id, hour) = (row.handlers_id, hour_of(row.dt));
        let new = Calls { handlers_id, hour, by_status: [0; STATUSES.len()], duration_us: 0 };
        let calls = hours.entry((handlers_id, hour)).or_insert(new);
        if let Some(status) = STATUSES.iter().position(|status| *status == row.status) {
            calls.by_status[status] += 1;
        }
        calls.duration_us = calls.duration_us.saturating_add(row.duration_us);
    }
    hours.into_values().collect()
}

/// Adds calls.
///
/// # Errors
/// Whatever the engine says.
pub fn add_calls(tx: &mut Tx<'_>, calls: &[Calls]) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO call_hours (handlers_id, hour, success, forbidden, failed, skipped, duration_us)
      VALUES ($1, $2, $3, $4, $5, $6, $7)
      ON CONFLICT (handlers_id, hour) DO UPDATE SET success = call_hours.success + excluded.success,
        forbidden = call_hours.forbidden + excluded.forbidden, failed = call_hours.failed + excluded.failed,
        skipped = call_hours.skipped + excluded.skipped, duration_us = call_hours.duration_us + excluded.duration_us";
    for Calls { handlers_id, hour, by_status: [success, forbidden, failed, skipped], duration_us } in calls {
        tx.put(SQL, params![*handlers_id, *hour, *success, *forbidden, *failed, *skipped, *duration_us])?;
    }
    Ok(())
}

/// Calls since a moment, of one handler or of all, by handler and hour; hours without calls are left out.
///
/// # Errors
/// Whatever the engine says.
pub fn calls_since(tx: &Tx<'_>, handlers_id: Option<i64>, since: Moment) -> Result<Vec<Calls>, Error> {
    const OF_ONE: &str = "SELECT handlers_id, hour, success, forbidden, failed, skipped, duration_us FROM call_hours
      WHERE handlers_id = $1 AND hour >= $2 ORDER BY hour";
    const OF_ALL: &str = "SELECT handlers_id, hour, success, forbidden, failed, skipped, duration_us FROM call_hours
      WHERE hour >= $1 ORDER BY handlers_id, hour";
    let read = |row: &Row<'_>| {
        let by_status = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        Ok(Calls { handlers_id: row.get(0)?, hour: row.get(1)?, by_status, duration_us: row.get(6)? })
    };
    match handlers_id {
        Some(id) => tx.query(OF_ONE, params![id, since], read),
        None => tx.query(OF_ALL, params![since], read),
    }
}

/// How long the last calls of a handler took that were made, in microseconds.
///
/// # Errors
/// Whatever the engine says.
pub fn last_durations(tx: &Tx<'_>, handlers_id: i64) -> Result<Vec<i64>, Error> {
    const SQL: &str = "SELECT duration_us FROM
      (SELECT id, duration_us, status FROM executions WHERE handlers_id = $1 ORDER BY id DESC LIMIT $2) AS last
      WHERE status <> 'skipped'";
    tx.query(SQL, params![handlers_id, MEDIAN_OF], |row| row.get(0))
}

/// Adds events of a reseller's clients.
///
/// # Errors
/// Whatever the engine says.
pub fn add_events(tx: &mut Tx<'_>, companies_id: i64, hour: Moment, events: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO event_hours (companies_id, hour, events) VALUES ($1, $2, $3)
      ON CONFLICT (companies_id, hour) DO UPDATE SET events = event_hours.events + excluded.events";
    tx.put(SQL, params![companies_id, hour, events])
}

/// Events since a moment: reseller, hour, how many.
///
/// # Errors
/// Whatever the engine says.
pub fn events_since(tx: &Tx<'_>, since: Moment) -> Result<Vec<(i64, Moment, i64)>, Error> {
    const SQL: &str = "SELECT companies_id, hour, events FROM event_hours WHERE hour >= $1 ORDER BY hour, companies_id";
    tx.query(SQL, params![since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Events of all resellers since a moment: hour, how many.
///
/// # Errors
/// Whatever the engine says.
pub fn all_events_since(tx: &Tx<'_>, since: Moment) -> Result<Vec<(Moment, i64)>, Error> {
    const SQL: &str = "SELECT hour, CAST(SUM(events) AS BIGINT) FROM event_hours WHERE hour >= $1 GROUP BY hour ORDER BY hour";
    tx.query(SQL, params![since], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Forgets the hours before a moment.
///
/// # Errors
/// Whatever the engine says.
pub fn cut(tx: &mut Tx<'_>, before: Moment) -> Result<(), Error> {
    tx.put("DELETE FROM call_hours WHERE hour < $1", params![before])?;
    tx.put("DELETE FROM event_hours WHERE hour < $1", params![before])
}
