//! Packages, and which of them have new terms that those who have them are still to be looked at for.
use hookswitch_model::{
    objects::{
        custom_field::ObjectType,
        package::{Package, PackageStatus},
    },
    period::Period,
    refusal::Refusal,
};
use serde_json::Value;

use super::{
    custom_fields,
    search::{Asked, Column, Kind, List},
};
use crate::{Error, Row, Tx, params};

const COLUMNS: &str = "p.id, p.companies_id, p.currencies_id, p.name, p.status, p.period, p.activation_fee, p.period_fee, p.advance_renew, p.renew_due, p.effective_from, p.effective_till, p.notes, p.c_dt, p.custom";

fn read(tx: &Tx<'_>, custom: &mut custom_fields::Shown, row: &Row<'_>) -> Result<Package, Error> {
    let companies_id = row.get(1)?;
    let period = |text: String| Period::parse(&text).ok_or_else(|| Error::engine("a package with a period that is none"));
    Ok(Package {
        id: row.get(0)?,
        companies_id,
        currencies_id: row.get(2)?,
        name: row.get(3)?,
        status: PackageStatus::from_word(&row.get::<String>(4)?).unwrap_or(PackageStatus::Disabled),
        period: period(row.get(5)?)?,
        activation_fee: row.get(6)?,
        period_fee: row.get(7)?,
        advance_renew: period(row.get(8)?)?,
        renew_due: row.get::<Option<String>>(9)?.map(period).transpose()?,
        effective_from: row.get(10)?,
        effective_till: row.get(11)?,
        notes: row.get(12)?,
        c_dt: row.get(13)?,
        custom: custom.of(tx, companies_id, row.get::<Option<String>>(14)?.as_deref())?,
    })
}

/// One package.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Package>, Error> {
    const SQL: &str = "SELECT id, companies_id, currencies_id, name, status, period, activation_fee, period_fee, advance_renew,
        renew_due, effective_from, effective_till, notes, c_dt, custom
      FROM packages WHERE id = $1";
    let mut custom = custom_fields::Shown::new(ObjectType::Packages);
    tx.first(SQL, params![id], |row| read(tx, &mut custom, row))
}

/// Writes a new one, without custom fields.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, package: &Package) -> Result<(), Error> {
    const SQL: &str =
        "INSERT INTO packages (id, companies_id, currencies_id, c_dt, name, status, period, activation_fee, period_fee,
        advance_renew, renew_due, effective_from, effective_till, notes)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let Package { id, companies_id, currencies_id, c_dt, .. } = package;
    let terms = Terms::of(package);
    let mut values = params![*id, *companies_id, *currencies_id, *c_dt].to_vec();
    values.extend(terms.params(package));
    tx.put(SQL, &values)
}

/// Writes a changed one, its custom fields excepted. `look_again`: those who have it must be looked at anew.
///
/// # Errors
/// Whatever the engine says.
pub fn update(tx: &mut Tx<'_>, package: &Package, look_again: bool) -> Result<(), Error> {
    const SQL: &str = "UPDATE packages SET name = $1, status = $2, period = $3, activation_fee = $4, period_fee = $5,
        advance_renew = $6, renew_due = $7, effective_from = $8, effective_till = $9, notes = $10,
        sweep_after = COALESCE($11, sweep_after)
      WHERE id = $12";
    let terms = Terms::of(package);
    let mut values = terms.params(package).to_vec();
    values.extend_from_slice(params![look_again.then_some(0), package.id]);
    tx.put(SQL, &values)
}

/// Writes the values of its custom fields, by the ids of the definitions.
///
/// # Errors
/// Whatever the engine says.
pub fn set_custom(tx: &mut Tx<'_>, package: &Package) -> Result<(), Error> {
    let definitions = custom_fields::concerning(tx, ObjectType::Packages, package.companies_id)?;
    let stored = custom_fields::stored(&definitions, &package.custom)?;
    tx.put("UPDATE packages SET custom = $1 WHERE id = $2", params![stored.as_deref(), package.id])
}

/// What of a package is written as text.
struct Terms {
    period: String,
    advance_renew: String,
    renew_due: Option<String>,
}

impl Terms {
    fn of(package: &Package) -> Self {
        Self {
            period: package.period.to_string(),
            advance_renew: package.advance_renew.to_string(),
            renew_due: package.renew_due.as_ref().map(ToString::to_string),
        }
    }

    fn params<'a>(&'a self, package: &'a Package) -> [crate::Param<'a>; 10] {
        [
            (&package.name).into(),
            package.status.word().into(),
            (&self.period).into(),
            package.activation_fee.into(),
            package.period_fee.into(),
            (&self.advance_renew).into(),
            self.renew_due.as_deref().into(),
            package.effective_from.into(),
            package.effective_till.into(),
            package.notes.as_deref().into(),
        ]
    }
}

/// Deletes one.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM packages WHERE id = $1", params![id])
}

/// A package whose client packages above an id are still to be looked at; `None` = there is none.
///
/// # Errors
/// Whatever the engine says.
pub fn to_sweep(tx: &Tx<'_>) -> Result<Option<(i64, i64)>, Error> {
    const SQL: &str = "SELECT id, sweep_after FROM packages WHERE sweep_after IS NOT NULL ORDER BY id LIMIT 1";
    tx.first(SQL, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Notes how far a package's client packages have been looked at; `None` = all.
///
/// # Errors
/// Whatever the engine says.
pub fn swept(tx: &mut Tx<'_>, id: i64, up_to: Option<i64>) -> Result<(), Error> {
    tx.put("UPDATE packages SET sweep_after = $1 WHERE id = $2", params![up_to, id])
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "packages p",
    from: "packages p",
    select: COLUMNS,
    scope: "p.companies_id",
    scope_indexed: true,
    key: "p.id",
    newest_first: false,
    columns: &[
        Column::new("id", "p.id", Kind::Integer),
        Column::new("companies_id", "p.companies_id", Kind::Integer).indexed(),
        Column::new("name", "p.name", Kind::Text).quick(),
        Column::new("status", "p.status", Kind::Choice(PackageStatus::WORDS)),
        Column::new("period", "p.period", Kind::Text),
        Column::new("currencies_id", "p.currencies_id", Kind::Integer),
        Column::new("activation_fee", "p.activation_fee", Kind::Money),
        Column::new("period_fee", "p.period_fee", Kind::Money),
        Column::new("effective_from", "p.effective_from", Kind::Time).nullable(),
        Column::new("effective_till", "p.effective_till", Kind::Time).nullable(),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let mut custom = custom_fields::Shown::new(ObjectType::Packages);
    LIST.search(tx, asked, |row| Ok(read(tx, &mut custom, row)?.shown()))
}
