//! Counts changes of what every node keeps in memory.
use crate::{Error, Tx, params};

/// The handlers.
pub const HANDLERS: &str = "handlers";
/// Keys, users, resellers.
pub const ACCESS: &str = "access";

const READ: &str = "SELECT version FROM versions WHERE name = $1";
const BUMP: &str = "UPDATE versions SET version = version + 1 WHERE name = $1";
const TRY: &str =
    "INSERT INTO counters (name, value) VALUES ('written', $1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1";

/// The version now.
///
/// # Errors
/// Whatever the engine says.
pub fn read(tx: &Tx<'_>, name: &str) -> Result<i64, Error> {
    Ok(tx.first(READ, params![name], |row| row.get(0))?.unwrap_or(0))
}

/// Counts a change.
///
/// # Errors
/// Whatever the engine says.
pub fn bump(tx: &mut Tx<'_>, name: &str) -> Result<(), Error> {
    tx.put(BUMP, params![name])
}

/// Writes something small that was not there, which an engine can't leave out: tells whether anything can be written.
///
/// # Errors
/// Whatever the engine says.
pub fn try_to_write(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.put(TRY, params![1])
}
