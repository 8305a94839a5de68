//! The numbers that the engine gives to rows (`BIGINT_ID` in migrations): they are never given twice, also when the last row is
//! deleted. A copy must go on where its source would have.
use crate::{Error, Tx, moving::Table, params};

/// The last number that was given in a table.
pub(crate) fn last(tx: &Tx<'_>, table: &Table) -> Result<i64, Error> {
    const SQL: &str = "SELECT seq FROM sqlite_sequence WHERE name = $1";
    Ok(tx.first(SQL, params![table.name], |row| row.get(0))?.unwrap_or(0))
}

/// Goes on behind this number, which is not below any that was given.
pub(crate) fn go_on_behind(tx: &mut Tx<'_>, table: &Table, last: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM sqlite_sequence WHERE name = $1", params![table.name])?;
    tx.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", params![table.name, last]).map(drop)
}
