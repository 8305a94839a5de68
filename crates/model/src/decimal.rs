//! The exact value of a JSON number, from its text: digits and a power of ten, never a binary float.
//!
//! Nothing is ever expanded: `1e999999999` is one digit and an exponent, so that a hostile number costs its own
//! length and no more.
use serde_json::Number;

/// `±digits * 10^exponent`, normalised: no zeros at either end of the digits; zero has none and no sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) negative: bool,
    pub(crate) digits: String,
    pub(crate) exponent: i64,
}

impl Decimal {
    /// Reads a number; `None` if its exponent is beyond any that an `i64` can count.
    pub(crate) fn read(number: &Number) -> Option<Self> {
        let text = number.as_str();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        let trailing_zeros = all.len() - all.trim_end_matches('0').len();
        let exponent = power
            .parse::<i64>()
            .ok()?
            .checked_sub(i64::try_from(fraction.len()).ok()?)?
            .checked_add(i64::try_from(trailing_zeros).ok()?)?;
        Some(Self { negative, digits: digits.to_owned(), exponent })
    }

    /// The number of digits before the point (negative for a number such as 0.001).
    pub(crate) fn magnitude(&self) -> i64 {
        // The digits are in memory, so that their number fits.
        self.exponent.saturating_add(i64::try_from(self.digits.len()).unwrap_or(i64::MAX))
    }

    /// The value times `10^shift`, if that is an integer of at most 30 digits.
    pub(crate) fn scaled(&self, shift: i64) -> Option<i128> {
        let exponent = self.exponent.checked_add(shift)?;
        if self.digits.is_empty() {
            return Some(0);
        }
        if exponent < 0 || self.magnitude().checked_add(shift)? > 30 {
            return None;
        }
        let mut value = self.digits.parse::<i128>().ok()?;
        for _ in 0..exponent {
            value *= 10;
        }
        Some(if self.negative { -value } else { value })
    }
}
