//! Accounts, their sealed passwords and their addresses.
use hookswitch_model::{
    nets,
    objects::account::{Account, AuthType},
    refusal::Refusal,
};
use ipnet::IpNet;
use serde_json::Value;

use super::{
    clients::{details, details_text},
    search::{Asked, Column, Kind, List},
};
use crate::{Error, Row, Tx, Vault, params};

/// The key under which a row keeps its addresses as they are shown.
const IPS: &str = "ips";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.clients_id, c.name, a.name, a.auth_type, a.accname, a.password, a.ani, a.tech_prefix, a.details
             FROM accounts a JOIN clients c ON c.id = a.clients_id ",
            $rest
        )
    };
}

const COLUMNS: &str = "a.id, a.clients_id, c.name, a.name, a.auth_type, a.accname, a.password, a.ani, a.tech_prefix, a.details";

fn read(row: &Row<'_>, vault: &Vault) -> Result<Account, Error> {
    let mut details = details(&row.get::<String>(9)?)?;
    let ips = details.shift_remove(IPS).map(|list| nets::of_list(&list)).unwrap_or_default();
    let sealed: Option<Vec<u8>> = row.get(6)?;
    Ok(Account {
        id: row.get(0)?,
        clients_id: row.get(1)?,
        clients_name: row.get(2)?,
        name: row.get(3)?,
        auth_type: AuthType::from_word(&row.get::<String>(4)?).ok_or_else(|| Error::engine("an account of unknown auth_type"))?,
        accname: row.get(5)?,
        password: sealed.map(|sealed| vault.open(&sealed)).transpose()?,
        ani: row.get(7)?,
        tech_prefix: Some(row.get::<String>(8)?).filter(|prefix| !prefix.is_empty()),
        ips,
        details,
    })
}

/// One account.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, vault: &Vault, id: i64) -> Result<Option<Account>, Error> {
    tx.first(select!("WHERE a.id = $1"), params![id], |row| read(row, vault))
}

/// Every account of a client, in order of id.
///
/// # Errors
/// Whatever the engine says.
pub fn of_client(tx: &Tx<'_>, vault: &Vault, clients_id: i64) -> Result<Vec<Account>, Error> {
    tx.query(select!("WHERE a.clients_id = $1 ORDER BY a.id"), params![clients_id], |row| read(row, vault))
}

/// The next accounts of a client in order of id, from behind `after`.
///
/// # Errors
/// Whatever the engine says.
pub fn of_client_behind(tx: &Tx<'_>, vault: &Vault, clients_id: i64, after: i64, limit: i64) -> Result<Vec<Account>, Error> {
    const SQL: &str = select!("WHERE a.clients_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3");
    tx.query(SQL, params![clients_id, after, limit], |row| read(row, vault))
}

/// The client of an account; `None` if there is no such account.
///
/// # Errors
/// Whatever the engine says.
pub fn client_of(tx: &Tx<'_>, id: i64) -> Result<Option<i64>, Error> {
    tx.first("SELECT clients_id FROM accounts WHERE id = $1", params![id], |row| row.get(0))
}

/// True if another account has this user name.
///
/// # Errors
/// Whatever the engine says.
pub fn accname_taken(tx: &Tx<'_>, accname: &str, except: i64) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM accounts WHERE accname = $1 AND id <> $2";
    Ok(tx.first(SQL, params![accname, except], |_| Ok(()))?.is_some())
}

/// True if another account has this number under this prefix (null = empty).
///
/// # Errors
/// Whatever the engine says.
pub fn ani_taken(tx: &Tx<'_>, ani: &str, tech_prefix: &str, except: i64) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM accounts WHERE ani = $1 AND tech_prefix = $2 AND id <> $3";
    Ok(tx.first(SQL, params![ani, tech_prefix, except], |_| Ok(()))?.is_some())
}

/// True if another account has an address in common with this one under this prefix.
///
/// # Errors
/// Whatever the engine says.
pub fn ip_taken(tx: &Tx<'_>, tech_prefix: &str, net: &IpNet, except: i64) -> Result<bool, Error> {
    // What is stored never overlaps: of the others, the one that begins last before our end is the only candidate.
    const SQL: &str = "SELECT last_ip FROM account_ips WHERE tech_prefix = $1 AND first_ip <= $2 AND accounts_id <> $3
      ORDER BY first_ip DESC LIMIT 1";
    let (first, last) = nets::range(net);
    let end = tx.first(SQL, params![tech_prefix, &last, except], |row| row.get::<Vec<u8>>(0))?;
    Ok(end.is_some_and(|end| end[..] >= first[..]))
}

