//! Who is signed in: the hash of a session's token, whose it is, by which password, and when it was last used.
use hookswitch_model::moment::Moment;

use crate::{Error, Tx, params};

/// Old ones that are cut whenever somebody signs in.
const CUT_MAX: i64 = 100;

/// A session, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whose it is.
    pub users_id: i64,
    /// A hash of what the password was stored as.
    pub proof: Vec<u8>,
    /// What it is stored as now.
    pub password_hash: Option<String>,
    /// When it began.
    pub c_dt: Moment,
    /// When it was last used, give or take.
    pub seen_dt: Moment,
}

/// The session behind a token's hash.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<Option<Stored>, Error> {
    const SQL: &str = "SELECT s.users_id, s.proof, u.password_hash, s.c_dt, s.seen_dt
      FROM sessions s JOIN users u ON u.id = s.users_id WHERE s.hash = $1";
    tx.first(SQL, params![hash], |row| {
        Ok(Stored {
            users_id: row.get(0)?,
            proof: row.get(1)?,
            password_hash: row.get(2)?,
            c_dt: row.get(3)?,
            seen_dt: row.get(4)?,
        })
    })
}

/// A session that begins.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// The hash of its token.
    pub hash: &'a [u8; 32],
    /// Whose it is.
    pub users_id: i64,
    /// Of the web section, or of a program.
    pub kind: &'a str,
    /// A hash of what the password is stored as.
    pub proof: &'a [u8],
}

/// Begins one; of the others of its user and kind the `most - 1` that were used last stay.
///
/// # Errors
/// Whatever the engine says.
pub fn begin(tx: &mut Tx<'_>, new: New<'_>, most: i64) -> Result<(), Error> {
    const CROWD_OUT: &str = "DELETE FROM sessions WHERE hash IN
      (SELECT hash FROM sessions WHERE users_id = $1 AND kind = $2 ORDER BY seen_dt DESC, hash LIMIT 1000 OFFSET $3)";
    const SQL: &str = "INSERT INTO sessions (hash, users_id, kind, proof, c_dt, seen_dt) VALUES ($1, $2, $3, $4, $5, $5)";
    let New { hash, users_id, kind, proof } = new;
    let now = tx.now();
    tx.put(CROWD_OUT, params![users_id, kind, most - 1])?;
    tx.put(SQL, params![hash, users_id, kind, proof, now])
}

/// Notes that it is in use.
///
/// # Errors
/// Whatever the engine says.
pub fn seen(tx: &mut Tx<'_>, hash: &[u8; 32], now: Moment) -> Result<(), Error> {
    tx.put("UPDATE sessions SET seen_dt = $1 WHERE hash = $2", params![now, hash])
}

/// Ends one.
///
/// # Errors
/// Whatever the engine says.
pub fn end(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<(), Error> {
    tx.put("DELETE FROM sessions WHERE hash = $1", params![hash])
}

/// Ends all of a user: its password was changed, or it is gone.
///
/// # Errors
/// Whatever the engine says.
pub fn end_all_of(tx: &mut Tx<'_>, users_id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM sessions WHERE users_id = $1", params![users_id])
}

/// Cuts some of those that were last used before this.
///
/// # Errors
/// Whatever the engine says.
pub fn cut(tx: &mut Tx<'_>, seen_before: Moment) -> Result<(), Error> {
    const SQL: &str =
        "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE seen_dt < $1 ORDER BY seen_dt LIMIT $2)";
    tx.put(SQL, params![seen_before, CUT_MAX])
}
