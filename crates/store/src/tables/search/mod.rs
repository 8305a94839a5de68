//! Lists: filters, quick search, order, paging, for every `search` method alike.
//!
//! A list declares its columns once; what a caller may filter and sort by follows from that. Values reach the engine as
//! parameters only. Every wrong filter is named in one answer.
//!
//! | file | subject |
//! |---|---|
//! | `column` | what a column may be asked |
//! | `parse` | filters to a [`Query`] |
//! | `condition`, `quick`, `order` | its parts |
//! | `way` | which way leads to a page soonest |
//! | `statement` | SQL, put together |
//! | here | running it |
mod column;
mod condition;
mod order;
mod parse;
mod quick;
mod statement;
mod way;

#[cfg(test)]
mod tests;

use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use crate::{Error, Param, Row, Tx};
use condition::{Condition, Spelling, among};
use order::Order;
use statement::Statement;
use way::Way;

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
    /// The table whose rows are listed.
    pub table: &'static str,
    /// The same, with all that is joined to it.
    pub from: &'static str,
    /// The columns that the reader of a row wants.
    pub select: &'static str,
    /// The column that holds the reseller.
    pub scope: &'static str,
    /// True if there is an index on it and the key.
    pub scope_indexed: bool,
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

/// A list's filters, checked: conditions that all hold, an order, a page.
#[derive(Debug)]
pub struct Query {
    list: &'static List,
    conditions: Vec<Condition>,
    /// True if a condition needs the tables that are joined.
    joined: bool,
    /// True if words are looked for.
    words: bool,
    order: Order,
    limit: i64,
    offset: i64,
    total: Total,
}

impl Query {
    /// One more condition: a column of any of the list's tables has one of these values.
    pub fn and_within(&mut self, sql: &str, values: Vec<Bound>) {
        self.joined = true;
        let none = values.is_empty();
        let within = || Condition::look(Spelling::new(format!("{sql} {}", among(values.len())), values));
        self.conditions.push(if none { Condition::nothing() } else { within() });
    }

    /// The conditions as SQL (`WHERE` included) and their values, for statements that work on what a list would show.
    #[must_use]
    pub fn conditions(&self) -> (String, Vec<Param<'_>>) {
        let mut statement = Statement::default();
        self.write_conditions(&mut statement, Way::AsWritten);
        statement.parts()
    }

    fn write_conditions<'q>(&'q self, statement: &mut Statement<'q>, way: Way) {
        let is_walked = way == Way::Walk && self.order.joined.is_none();
        let conditions = self.conditions.iter().enumerate().filter(|(_, condition)| !(is_walked && condition.is_by_key()));
        let spelling = |(at, condition): (usize, &'q Condition)| match way {
            Way::AsWritten => condition.plain(),
            Way::Few(leads) | Way::Through(leads) if at == leads => condition.plain(),
            Way::Through(_) | Way::Walk if condition.is_by_key() => condition.plain(),
            _ => &condition.look,
        };
        write_all(statement, conditions.map(spelling));
    }

    /// The rows of the page, and the total if it was asked for.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn rows<T>(
        &self,
        tx: &Tx<'_>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<(Vec<T>, Option<i64>), Error> {
        let mut way = self.way(tx)?;
        let mut rows = self.along(tx, way, &mut read)?;
        if way == Way::Walk && !self.is_full(rows.len()) && self.order.joined.is_none() {
            way = self.instead_of_walking(tx)?;
            rows = self.along(tx, way, &mut read)?;
        }
        let total = self.count(tx, way, rows.len())?;
        Ok((rows, total))
    }

    fn is_full(&self, rows: usize) -> bool {
        i64::try_from(rows) == Ok(self.limit)
    }

    /// The page. Its keys are found first, over as little as possible, then its rows are read.
    fn along<T>(&self, tx: &Tx<'_>, way: Way, read: &mut impl FnMut(&Row<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let List { select, from, key, .. } = self.list;
        let mut statement = Statement::default();
        statement.push(&format!("SELECT {select} FROM {from} WHERE {key} IN (SELECT {key} FROM "));
        self.write_tables(&mut statement, way);
        self.write_conditions(&mut statement, way);
        let order = if matches!(way, Way::Few(_)) { self.order.sorted() } else { self.order.sql() };
        statement.push(&format!(" ORDER BY {order} LIMIT "));
        statement.value(Param::Int(self.limit));
        statement.push(" OFFSET ");
        statement.value(Param::Int(self.offset));
        statement.push(&format!(") ORDER BY {}", self.order.sql()));
        statement.rows(tx, read)
    }

    /// The tables that conditions and order need; those of a walk are cut short.
    fn write_tables<'q>(&'q self, statement: &mut Statement<'q>, way: Way) {
        let List { table, from, .. } = self.list;
        match (way, self.order.joined) {
            (Way::AsWritten | Way::Walk, Some(tables)) => statement.push(tables),
            (_, Some(_)) => statement.push(from),
            (Way::Walk, None) => {
                statement.push(&format!("(SELECT * FROM {table}"));
                write_all(statement, self.conditions.iter().filter(|condition| condition.is_by_key()).map(Condition::plain));
                let alias = table.rsplit(' ').next().unwrap_or(table);
                statement.push(&format!(" ORDER BY {} LIMIT {}) {alias}", self.order.sql(), self.walk_rows()));
                statement.push(if self.joined { &from[table.len()..] } else { "" });
            }
            (_, None) => statement.push(self.counted()),
        }
    }

    /// The tables that conditions need.
    fn counted(&self) -> &'static str {
        if self.joined { self.list.from } else { self.list.table }
    }

    /// The total: known already if the page is not full, else counted.
    fn count(&self, tx: &Tx<'_>, way: Way, rows: usize) -> Result<Option<i64>, Error> {
        if self.total == Total::Not {
            return Ok(None);
        }
        let is_last_page = !self.is_full(rows) && (rows > 0 || self.offset == 0);
        let counted = if is_last_page { self.offset + i64::try_from(rows).unwrap_or(i64::MAX) } else { self.count_all(tx, way)? };
        Ok(Some(counted).filter(|counted| !matches!(self.total, Total::Below(end) if *counted >= end)))
    }

    fn count_all(&self, tx: &Tx<'_>, way: Way) -> Result<i64, Error> {
        let (before, after) = match self.total {
            Total::Below(end) => ("SELECT COUNT(*) FROM (SELECT 1 FROM ", format!(" LIMIT {end}) counted")),
            _ => ("SELECT COUNT(*) FROM ", String::new()),
        };
        let mut statement = Statement::default();
        statement.push(before);
        statement.push(self.counted());
        self.write_conditions(&mut statement, if way == Way::Walk { self.instead_of_walking(tx)? } else { way });
        statement.push(&after);
        statement.number(tx)
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

/// `WHERE`, and all of them.
fn write_all<'q>(statement: &mut Statement<'q>, spellings: impl Iterator<Item = &'q Spelling>) {
    for (at, spelling) in spellings.enumerate() {
        statement.push(if at == 0 { " WHERE " } else { " AND " });
        statement.spelling(spelling);
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
