//! A query string as named parameters: decoded strictly, because two programs that read one address differently are how
//! checks are slipped past; a repeated key is an array.
use hookswitch_core::registry::Takes;
use hookswitch_model::{Object, refusal::Refusal};
use percent_encoding::percent_decode;
use serde_json::{Value, map::Entry};

use crate::meant::Meant;

/// Keys at most, repeated ones counted each: a filter takes a thousand values.
const KEYS_MAX: usize = 2_000;

/// Reads a query string for a method that takes this.
///
/// # Errors
/// Broken UTF-8, too many keys.
pub(super) fn read(query: &str, takes: &Takes) -> Result<Object, Refusal> {
    let mut params = Object::new();
    for (name, text) in pairs(query)? {
        let value = value(Meant::of(takes, &name), takes, text);
        add(&mut params, name, value);
    }
    Ok(params)
}

/// The names and texts of a query string, or of a form, in their order.
///
/// # Errors
/// Broken UTF-8, too many keys.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pairs.len() >= KEYS_MAX {
            return Err(Refusal::TooLarge(format!("a query string has at most {KEYS_MAX} keys; a JSON body may say more")));
        }
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decoded(name)?, decoded(text)?));
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    decoded.map(Into::into).map_err(|_| Refusal::field("query", "is not UTF-8"))
}

/// `null` is null where no text is meant, so that a list can be asked for what has no value.
fn value(meant: Meant, takes: &Takes, text: String) -> Value {
    if text == "null" && meant != Meant::Text && takes.list().is_some() {
        return Value::Null;
    }
    meant.read(&text).unwrap_or(Value::String(text))
}

/// A repeated name is an array.
pub(crate) fn add(params: &mut Object, name: String, value: Value) {
    match params.entry(name) {
        Entry::Vacant(free) => drop(free.insert(value)),
        Entry::Occupied(mut taken) => match taken.get_mut() {
            Value::Array(values) => values.push(value),
            first => *first = Value::Array(vec![first.take(), value]),
        },
    }
}

#[cfg(test)]
mod tests {
    use hookswitch_core::registry;
    use serde_json::json;

    use super::*;

    fn search(query: &str) -> Value {
        read(query, &registry::find("clients.search").unwrap().takes).unwrap().into()
    }

    #[test]
    fn each_filter_is_read_as_its_column_has_it() {
        let query = "id=7&name=7&credit=0.10&status=active&c_dt_from=2026-11-23&limit=5&with_total=true&order=-id&q=a*";
        let expected = json!({"id": 7, "name": "7", "credit": 0, "status": "active", "c_dt_from": "2026-11-23", "limit": 5,
            "with_total": true, "order": "-id", "q": "a*"});
        let mut read = search(query);
        assert_eq!(read["credit"].to_string(), "0.10");
        read["credit"] = json!(0);
        assert_eq!(read, expected);
    }

    #[test]
    fn a_repeated_key_is_an_array() {
        assert_eq!(search("id=1&id=2&order=-id&id=x&order=name"), json!({"id": [1, 2, "x"], "order": ["-id", "name"]}));
    }

    #[test]
    fn null_is_null_where_no_text_is_meant() {
        let expected = json!({"credit": null, "name": "null", "status": null, "unknown": "null"});
        assert_eq!(search("credit=null&name=null&status=null&unknown=null"), expected);
        let get = read("id=null", &registry::find("clients.get").unwrap().takes).unwrap();
        assert_eq!(Value::from(get), json!({"id": "null"}), "only a list can be asked for it");
    }

    #[test]
    fn signs_are_decoded_and_odd_ones_stay() {
        let expected = json!({"name": "a b&=Ü+", "q": "", "x": "100%", "": "y"});
        assert_eq!(search("&&name=a+b%26%3D%C3%9C%2B&q&x=100%&=y&"), expected);
    }

    #[test]
    fn broken_utf8_and_too_many_keys_are_refused() {
        let takes = &registry::find("clients.search").unwrap().takes;
        for query in ["name=%ff", "%C3=1", "q=%ED%A0%80"] {
            assert_eq!(read(query, takes), Err(Refusal::field("query", "is not UTF-8")), "{query}");
        }
        assert!(matches!(read(&"id=1&".repeat(KEYS_MAX + 1), takes), Err(Refusal::TooLarge(_))));
        assert_eq!(read(&"id=1&".repeat(KEYS_MAX), takes).unwrap()["id"].as_array().unwrap().len(), KEYS_MAX);
    }
}
