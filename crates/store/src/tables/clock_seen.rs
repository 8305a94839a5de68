//! The latest time that the clock has shown, so that a clock that was put right while nobody ran is noticed at the next start.
//!
//! Kept rather than taken from what is dated in the tables: rows of a clock that was ahead stay long after that was put
//! right, and would have it put right again at each start. Where there are several nodes each has its own clock, and notes this in
//! its own row; `node` is 0 where there is only one.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx, params};

const READ: &str = "SELECT value FROM counters WHERE name = 'clock_seen'";
const NOTE: &str = "INSERT INTO counters (name, value) VALUES ('clock_seen', $1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > counters.value";
const FOLLOWED: &str = "INSERT INTO counters (name, value) VALUES ('clock_seen', $1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value";

const READ_OF_NODE: &str = "SELECT clock_seen FROM nodes WHERE id = $1";
const NOTE_OF_NODE: &str = "UPDATE nodes SET clock_seen = $1 WHERE id = $2 AND (clock_seen IS NULL OR clock_seen < $1)";
const FOLLOWED_OF_NODE: &str = "UPDATE nodes SET clock_seen = $1 WHERE id = $2";

/// The latest time that was seen; `None` if none ever was.
///
/// # Errors
/// Whatever the engine says.
pub fn latest(tx: &Tx<'_>, node: i64) -> Result<Option<Moment>, Error> {
    match node {
        0 => tx.first(READ, &[], |row| row.get(0)),
        node => Ok(tx.first(READ_OF_NODE, params![node], |row| row.get::<Option<Moment>>(0))?.flatten()),
    }
}

/// Notes what the clock shows, unless it has shown more.
///
/// # Errors
/// Whatever the engine says.
pub fn note(tx: &mut Tx<'_>, node: i64) -> Result<(), Error> {
    let now = tx.now();
    match node {
        0 => tx.put(NOTE, params![now]),
        node => tx.put(NOTE_OF_NODE, params![now, node]),
    }
}

/// Everything has followed a clock that was set back: what it shows now is the latest.
///
/// # Errors
/// Whatever the engine says.
pub fn followed(tx: &mut Tx<'_>, node: i64) -> Result<(), Error> {
    let now = tx.now();
    match node {
        0 => tx.put(FOLLOWED, params![now]),
        node => tx.put(FOLLOWED_OF_NODE, params![now, node]),
    }
}
