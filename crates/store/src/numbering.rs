//! The numbers that the engine gives to rows (`BIGINT_ID` in migrations): they are never given twice, also when the last row is
//! deleted. A copy must go on where its source would have.
use crate::{Error, Tx, moving::Table, params};

/// The last number that was given in a table; 0 if none was.
pub(crate) fn last(tx: &Tx<'_>, table: &Table) -> Result<i64, Error> {
    const SQLITE: &str = "SELECT seq FROM sqlite_sequence WHERE name = $1";
    if tx.is_sqlite() {
        return Ok(tx.first(SQLITE, params![table.name], |row| row.get(0))?.unwrap_or(0));
    }
    // Not yet called, it would give this very number.
    let sql = format!("SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {}", sequence(table));
    Ok(tx.first(&sql, &[], |row| row.get(0))?.unwrap_or(0))
}

/// Goes on behind this number, which is not below any that was given.
pub(crate) fn go_on_behind(tx: &mut Tx<'_>, table: &Table, last: i64) -> Result<(), Error> {
    if tx.is_sqlite() {
        tx.execute("DELETE FROM sqlite_sequence WHERE name = $1", params![table.name])?;
        return tx.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", params![table.name, last]).map(drop);
    }
    const POSTGRES: &str = "SELECT setval(pg_get_serial_sequence($1, $2), $3, FALSE)";
    let column = table.key()[0].name;
    tx.returning(POSTGRES, params![table.name, column, last + 1], |row| row.get::<i64>(0)).map(drop)
}

/// What PostgreSQL calls the sequence of an identity column.
fn sequence(table: &Table) -> String {
    format!("{}_{}_seq", table.name, table.key()[0].name)
}
