//! How the queues stand: for metrics and `system.status`.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx};

/// How a handler's queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which handler.
    pub handlers_id: i64,
    /// Never tried.
    pub waiting: i64,
    /// Tried, and to be tried again.
    pub retrying: i64,
    /// Given up.
    pub dead: i64,
    /// When the oldest event that is not dead was asked for.
    pub oldest: Option<Moment>,
}

/// How every queue stands that is not empty.
///
/// # Errors
/// Whatever the engine says.
pub fn standing(tx: &Tx<'_>) -> Result<Vec<Standing>, Error> {
    // Out of the index alone. A delivery's id begins with the number of its event's row.
    const SQL: &str = "SELECT q.handlers_id, q.live - q.retrying, q.retrying, q.dead, e.dt FROM
      (SELECT handlers_id, SUM(1 - dead) AS live, SUM(CASE WHEN dead = 0 AND attempt > 0 THEN 1 ELSE 0 END) AS retrying,
         SUM(dead) AS dead, MIN(CASE WHEN dead = 0 THEN id END) AS oldest
       FROM deliveries GROUP BY handlers_id) q
      LEFT JOIN events e ON e.row_id = q.oldest / 65536 ORDER BY q.handlers_id";
    tx.query(SQL, &[], |row| {
        Ok(Standing {
            handlers_id: row.get(0)?,
            waiting: row.get(1)?,
            retrying: row.get(2)?,
            dead: row.get(3)?,
            oldest: row.get(4)?,
        })
    })
}
