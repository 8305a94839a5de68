//! What the log has of a handler that was asked as a shadow.
use hookswitch_model::moment::Moment;
use uuid::Uuid;

use crate::{Error, Tx, params};

/// One call to a shadow, or one that was left out.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its row in the log.
    pub id: i64,
    /// When.
    pub dt: Moment,
    /// About which event.
    pub event_id: Uuid,
    /// Its name.
    pub events_id: String,
    /// About what.
    pub object_id: i64,
    /// Whose.
    pub clients_id: i64,
    /// `success`, `forbidden`, `failed`, `skipped`.
    pub status: String,
    /// How long it took.
    pub duration_us: i64,
    /// The handler's message, or why it failed: the words for a failure begin with its reason.
    pub error: Option<String>,
    /// `{"key": {"old", "new"}}`, as JSON.
    pub changes: Option<String>,
}

/// The newest of them within a range of time, at most `limit`.
///
/// # Errors
/// Whatever the engine says.
pub fn newest(tx: &Tx<'_>, handlers_id: i64, from: Moment, to: Moment, limit: i64) -> Result<Vec<Asked>, Error> {
    const SQL: &str =
        "SELECT id, dt, event_id, events_id, object_id, clients_id, status, duration_us, error, changes FROM executions
      WHERE handlers_id = $1 AND shadow <> 0 AND dt >= $2 AND dt < $3 ORDER BY id DESC LIMIT $4";
    tx.query(SQL, params![handlers_id, from, to, limit], |row| {
        Ok(Asked {
            id: row.get(0)?,
            dt: row.get(1)?,
            event_id: Uuid::from_slice(&row.get::<Vec<u8>>(2)?).map_err(Error::engine)?,
            events_id: row.get(3)?,
            object_id: row.get(4)?,
            clients_id: row.get(5)?,
            status: row.get(6)?,
            duration_us: row.get(7)?,
            error: row.get(8)?,
            changes: row.get(9)?,
        })
    })
}
