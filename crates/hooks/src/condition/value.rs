//! From JSON to the values of the language.
use std::collections::HashMap;

use cel::Value;
use hookswitch_model::field;
use serde_json::Value as Json;

/// A member of the payload; an absent one (`previous`) is an object without keys.
pub(super) fn of_member(member: Option<&Json>) -> Value {
    member.map_or_else(|| Value::from(HashMap::<String, Value>::new()), of)
}

fn of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => of_number(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(of).collect::<Vec<_>>()),
        Json::Object(members) => {
            let members: HashMap<String, Value> = members.iter().map(|(name, value)| (name.clone(), of(value))).collect();
            Value::from(members)
        }
    }
}

/// Whole numbers are exact as far as 64 bits go; the rest is as exact as a double, which is enough to compare by:
/// amounts have at most 15 digits.
fn of_number(number: &serde_json::Number) -> Value {
    match field::integer(number) {
        Some(whole) => Value::Int(whole),
        None => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
    }
}
