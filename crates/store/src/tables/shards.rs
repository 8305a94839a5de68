//! Which node owns which shard of the clients. A client's shard is `clients_id & 255`; one without a row is nobody's.
use crate::{Error, Tx, params};

/// Who owns what: `(shard, node)`, by shard.
///
/// # Errors
/// Whatever the engine says.
pub fn owners(tx: &Tx<'_>) -> Result<Vec<(i64, i64)>, Error> {
    tx.query("SELECT shard, nodes_id FROM shards ORDER BY shard", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// A shard is this node's from now on.
///
/// # Errors
/// Whatever the engine says.
pub fn take(tx: &mut Tx<'_>, shard: i64, nodes_id: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO shards (shard, nodes_id) VALUES ($1, $2)
      ON CONFLICT (shard) DO UPDATE SET nodes_id = excluded.nodes_id";
    tx.execute(SQL, params![shard, nodes_id]).map(drop)
}

/// A shard is nobody's any more, if it was this node's.
///
/// # Errors
/// Whatever the engine says.
pub fn give_up(tx: &mut Tx<'_>, shard: i64, nodes_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM shards WHERE shard = $1 AND nodes_id = $2", params![shard, nodes_id]).map(drop)
}

/// Nothing is this node's any more.
///
/// # Errors
/// Whatever the engine says.
pub fn give_up_all(tx: &mut Tx<'_>, nodes_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM shards WHERE nodes_id = $1", params![nodes_id]).map(drop)
}
