//! The schema changes by numbered migrations only, each in one transaction, recorded with its text's hash: an applied
//! one can't be changed silently.
//!
//! **Rolling upgrades.** The first new node that starts migrates while old nodes work on, and an old one may have to start again
//! meanwhile. So a migration is such that the release before it can go on: it adds tables, indexes and columns that have a default or
//! may be empty; what is to go is no longer used in one release and dropped in the next. Each says the oldest schema whose programs may
//! work on it ([`Migration::oldest`]), and leaves that in the database for them to read.
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use crate::{Clock, Error, OpenError, Tx, params};

/// One step of the schema.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    /// The oldest schema whose programs may go on working once this is applied: that of the release before.
    pub(crate) oldest: i64,
}

/// The migration from which on that is recorded.
const ROLLING: i64 = 12;
const OLDEST: &str = "UPDATE migrations SET oldest = $1 WHERE number = $2";
/// The oldest schema whose programs may work on a database that is newer than `$1`; null if it is not.
pub(crate) const OLDEST_OF_NEWER: &str = "SELECT MAX(oldest) FROM migrations WHERE number > $1";

/// In order, numbered from 1 without a gap.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "start", sql: include_str!("migrations/0001_start.sql"), oldest: 1 },
    Migration { number: 2, name: "own_ids", sql: include_str!("migrations/0002_own_ids.sql"), oldest: 2 },
    Migration { number: 3, name: "packages", sql: include_str!("migrations/0003_packages.sql"), oldest: 3 },
    Migration { number: 4, name: "custom_fields", sql: include_str!("migrations/0004_custom_fields.sql"), oldest: 4 },
    Migration { number: 5, name: "scale", sql: include_str!("migrations/0005_scale.sql"), oldest: 5 },
    Migration { number: 6, name: "trouble", sql: include_str!("migrations/0006_trouble.sql"), oldest: 6 },
    Migration { number: 7, name: "resyncs", sql: include_str!("migrations/0007_resyncs.sql"), oldest: 7 },
    Migration { number: 8, name: "loops", sql: include_str!("migrations/0008_loops.sql"), oldest: 8 },
    Migration { number: 9, name: "outcomes", sql: include_str!("migrations/0009_outcomes.sql"), oldest: 9 },
    Migration { number: 10, name: "nodes", sql: include_str!("migrations/0010_nodes.sql"), oldest: 10 },
    Migration { number: 11, name: "copying", sql: include_str!("migrations/0011_copying.sql"), oldest: 11 },
    Migration { number: 12, name: "rolling", sql: include_str!("migrations/0012_rolling.sql"), oldest: 12 },
    Migration { number: 13, name: "web", sql: include_str!("migrations/0013_web.sql"), oldest: 12 },
    Migration { number: 14, name: "traces", sql: include_str!("migrations/0014_traces.sql"), oldest: 12 },
];

/// Where applied ones are recorded.
pub(crate) const RECORDS: &str = "CREATE TABLE IF NOT EXISTS migrations
  (number BIGINT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, dt BIGINT NOT NULL)";
const RECORD: &str = "INSERT INTO migrations (number, name, hash, dt) VALUES ($1, $2, $3, $4)";

/// The migration from which on a database says whether it is withheld.
const WITHHELD: i64 = 11;

/// Brings the schema up to date; refuses a newer or foreign one without touching it.
pub(crate) fn migrate(connection: &mut Connection, clock: &Clock) -> Result<(), OpenError> {
    let other = |error: rusqlite::Error| OpenError::Other(error.to_string());
    let applied = applied(connection).map_err(other)?;
    let oldest = if is_newer(&applied) { connection.query_row(OLDEST_OF_NEWER, (known(),), |row| row.get(0)).ok() } else { None };
    for migration in missing(&applied, oldest)? {
        apply(connection, migration, clock).map_err(other)?;
    }
    Ok(())
}

