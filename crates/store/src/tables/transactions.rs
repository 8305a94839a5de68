//! The ledger: rows are never changed or deleted.
use hookswitch_model::{
    objects::transaction::{Transaction, TransactionType},
    refusal::Refusal,
};
use serde_json::Value;

use super::search::{Asked, Column, Kind, List};
use crate::{Error, Row, Tx, params};

const COLUMNS: &str = "id, clients_id, type, amount, balance_after, notes, c_dt, external_id, clients_packages_id";

/// A booked transaction and its client's reseller.
#[derive(Debug, Clone, PartialEq)]
pub struct Booked {
    /// The row.
    pub transaction: Transaction,
    /// The reseller: kept with the row, because it outlives the client.
    pub companies_id: i64,
}

fn read(row: &Row<'_>) -> Result<Transaction, Error> {
    Ok(Transaction {
        id: row.get(0)?,
        clients_id: row.get(1)?,
        kind: TransactionType::from_word(&row.get::<String>(2)?).ok_or_else(|| Error::engine("a transaction of unknown type"))?,
        amount: row.get(3)?,
        balance_after: row.get(4)?,
        notes: row.get(5)?,
        c_dt: row.get(6)?,
        external_id: row.get(7)?,
        clients_packages_id: row.get(8)?,
    })
}

/// One transaction.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Booked>, Error> {
    const SQL: &str =
        "SELECT id, clients_id, type, amount, balance_after, notes, c_dt, external_id, clients_packages_id, companies_id
      FROM transactions WHERE id = $1";
    tx.first(SQL, params![id], |row| Ok(Booked { transaction: read(row)?, companies_id: row.get(9)? }))
}

/// The transaction of a client with this external id.
///
/// # Errors
/// Whatever the engine says.
pub fn by_external(tx: &Tx<'_>, clients_id: i64, external_id: &str) -> Result<Option<i64>, Error> {
    const SQL: &str = "SELECT id FROM transactions WHERE clients_id = $1 AND external_id = $2";
    tx.first(SQL, params![clients_id, external_id], |row| row.get(0))
}

/// Books one. `package_step` says what a client package's fee is for: it is charged once.
///
/// # Errors
/// [`Error::Taken`] for its external id, or for a fee that was charged already.
pub fn insert(tx: &mut Tx<'_>, transaction: &Transaction, companies_id: i64, package_step: Option<&str>) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO transactions
      (id, clients_id, companies_id, type, amount, balance_after, notes, c_dt, external_id, clients_packages_id, package_step)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let Transaction { id, clients_id, kind, amount, balance_after, notes, c_dt, external_id, clients_packages_id } = transaction;
    let values = params![
        *id,
        *clients_id,
        companies_id,
        kind.word(),
        *amount,
        *balance_after,
        notes.as_deref(),
        *c_dt,
        external_id.as_deref(),
        *clients_packages_id,
        package_step
    ];
    tx.put(SQL, values)
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "transactions",
    from: "transactions",
    select: COLUMNS,
    scope: "companies_id",
    scope_indexed: true,
    key: "id",
    newest_first: false,
    columns: &[
        Column::new("id", "id", Kind::Integer),
        Column::new("clients_id", "clients_id", Kind::Integer).indexed(),
        Column::new("type", "type", Kind::Choice(TransactionType::WORDS)).indexed(),
        Column::new("amount", "amount", Kind::Money).indexed(),
        Column::new("balance_after", "balance_after", Kind::Money),
        Column::new("notes", "notes", Kind::Text).nullable().quick(),
        Column::new("external_id", "external_id", Kind::Text).nullable().folded().quick(),
        Column::new("clients_packages_id", "clients_packages_id", Kind::Integer).nullable().loosely_indexed(),
        Column::new("c_dt", "c_dt", Kind::Time).indexed(),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row)?.shown()))
}
