//! Exact amounts: integer millionths, read from the text of a JSON number, never through a binary float.
//!
//! The contract's range is ±999999999.999999: 15 digits, as many as survive other people's doubles.
use std::fmt;

use serde_json::{Number, Value};

use crate::decimal::Decimal;

/// Decimals of an amount.
const DECIMALS: i64 = 6;
const MICROS_PER_UNIT: i64 = 1_000_000;

/// An amount in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

/// Why a number is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// More than 6 decimals that are not zeros.
    #[error("must have at most 6 decimals")]
    TooManyDecimals,
    /// Outside ±999999999.999999.
    #[error("must be within ±999999999.999999")]
    OutOfRange,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The greatest amount of the contract.
    pub const MAX: Self = Self(999_999_999_999_999);
    /// The least amount of the contract.
    pub const MIN: Self = Self(-Self::MAX.0);

    /// From millionths, as they are stored. Not checked against the contract's range.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In millionths.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads a JSON number exactly. Exponents are fine; zeros after the sixth decimal are none.
    ///
    /// # Errors
    /// `OutOfRange`, `TooManyDecimals`.
    pub fn read(number: &Number) -> Result<Self, MoneyError> {
        let out_of_range = MoneyError::OutOfRange;
        let decimal = Decimal::read(number).ok_or(out_of_range)?;
        // 999999999 has 9 digits before its point; what has more is out of range, whatever its decimals.
        if decimal.magnitude() > 9 {
            return Err(out_of_range);
        }
        if decimal.exponent < -DECIMALS {
            return Err(MoneyError::TooManyDecimals);
        }
        let micros = decimal.scaled(DECIMALS).and_then(|micros| i64::try_from(micros).ok()).ok_or(out_of_range)?;
        if micros.abs() > Self::MAX.0 { Err(out_of_range) } else { Ok(Self(micros)) }
    }

    /// As a JSON number, the shortest exact one: `-3.2`, `100`.
    #[must_use]
    pub fn to_json(self) -> Value {
        if self.0 % MICROS_PER_UNIT == 0 {
            return Value::from(self.0 / MICROS_PER_UNIT);
        }
        // The text is digits with one point: always a number.
        self.to_string().parse::<Number>().map_or(Value::Null, Value::Number)
    }

    /// The sum, if it is within the contract's range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).filter(|sum| sum.abs() <= Self::MAX.0).map(Self)
    }

    /// The sum, also beyond the contract's range: what is available may be, where balance and credit are both huge.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// True for nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (units, micros) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        let text = if micros == 0 {
            format!("{sign}{units}")
        } else {
            format!("{sign}{units}.{}", format!("{micros:06}").trim_end_matches('0'))
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests;