/// Looks whether the schema is the one of this program, which is only read.
pub(crate) fn is_current(applied: &[(i64, String)]) -> Result<(), OpenError> {
    if missing(applied, None)?.is_empty() { Ok(()) } else { Err(OpenError::Older) }
}

/// True if the schema is one that says whether the database is withheld; newer ones do.
pub(crate) fn knows_withheld(applied: &[(i64, String)]) -> bool {
    applied.iter().any(|(number, _)| *number >= WITHHELD)
}

/// The newest migration that this program knows.
pub(crate) fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.number)
}

/// True if a newer program has brought the schema further.
pub(crate) fn is_newer(applied: &[(i64, String)]) -> bool {
    applied.last().is_some_and(|(number, _)| *number > known())
}

/// Of a database with these migrations (number and hash), in order, those that are still to be applied. `oldest` is what a newer one
/// says by [`OLDEST_OF_NEWER`].
///
/// # Errors
/// When it is newer than this program can work on, or another one's.
pub(crate) fn missing(applied: &[(i64, String)], oldest: Option<i64>) -> Result<&'static [Migration], OpenError> {
    let known = known();
    if let Some((found, _)) = applied.last().filter(|(number, _)| *number > known) {
        if !oldest.is_some_and(|oldest| (1..=known).contains(&oldest)) {
            return Err(OpenError::Newer { found: *found, known });
        }
        tracing::warn!(found, known, "a newer version has brought the schema further; this one can work on it: upgrade it too");
    }
    for (number, hash) in applied.iter().filter(|(number, _)| *number <= known) {
        let same = MIGRATIONS.iter().any(|migration| migration.number == *number && hash_of(migration) == *hash);
        if !same {
            return Err(OpenError::Foreign(*number));
        }
    }
    Ok(MIGRATIONS.get(applied.len()..).unwrap_or_default())
}

/// Notes that one was applied.
pub(crate) fn record(tx: &mut Tx<'_>, migration: &Migration) -> Result<(), Error> {
    let (now, hash) = (tx.now(), hash_of(migration));
    tx.put(RECORD, params![migration.number, migration.name, &hash, now])?;
    if migration.number < ROLLING {
        return Ok(());
    }
    tx.put(OLDEST, params![migration.oldest, migration.number])
}

