//! The nodes that share the database, and until when each may act without asking again: its *lease*.
//!
//! A node has an *epoch* for as long as it lives without a break. When it joins it gets a new one, and who ends a node whose
//! lease has lapsed gives its row a new one too: whatever the old life still wants to write finds that its epoch is gone
//! ([`epoch`]). Times here are those of the database's clock ([`Tx::database_now`]), because the nodes' own may differ.
use hookswitch_model::moment::Moment;

use crate::{Error, Row, Tx, params};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its own id, kept in its data folder.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// Of its present life, or what ended it.
    pub epoch: i64,
    /// Until when it may act; `Moment(0)` once it has left or was ended.
    pub valid_until: Moment,
    /// True if it hands over what it has and takes no more.
    pub leaving: bool,
    /// When its present life began.
    pub joined_at: Moment,
    /// When it was last heard of.
    pub renewed_at: Moment,
    /// How long a notice takes to come to it, in microseconds.
    pub lag_us: Option<i64>,
}

impl Node {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            version: row.get(2)?,
            epoch: row.get(3)?,
            valid_until: row.get(4)?,
            leaving: row.get(5)?,
            joined_at: row.get(6)?,
            renewed_at: row.get(7)?,
            lag_us: row.get(8)?,
        })
    }

    /// True if it may act at a time of the database's clock.
    #[must_use]
    pub fn is_alive(&self, now: Moment) -> bool {
        self.valid_until > now
    }

    /// True if it was neither ended nor has it left, and its lease has lapsed: another should end it.
    #[must_use]
    pub fn has_lapsed(&self, now: Moment) -> bool {
        self.valid_until != Moment(0) && self.valid_until <= now
    }
}

/// All of them, by id, also those that have left.
///
/// # Errors
/// Whatever the engine says.
pub fn all(tx: &Tx<'_>) -> Result<Vec<Node>, Error> {
    const SQL: &str =
        "SELECT id, name, version, epoch, valid_until, leaving, joined_at, renewed_at, lag_us FROM nodes ORDER BY id";
    tx.query(SQL, &[], Node::read)
}

/// Begins a life of a node; gives its epoch.
///
/// # Errors
/// Whatever the engine says.
pub fn join(tx: &mut Tx<'_>, id: i64, name: &str, version: &str, valid_until: Moment) -> Result<i64, Error> {
    const SQL: &str = "INSERT INTO nodes (id, name, version, epoch, valid_until, leaving, joined_at, renewed_at)
      VALUES ($1, $2, $3, $4, $5, 0, $6, $6)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, version = excluded.version, epoch = excluded.epoch,
        valid_until = excluded.valid_until, leaving = 0, joined_at = excluded.joined_at, renewed_at = excluded.renewed_at,
        lag_us = NULL";
    let (epoch, now) = (next_epoch(tx)?, tx.database_now()?);
    tx.execute(SQL, params![id, name, version, epoch, valid_until, now])?;
    Ok(epoch)
}

/// One that was never given before.
fn next_epoch(tx: &mut Tx<'_>) -> Result<i64, Error> {
    const SQL: &str = "INSERT INTO counters (name, value) VALUES ('epoch', $1)
      ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value";
    tx.returning(SQL, params![1], |row| row.get(0))?.ok_or_else(|| Error::engine("no epoch was given"))
}

/// It goes on: its lease is good until then. False if this life of it was ended.
///
/// # Errors
/// Whatever the engine says.
pub fn renew(tx: &mut Tx<'_>, id: i64, epoch: i64, valid_until: Moment, lag_us: Option<i64>) -> Result<bool, Error> {
    const SQL: &str = "UPDATE nodes SET valid_until = $1, renewed_at = $2, lag_us = $3 WHERE id = $4 AND epoch = $5";
    let now = tx.database_now()?;
    Ok(tx.execute(SQL, params![valid_until, now, lag_us, id, epoch])? > 0)
}

/// It takes no more shards.
///
/// # Errors
/// Whatever the engine says.
pub fn begin_to_leave(tx: &mut Tx<'_>, id: i64, epoch: i64) -> Result<(), Error> {
    tx.execute("UPDATE nodes SET leaving = 1 WHERE id = $1 AND epoch = $2", params![id, epoch]).map(drop)
}

/// This life of it is over: nothing can be written as this node any more.
///
/// # Errors
/// Whatever the engine says.
pub fn end(tx: &mut Tx<'_>, id: i64, epoch: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE nodes SET epoch = $1, valid_until = 0 WHERE id = $2 AND epoch = $3";
    let next = next_epoch(tx)?;
    tx.execute(SQL, params![next, id, epoch]).map(drop)
}

