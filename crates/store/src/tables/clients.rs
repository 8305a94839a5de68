//! Clients, their balance and the state of their funds.
use hookswitch_model::{
    Object,
    funds::Funds,
    objects::{
        client::{Client, ClientStatus},
        custom_field::ObjectType,
    },
    refusal::Refusal,
};
use serde_json::Value;

use super::{
    custom_fields,
    search::{Asked, Column, Kind, List},
};
use crate::{Error, Row, Tx, params};

const COLUMNS: &str = "c.id, c.companies_id, c.currencies_id, c.name, c.status, c.credit, c.balance, c.live_in_funds, c.available_in_funds, c.c_dt, c.details, c.custom";

fn read(tx: &Tx<'_>, custom: &mut custom_fields::Shown, row: &Row<'_>) -> Result<Client, Error> {
    let companies_id = row.get(1)?;
    Ok(Client {
        id: row.get(0)?,
        companies_id,
        currencies_id: row.get(2)?,
        name: row.get(3)?,
        status: ClientStatus::from_word(&row.get::<String>(4)?).unwrap_or(ClientStatus::Stopped),
        credit: row.get(5)?,
        balance: row.get(6)?,
        funds: Funds { live: row.get(7)?, available: row.get(8)? },
        c_dt: row.get(9)?,
        details: details(&row.get::<String>(10)?)?,
        custom: custom.of(tx, companies_id, row.get::<Option<String>>(11)?.as_deref())?,
    })
}

/// The kept keys of a row.
pub(crate) fn details(text: &str) -> Result<Object, Error> {
    if text == "{}" { Ok(Object::new()) } else { serde_json::from_str(text).map_err(Error::engine) }
}

/// The kept keys for a row.
pub(crate) fn details_text(details: &Object) -> Result<String, Error> {
    if details.is_empty() { Ok("{}".to_owned()) } else { serde_json::to_string(details).map_err(Error::engine) }
}

/// One client.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Client>, Error> {
    const SQL: &str =
        "SELECT id, companies_id, currencies_id, name, status, credit, balance, live_in_funds, available_in_funds, c_dt, details,
      custom FROM clients WHERE id = $1";
    let mut custom = custom_fields::Shown::new(ObjectType::Clients);
    tx.first(SQL, params![id], |row| read(tx, &mut custom, row))
}

/// The reseller of a client; `None` if there is no such client.
///
/// # Errors
/// Whatever the engine says.
pub fn company_of(tx: &Tx<'_>, id: i64) -> Result<Option<i64>, Error> {
    tx.first("SELECT companies_id FROM clients WHERE id = $1", params![id], |row| row.get(0))
}

/// The next clients in order of id, from behind `after`, each with its reseller.
///
/// # Errors
/// Whatever the engine says.
pub fn behind(tx: &Tx<'_>, after: i64, limit: i64) -> Result<Vec<(i64, i64)>, Error> {
    const SQL: &str = "SELECT id, companies_id FROM clients WHERE id > $1 ORDER BY id LIMIT $2";
    tx.query(SQL, params![after, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// True if another client of the reseller has this name.
///
/// # Errors
/// Whatever the engine says.
pub fn name_taken(tx: &Tx<'_>, companies_id: i64, name: &str, except: i64) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM clients WHERE companies_id = $1 AND name = $2 AND id <> $3";
    Ok(tx.first(SQL, params![companies_id, name, except], |_| Ok(()))?.is_some())
}

/// Writes a new one, without custom fields.
///
/// # Errors
/// [`Error::Taken`] for its name.
pub fn insert(tx: &mut Tx<'_>, client: &Client) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO clients
      (id, companies_id, currencies_id, name, status, credit, balance, live_in_funds, available_in_funds, c_dt, details)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let Client { id, companies_id, currencies_id, name, status, credit, balance, funds, c_dt, details, custom: _ } = client;
    let details = details_text(details)?;
    let values = params![
        *id,
        *companies_id,
        *currencies_id,
        name,
        status.word(),
        *credit,
        *balance,
        funds.live,
        funds.available,
        *c_dt,
        &details
    ];
    tx.put(SQL, values)
}

/// Writes a changed one (its balance and custom fields excepted).
///
/// # Errors
/// [`Error::Taken`] for its name.
pub fn update(tx: &mut Tx<'_>, client: &Client) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE clients SET name = $1, status = $2, credit = $3, live_in_funds = $4, available_in_funds = $5, details = $6
      WHERE id = $7";
    let Client { id, name, status, credit, funds, details, .. } = client;
    let details = details_text(details)?;
    tx.put(SQL, params![name, status.word(), *credit, funds.live, funds.available, &details, *id])
}

/// Writes a changed balance and state of funds.
///
/// # Errors
/// Whatever the engine says.
pub fn set_balance(tx: &mut Tx<'_>, client: &Client) -> Result<(), Error> {
    const SQL: &str = "UPDATE clients SET balance = $1, live_in_funds = $2, available_in_funds = $3 WHERE id = $4";
    tx.put(SQL, params![client.balance, client.funds.live, client.funds.available, client.id])
}

/// Writes the values of custom fields, as [`custom_fields::stored`] gives them.
///
/// # Errors
/// Whatever the engine says.
pub fn set_custom(tx: &mut Tx<'_>, id: i64, stored: Option<&str>) -> Result<(), Error> {
    tx.put("UPDATE clients SET custom = $1 WHERE id = $2", params![stored, id])
}

/// Deletes one.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM clients WHERE id = $1", params![id])
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "clients c",
    from: "clients c",
    select: COLUMNS,
    scope: "c.companies_id",
    scope_indexed: true,
    key: "c.id",
    newest_first: false,
    columns: &[
        Column::new("id", "c.id", Kind::Integer),
        Column::new("name", "c.name", Kind::Text).folded().quick(),
        Column::new("companies_id", "c.companies_id", Kind::Integer).indexed(),
        Column::new("currencies_id", "c.currencies_id", Kind::Integer).indexed(),
        Column::new("status", "c.status", Kind::Choice(ClientStatus::WORDS)).indexed(),
        Column::new("credit", "c.credit", Kind::Money).nullable().indexed(),
        Column::new("balance", "c.balance", Kind::Money).indexed(),
        Column::new("available", "(c.balance + c.credit)", Kind::Money).nullable().indexed(),
        Column::new("c_dt", "c.c_dt", Kind::Time).indexed(),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let mut custom = custom_fields::Shown::new(ObjectType::Clients);
    LIST.search(tx, asked, |row| Ok(read(tx, &mut custom, row)?.shown()))
}
