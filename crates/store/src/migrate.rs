//! The schema changes by numbered migrations only, each in one transaction, recorded with its text's hash: an applied
//! one can't be changed silently.
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use crate::{Clock, Error, OpenError, Tx, params};

/// One step of the schema.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// In order, numbered from 1 without a gap.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "start", sql: include_str!("migrations/0001_start.sql") },
    Migration { number: 2, name: "own_ids", sql: include_str!("migrations/0002_own_ids.sql") },
    Migration { number: 3, name: "packages", sql: include_str!("migrations/0003_packages.sql") },
    Migration { number: 4, name: "custom_fields", sql: include_str!("migrations/0004_custom_fields.sql") },
    Migration { number: 5, name: "scale", sql: include_str!("migrations/0005_scale.sql") },
    Migration { number: 6, name: "trouble", sql: include_str!("migrations/0006_trouble.sql") },
    Migration { number: 7, name: "resyncs", sql: include_str!("migrations/0007_resyncs.sql") },
    Migration { number: 8, name: "loops", sql: include_str!("migrations/0008_loops.sql") },
    Migration { number: 9, name: "outcomes", sql: include_str!("migrations/0009_outcomes.sql") },
    Migration { number: 10, name: "nodes", sql: include_str!("migrations/0010_nodes.sql") },
    Migration { number: 11, name: "copying", sql: include_str!("migrations/0011_copying.sql") },
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
    for migration in missing(&applied(connection).map_err(other)?)? {
        apply(connection, migration, clock).map_err(other)?;
    }
    Ok(())
}

/// Looks whether the schema is the one of this program, which is only read.
pub(crate) fn is_current(applied: &[(i64, String)]) -> Result<(), OpenError> {
    if missing(applied)?.is_empty() { Ok(()) } else { Err(OpenError::Older) }
}

/// True if the schema is one that says whether the database is withheld; newer ones do.
pub(crate) fn knows_withheld(applied: &[(i64, String)]) -> bool {
    applied.iter().any(|(number, _)| *number >= WITHHELD)
}

/// Of a database with these migrations (number and hash), in order, those that are still to be applied.
///
/// # Errors
/// When it is newer than this program, or another one's.
pub(crate) fn missing(applied: &[(i64, String)]) -> Result<&'static [Migration], OpenError> {
    let known = MIGRATIONS.last().map_or(0, |last| last.number);
    if let Some((found, _)) = applied.last().filter(|(number, _)| *number > known) {
        return Err(OpenError::Newer { found: *found, known });
    }
    for (number, hash) in applied {
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
    tx.put(RECORD, params![migration.number, migration.name, &hash, now])
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
    fn a_newer_or_foreign_schema_is_left_alone() {
        let clock = Clock::system();
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &clock).unwrap();
        migrate(&mut connection, &clock).unwrap();
        connection.execute("INSERT INTO migrations VALUES (999, 'x', 'y', 0)", ()).unwrap();
        assert!(matches!(migrate(&mut connection, &clock), Err(OpenError::Newer { found: 999, .. })));
        connection.execute("DELETE FROM migrations WHERE number = 999", ()).unwrap();
        connection.execute("UPDATE migrations SET hash = 'z' WHERE number = 1", ()).unwrap();
        assert!(matches!(migrate(&mut connection, &clock), Err(OpenError::Foreign(1))));
    }
}
