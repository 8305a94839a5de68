//! What a column may be asked, and how the engine finds it.
use hookswitch_model::{field, moment::Moment, money::Money};
use serde_json::Value;

use super::{Bound, TEXT_BYTES_MAX};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Integer,
    /// Texts.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Amounts.
    Money,
    /// Moments: also `x_from` (inclusive) and `x_to` (exclusive).
    Time,
    /// UUIDs, stored as 16 bytes.
    Uuid,
    /// True or false, stored as 1 or 0.
    Boolean,
}

/// The index that a column has, if any. Most end with the list's key, so that equal values stand in the order of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    /// Its rows are looked at one by one.
    None,
    /// On the column itself.
    Plain,
    /// On the text without regard to case.
    Folded,
    /// On the column itself, for all values but this one, which most rows have.
    ButFor(i64),
    /// On the column and others before the key: equal values do not stand in the order of pages.
    Loose,
}

/// Where a column is that stands in another table: found there first, then by the key that leads to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elsewhere {
    /// The column of this list that names the row there; it is indexed.
    pub(super) key: &'static str,
    /// Which table.
    pub(super) table: &'static str,
    /// The column's name there.
    pub(super) sql: &'static str,
    /// The tables joined so that the engine goes through the other one first, in the order of this column.
    pub(super) first: Option<&'static str>,
}

/// One column of a list.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name for callers.
    pub name: &'static str,
    /// Where it comes from.
    pub sql: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// True if the quick search looks here.
    pub quick: bool,
    /// True if there may be nothing in it.
    pub(super) nullable: bool,
    pub(super) index: Index,
    /// True if it is only there when the list's other tables are joined.
    pub(super) joined: bool,
    pub(super) elsewhere: Option<Elsewhere>,
    /// What its words mean, if it is worked out of others.
    pub(super) spelled: &'static [(&'static str, &'static str)],
}

impl Column {
    /// A column that can be filtered and sorted by.
    #[must_use]
    pub const fn new(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, quick: false, nullable: false, index: Index::None, joined: false, elsewhere: None, spelled: &[] }
    }

    /// The same, and the quick search looks here.
    #[must_use]
    pub const fn quick(self) -> Self {
        Self { quick: true, ..self }
    }

    /// The same, where there may be nothing in it.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// The same, with an index on it and the key.
    #[must_use]
    pub const fn indexed(self) -> Self {
        Self { index: Index::Plain, ..self }
    }

    /// The same, with an index that leaves out the rows with this value, which are most.
    #[must_use]
    pub const fn indexed_but_for(self, usual: i64) -> Self {
        Self { index: Index::ButFor(usual), ..self }
    }

    /// The same, with an index that has other columns between it and the key, or does not end with the key.
    #[must_use]
    pub const fn loosely_indexed(self) -> Self {
        Self { index: Index::Loose, ..self }
    }

    /// The same, with an index on `LOWER` of it and the key.
    #[must_use]
    pub const fn folded(self) -> Self {
        Self { index: Index::Folded, ..self }
    }

    /// The same, out of one of the tables that are joined.
    #[must_use]
    pub const fn joined(self) -> Self {
        Self { joined: true, ..self }
    }

    /// The same, out of a table that is joined, where it has an index (without regard to case) and `key` leads to its row.
    #[must_use]
    pub const fn elsewhere(self, key: &'static str, table: &'static str, sql: &'static str) -> Self {
        Self { joined: true, index: Index::Folded, elsewhere: Some(Elsewhere { key, table, sql, first: None }), ..self }
    }

    /// The same, and sorted by it the other table is gone through first.
    #[must_use]
    pub const fn first(self, tables: &'static str) -> Self {
        match self.elsewhere {
            Some(there) => Self { elsewhere: Some(Elsewhere { first: Some(tables), ..there }), ..self },
            None => self,
        }
    }

    /// The same, where each word stands for a condition on other columns, for which there is an index; for one that begins with a
    /// plus there is none.
    #[must_use]
    pub const fn spelled(self, words: &'static [(&'static str, &'static str)]) -> Self {
        Self { spelled: words, ..self }
    }

    /// What it is sorted by: texts without regard to case, but for those that are words of ours or digits.
    pub(super) fn sorted_by(&self) -> String {
        match (self.kind, self.index) {
            (Kind::Text, Index::Folded | Index::None) => format!("LOWER({})", self.sql),
            _ => self.sql.to_owned(),
        }
    }

    /// Reads a value to compare this column with.
    pub(super) fn bound(&self, value: &Value) -> Result<Bound, String> {
        match (self.kind, value) {
            (Kind::Integer, Value::Number(number)) => {
                field::integer(number).map(Bound::Int).ok_or_else(|| "must be a whole number".to_owned())
            }
            (Kind::Integer, _) => Err("must be a whole number".to_owned()),
            (Kind::Text, Value::String(text)) if text.len() <= TEXT_BYTES_MAX => Ok(Bound::Text(text.clone())),
            (Kind::Text, _) => Err(format!("must be a text of at most {TEXT_BYTES_MAX} bytes")),
            (Kind::Choice(words), Value::String(word)) if words.contains(&word.as_str()) => Ok(Bound::Text(word.clone())),
            (Kind::Choice(words), _) => Err(format!("must be one of {}", words.join(", "))),
            (Kind::Money, Value::Number(number)) => {
                Money::read(number).map(|amount| Bound::Int(amount.micros())).map_err(|_| "must be an amount".to_owned())
            }
            (Kind::Money, _) => Err("must be an amount".to_owned()),
            (Kind::Time, value) => time(value)
                .map(|moment| Bound::Int(moment.0))
                .ok_or_else(|| "must be a time such as 2026-11-23T21:14:07+00:00".to_owned()),
            (Kind::Uuid, value) => uuid(value).map(Bound::Blob).ok_or_else(|| "must be the id of an event".to_owned()),
            (Kind::Boolean, Value::Bool(yes)) => Ok(Bound::Int((*yes).into())),
            (Kind::Boolean, _) => Err("must be true or false".to_owned()),
        }
    }
}

fn time(value: &Value) -> Option<Moment> {
    value.as_str().and_then(Moment::parse)
}

fn uuid(value: &Value) -> Option<Vec<u8>> {
    value.as_str()?.parse::<uuid::Uuid>().ok().map(|id| id.as_bytes().to_vec())
}
