//! Values on their way to PostgreSQL and back: integers, texts and bytes, in whatever type the server has chosen for a place.
use std::error::Error as StdError;

use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use crate::{Error, Param};

/// As for whatever else is no text. Fields refuse the character before it gets here.
const REPLACEMENT: &str = "\u{fffd}";

/// A value that outlives its statement's text: it is sent later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owned {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<&Param<'_>> for Owned {
    fn from(param: &Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Int(number) => Self::Int(*number),
            Param::Text(text) => Self::Text((*text).to_owned()),
            Param::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl Owned {
    fn as_param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(number) => Param::Int(*number),
            Self::Text(text) => Param::Text(text),
            Self::Blob(bytes) => Param::Blob(bytes),
        }
    }
}

/// What a place is to be, as far as its value tells; else the server finds out.
pub(super) fn type_of(param: &Param<'_>) -> Type {
    match param {
        Param::Null => Type::UNKNOWN,
        Param::Int(_) => Type::INT8,
        Param::Text(_) => Type::TEXT,
        Param::Blob(_) => Type::BYTEA,
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *wanted == Type::INT4 => i32::try_from(*number)?.to_sql(wanted, out),
            Self::Int(number) if *wanted == Type::INT2 => i16::try_from(*number)?.to_sql(wanted, out),
            Self::Int(number) => number.to_sql(&Type::INT8, out),
            // What a handler answered, in the log: a text there can hold every character but this one.
            Self::Text(text) if text.contains('\0') => text.replace('\0', REPLACEMENT).to_sql(&Type::TEXT, out),
            Self::Text(text) => text.to_sql(&Type::TEXT, out),
            Self::Blob(bytes) => bytes.to_sql(&Type::BYTEA, out),
        }
    }

    /// Checked by the server: a value of the wrong size or kind is refused there.
    fn accepts(_wanted: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Owned {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.as_param().to_sql(wanted, out)
    }

    fn accepts(_wanted: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A column of a row, as the type that the shared code asks for.
pub(crate) fn column<'r, T: FromSql<'r>>(row: &'r tokio_postgres::Row, index: usize) -> Result<T, Error> {
    row.try_get(index).map_err(Error::engine)
}

/// An integer, whatever the server calls it: sums of integers are `numeric` there, and comparisons `bool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Integer(pub(crate) i64);

impl<'r> FromSql<'r> for Integer {
    fn from_sql(is: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(match *is {
            Type::INT8 => i64::from_sql(is, raw)?,
            Type::INT4 => i32::from_sql(is, raw)?.into(),
            Type::INT2 => i16::from_sql(is, raw)?.into(),
            Type::BOOL => bool::from_sql(is, raw)?.into(),
            _ => whole_numeric(raw).ok_or("a numeric that is no integer of 64 bits")?,
        }))
    }

    fn accepts(is: &Type) -> bool {
        matches!(*is, Type::INT8 | Type::INT4 | Type::INT2 | Type::BOOL | Type::NUMERIC)
    }
}

/// A `numeric` on the wire: the number of digits to the base of 10,000, the weight of the first, sign, scale, digits.
fn whole_numeric(raw: &[u8]) -> Option<i64> {
    const NEGATIVE: u16 = 0x4000;
    let word = |at: usize| raw.get(at * 2..at * 2 + 2)?.try_into().ok().map(u16::from_be_bytes);
    let (count, weight, sign) = (usize::from(word(0)?), i16::from_be_bytes(word(1)?.to_be_bytes()), word(2)?);
    if sign != 0 && sign != NEGATIVE {
        return None;
    }
    let mut whole: i128 = 0;
    // Digits behind the last that is sent are zeros.
    for place in 0..=i64::from(weight) {
        let digit = usize::try_from(place).ok().filter(|place| *place < count).map_or(Some(0), |place| word(4 + place))?;
        whole = whole.checked_mul(10_000)?.checked_add(i128::from(digit))?;
    }
    let has_fraction =
        (0..count).skip(usize::try_from(i64::from(weight) + 1).unwrap_or(0)).any(|place| word(4 + place) != Some(0));
    let signed = if sign == NEGATIVE { -whole } else { whole };
    i64::try_from(signed).ok().filter(|_| !has_fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(words: &[u16]) -> Option<i64> {
        whole_numeric(&words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn sums_come_as_numeric() {
        assert_eq!(numeric(&[0, 0, 0, 0]), Some(0));
        assert_eq!(numeric(&[1, 0, 0, 0, 42]), Some(42));
        assert_eq!(numeric(&[1, 1, 0, 0, 3]), Some(30_000));
        assert_eq!(numeric(&[2, 1, 0x4000, 0, 12, 345]), Some(-120_345));
        assert_eq!(numeric(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5807]), Some(i64::MAX));
        assert_eq!(numeric(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5808]), None);
        assert_eq!(numeric(&[2, 0, 0, 1, 1, 5000]), None);
        assert_eq!(numeric(&[0, 0, 0xC000, 0]), None);
        assert_eq!(numeric(&[3]), None);
    }
}
