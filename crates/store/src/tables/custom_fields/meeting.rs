//! Which definitions could meet in one object: those of one reseller, above it and below it. No two of them have one key, and
//! not too many of them come together. Both are found out here, in the transaction that makes a definition or moves a reseller.
use hookswitch_model::objects::custom_field::{CustomField, ObjectType};

use crate::{Error, Tx, params, tables::companies};

/// True if another definition that could meet this one has its key.
///
/// # Errors
/// Whatever the engine says.
pub fn key_taken(tx: &Tx<'_>, definition: &CustomField) -> Result<bool, Error> {
    const OF_ALL: &str = "SELECT 1 FROM custom_fields WHERE object_type = $1 AND field_key = $2 AND id <> $3 LIMIT 1";
    const OF_ONE: &str = "WITH RECURSIVE way (id, parent_id) AS (
        SELECT c.id, c.parent_id FROM companies c WHERE c.id = $1
        UNION SELECT c.id, c.parent_id FROM companies c JOIN way w ON c.id = w.parent_id),
      below (id) AS (
        SELECT c.id FROM companies c WHERE c.id = $1
        UNION SELECT c.id FROM companies c JOIN below b ON c.parent_id = b.id)
      SELECT 1 FROM custom_fields f WHERE f.object_type = $2 AND f.field_key = $3 AND f.id <> $4
        AND (f.companies_id IS NULL OR f.companies_id IN (SELECT w.id FROM way w)
          OR f.companies_id IN (SELECT b.id FROM below b)) LIMIT 1";
    let CustomField { id, companies_id, object_type, key, .. } = definition;
    let found = match companies_id {
        None => tx.first(OF_ALL, params![object_type.word(), key, *id], |_| Ok(()))?,
        Some(companies_id) => tx.first(OF_ONE, params![*companies_id, object_type.word(), key, *id], |_| Ok(()))?,
    };
    Ok(found.is_some())
}

/// A key that two definitions would have, one of a reseller or below it, the other of its new place or above that.
///
/// # Errors
/// Whatever the engine says.
pub fn clash_if_moved(tx: &Tx<'_>, companies_id: i64, below: i64) -> Result<Option<String>, Error> {
    const SQL: &str = "WITH RECURSIVE below (id) AS (
        SELECT c.id FROM companies c WHERE c.id = $1
        UNION SELECT c.id FROM companies c JOIN below b ON c.parent_id = b.id),
      way (id, parent_id) AS (
        SELECT c.id, c.parent_id FROM companies c WHERE c.id = $2
        UNION SELECT c.id, c.parent_id FROM companies c JOIN way w ON c.id = w.parent_id)
      SELECT low.field_key FROM custom_fields low
        JOIN custom_fields high ON high.object_type = low.object_type AND high.field_key = low.field_key AND high.id <> low.id
      WHERE low.companies_id IN (SELECT b.id FROM below b) AND high.companies_id IN (SELECT w.id FROM way w) LIMIT 1";
    tx.first(SQL, params![companies_id, below], |row| row.get(0))
}

/// How many definitions come together in one object, at most, among those that could meet one of this reseller (`None` = of the
/// whole system).
///
/// # Errors
/// Whatever the engine says.
pub fn most_together(tx: &Tx<'_>, object_type: ObjectType, companies_id: Option<i64>) -> Result<i64, Error> {
    match companies_id {
        None => Ok(above(tx, object_type, None)? + below(tx, object_type, None)?),
        Some(own) => {
            let parent_id = companies::get(tx, own)?.and_then(|company| company.parent_id);
            most_together_if_moved(tx, object_type, own, parent_id)
        }
    }
}

/// The same, of a reseller that stands below that one.
///
/// # Errors
/// Whatever the engine says.
pub fn most_together_if_moved(
    tx: &Tx<'_>,
    object_type: ObjectType,
    companies_id: i64,
    parent_id: Option<i64>,
) -> Result<i64, Error> {
    Ok(above(tx, object_type, parent_id)? + below(tx, object_type, Some(companies_id))?)
}

/// The definitions of the whole system, of a reseller and of those above it.
fn above(tx: &Tx<'_>, object_type: ObjectType, companies_id: Option<i64>) -> Result<i64, Error> {
    const SQL: &str = "WITH RECURSIVE way (id, parent_id) AS (
        SELECT c.id, c.parent_id FROM companies c WHERE c.id = $1
        UNION SELECT c.id, c.parent_id FROM companies c JOIN way w ON c.id = w.parent_id)
      SELECT (SELECT COUNT(*) FROM custom_fields f WHERE f.companies_id IN (SELECT w.id FROM way w) AND f.object_type = $2)
        + (SELECT COUNT(*) FROM custom_fields f WHERE f.companies_id IS NULL AND f.object_type = $2)";
    // No reseller has the id 0.
    let found = tx.first(SQL, params![companies_id.unwrap_or(0), object_type.word()], |row| row.get(0))?;
    Ok(found.unwrap_or(0))
}

/// The most definitions on any way down, from this reseller (itself included) or from the top.
fn below(tx: &Tx<'_>, object_type: ObjectType, companies_id: Option<i64>) -> Result<i64, Error> {
    const FROM_ONE: &str = "WITH RECURSIVE own (id, fields) AS (
        SELECT f.companies_id, COUNT(*) FROM custom_fields f
        WHERE f.object_type = $1 AND f.companies_id IS NOT NULL GROUP BY f.companies_id),
      below (id, fields) AS (
        SELECT c.id, COALESCE(o.fields, 0) FROM companies c LEFT JOIN own o ON o.id = c.id WHERE c.id = $2
        UNION SELECT c.id, b.fields + COALESCE(o.fields, 0) FROM companies c
          JOIN below b ON c.parent_id = b.id LEFT JOIN own o ON o.id = c.id)
      SELECT COALESCE(MAX(b.fields), 0) FROM below b";
    const FROM_THE_TOP: &str = "WITH RECURSIVE own (id, fields) AS (
        SELECT f.companies_id, COUNT(*) FROM custom_fields f
        WHERE f.object_type = $1 AND f.companies_id IS NOT NULL GROUP BY f.companies_id),
      below (id, fields) AS (
        SELECT c.id, COALESCE(o.fields, 0) FROM companies c LEFT JOIN own o ON o.id = c.id WHERE c.parent_id IS NULL
        UNION SELECT c.id, b.fields + COALESCE(o.fields, 0) FROM companies c
          JOIN below b ON c.parent_id = b.id LEFT JOIN own o ON o.id = c.id)
      SELECT COALESCE(MAX(b.fields), 0) FROM below b";
    let found = match companies_id {
        Some(top) => tx.first(FROM_ONE, params![object_type.word(), top], |row| row.get(0))?,
        None => tx.first(FROM_THE_TOP, params![object_type.word()], |row| row.get(0))?,
    };
    Ok(found.unwrap_or(0))
}