fn row_details(account: &Account) -> Result<String, Error> {
    let mut details = account.details.clone();
    if !account.ips.is_empty() {
        details.insert(IPS.to_owned(), nets::to_list(&account.ips));
    }
    details_text(&details)
}

fn insert_ips(tx: &mut Tx<'_>, account: &Account) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO account_ips (tech_prefix, first_ip, last_ip, accounts_id) VALUES ($1, $2, $3, $4)";
    let prefix = account.tech_prefix.as_deref().unwrap_or("");
    for net in &account.ips {
        let (first, last) = nets::range(net);
        tx.put(SQL, params![prefix, &first, &last, account.id])?;
    }
    Ok(())
}

/// Writes a new one; `companies_id` is its client's reseller, which never changes.
///
/// # Errors
/// [`Error::Taken`] for its user name, number or addresses.
pub fn insert(tx: &mut Tx<'_>, vault: &Vault, account: &Account, companies_id: i64) -> Result<(), Error> {
    const SQL: &str =
        "INSERT INTO accounts (id, clients_id, companies_id, name, auth_type, accname, password, ani, tech_prefix, details)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let Account { id, clients_id, name, auth_type, accname, password, ani, tech_prefix, .. } = account;
    let (sealed, details) = (password.as_ref().map(|password| vault.seal(password)), row_details(account)?);
    let values = params![
        *id,
        *clients_id,
        companies_id,
        name.as_deref(),
        auth_type.word(),
        accname.as_deref(),
        sealed.as_deref(),
        ani.as_deref(),
        tech_prefix.as_deref().unwrap_or(""),
        &details
    ];
    tx.put(SQL, values)?;
    insert_ips(tx, account)
}

/// Writes a changed one.
///
/// # Errors
/// [`Error::Taken`] for its user name, number or addresses.
pub fn update(tx: &mut Tx<'_>, vault: &Vault, account: &Account) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE accounts SET name = $1, auth_type = $2, accname = $3, password = $4, ani = $5, tech_prefix = $6, details = $7
      WHERE id = $8";
    let Account { id, name, auth_type, accname, password, ani, tech_prefix, .. } = account;
    let (sealed, details) = (password.as_ref().map(|password| vault.seal(password)), row_details(account)?);
    let values = params![
        name.as_deref(),
        auth_type.word(),
        accname.as_deref(),
        sealed.as_deref(),
        ani.as_deref(),
        tech_prefix.as_deref().unwrap_or(""),
        &details,
        *id
    ];
    tx.put(SQL, values)?;
    tx.put("DELETE FROM account_ips WHERE accounts_id = $1", params![*id])?;
    insert_ips(tx, account)
}

/// Deletes one.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM account_ips WHERE accounts_id = $1", params![id])?;
    tx.put("DELETE FROM accounts WHERE id = $1", params![id])
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "accounts a",
    from: "accounts a JOIN clients c ON c.id = a.clients_id",
    select: COLUMNS,
    scope: "a.companies_id",
    scope_indexed: true,
    key: "a.id",
    newest_first: false,
    columns: &[
        Column::new("id", "a.id", Kind::Integer),
        Column::new("clients_id", "a.clients_id", Kind::Integer).indexed(),
        Column::new("clients_name", "c.name", Kind::Text)
            .elsewhere("a.clients_id", "clients", "name")
            .first("clients c CROSS JOIN accounts a ON a.clients_id = c.id")
            .quick(),
        Column::new("companies_id", "a.companies_id", Kind::Integer).indexed(),
        Column::new("name", "a.name", Kind::Text).folded().quick(),
        Column::new("auth_type", "a.auth_type", Kind::Choice(AuthType::WORDS)).indexed(),
        Column::new("accname", "a.accname", Kind::Text).nullable().folded().quick(),
        Column::new("ani", "a.ani", Kind::Text).nullable().folded().quick(),
        Column::new("tech_prefix", "a.tech_prefix", Kind::Text).nullable().indexed(),
    ],
};

/// The list, passwords in clear.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, vault: &Vault, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row, vault)?.shown()))
}
