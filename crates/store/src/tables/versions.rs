//! Counts changes of what every node keeps in memory.
use crate::{Error, Tx, params};

/// The handlers.
pub const HANDLERS: &str = "handlers";
/// Keys, users, resellers.
pub const ACCESS: &str = "access";

const READ: &str = "SELECT version FROM versions WHERE name = $1";
const BUMP: &str = "UPDATE versions SET version = version + 1 WHERE name = $1";
const TOUCH: &str = "UPDATE versions SET version = version WHERE name = $1";

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
    tx.execute(BUMP, params![name]).map(drop)
}

/// Writes what is there already: tells whether anything can be written.
///
/// # Errors
/// Whatever the engine says.
pub fn touch(tx: &mut Tx<'_>, name: &str) -> Result<(), Error> {
    tx.execute(TOUCH, params![name]).map(drop)
}
