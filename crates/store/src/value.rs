//! Values on their way into statements and out of rows: integers, texts and blobs, which both engines know.
use hookswitch_model::{moment::Moment, money::Money};

use crate::{
    Error,
    postgres::{Integer, column},
};

/// A value for a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param<'a> {
    /// Nothing.
    Null,
    /// An integer; also booleans (0, 1), money (millionths) and moments (microseconds).
    Int(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// Makes `&[Param]` from plain values.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Param::from($value)),*] };
}

macro_rules! into_param {
    ($($from:ty, $value:ident => $param:expr;)*) => {
        $(impl<'a> From<$from> for Param<'a> {
            fn from($value: $from) -> Self {
                $param
            }
        })*
    };
}

into_param! {
    i64, value => Self::Int(value);
    bool, value => Self::Int(i64::from(value));
    Moment, value => Self::Int(value.0);
    Money, value => Self::Int(value.micros());
    &'a str, value => Self::Text(value);
    &'a String, value => Self::Text(value);
    &'a [u8], value => Self::Blob(value);
    &'a Vec<u8>, value => Self::Blob(value);
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// One row of an answer.
#[non_exhaustive]
pub enum Row<'a> {
    #[doc(hidden)]
    Sqlite(&'a rusqlite::Row<'a>),
    #[doc(hidden)]
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The value of a column, counted from 0.
    ///
    /// # Errors
    /// If it is not of that type.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, Error> {
        T::from_column(self, index)
    }
}

/// What a column can be read as.
pub trait FromColumn: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// If it is not of that type.
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self, Error>;
}

macro_rules! from_column {
    ($($type:ty, $on_postgres:ty, $value:ident => $read:expr;)*) => {
        $(impl FromColumn for $type {
            fn from_column(row: &Row<'_>, index: usize) -> Result<Self, Error> {
                match row {
                    Row::Sqlite(row) => row.get(index).map_err(Error::from),
                    Row::Postgres(row) => column::<$on_postgres>(row, index).map(|$value| $read),
                }
            }
        }
        impl FromColumn for Option<$type> {
            fn from_column(row: &Row<'_>, index: usize) -> Result<Self, Error> {
                match row {
                    Row::Sqlite(row) => row.get(index).map_err(Error::from),
                    Row::Postgres(row) => Ok(column::<Option<$on_postgres>>(row, index)?.map(|$value| $read)),
                }
            }
        })*
    };
}

from_column! {
    i64, Integer, value => value.0;
    String, String, value => value;
    Vec<u8>, Vec<u8>, value => value;
}

macro_rules! from_integer {
    ($($type:ty, $value:ident => $read:expr;)*) => {
        $(impl FromColumn for $type {
            fn from_column(row: &Row<'_>, index: usize) -> Result<Self, Error> {
                row.get::<i64>(index).map(|$value| $read)
            }
        }
        impl FromColumn for Option<$type> {
            fn from_column(row: &Row<'_>, index: usize) -> Result<Self, Error> {
                row.get::<Option<i64>>(index).map(|value| value.map(|$value| $read))
            }
        })*
    };
}

from_integer! {
    bool, value => value != 0;
    Moment, value => Moment(value);
    Money, value => Money::from_micros(value);
}
