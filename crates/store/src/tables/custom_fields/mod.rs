//! Definitions of custom fields, and which of them concern whom: an object has those of its reseller, of the resellers
//! above it and of the whole system.
//!
//! | file | subject |
//! |---|---|
//! | here | the definitions |
//! | `meeting` | which definitions could meet in one object, and how many |
//! | `values` | what is kept in an object's row, by the ids of the definitions |
mod meeting;
mod values;

#[cfg(test)]
mod tests;

use hookswitch_model::{
    objects::custom_field::{CustomField, ObjectType},
    refusal::Refusal,
};
use serde_json::Value;

use super::search::{Asked, Column, Kind, List};
use crate::{Error, Row, Tx, params};

pub use meeting::{clash_if_moved, key_taken, most_together, most_together_if_moved};
pub use values::{Shown, stored};

const COLUMNS: &str = "id, companies_id, object_type, field_key, title, sort_order";

fn read(row: &Row<'_>) -> Result<CustomField, Error> {
    let object_type = row.get::<String>(2)?;
    Ok(CustomField {
        id: row.get(0)?,
        companies_id: row.get(1)?,
        object_type: ObjectType::from_word(&object_type)
            .ok_or_else(|| Error::Engine(format!("no type of object: {object_type}")))?,
        key: row.get(3)?,
        title: row.get(4)?,
        order: row.get(5)?,
    })
}

/// One definition.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<CustomField>, Error> {
    const SQL: &str = "SELECT id, companies_id, object_type, field_key, title, sort_order FROM custom_fields WHERE id = $1";
    tx.first(SQL, params![id], read)
}

const CONCERNING: &str = "WITH RECURSIVE way (id, parent_id) AS (
    SELECT c.id, c.parent_id FROM companies c WHERE c.id = $1
    UNION SELECT c.id, c.parent_id FROM companies c JOIN way w ON c.id = w.parent_id)
  SELECT id, companies_id, object_type, field_key, title, sort_order FROM custom_fields
  WHERE companies_id IN (SELECT w.id FROM way w) AND object_type = $2
  UNION ALL SELECT id, companies_id, object_type, field_key, title, sort_order FROM custom_fields
  WHERE companies_id IS NULL AND object_type = $2
  ORDER BY sort_order, id";

/// The definitions that concern a reseller's objects of this type, in the order in which they are shown. Their number is
/// bounded where they are made and where resellers are moved.
///
/// # Errors
/// Whatever the engine says.
pub fn concerning(tx: &Tx<'_>, object_type: ObjectType, companies_id: i64) -> Result<Vec<CustomField>, Error> {
    tx.query(CONCERNING, params![companies_id, object_type.word()], read)
}

/// Writes a new one.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, definition: &CustomField) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO custom_fields (id, companies_id, object_type, field_key, title, sort_order)
      VALUES ($1, $2, $3, $4, $5, $6)";
    let CustomField { id, companies_id, object_type, key, title, order } = definition;
    tx.put(SQL, params![*id, *companies_id, object_type.word(), key, title, *order])
}

/// Writes a changed one.
///
/// # Errors
/// Whatever the engine says.
pub fn update(tx: &mut Tx<'_>, definition: &CustomField) -> Result<(), Error> {
    const SQL: &str = "UPDATE custom_fields SET field_key = $1, title = $2, sort_order = $3 WHERE id = $4";
    let CustomField { id, key, title, order, .. } = definition;
    tx.put(SQL, params![key, title, *order, *id])
}

/// Deletes one. Values that were set by it stay in their rows, shown to nobody, until those of the row are written again:
/// ids are never used twice.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM custom_fields WHERE id = $1", params![id])
}

/// What the list may be asked. (`order` always sorts.)
pub static LIST: List = List {
    table: "custom_fields",
    from: "custom_fields",
    select: COLUMNS,
    scope: "companies_id",
    scope_indexed: false,
    key: "id",
    newest_first: false,
    columns: &[
        Column::new("id", "id", Kind::Integer),
        Column::new("companies_id", "companies_id", Kind::Integer).nullable(),
        Column::new("object_type", "object_type", Kind::Choice(ObjectType::WORDS)),
        Column::new("key", "field_key", Kind::Text).quick(),
        Column::new("title", "title", Kind::Text).quick(),
        Column::new("order", "sort_order", Kind::Integer),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row)?.shown()))
}
