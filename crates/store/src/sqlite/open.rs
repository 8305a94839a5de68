//! Opening a SQLite file: looked at before it is touched.
use std::{fs::OpenOptions, io::Read as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::OpenError;

/// The first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Statements kept prepared by each connection.
const STATEMENTS_MAX: usize = 256;
/// How often others who have a file open are waited for.
const ALONE_TRIES: u32 = 500;
const ALONE_EVERY: std::time::Duration = std::time::Duration::from_millis(10);

/// The writer's connection, to a file made if absent. Nothing is changed if it turns out to be no database.
pub(crate) fn connect(path: &Path) -> Result<Connection, OpenError> {
    look(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(damaged)?;
    plan_once(&connection).map_err(damaged)?;
    // The first statement that reads: a damaged header or schema shows here.
    connection.query_row("SELECT COUNT(*) FROM sqlite_master", (), |row| row.get::<_, i64>(0)).map_err(damaged)?;
    Ok(connection)
}

/// Makes the file for its owner alone, or looks at its first bytes.
fn look(path: &Path) -> Result<(), OpenError> {
    let other = |error: std::io::Error| OpenError::Other(format!("{}: {error}", path.display()));
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(other)?;
    let mut head = Vec::new();
    file.by_ref().take(16).read_to_end(&mut head).map_err(other)?;
    if head.is_empty() || head == MAGIC {
        Ok(())
    } else {
        Err(OpenError::Damaged("it does not begin like a SQLite file".to_owned()))
    }
}

/// Looks at the first bytes of a file that must be there.
pub(crate) fn look_at(path: &Path) -> Result<(), OpenError> {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    read.map_err(|error| OpenError::Other(format!("{}: {error}", path.display())))?;
    if head == MAGIC { Ok(()) } else { Err(OpenError::Damaged(format!("{} does not begin like a SQLite file", path.display()))) }
}

/// A statement keeps its plan whatever is bound to it. Else many are planned anew at each call, in the hope of statistics
/// that are not there.
fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

pub(crate) fn damaged(error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => OpenError::Damaged(error.to_string()),
        _ => OpenError::Other(error.to_string()),
    }
}

/// Sets the writer up: every commit is flushed before it is answered.
pub(crate) fn set_up_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -12288; PRAGMA wal_autocheckpoint = 16000; PRAGMA journal_size_limit = 134217728;
         PRAGMA foreign_keys = OFF",
    )
}

/// Sets up the only connection to a file: without a log beside it. Nothing is lost before it is flushed at the end, because until
/// then the file has another name.
pub(crate) fn set_up_alone(connection: &Connection) -> Result<(), OpenError> {
    let other = |error: rusqlite::Error| OpenError::Other(error.to_string());
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY").map_err(other)?;
    for _ in 0..ALONE_TRIES {
        let mode = connection.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "delete" => return Ok(()),
            // Threads of a store that was closed a moment ago still have theirs.
            Ok(_) => {}
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {}
            Err(error) => return Err(damaged(error)),
        }
        std::thread::sleep(ALONE_EVERY);
    }
    Err(OpenError::Other("another process has the file open".to_owned()))
}

/// A reader's connection.
pub(crate) fn reader_of(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(damaged)?;
    plan_once(&connection).map_err(damaged)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection
        .execute_batch("PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048")
        .map_err(damaged)?;
    Ok(connection)
}
