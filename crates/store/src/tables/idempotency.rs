//! The first success of a request with an idempotency key.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx, params};

/// A remembered success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The hash of its parameters.
    pub params_hash: Vec<u8>,
    /// Its result, as JSON.
    pub result: String,
}

const FIND: &str = "SELECT params_hash, result FROM idempotency
  WHERE users_id = $1 AND method = $2 AND idempotency_key = $3 AND dt > $4";
const PUT: &str = "INSERT INTO idempotency (users_id, method, idempotency_key, params_hash, result, dt)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (users_id, method, idempotency_key) DO UPDATE
  SET params_hash = excluded.params_hash, result = excluded.result, dt = excluded.dt";
const CUT: &str = "DELETE FROM idempotency WHERE dt <= $1 AND (users_id, method, idempotency_key) IN
  (SELECT users_id, method, idempotency_key FROM idempotency WHERE dt <= $1 ORDER BY dt LIMIT $2)";

/// The success remembered since a moment, if any.
///
/// # Errors
/// Whatever the engine says.
pub fn find(tx: &Tx<'_>, users_id: i64, method: &str, key: &str, since: Moment) -> Result<Option<Known>, Error> {
    tx.first(FIND, params![users_id, method, key, since], |row| Ok(Known { params_hash: row.get(0)?, result: row.get(1)? }))
}

/// Remembers a success in place of an expired one.
///
/// # Errors
/// Whatever the engine says.
pub fn put(tx: &mut Tx<'_>, users_id: i64, method: &str, key: &str, params_hash: &[u8], result: &str) -> Result<(), Error> {
    let now = tx.now();
    tx.put(PUT, params![users_id, method, key, params_hash, result, now])
}

/// Forgets at most `limit` successes from before a moment; gives how many.
///
/// # Errors
/// Whatever the engine says.
pub fn cut(tx: &mut Tx<'_>, before: Moment, limit: i64) -> Result<u64, Error> {
    tx.execute(CUT, params![before, limit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, migrate};

    #[test]
    fn what_has_expired_is_forgotten_in_portions_and_nothing_else() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection, &Clock::system()).unwrap();
        for second in 1..=5 {
            let mut tx = Tx::sqlite(&connection, Moment::from_millis(second * 1_000));
            put(&mut tx, 1, "clients.create", &format!("key {second}"), b"hash", "{}").unwrap();
        }
        // Used once more, it is a new one.
        let (mut tx, old) = (Tx::sqlite(&connection, Moment::from_millis(6_000)), Moment::from_millis(4_000));
        put(&mut tx, 1, "clients.create", "key 1", b"hash", "{}").unwrap();
        assert_eq!([2, 2, 2].map(|most| cut(&mut tx, old, most).unwrap()), [2, 1, 0]);
        let known = |key| find(&tx, 1, "clients.create", key, Moment(0)).unwrap().is_some();
        assert_eq!(["key 1", "key 2", "key 4", "key 5"].map(known), [true, false, false, true]);
    }
}