/// The migrations of a file, in order: number and hash.
pub(crate) fn applied(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let there = "SELECT 1 FROM sqlite_master WHERE name = 'migrations'";
    if connection.query_row(there, (), |_| Ok(())).optional()?.is_none() {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT number, hash FROM migrations ORDER BY number")?;
    statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn apply(connection: &mut Connection, migration: &Migration, clock: &Clock) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    tx.execute_batch(&for_sqlite(RECORDS))?;
    tx.execute_batch(&for_sqlite(migration.sql))?;
    tx.execute(RECORD, (migration.number, migration.name, hash_of(migration), clock.now().0))?;
    if migration.number >= ROLLING {
        tx.execute(OLDEST, (migration.oldest, migration.number))?;
    }
    tx.commit()
}

/// SQLite gives a row its number only under the very words `INTEGER PRIMARY KEY`; numbers that the engine gives
/// (`BIGINT_ID`) must never be given twice, also after the last row was deleted.
fn for_sqlite(sql: &str) -> String {
    sql.replace("BIGINT_ID PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT").replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
}

fn hash_of(migration: &Migration) -> String {
    hex::encode(Sha256::digest(migration.sql.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_a_gap() {
        assert!(MIGRATIONS.iter().zip(1..).all(|(migration, number)| migration.number == number));
    }

    #[test]
    fn what_waits_and_what_was_logged_is_kept_by_migration_2() {
        let clock = Clock::system();
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &MIGRATIONS[0], &clock).unwrap();
        connection
            .execute_batch(
                "INSERT INTO deliveries VALUES (7, 1, 5, 1, 3, x'00', 0, 0, 0, NULL, NULL, 0), (8, 2, 5, 1, 3, x'00', 0, 0, 0, NULL, NULL, 0),
                   (9, 1, 5, 2, 4, x'01', 0, 2, 0, 0, 'e', 0);
                 INSERT INTO executions (id, dt, event_id, events_id, stage, handlers_id, handlers_name, object_id, clients_id, companies_id,
                   attempt, status, duration_us) VALUES (41, 0, x'01', 'clients.create', 'after', 1, 'h', 5, 5, 1, 1, 'failed', 9)",
            )
            .unwrap();
        migrate(&mut connection, &clock).unwrap();
        let ids: Vec<i64> = connection
            .prepare("SELECT id FROM deliveries ORDER BY id")
            .unwrap()
            .query_map((), |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(ids, [3 << 16, (3 << 16) + 1, 4 << 16]);
        let last: i64 =
            connection.query_row("SELECT value FROM counters WHERE name = 'log_last_id'", (), |row| row.get(0)).unwrap();
        let kept: i64 = connection.query_row("SELECT COUNT(*) FROM executions WHERE id = 41", (), |row| row.get(0)).unwrap();
        assert_eq!((last, kept), (41, 1));
    }

    /// How many events are reckoned with after migration 6, once there is one more: of so many some were deleted before.
    fn events_reckoned(written: i64, deleted: &str) -> i64 {
        const EVENT: &str = "INSERT INTO events (id, dt, events_id, object_id, clients_id, companies_id, seq, body)
          VALUES (randomblob(16), 0, 'clients.create', 5, 5, 1, ?1, '{}')";
        let clock = Clock::system();
        let mut connection = Connection::open_in_memory().unwrap();
        MIGRATIONS[..5].iter().for_each(|migration| apply(&mut connection, migration, &clock).unwrap());
        for seq in 1..=written {
            connection.execute(EVENT, (seq,)).unwrap();
        }
        connection.execute(&format!("DELETE FROM events WHERE {deleted}"), ()).unwrap();
        migrate(&mut connection, &clock).unwrap();
        connection.execute(EVENT, (written + 1,)).unwrap();
        let reckoned = "SELECT MAX(row_id) - (SELECT value FROM counters WHERE name = 'events_cut') FROM events";
        connection.query_row(reckoned, (), |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_events_of_a_journal_are_counted_by_migration_6_also_where_it_is_empty_or_was_never_written() {
        assert_eq!(events_reckoned(7, "row_id < 3"), 6);
        assert_eq!(events_reckoned(7, "row_id <> 2"), 2);
        assert_eq!(events_reckoned(7, "TRUE"), 1);
        assert_eq!(events_reckoned(0, "TRUE"), 1);
    }

    #[test]
    fn a_schema_of_the_next_release_is_worked_on_if_it_says_so() {
        let clock = Clock::system();
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &clock).unwrap();
        let next = "INSERT INTO migrations (number, name, hash, dt, oldest) VALUES (?1, 'next', 'x', 0, ?2)";
        connection.execute(next, (known() + 1, known())).unwrap();
        migrate(&mut connection, &clock).unwrap();
        connection.execute(next, (known() + 2, known() + 1)).unwrap();
        assert!(matches!(migrate(&mut connection, &clock), Err(OpenError::Newer { .. })));
    }

    #[test]
    fn a_newer_or_foreign_schema_is_left_alone() {
        let clock = Clock::system();
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &clock).unwrap();
        migrate(&mut connection, &clock).unwrap();
        connection.execute("INSERT INTO migrations (number, name, hash, dt) VALUES (999, 'x', 'y', 0)", ()).unwrap();
        assert!(matches!(migrate(&mut connection, &clock), Err(OpenError::Newer { found: 999, .. })));
        connection.execute("DELETE FROM migrations WHERE number = 999", ()).unwrap();
        connection.execute("UPDATE migrations SET hash = 'z' WHERE number = 1", ()).unwrap();
        assert!(matches!(migrate(&mut connection, &clock), Err(OpenError::Foreign(1))));
    }
}