/// The same, if its lease has lapsed by then: also where it went on since the row was read. True if it was ended.
///
/// # Errors
/// Whatever the engine says.
pub fn end_lapsed(tx: &mut Tx<'_>, id: i64, epoch: i64, now: Moment) -> Result<bool, Error> {
    // Going on takes no lock. So this may wait for a row that is being renewed, and is then decided about as it has become.
    const SQL: &str = "UPDATE nodes SET epoch = $1, valid_until = 0 WHERE id = $2 AND epoch = $3 AND valid_until <= $4";
    let next = next_epoch(tx)?;
    Ok(tx.execute(SQL, params![next, id, epoch, now])? > 0)
}

/// Forgets nodes that ended before then.
///
/// # Errors
/// Whatever the engine says.
pub fn forget(tx: &mut Tx<'_>, before: Moment) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM nodes WHERE valid_until = 0 AND renewed_at < $1
      AND NOT EXISTS (SELECT 1 FROM shards WHERE shards.nodes_id = nodes.id)";
    tx.execute(SQL, params![before]).map(drop)
}

/// The epoch that counts of a node. Who must not be overtaken holds [`Subject::Node`](crate::Subject::Node) shared before it reads.
///
/// # Errors
/// Whatever the engine says.
pub fn epoch(tx: &Tx<'_>, id: i64) -> Result<Option<i64>, Error> {
    tx.first("SELECT epoch FROM nodes WHERE id = $1", params![id], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::shards;
    use crate::{Clock, Database, MasterKey, Options, Store};

    async fn within<T: Send + 'static>(work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        let folder = tempfile::tempdir().unwrap();
        let (database, key) = (Database::Sqlite(folder.path().join("t.db")), MasterKey::from_bytes([7; 32]));
        let store = Store::open(Options { database, key, clock: Clock::manual(Moment(5)).0, faults: None }).unwrap();
        store.write(work).await.unwrap()
    }

    #[tokio::test]
    async fn a_life_that_was_ended_can_neither_go_on_nor_be_confused_with_the_next() {
        within(|tx| {
            let first = join(tx, 7, "a", "1", Moment(10))?;
            assert!(renew(tx, 7, first, Moment(20), Some(3))? && epoch(tx, 7)? == Some(first));
            end(tx, 7, first)?;
            assert!(!renew(tx, 7, first, Moment(30), None)? && epoch(tx, 7)? != Some(first));
            assert!(!all(tx)?[0].has_lapsed(Moment(99)), "it is ended once");
            forget(tx, Moment(i64::MAX))?;
            assert!(epoch(tx, 7)?.is_none() && join(tx, 7, "a", "1", Moment(40))? > first + 1, "also when its row was forgotten");
            Ok(())
        })
        .await;
    }

    #[tokio::test]
    async fn who_went_on_meanwhile_is_not_ended() {
        within(|tx| {
            let epoch = join(tx, 7, "a", "1", Moment(10))?;
            assert!(renew(tx, 7, epoch, Moment(20), None)? && !end_lapsed(tx, 7, epoch, Moment(10))?);
            assert!(renew(tx, 7, epoch, Moment(20), None)? && end_lapsed(tx, 7, epoch, Moment(20))?);
            assert!(!renew(tx, 7, epoch, Moment(30), None)?);
            Ok(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_lease_lapses_by_the_time_that_is_given() {
        let node = within(|tx| join(tx, 7, "a", "1", Moment(10)).and_then(|_| all(tx))).await.remove(0);
        assert!(node.is_alive(Moment(9)) && !node.is_alive(Moment(10)) && node.has_lapsed(Moment(10)));
    }

    #[tokio::test]
    async fn who_owns_a_shard_is_not_forgotten() {
        let left = within(|tx| {
            let epoch = join(tx, 7, "a", "1", Moment(10))?;
            shards::take(tx, 3, 7)?;
            end(tx, 7, epoch)?;
            forget(tx, Moment(i64::MAX))?;
            let kept = all(tx)?.len();
            shards::give_up(tx, 3, 8)?;
            assert_eq!(shards::owners(tx)?, [(3, 7)], "it is not another's to give up");
            shards::give_up_all(tx, 7)?;
            forget(tx, Moment(i64::MAX))?;
            Ok((kept, all(tx)?.len()))
        })
        .await;
        assert_eq!(left, (1, 0));
    }
}
