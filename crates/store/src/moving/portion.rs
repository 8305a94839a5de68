//! Rows on their way from one database into another: read in the order of their keys, a portion at a time, and written many with
//! one statement. So a copy takes the same memory however large the database is.
use super::{
    catalogue::Table,
    row::{self, Value},
};
use crate::{Error, Param, Tx};

/// Rows that one statement writes. All but the last statement of a portion are the same text, prepared once.
const ROWS_A_STATEMENT: usize = 50;

/// Some rows of a table, in the order of its key.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) table: &'static Table,
    pub(super) rows: Vec<Vec<Value>>,
    /// There is nothing behind them.
    pub(super) is_last: bool,
}

impl Portion {
    /// The next rows behind a mark; from the first on without one.
    pub(super) fn read(tx: &Tx<'_>, table: &'static Table, mark: Option<&str>) -> Result<Self, Error> {
        let key = mark.map(|mark| row::key_of(table, mark)).transpose()?.unwrap_or_default();
        let params: Vec<Param<'_>> = key.iter().map(Value::param).chain([Param::Int(table.portion)]).collect();
        let rows = tx.query(&select(table, !key.is_empty()), &params, |found| row::read(found, table))?;
        let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < table.portion;
        Ok(Self { table, rows, is_last })
    }

    /// Where the next one begins; `None` if there is no row.
    pub(super) fn mark(&self) -> Option<String> {
        self.rows.last().map(|last| row::mark(self.table, last))
    }

    /// Writes the rows.
    pub(super) fn write(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for rows in self.rows.chunks(ROWS_A_STATEMENT) {
            let params: Vec<Param<'_>> = rows.iter().flatten().map(Value::param).collect();
            tx.put(&insert(self.table, rows.len()), &params)?;
        }
        Ok(())
    }
}

fn names(columns: &[super::Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

fn places(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// The statement that reads a portion.
fn select(table: &Table, goes_on: bool) -> String {
    let (columns, key) = (names(table.columns), names(table.key()));
    let behind = if goes_on { format!("WHERE ({key}) > ({})", places(1, table.key)) } else { String::new() };
    let limit = if goes_on { table.key + 1 } else { 1 };
    format!("SELECT {columns} FROM {} {behind} ORDER BY {key} LIMIT ${limit}", table.name)
}

/// The statement that writes so many rows.
fn insert(table: &Table, rows: usize) -> String {
    let width = table.columns.len();
    let values: Vec<String> = (0..rows).map(|row| format!("({})", places(row * width + 1, width))).collect();
    format!("INSERT INTO {} ({}) VALUES {}", table.name, names(table.columns), values.join(", "))
}
