//! Users and the hashes of their keys.
use hookswitch_model::{
    moment::Moment,
    nets,
    objects::user::{Role, User, UserStatus},
    refusal::Refusal,
};
use serde_json::Value;

use super::{
    search::{Asked, Column, Kind, List},
    sessions,
};
use crate::{Error, Row, Tx, params};

const COLUMNS: &str = "id, login, companies_id, role, allowed_ips, status, c_dt";

fn read(row: &Row<'_>) -> Result<User, Error> {
    let allowed_ips: Value = serde_json::from_str(&row.get::<String>(4)?).map_err(Error::engine)?;
    Ok(User {
        id: row.get(0)?,
        login: row.get(1)?,
        companies_id: row.get(2)?,
        role: Role::from_word(&row.get::<String>(3)?).unwrap_or(Role::Readonly),
        allowed_ips: nets::of_list(&allowed_ips),
        status: UserStatus::from_word(&row.get::<String>(5)?).unwrap_or(UserStatus::Disabled),
        c_dt: row.get(6)?,
    })
}

/// One user.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<User>, Error> {
    const SQL: &str = "SELECT id, login, companies_id, role, allowed_ips, status, c_dt FROM users WHERE id = $1";
    tx.first(SQL, params![id], read)
}

/// The user with this login.
///
/// # Errors
/// Whatever the engine says.
pub fn by_login(tx: &Tx<'_>, login: &str) -> Result<Option<User>, Error> {
    const SQL: &str = "SELECT id, login, companies_id, role, allowed_ips, status, c_dt FROM users WHERE login = $1";
    tx.first(SQL, params![login], read)
}

/// Every user: for the snapshot in memory.
///
/// # Errors
/// Whatever the engine says.
pub fn all(tx: &Tx<'_>) -> Result<Vec<User>, Error> {
    const SQL: &str = "SELECT id, login, companies_id, role, allowed_ips, status, c_dt FROM users ORDER BY id";
    tx.query(SQL, &[], read)
}

/// Writes a new one; `password_hash` is a PHC string.
///
/// # Errors
/// [`Error::Taken`] for its login.
pub fn insert(tx: &mut Tx<'_>, user: &User, password_hash: Option<&str>) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO users (id, login, companies_id, role, password_hash, allowed_ips, status, c_dt)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let User { id, login, companies_id, role, allowed_ips, status, c_dt } = user;
    let ips = nets::to_list(allowed_ips).to_string();
    tx.put(SQL, params![*id, login, *companies_id, role.word(), password_hash, &ips, status.word(), *c_dt])
}

/// The user with this login and its password's PHC string, if it has one.
///
/// # Errors
/// Whatever the engine says.
pub fn with_password(tx: &Tx<'_>, login: &str) -> Result<Option<(i64, Option<String>)>, Error> {
    tx.first("SELECT id, password_hash FROM users WHERE login = $1", params![login], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Writes a changed one; without a `password_hash` the password stays. With one, whoever is signed in by the old is not any more.
///
/// # Errors
/// [`Error::Taken`] for its login.
pub fn update(tx: &mut Tx<'_>, user: &User, password_hash: Option<&str>) -> Result<(), Error> {
    const SQL: &str = "UPDATE users SET login = $1, companies_id = $2, role = $3, password_hash = COALESCE($4, password_hash),
      allowed_ips = $5, status = $6 WHERE id = $7";
    let User { id, login, companies_id, role, allowed_ips, status, .. } = user;
    let ips = nets::to_list(allowed_ips).to_string();
    if password_hash.is_some() {
        sessions::end_all_of(tx, *id)?;
    }
    tx.put(SQL, params![login, *companies_id, role.word(), password_hash, &ips, status.word(), *id])
}

/// Deletes one with its keys and sessions.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    sessions::end_all_of(tx, id)?;
    tx.put("DELETE FROM user_keys WHERE users_id = $1", params![id])?;
    tx.put("DELETE FROM users WHERE id = $1", params![id])
}

/// A key, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// Whose it is.
    pub users_id: i64,
    /// When it stops working, if it was rotated out.
    pub expires_at: Option<Moment>,
}

/// Every key: for the snapshot in memory.
///
/// # Errors
/// Whatever the engine says.
pub fn all_keys(tx: &Tx<'_>) -> Result<Vec<StoredKey>, Error> {
    tx.query("SELECT hash, users_id, expires_at FROM user_keys", &[], |row| {
        let hash = row.get::<Vec<u8>>(0)?.try_into().map_err(|_| Error::engine("a key's hash has not 32 bytes"))?;
        Ok(StoredKey { hash, users_id: row.get(1)?, expires_at: row.get(2)? })
    })
}

/// Gives a user a key.
///
/// # Errors
/// [`Error::Taken`] if somebody has it.
pub fn add_key(tx: &mut Tx<'_>, users_id: i64, hash: &[u8; 32]) -> Result<(), Error> {
    tx.put("INSERT INTO user_keys (hash, users_id, expires_at) VALUES ($1, $2, NULL)", params![hash, users_id])
}

/// Lets a user's keys end at a moment, if they don't end before; those that ended already are deleted.
///
/// # Errors
/// Whatever the engine says.
pub fn expire_keys(tx: &mut Tx<'_>, users_id: i64, end: Moment) -> Result<(), Error> {
    const END: &str = "UPDATE user_keys SET expires_at = $1 WHERE users_id = $2 AND (expires_at IS NULL OR expires_at > $1)";
    const CUT: &str = "DELETE FROM user_keys WHERE users_id = $1 AND expires_at <= $2";
    let now = tx.now();
    tx.put(END, params![end, users_id])?;
    tx.put(CUT, params![users_id, now])
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "users",
    from: "users",
    select: COLUMNS,
    scope: "companies_id",
    scope_indexed: false,
    key: "id",
    newest_first: false,
    columns: &[
        Column::new("id", "id", Kind::Integer),
        Column::new("login", "login", Kind::Text).quick(),
        Column::new("companies_id", "companies_id", Kind::Integer),
        Column::new("role", "role", Kind::Choice(Role::WORDS)),
        Column::new("status", "status", Kind::Choice(UserStatus::WORDS)),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row)?.shown()))
}
