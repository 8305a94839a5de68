//! Up to which of a client's events each handler has heard of it. Outlives the deliveries, which are deleted when they are done,
//! and the log, which is cut.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx, params};

/// What a handler was just told of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Which handler.
    pub handlers_id: i64,
    /// Of whom.
    pub clients_id: i64,
    /// The client's number of the last event that was delivered.
    pub seq: i64,
    /// True if that was how the client began.
    pub begins: bool,
    /// True if a resync told it how things stand.
    pub resync: bool,
}

/// What a handler has heard of a client up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The client's number of the last event that was delivered; 0 if there was none.
    pub seq: i64,
    /// When that was.
    pub dt: Moment,
    /// True if it heard how the client began, or was told by a resync how it stands.
    pub whole: bool,
    /// True if something was discarded since.
    pub missed: bool,
}

/// Notes a delivery; one that comes late, after a later event, changes nothing.
///
/// # Errors
/// Whatever the engine says.
pub fn note(tx: &mut Tx<'_>, told: Told) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO told (handlers_id, clients_id, seq, dt, whole, missed) VALUES ($1, $2, $3, $4, $5, 0)
      ON CONFLICT (handlers_id, clients_id) DO UPDATE SET seq = excluded.seq, dt = excluded.dt,
        whole = CASE WHEN excluded.whole = 1 THEN 1 ELSE told.whole END, missed = CASE WHEN $6 = 1 THEN 0 ELSE told.missed END
      WHERE excluded.seq > told.seq";
    let Told { handlers_id, clients_id, seq, begins, resync } = told;
    let now = tx.now();
    tx.put(SQL, params![handlers_id, clients_id, seq, now, begins || resync, resync])
}

/// Notes that something of a client was discarded, which the handler will never hear.
///
/// # Errors
/// Whatever the engine says.
pub fn miss(tx: &mut Tx<'_>, handlers_id: i64, clients_id: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO told (handlers_id, clients_id, seq, dt, whole, missed) VALUES ($1, $2, 0, $3, 0, 1)
      ON CONFLICT (handlers_id, clients_id) DO UPDATE SET missed = 1";
    let now = tx.now();
    tx.put(SQL, params![handlers_id, clients_id, now])
}

/// What a handler has heard of a client; `None` if it was never told anything.
///
/// # Errors
/// Whatever the engine says.
pub fn last(tx: &Tx<'_>, handlers_id: i64, clients_id: i64) -> Result<Option<Heard>, Error> {
    const SQL: &str = "SELECT seq, dt, whole, missed FROM told WHERE handlers_id = $1 AND clients_id = $2";
    tx.first(SQL, params![handlers_id, clients_id], |row| {
        Ok(Heard { seq: row.get(0)?, dt: row.get(1)?, whole: row.get(2)?, missed: row.get(3)? })
    })
}

/// Forgets what a handler has heard: it is deleted.
///
/// # Errors
/// Whatever the engine says.
pub fn forget_handler(tx: &mut Tx<'_>, handlers_id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM told WHERE handlers_id = $1", params![handlers_id])
}
