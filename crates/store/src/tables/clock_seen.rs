//! The latest time that the clock has shown, so that a clock that was put right while nobody ran is noticed at the next start.
//!
//! Kept rather than taken from what is dated in the tables: rows of a clock that was ahead stay long after that was put
//! right, and would have it put right again at each start.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx, params};

const READ: &str = "SELECT value FROM counters WHERE name = 'clock_seen'";
const NOTE: &str = "INSERT INTO counters (name, value) VALUES ('clock_seen', $1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > counters.value";
const FOLLOWED: &str = "INSERT INTO counters (name, value) VALUES ('clock_seen', $1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// The latest time that was seen; `None` if none ever was.
///
/// # Errors
/// Whatever the engine says.
pub fn latest(tx: &Tx<'_>) -> Result<Option<Moment>, Error> {
    tx.first(READ, &[], |row| row.get(0))
}

/// Notes what the clock shows, unless it has shown more.
///
/// # Errors
/// Whatever the engine says.
pub fn note(tx: &mut Tx<'_>) -> Result<(), Error> {
    let now = tx.now();
    tx.put(NOTE, params![now])
}

/// Everything has followed a clock that was set back: what it shows now is the latest.
///
/// # Errors
/// Whatever the engine says.
pub fn followed(tx: &mut Tx<'_>) -> Result<(), Error> {
    let now = tx.now();
    tx.put(FOLLOWED, params![now])
}
