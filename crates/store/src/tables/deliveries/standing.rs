//! How the queues stand, and one client's lane in each: for metrics, `system.status` and `provisioning.handlers.status`.
//!
//! A million deliveries may wait: all of them are counted out of indexes alone.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx, params};

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
    /// Earlier ones that those which wait stand for.
    pub folded: i64,
    /// When the oldest event that is not dead was asked for.
    pub oldest: Option<Moment>,
}

impl Standing {
    /// An empty queue.
    #[must_use]
    pub fn nothing(handlers_id: i64) -> Self {
        Self { handlers_id, waiting: 0, retrying: 0, dead: 0, folded: 0, oldest: None }
    }
}

/// How one client's deliveries to one handler stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// Waiting, or to be tried again.
    pub waiting: i64,
    /// Given up.
    pub dead: i64,
    /// The number of the first event that waits.
    pub first_seq: Option<i64>,
}

/// How a lane stands.
///
/// # Errors
/// Whatever the engine says.
pub fn lane(tx: &Tx<'_>, handlers_id: i64, clients_id: i64) -> Result<Lane, Error> {
    const SQL: &str = "SELECT COALESCE(SUM(1 - dead), 0), COALESCE(SUM(dead), 0), MIN(CASE WHEN dead = 0 THEN seq END)
      FROM deliveries WHERE clients_id = $1 AND handlers_id = $2";
    let lane = tx.first(SQL, params![clients_id, handlers_id], |row| {
        Ok(Lane { waiting: row.get(0)?, dead: row.get(1)?, first_seq: row.get(2)? })
    })?;
    Ok(lane.unwrap_or(Lane { waiting: 0, dead: 0, first_seq: None }))
}

/// A delivery's id begins with the number of its event's row.
const STANDING: &str = "SELECT q.handlers_id, q.live - q.retrying, q.retrying, q.dead, e.dt, COALESCE(f.folded, 0) FROM
  (SELECT handlers_id, SUM(1 - dead) AS live, SUM(CASE WHEN dead = 0 AND attempt > 0 THEN 1 ELSE 0 END) AS retrying,
     SUM(dead) AS dead, MIN(CASE WHEN dead = 0 THEN id END) AS oldest
   FROM deliveries GROUP BY handlers_id) q
  LEFT JOIN events e ON e.row_id = q.oldest / 65536
  LEFT JOIN (SELECT handlers_id, SUM(folded) AS folded FROM deliveries WHERE fold IS NOT NULL GROUP BY handlers_id) f
    ON f.handlers_id = q.handlers_id ORDER BY q.handlers_id";

/// How every queue stands that is not empty.
///
/// # Errors
/// Whatever the engine says.
pub fn standing(tx: &Tx<'_>) -> Result<Vec<Standing>, Error> {
    tx.query(STANDING, &[], |row| {
        Ok(Standing {
            handlers_id: row.get(0)?,
            waiting: row.get(1)?,
            retrying: row.get(2)?,
            dead: row.get(3)?,
            oldest: row.get(4)?,
            folded: row.get(5)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Database, MasterKey, Options, Store};

    #[tokio::test]
    async fn queues_are_counted_out_of_indexes_alone() {
        let home = tempfile::tempdir().unwrap();
        let (database, key) = (Database::Sqlite(home.path().join("t.db")), MasterKey::from_bytes([7; 32]));
        let store = Store::open(Options { database, key, clock: Clock::system(), faults: None }).unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {STANDING}");
        let steps: Vec<String> = store.read(move |tx| tx.query(&plan, &[], |row| row.get(3))).await.unwrap();
        let of_deliveries: Vec<&String> = steps.iter().filter(|step| step.contains(" deliveries")).collect();
        assert_eq!(of_deliveries.len(), 2, "{steps:?}");
        assert!(of_deliveries.iter().all(|step| step.contains("USING COVERING INDEX")), "{steps:?}");
    }
}
