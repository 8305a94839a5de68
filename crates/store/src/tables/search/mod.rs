//! Lists: filters, quick search, order, paging, for every `search` method alike.
//!
//! A list declares its columns once; what a caller may filter and sort by follows from that. Values reach the engine as
//! parameters only. Every wrong filter is named in one answer.
//!
//! | file | subject |
//! |---|---|
//! | `column` | what a column may be asked |
//! | `parse` | filters to a [`Query`] |
//! | here | running it |
mod column;
mod parse;

#[cfg(test)]
mod tests;

use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use crate::{Error, Param, Row, Tx};

pub use column::{Column, Kind};

/// Rows at most in one answer.
pub const LIMIT_MAX: i64 = 1_000;
/// Rows in one answer, if nothing is said.
pub const LIMIT_DEFAULT: i64 = 20;
/// Further than this goes `after_id`.
pub const OFFSET_MAX: i64 = 10_000_000;
/// Values in one filter at most.
pub const VALUES_MAX: usize = 1_000;
/// Bytes of a text to compare with at most.
pub const TEXT_BYTES_MAX: usize = 1_024;
/// Bytes of what the quick search looks for at most.
pub const QUICK_BYTES_MAX: usize = 256;
/// Columns to sort by at most.
pub const SORTED_BY_MAX: usize = 8;

/// What a list shows and what it may be asked.
#[derive(Debug)]
pub struct List {
    /// The tables.
    pub from: &'static str,
    /// The columns that the reader of a row wants.
    pub select: &'static str,
    /// The column that holds the reseller.
    pub scope: &'static str,
    /// The numbers by which rows are paged, and ordered where nothing else orders them.
    pub key: &'static str,
    /// True for logs: newest first, if nothing is said.
    pub newest_first: bool,
    /// What it may be filtered and sorted by; one of them is `id`.
    pub columns: &'static [Column],
}

/// What is asked of a list: by whom, and how much of it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The filters, as they came.
    pub filters: &'a Object,
    /// The resellers whose rows may be shown; `None` = all.
    pub scope: Option<Vec<i64>>,
    /// The total is given where it is below this, also if nobody asked for it.
    pub total_below: Option<i64>,
}

impl<'a> Asked<'a> {
    /// Of these resellers, with a total only if the filters ask for it.
    #[must_use]
    pub fn within(filters: &'a Object, scope: Option<Vec<i64>>) -> Self {
        Self { filters, scope, total_below: None }
    }

    /// The resellers whose rows may be shown; `None` = all.
    #[must_use]
    pub fn scope(&self) -> Option<&[i64]> {
        self.scope.as_deref()
    }
}

/// Whether rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Total {
    Not,
    Below(i64),
    Whole,
}

/// A parameter that lives as long as its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Bound {
    fn as_param(&self) -> Param<'_> {
        match self {
            Self::Int(number) => Param::Int(*number),
            Self::Text(text) => Param::Text(text),
            Self::Blob(bytes) => Param::Blob(bytes),
        }
    }
}

/// A list's filters, checked: conditions that all hold, an order, a page.
#[derive(Debug)]
pub struct Query {
    list: &'static List,
    conditions: Vec<String>,
    bound: Vec<Bound>,
    order: String,
    limit: i64,
    offset: i64,
    total: Total,
}

impl Query {
    /// One more condition; `?` stands for each of its values in turn.
    pub fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Bound>) {
        let mut sql = String::with_capacity(condition.len() + 4);
        let mut pieces = condition.split('?');
        sql.push_str(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            self.bound.push(value);
            sql.push_str(&format!("${}{piece}", self.bound.len()));
        }
        self.conditions.push(sql);
    }

    /// One more condition: a column has one of these values.
    pub fn and_within(&mut self, sql: &str, values: Vec<Bound>) {
        self.and(&parse::within(sql, values.len()), values);
    }

    /// The conditions as SQL (`WHERE` included) and their values, for statements that work on what a list would show.
    #[must_use]
    pub fn conditions(&self) -> (String, Vec<Param<'_>>) {
        let filter = if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", self.conditions.join(" AND ")) };
        (filter, self.bound.iter().map(Bound::as_param).collect())
    }

    /// The rows of the page, and the total if it was asked for.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn rows<T>(&self, tx: &Tx<'_>, read: impl FnMut(&Row<'_>) -> Result<T, Error>) -> Result<(Vec<T>, Option<i64>), Error> {
        let (filter, mut values) = self.conditions();
        let total = self.count(tx, &filter, &values)?;
        values.extend([Param::Int(self.limit), Param::Int(self.offset)]);
        let List { select, from, .. } = self.list;
        let (limit, offset) = (self.bound.len() + 1, self.bound.len() + 2);
        let sql = format!("SELECT {select} FROM {from}{filter} ORDER BY {} LIMIT ${limit} OFFSET ${offset}", self.order);
        Ok((tx.query(&sql, &values, read)?, total))
    }

    fn count(&self, tx: &Tx<'_>, filter: &str, values: &[Param<'_>]) -> Result<Option<i64>, Error> {
        let from = self.list.from;
        match self.total {
            Total::Not => Ok(None),
            Total::Whole => tx.first(&format!("SELECT COUNT(*) FROM {from}{filter}"), values, |row| row.get::<i64>(0)),
            Total::Below(end) => {
                let some = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {from}{filter} LIMIT {end}) some");
                Ok(tx.first(&some, values, |row| row.get::<i64>(0))?.filter(|count| *count < end))
            }
        }
    }

    /// The same with a total where it is small, if that is asked for besides the filters.
    #[must_use]
    pub fn counting(mut self, asked: &Asked<'_>) -> Self {
        if let (Total::Not, Some(end)) = (self.total, asked.total_below) {
            self.total = Total::Below(end);
        }
        self
    }

    /// The page as every `search` answers: a bare array, or with its total.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn page(&self, tx: &Tx<'_>, mut read: impl FnMut(&Row<'_>) -> Result<Object, Error>) -> Result<Value, Error> {
        let (rows, total) = self.rows(tx, |row| read(row).map(Value::Object))?;
        Ok(match total {
            Some(total) => json!({"rows": rows, "total": total}),
            None => Value::Array(rows),
        })
    }
}

impl List {
    /// Checks the filters and gives the page.
    ///
    /// # Errors
    /// Every wrong filter, or whatever the engine says.
    pub fn search(
        &'static self,
        tx: &Tx<'_>,
        asked: &Asked<'_>,
        read: impl FnMut(&Row<'_>) -> Result<Object, Error>,
    ) -> Result<Value, Refusal> {
        Ok(self.query(asked.filters, asked.scope())?.counting(asked).page(tx, read)?)
    }
}
