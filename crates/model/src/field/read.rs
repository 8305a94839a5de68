//! One value against its kind: checked, and normalised so that equal values are stored and compared alike.
use jiff::tz::TimeZoneDatabase;
use serde_json::{Number, Value};

use crate::{
    decimal::Decimal,
    field::{Field, Kind},
    moment::Moment,
    money::Money,
    nets,
    period::Period,
};

type Read = Result<Value, String>;

impl Field {
    /// Checks a value and normalises it.
    ///
    /// # Errors
    /// What is wrong with it, in plain words that follow the field's name.
    pub fn read(&self, value: &Value) -> Read {
        match value {
            Value::Null if !self.null => Err("must not be null".to_owned()),
            Value::Null => Ok(Value::Null),
            _ => self.kind.read(value),
        }
    }
}

impl Kind {
    /// Checks a value that is not null, and normalises it.
    ///
    /// # Errors
    /// What is wrong with it, in plain words.
    pub fn read(&self, value: &Value) -> Read {
        match *self {
            Self::Integer { min, max } => integer_within(value, min, max).map(Value::from),
            Self::Boolean => value.as_bool().map(Value::from).ok_or_else(|| "must be true or false".to_owned()),
            Self::Line { min, max } => one_line(value, min, max).map(Value::from),
            Self::Text { max } => text(value).and_then(|text| at_most(text, text.chars().count(), max, "characters")),
            Self::LongText { bytes } => text(value).and_then(|text| at_most(text, text.len(), bytes, "bytes")),
            Self::Word { min, max } => word(value, min, max),
            Self::Choice(words) => choice(value, words),
            Self::Money { min, max } => amount(value, min, max),
            Self::LineList { items, min, max } => list(value, items, "texts", |item| one_line(item, min, max).map(Value::from)),
            Self::LineOrList { items, max } => match value {
                Value::Array(_) => list(value, items, "texts", |item| one_line(item, 1, max).map(Value::from)),
                _ => one_line(value, 1, max).map(Value::from).map_err(|words| format!("{words}, or a list of them")),
            },
            Self::IntegerList { items, min, max } => {
                list(value, items, "integers", |item| integer_within(item, min, max).map(Value::from))
            }
            Self::NetList { items, apart } => net_list(value, items, apart),
            Self::TimeZone => time_zone(value),
            Self::Uuid => uuid(value),
            Self::Time => time(value),
            Self::Scalar { bytes } => scalar(value, bytes),
            Self::TimeOrDate => time_or_date(value),
            Self::Duration { from_a_second } => duration(value, from_a_second),
            Self::Object { bytes } | Self::Values { bytes } => match value {
                Value::Object(_) => bounded(value, bytes),
                _ => Err("must be an object".to_owned()),
            },
            Self::Any { bytes } => bounded(value, bytes),
        }
    }
}

/// The exact integer that a JSON number is; `None` if it has decimals or does not fit.
#[must_use]
pub fn integer(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| Decimal::read(number)?.scaled(0).and_then(|value| i64::try_from(value).ok()))
}

/// The amount under `name` of checked fields; `None` if it is absent or null.
#[must_use]
pub fn money(checked: &crate::Object, name: &str) -> Option<Money> {
    match checked.get(name) {
        Some(Value::Number(number)) => Money::read(number).ok(),
        _ => None,
    }
}

fn integer_within(value: &Value, min: i64, max: i64) -> Result<i64, String> {
    let number = match value {
        Value::Number(number) => integer(number),
        _ => None,
    };
    number.filter(|number| (min..=max).contains(number)).ok_or_else(|| match (min, max) {
        (i64::MIN, i64::MAX) => "must be an integer".to_owned(),
        (_, i64::MAX) => format!("must be an integer of at least {min}"),
        _ => format!("must be an integer from {min} to {max}"),
    })
}

fn amount(value: &Value, min: Money, max: Money) -> Read {
    let Value::Number(number) = value else { return Err("must be a number".to_owned()) };
    let amount = Money::read(number).map_err(|error| error.to_string())?;
    if amount < min {
        return Err(format!("must be at least {min}"));
    }
    if amount > max {
        return Err(format!("must be at most {max}"));
    }
    Ok(amount.to_json())
}

/// A text without what databases and log readers choke on; tabs and line ends are fine.
fn text(value: &Value) -> Result<&str, String> {
    let text = value.as_str().ok_or_else(|| "must be a text".to_owned())?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(text)
}

fn at_most(text: &str, size: usize, max: usize, unit: &str) -> Read {
    if size <= max { Ok(text.into()) } else { Err(format!("must be a text of at most {max} {unit}")) }
}

