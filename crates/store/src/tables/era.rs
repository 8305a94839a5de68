//! The era of this database: a number that rises with each restore from a backup. What was numbered after the backup was made is
//! numbered again after the restore, so that receivers compare the era first, then the number.
//!
//! It is the second since 1970 in which the restore was made: the same backup restored twice has two eras, though neither restore
//! knows of the other.
use crate::{Error, Tx, params};

const READ: &str = "SELECT value FROM counters WHERE name = 'era'";
const RAISE: &str = "INSERT INTO counters (name, value) VALUES ('era', $1)
  ON CONFLICT (name) DO UPDATE SET value = CASE WHEN counters.value < excluded.value THEN excluded.value ELSE counters.value + 1 END
  RETURNING value";

/// The era; 0 = never restored.
///
/// # Errors
/// Whatever the engine says.
pub fn read(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(tx.first(READ, &[], |row| row.get(0))?.unwrap_or(0))
}

/// Begins the next era, higher than any before, whatever the clock says; gives it.
///
/// # Errors
/// Whatever the engine says.
pub fn raise(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let now = tx.now().seconds().max(1);
    tx.returning(RAISE, params![now], |row| row.get(0))?.ok_or_else(|| Error::engine("the counter gave no era"))
}
