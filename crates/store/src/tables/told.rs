//! Up to which of a client's events each handler has heard of it. Outlives the deliveries, which are deleted when they are done,
//! and the log, which is cut.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx, params};

/// What a handler has heard of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Which handler.
    pub handlers_id: i64,
    /// Of whom.
    pub clients_id: i64,
    /// The client's number of the last event that was delivered.
    pub seq: i64,
}

/// Notes a delivery; one that comes late, after a later event, changes nothing.
///
/// # Errors
/// Whatever the engine says.
pub fn note(tx: &mut Tx<'_>, told: Told) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO told (handlers_id, clients_id, seq, dt) VALUES ($1, $2, $3, $4)
      ON CONFLICT (handlers_id, clients_id) DO UPDATE SET seq = excluded.seq, dt = excluded.dt WHERE excluded.seq > told.seq";
    let now = tx.now();
    tx.execute(SQL, params![told.handlers_id, told.clients_id, told.seq, now]).map(drop)
}

/// The last event of a client that a handler has heard of, and when it was told; `None` if it was never told anything.
///
/// # Errors
/// Whatever the engine says.
pub fn last(tx: &Tx<'_>, handlers_id: i64, clients_id: i64) -> Result<Option<(i64, Moment)>, Error> {
    const SQL: &str = "SELECT seq, dt FROM told WHERE handlers_id = $1 AND clients_id = $2";
    tx.first(SQL, params![handlers_id, clients_id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Forgets what a handler has heard: it is deleted.
///
/// # Errors
/// Whatever the engine says.
pub fn forget_handler(tx: &mut Tx<'_>, handlers_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM told WHERE handlers_id = $1", params![handlers_id]).map(drop)
}
