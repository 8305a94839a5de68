//! How often this database was restored from a backup. What was numbered after the backup was made is numbered again after the
//! restore, so that receivers compare the era first, then the number.
use crate::{Error, Tx};

const READ: &str = "SELECT value FROM counters WHERE name = 'era'";
const RAISE: &str = "INSERT INTO counters (name, value) VALUES ('era', 1)
  ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value";

/// The era; 0 = never restored.
///
/// # Errors
/// Whatever the engine says.
pub fn read(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(tx.first(READ, &[], |row| row.get(0))?.unwrap_or(0))
}

/// Begins the next era; gives it.
///
/// # Errors
/// Whatever the engine says.
pub fn raise(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.returning(RAISE, &[], |row| row.get(0))?.ok_or_else(|| Error::engine("the counter gave no era"))
}
