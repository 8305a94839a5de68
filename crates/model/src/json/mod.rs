//! JSON as it comes from outside: read strictly, compared by value, masked.
//!
//! What other parsers wave through is refused here, because two programs that read one body differently are how
//! checks are slipped past: duplicate keys, broken UTF-8, anything after the value.
mod parse;

use serde_json::Value;

use crate::decimal::Decimal;

pub use parse::{DEPTH_MAX, JsonError, parse};

/// What stands for a secret value where it must not be seen.
pub const MASK: &str = "********";

/// True if both have the same value: `1`, `1.0` and `1e0` are one number, and the order of keys does not matter.
#[must_use]
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || Decimal::read(left).is_some_and(|left| Decimal::read(right).is_some_and(|right| left == right))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len() && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests;