fn one_line(value: &Value, min: usize, max: usize) -> Result<&str, String> {
    let length = |text: &str| {
        let characters = text.chars().count();
        (min..=max).contains(&characters)
    };
    let text = value.as_str().filter(|text| length(text)).ok_or_else(|| text_of(min, max))?;
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters or line ends".to_owned());
    }
    if min > 0 && text.trim().is_empty() {
        return Err("must not be blank".to_owned());
    }
    Ok(text)
}

fn text_of(min: usize, max: usize) -> String {
    if min == 0 {
        format!("must be a text of at most {max} characters")
    } else {
        format!("must be a text of {min} to {max} characters")
    }
}

fn word(value: &Value, min: usize, max: usize) -> Read {
    let word = one_line(value, min, max)?;
    if word.chars().any(char::is_whitespace) { Err("must not contain spaces".to_owned()) } else { Ok(word.into()) }
}

fn choice(value: &Value, words: &[&str]) -> Read {
    match value.as_str() {
        Some(word) if words.contains(&word) => Ok(word.into()),
        _ => Err(format!("must be one of {}", words.join(", "))),
    }
}

/// Each item by `read_item`; the first wrong one is named by its place, counted from 1.
fn list(value: &Value, items_max: usize, what: &str, read_item: impl Fn(&Value) -> Read) -> Read {
    let items = value.as_array().ok_or_else(|| format!("must be a list of {what}"))?;
    if items.len() > items_max {
        return Err(format!("must be a list of at most {items_max} {what}"));
    }
    let read = |(index, item): (usize, &Value)| read_item(item).map_err(|words| format!("item {} {words}", index + 1));
    items.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn net_list(value: &Value, items_max: usize, apart: bool) -> Read {
    let read = |item: &Value| {
        let net = item.as_str().and_then(nets::read);
        net.map(|net| nets::text(&net).into()).ok_or_else(|| "must be an IPv4 or IPv6 address or subnet".to_owned())
    };
    let texts = list(value, items_max, "addresses or subnets", read)?;
    if apart {
        let nets = nets::of_list(&texts);
        if let Some((wide, narrow)) = nets::first_overlap(&nets) {
            return Err(match (nets::text(&wide), nets::text(&narrow)) {
                (wide, narrow) if wide == narrow => format!("names {wide} twice"),
                (wide, narrow) => format!("names {narrow}, which is part of {wide}"),
            });
        }
    }
    Ok(texts)
}

/// The zone's own spelling, from the tables within the program: every node knows the same ones.
fn time_zone(value: &Value) -> Read {
    let zone = value.as_str().and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
    let name = zone.as_ref().and_then(|zone| zone.iana_name());
    name.map(Value::from).ok_or_else(|| "must be the name of a time zone, such as Europe/Berlin".to_owned())
}

fn uuid(value: &Value) -> Read {
    let uuid = value.as_str().and_then(|text| text.parse::<uuid::Uuid>().ok());
    uuid.map(|uuid| uuid.to_string().into()).ok_or_else(|| "must be a UUID".to_owned())
}

fn time(value: &Value) -> Read {
    let good = value.as_str().filter(|text| Moment::parse(text).is_some());
    good.map(Value::from).ok_or_else(|| "must be a time with an offset, such as 2026-11-23T21:14:07+00:00".to_owned())
}

fn scalar(value: &Value, bytes_max: usize) -> Read {
    match value {
        Value::String(_) => text(value).and_then(|_| bounded(value, bytes_max)),
        Value::Number(_) | Value::Bool(_) => bounded(value, bytes_max),
        _ => Err("must be a text, a number, true or false".to_owned()),
    }
}

fn time_or_date(value: &Value) -> Read {
    let is_good = |text: &&str| Moment::parse(text).is_some() || Moment::parse_date(text, "UTC").is_some();
    let good = value.as_str().filter(is_good);
    good.map(Value::from)
        .ok_or_else(|| "must be a date (2026-11-23) or a time with an offset (2026-11-23T21:14:07+00:00)".to_owned())
}

/// In one spelling, so that equal ones are compared alike.
fn duration(value: &Value, from_a_second: bool) -> Read {
    let period = value.as_str().and_then(Period::parse);
    let good = period.filter(|period| !from_a_second || period.is_a_second_or_more());
    good.map(|period| period.to_string().into()).ok_or_else(|| match from_a_second {
        true => "must be a duration of a second to a hundred years, such as P1M or PT1H".to_owned(),
        false => "must be a duration of at most a hundred years, such as P1M or PT1H".to_owned(),
    })
}

fn bounded(value: &Value, bytes_max: usize) -> Read {
    let mut room = Room { left: bytes_max };
    match serde_json::to_writer(&mut room, value) {
        Ok(()) => Ok(value.clone()),
        Err(_) => Err(format!("must not be larger than {bytes_max} bytes as JSON")),
    }
}

/// Counts what is written instead of keeping it, and stops where it is too much.
struct Room {
    left: usize,
}

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
