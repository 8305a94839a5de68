//! A statement that is put together of pieces, each with its values.
use super::{Bound, condition::Spelling};
use crate::{Error, Param, Row, Tx};

/// SQL with numbered places, and what is in them.
#[derive(Debug, Default)]
pub(super) struct Statement<'q> {
    sql: String,
    values: Vec<Param<'q>>,
}

impl<'q> Statement<'q> {
    /// A piece without values.
    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// A piece with a `?` for each of its values.
    pub(super) fn spelling(&mut self, spelling: &'q Spelling) {
        let mut pieces = spelling.sql.split('?');
        self.push(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(&spelling.values) {
            self.value(value.as_param());
            self.push(piece);
        }
    }

    /// A value's place.
    pub(super) fn value(&mut self, value: Param<'q>) {
        self.values.push(value);
        self.sql.push_str(&format!("${}", self.values.len()));
    }

    /// Its SQL and values.
    pub(super) fn parts(self) -> (String, Vec<Param<'q>>) {
        (self.sql, self.values)
    }

    /// The rows that it finds.
    pub(super) fn rows<T>(&self, tx: &Tx<'_>, read: impl FnMut(&Row<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        tx.query(&self.sql, &self.values, read)
    }

    /// The number in the first row, if there is one.
    pub(super) fn first_number(&self, tx: &Tx<'_>) -> Result<Option<i64>, Error> {
        tx.first(&self.sql, &self.values, |row| row.get(0))
    }

    /// The number that it comes to.
    pub(super) fn number(&self, tx: &Tx<'_>) -> Result<i64, Error> {
        Ok(self.first_number(tx)?.unwrap_or(0))
    }
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
