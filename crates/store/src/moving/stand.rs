//! How a database stands, in numbers that must be the same in its copy: rows of each table, sums of the ledger, the last numbers
//! that the engine gave.
use sha2::{Digest as _, Sha256};

use super::{
    catalogue::{self, Table},
    portion::Portion,
    row,
};
use crate::{Error, Tx, numbering, tables::check};

/// Tables that say in a few rows whether anything was done meanwhile.
const TELLING: [&str; 4] = ["versions", "id_blocks", "counters", "settings"];

/// A sum of money: whole units, and the rest of each amount in millionths. Apart, neither can become too large to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    units: i64,
    rest: i64,
}

impl Sum {
    /// In millionths.
    #[must_use]
    pub fn micros(self) -> i128 {
        i128::from(self.units) * 1_000_000 + i128::from(self.rest)
    }
}

/// How a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Each table that goes along, and how many rows it has.
    pub rows: Vec<(&'static str, i64)>,
    /// The sum of all balances.
    pub balances: Sum,
    /// The sum of all transactions.
    pub transactions: Sum,
    /// The last number that the engine gave in each table that it numbers.
    pub(super) numbers: Vec<(&'static str, i64)>,
}

impl Stand {
    /// Counts.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn of(tx: &Tx<'_>) -> Result<Self, Error> {
        let numbered = catalogue::copied().filter(|table| table.numbered);
        Ok(Self {
            rows: catalogue::copied().map(|table| Ok((table.name, count(tx, table)?))).collect::<Result<_, Error>>()?,
            balances: sum(tx, "balance", "clients")?,
            transactions: sum(tx, "amount", "transactions")?,
            numbers: numbered.map(|table| Ok((table.name, numbering::last(tx, table)?))).collect::<Result<_, Error>>()?,
        })
    }

    /// All rows.
    #[must_use]
    pub fn all_rows(&self) -> i64 {
        self.rows.iter().map(|(_, rows)| rows).sum()
    }

    /// How many rows a table has.
    #[must_use]
    pub fn rows_of(&self, table: &str) -> i64 {
        self.rows.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows)
    }

    /// A hash that is another one once anything was done to this database: a server that runs notes the time, if nothing else.
    pub(super) fn fingerprint(&self, tx: &Tx<'_>) -> Result<String, Error> {
        let mut hash = Sha256::new();
        hash.update(format!("{self:?}"));
        for table in TELLING.into_iter().filter_map(catalogue::named) {
            Portion::read(tx, table, None)?.rows.iter().for_each(|values| hash.update(row::line(values)));
        }
        Ok(hex::encode(hash.finalize()))
    }

    /// Where a copy stands otherwise, in words; empty = it is the same.
    pub(super) fn differences(&self, copy: &Self) -> Vec<String> {
        let rows = self.rows.iter().zip(&copy.rows).filter(|(here, there)| here != there);
        let mut words: Vec<String> =
            rows.map(|((name, here), (_, there))| format!("{name} has {there} rows instead of {here}")).collect();
        for (what, here, there) in
            [("all balances", self.balances, copy.balances), ("all transactions", self.transactions, copy.transactions)]
        {
            if here != there {
                words.push(format!("the sum of {what} is {} millionths instead of {}", there.micros(), here.micros()));
            }
        }
        words
    }
}

/// Clients whose balance is not the sum of their transactions, in words.
pub(super) fn wrong_balances(tx: &Tx<'_>) -> Result<Vec<String>, Error> {
    let words = |o: &check::Offender| {
        format!("client {}: the balance is {} millionths, its transactions make {}", o.clients_id, o.stored, o.expected)
    };
    Ok(check::ledger(tx)?.iter().map(words).collect())
}

fn count(tx: &Tx<'_>, table: &Table) -> Result<i64, Error> {
    Ok(tx.first(&format!("SELECT COUNT(*) FROM {}", table.name), &[], |row| row.get(0))?.unwrap_or(0))
}

fn sum(tx: &Tx<'_>, column: &str, table: &str) -> Result<Sum, Error> {
    let sql = format!(
        "SELECT CAST(COALESCE(SUM({column} / 1000000), 0) AS BIGINT), CAST(COALESCE(SUM({column} % 1000000), 0) AS BIGINT)
         FROM {table}"
    );
    let sum = tx.first(&sql, &[], |row| Ok(Sum { units: row.get(0)?, rest: row.get(1)? }))?;
    sum.ok_or_else(|| Error::engine("there is no sum"))
}
