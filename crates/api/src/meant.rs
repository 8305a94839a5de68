//! What a text stands for where it can't say so itself: in a query string everything is a text, and clients of the first
//! API generation write numbers as texts.
//!
//! Only what a parameter takes decides. A text that can't be read so stays one, so that the validation names the field
//! in its own words. Numbers keep their digits: an amount never passes through a binary float.
use hookswitch_core::registry::Takes;
use hookswitch_model::field::{self, Kind};
use hookswitch_store::tables::search;
use serde_json::{Number, Value};

/// A longer text is no number that anything takes.
const NUMBER_BYTES_MAX: usize = 64;

/// What a parameter holds, as far as texts are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// Whole numbers.
    Integer,
    /// Amounts.
    Amount,
    /// `true` or `false`.
    Boolean,
    /// A text with a meaning, such as a time or one of a few words: none of them is `null`.
    Word,
    /// Any text, or something that a text can't stand for.
    Text,
}

impl Meant {
    /// What the parameter of this name holds, for a method that takes this.
    #[must_use]
    pub fn of(takes: &Takes, name: &str) -> Self {
        let filter = || takes.list().and_then(|list| Self::of_filter(list, name));
        match field::find(takes.fields(), name) {
            Some(field) => Self::of_field(&field.kind),
            None => filter().or_else(|| Self::of_option(name)).unwrap_or(Self::Text),
        }
    }

    fn of_field(kind: &Kind) -> Self {
        match kind {
            Kind::Integer { .. } | Kind::IntegerList { .. } => Self::Integer,
            Kind::Money { .. } => Self::Amount,
            Kind::Boolean => Self::Boolean,
            _ => Self::Text,
        }
    }

    fn of_filter(list: &search::List, name: &str) -> Option<Self> {
        match name {
            "limit" | "offset" | "after_id" => return Some(Self::Integer),
            "with_total" => return Some(Self::Boolean),
            _ => {}
        }
        let column = list.columns.iter().find(|column| column.name == name)?;
        Some(match column.kind {
            search::Kind::Integer => Self::Integer,
            search::Kind::Money => Self::Amount,
            search::Kind::Text => Self::Text,
            search::Kind::Boolean => Self::Boolean,
            _ => Self::Word,
        })
    }

    /// Options that are nobody's field.
    fn of_option(name: &str) -> Option<Self> {
        (name == "dry_run").then_some(Self::Boolean)
    }

    /// Reads a text from a query string; `None` = it stays a text.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Integer | Self::Amount if text.len() <= NUMBER_BYTES_MAX => text.parse::<Number>().ok().map(Value::from),
            Self::Boolean => text.parse::<bool>().ok().map(Value::from),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use hookswitch_core::registry;

    use super::*;

    fn of(method: &str, name: &str) -> Meant {
        Meant::of(&registry::find(method).unwrap().takes, name)
    }

    #[test]
    fn what_a_parameter_takes_decides() {
        assert_eq!(of("clients.search", "id"), Meant::Integer);
        assert_eq!(of("clients.search", "with_total"), Meant::Boolean);
        assert_eq!(of("clients.search", "name"), Meant::Text);
        assert_eq!(of("clients.search", "status"), Meant::Word);
        assert_eq!(of("clients.search", "credit"), Meant::Amount);
        assert_eq!(of("clients.get", "id"), Meant::Integer);
        assert_eq!(of("clients.delete", "force"), Meant::Boolean);
        assert_eq!(of("clients.delete", "dry_run"), Meant::Boolean);
        assert_eq!(of("provisioning.events.get", "id"), Meant::Text);
        assert_eq!(of("clients.get", "limit"), Meant::Text, "it has no list");
    }

    #[test]
    fn a_number_keeps_its_digits_and_what_is_none_stays_a_text() {
        for digits in ["0", "-7", "0.10", "9007199254740993.000001"] {
            assert_eq!(Meant::Amount.read(digits).unwrap().to_string(), digits);
        }
        for text in ["", " 1", "1 ", "+1", "01", "0x1", "1.", ".5", "NaN", "Infinity", "--1", "1,5", "null", "\u{661}"] {
            assert_eq!(Meant::Integer.read(text), None, "{text:?}");
        }
        assert_eq!(Meant::Integer.read(&"9".repeat(65)), None);
        assert_eq!((Meant::Boolean.read("true"), Meant::Boolean.read("1")), (Some(true.into()), None));
        assert_eq!(Meant::Text.read("1"), None);
    }
}
