//! What a column may be asked.
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
}

impl Column {
    /// A column that can be filtered and sorted by.
    #[must_use]
    pub const fn new(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, quick: false }
    }

    /// The same, and the quick search looks here.
    #[must_use]
    pub const fn quick(self) -> Self {
        Self { quick: true, ..self }
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
        }
    }
}

fn time(value: &Value) -> Option<Moment> {
    value.as_str().and_then(Moment::parse)
}

fn uuid(value: &Value) -> Option<Vec<u8>> {
    value.as_str()?.parse::<uuid::Uuid>().ok().map(|id| id.as_bytes().to_vec())
}
