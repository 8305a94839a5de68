//! Resellers.
use hookswitch_model::{
    Object,
    moment::Moment,
    objects::company::{Company, CompanyStatus},
    refusal::Refusal,
};
use serde_json::Value;

use super::search::{Asked, Column, Kind, List};
use crate::{Error, Row, Tx, params};

const COLUMNS: &str = "id, name, parent_id, currencies_id, timezone, status, c_dt";

/// The reseller that a new database has, so that a first client can be created at once; ids go on from 2.
pub(crate) fn seed(tx: &mut Tx<'_>) -> Result<(), Error> {
    if tx.first("SELECT id FROM companies LIMIT 1", &[], |row| row.get::<i64>(0))?.is_some() {
        return Ok(());
    }
    let mut company = Company::from_new(1, None, tx.now(), &Object::new());
    "Default".clone_into(&mut company.name);
    insert(tx, &company)?;
    tx.put("INSERT INTO id_blocks (name, next) VALUES ('companies', 2)", &[])
}

fn read(row: &Row<'_>) -> Result<Company, Error> {
    Ok(Company {
        id: row.get(0)?,
        name: row.get(1)?,
        parent_id: row.get(2)?,
        currencies_id: row.get(3)?,
        timezone: row.get(4)?,
        status: CompanyStatus::from_word(&row.get::<String>(5)?).unwrap_or(CompanyStatus::Disabled),
        c_dt: row.get::<Moment>(6)?,
    })
}

/// One reseller.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Company>, Error> {
    const SQL: &str = "SELECT id, name, parent_id, currencies_id, timezone, status, c_dt FROM companies WHERE id = $1";
    tx.first(SQL, params![id], read)
}

/// Every reseller: for the snapshot in memory.
///
/// # Errors
/// Whatever the engine says.
pub fn all(tx: &Tx<'_>) -> Result<Vec<Company>, Error> {
    const SQL: &str = "SELECT id, name, parent_id, currencies_id, timezone, status, c_dt FROM companies ORDER BY id";
    tx.query(SQL, &[], read)
}

/// True if another reseller has this name.
///
/// # Errors
/// Whatever the engine says.
pub fn name_taken(tx: &Tx<'_>, name: &str, except: i64) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM companies WHERE name = $1 AND id <> $2";
    Ok(tx.first(SQL, params![name, except], |_| Ok(()))?.is_some())
}

/// Writes a new one.
///
/// # Errors
/// [`Error::Taken`] for its name.
pub fn insert(tx: &mut Tx<'_>, company: &Company) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO companies (id, name, parent_id, currencies_id, timezone, status, c_dt)
      VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let Company { id, name, parent_id, currencies_id, timezone, status, c_dt } = company;
    tx.put(SQL, params![*id, name, *parent_id, *currencies_id, timezone, status.word(), *c_dt])
}

/// Writes a changed one.
///
/// # Errors
/// [`Error::Taken`] for its name.
pub fn update(tx: &mut Tx<'_>, company: &Company) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE companies SET name = $1, parent_id = $2, currencies_id = $3, timezone = $4, status = $5 WHERE id = $6";
    let Company { id, name, parent_id, currencies_id, timezone, status, .. } = company;
    tx.put(SQL, params![name, *parent_id, *currencies_id, timezone, status.word(), *id])
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "companies",
    from: "companies",
    select: COLUMNS,
    scope: "id",
    scope_indexed: false,
    key: "id",
    newest_first: false,
    columns: &[
        Column::new("id", "id", Kind::Integer),
        Column::new("name", "name", Kind::Text).quick(),
        Column::new("parent_id", "parent_id", Kind::Integer).nullable(),
        Column::new("currencies_id", "currencies_id", Kind::Integer),
        Column::new("timezone", "timezone", Kind::Text),
        Column::new("status", "status", Kind::Choice(CompanyStatus::WORDS)),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row)?.shown()))
}
