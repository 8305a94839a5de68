//! What the boxes of a form hold, and what was typed into them as a method takes it.
//!
//! A form that changes something says what its boxes held when it was shown (`was.NAME`), and only what was changed since is sent: so
//! two people who change different things of the same object don't undo each other's work.
use hookswitch_core::registry::{self, Method};
use hookswitch_model::{
    Object,
    field::{self, Field, Kind as Holds},
};
use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

use super::Group;
use crate::params::Params;

/// What a name of the old value begins with.
pub(super) const WAS: &str = "was.";
/// Old values up to this length are told as they were.
const SHORT_BYTES_MAX: usize = 200;
/// What stands before the hash of a longer one.
const HASHED: &str = "sha256:";

/// An object as the boxes of a form hold it, each with what it was.
pub(crate) fn filled(groups: &[Group], object: &Object) -> Params {
    let names = groups.iter().flat_map(|group| group.boxes).map(|spot| spot.name);
    let texts: Vec<(String, String)> =
        names.map(|name| (name.to_owned(), shown_text(object.get(name).unwrap_or(&Value::Null)))).collect();
    let was = texts.iter().map(|(name, text)| (format!("{WAS}{name}"), was(text)));
    let all: Vec<(String, String)> = texts.iter().cloned().chain(was).collect();
    all.iter().map(|(name, text)| (name.as_str(), text.clone())).collect()
}

/// A new form's: the defaults, and a key by which it counts once however often it is sent.
pub(crate) fn fresh(defaults: &[(&'static str, &str)]) -> Params {
    let key = ("idempotency_key", uuid::Uuid::new_v4().to_string());
    defaults.iter().map(|(name, text)| (*name, (*text).to_owned())).chain([key]).collect()
}

/// A value as a box holds it.
pub(crate) fn shown_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown_text).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// What was typed, as a method takes it.
pub(crate) fn typed(method: &'static str, groups: &[Group], typed: &Params) -> Object {
    let mut params = Object::new();
    let Some(method) = registry::find(method) else { return params };
    for spot in groups.iter().flat_map(|group| group.boxes) {
        let Some(field) = field::find(method.takes.fields(), spot.name) else { continue };
        let Some(text) = typed.raw(spot.name) else { continue };
        let was = typed.raw(&format!("{WAS}{}", spot.name));
        if was.is_some_and(|was| is_still(was, text)) {
            continue;
        }
        if let Some(value) = meant(field, text.trim(), was.is_some()) {
            params.insert(spot.name.to_owned(), value);
        }
    }
    if let Some(key) = typed.text("idempotency_key").filter(|_| is_once(method)) {
        params.insert("idempotency_key".to_owned(), key.into());
    }
    params
}

fn is_once(method: &Method) -> bool {
    method.idempotent
}

/// What is said of a text that a box held: itself, or where it is long what tells it from all others. So a form does not hold notes
/// of 64 KiB twice.
pub(crate) fn was(text: &str) -> String {
    if text.len() <= SHORT_BYTES_MAX { text.to_owned() } else { format!("{HASHED}{}", hashed(text)) }
}

/// True if a box still holds what it held.
pub(crate) fn is_still(was: &str, text: &str) -> bool {
    lines(was) == lines(text) || was.strip_prefix(HASHED).is_some_and(|was| was == hashed(text))
}

fn hashed(text: &str) -> String {
    hex::encode(Sha256::digest(lines(text)))
}

/// A browser sends lines with ends of its own.
fn lines(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

/// A text as a field takes it; `None` = it is left out.
fn meant(field: &Field, text: &str, is_change: bool) -> Option<Value> {
    if text.is_empty() {
        return match field.kind {
            Holds::LineList { .. } | Holds::NetList { .. } | Holds::IntegerList { .. } if is_change => {
                Some(Value::Array(Vec::new()))
            }
            _ if is_change && field.access == field::Access::WriteOnly => None,
            _ if is_change => Some(if field.null { Value::Null } else { Value::from("") }),
            _ => None,
        };
    }
    let number = |text: &str| text.parse::<Number>().map_or_else(|_| Value::from(text), Value::Number);
    let items = |ends: &'static [char]| text.split(ends).map(str::trim).filter(|item| !item.is_empty());
    Some(match field.kind {
        Holds::Boolean => Value::Bool(text == "true"),
        Holds::Integer { .. } | Holds::Money { .. } => number(text),
        Holds::IntegerList { .. } => items(&['\n', ',']).map(number).collect(),
        // A line may hold a comma of its own.
        Holds::LineList { .. } => items(&['\n']).map(Value::from).collect(),
        Holds::NetList { .. } | Holds::LineOrList { .. } => items(&['\n', ',']).map(Value::from).collect(),
        Holds::Object { .. } | Holds::Values { .. } | Holds::Any { .. } => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
        }
        _ => Value::from(text.replace("\r\n", "\n")),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::Box, *};

    #[test]
    fn what_a_box_held_is_known_again_however_long_it_was() {
        for text in ["", "a line", "two\nlines", &"long\nlines ".repeat(5_000)] {
            let was = was(text);
            assert!(was.len() <= SHORT_BYTES_MAX);
            assert!(is_still(&was, text) && is_still(&was, &text.replace('\n', "\r\n")));
            assert!(!is_still(&was, &format!("{text}!")));
        }
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        const GROUPS: &[Group] =
            &[Group { title: "", folded: None, boxes: &[Box::new("name", ""), Box::new("credit", ""), Box::new("groups", "")] }];
        let typed = |text: &str| typed("clients.update", GROUPS, &Params::read(text.as_bytes()));
        assert!(typed("name=n&was.name=n&credit=0.10&was.credit=0.10&groups=%5B1%5D&was.groups=%5B1%5D").is_empty());
        let changed = typed("name=m&was.name=n&credit=&was.credit=5&groups=%7B%22a%22%3A0.10%7D&was.groups=");
        assert_eq!(Value::Object(changed).to_string(), r#"{"name":"m","credit":null,"groups":{"a":0.10}}"#);
    }

    #[test]
    fn a_line_of_a_list_keeps_its_commas() {
        const GROUPS: &[Group] = &[Group { title: "", folded: None, boxes: &[Box::new("orig_tags", ""), Box::new("ips", "")] }];
        let read = Params::read(b"orig_tags=a,b%0D%0Ac&was.orig_tags=a,b&ips=192.0.2.1,192.0.2.2&was.ips=");
        let changed = typed("clients.accounts.update", GROUPS, &read);
        assert_eq!(Value::Object(changed).to_string(), r#"{"orig_tags":["a,b","c"],"ips":["192.0.2.1","192.0.2.2"]}"#);
    }
}
