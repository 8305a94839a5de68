//! A row of any table, in values that both engines know; and the mark that a row's key makes.
use serde_json::Value as Json;

use super::catalogue::{Column, Table};
use crate::{Error, Param, Row};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Integers.
    Int,
    /// Texts.
    Text,
    /// Bytes.
    Blob,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// None.
    Null,
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    fn read(row: &Row<'_>, index: usize, kind: Kind) -> Result<Self, Error> {
        Ok(match kind {
            Kind::Int => row.get::<Option<i64>>(index)?.map_or(Self::Null, Self::Int),
            Kind::Text => row.get::<Option<String>>(index)?.map_or(Self::Null, Self::Text),
            Kind::Blob => row.get::<Option<Vec<u8>>>(index)?.map_or(Self::Null, Self::Blob),
        })
    }

    pub(super) fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(number) => Param::Int(*number),
            Self::Text(text) => Param::Text(text),
            Self::Blob(bytes) => Param::Blob(bytes),
        }
    }

    /// As JSON: bytes as hexadecimal digits.
    fn json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Int(number) => (*number).into(),
            Self::Text(text) => text.clone().into(),
            Self::Blob(bytes) => hex::encode(bytes).into(),
        }
    }

    fn of_json(json: &Json, kind: Kind) -> Option<Self> {
        match kind {
            Kind::Int => json.as_i64().map(Self::Int),
            Kind::Text => json.as_str().map(|text| Self::Text(text.to_owned())),
            Kind::Blob => json.as_str().and_then(|digits| hex::decode(digits).ok()).map(Self::Blob),
        }
    }
}

/// Reads a row, its columns in the catalogue's order.
pub(super) fn read(row: &Row<'_>, table: &Table) -> Result<Vec<Value>, Error> {
    table.columns.iter().enumerate().map(|(index, Column { kind, .. })| Value::read(row, index, *kind)).collect()
}

/// The values of a row as one line of JSON: two rows are the same if their lines are.
#[must_use]
pub(super) fn line(row: &[Value]) -> String {
    Json::Array(row.iter().map(Value::json).collect()).to_string()
}

/// The key of a row, to go on behind it.
pub(super) fn mark(table: &Table, row: &[Value]) -> String {
    line(&row[..table.key])
}

/// Reads a mark.
pub(super) fn key_of(table: &Table, mark: &str) -> Result<Vec<Value>, Error> {
    let broken = || Error::engine(format!("how far the table {} has come can't be read: {mark}", table.name));
    let Ok(Json::Array(values)) = serde_json::from_str(mark) else { return Err(broken()) };
    if values.len() != table.key {
        return Err(broken());
    }
    let read = |(json, column): (&Json, &Column)| Value::of_json(json, column.kind).ok_or_else(broken);
    values.iter().zip(table.key()).map(read).collect()
}
