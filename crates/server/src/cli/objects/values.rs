//! From the text of a flag to the value that a parameter wants. What can't be read goes on as the text that it is: the server says
//! what it must be, in the same words as to everybody.
use hookswitch_model::{
    field::{Field, Kind},
    json,
};
use hookswitch_store::tables::search;
use serde_json::Value;

/// What stands for null, where null may be.
const NULL: &str = "null";

/// The value of a field; several texts are for lists.
pub(in crate::cli) fn of_field(field: &Field, texts: &[String]) -> Value {
    let last = texts.last().map(String::as_str).unwrap_or_default();
    if field.null && last == NULL {
        return Value::Null;
    }
    match field.kind {
        Kind::Integer { .. } | Kind::Money { .. } => number(last),
        Kind::Boolean => boolean(last),
        Kind::LineList { .. } | Kind::NetList { .. } => list(texts, |text| text.into()),
        Kind::IntegerList { .. } => list(texts, number),
        Kind::LineOrList { .. } => match list(texts, |text| text.into()) {
            Value::Array(mut items) if items.len() == 1 => items.remove(0),
            several => several,
        },
        Kind::Object { .. } | Kind::Values { .. } | Kind::Any { .. } | Kind::Scalar { .. } => any(last),
        _ => last.into(),
    }
}

/// The value of a list's filter; several texts: one of them must match.
pub(in crate::cli) fn of_column(kind: search::Kind, texts: &[String]) -> Value {
    let one = |text: &String| match kind {
        _ if text == NULL => Value::Null,
        search::Kind::Integer | search::Kind::Money => number(text),
        search::Kind::Boolean => boolean(text),
        _ => text.as_str().into(),
    };
    match texts {
        [text] => one(text),
        several => several.iter().map(one).collect(),
    }
}

/// JSON, or else a text.
pub(super) fn any(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|_| text.into())
}

/// A number with all its digits, or the text that is none.
pub(super) fn number(text: &str) -> Value {
    match any(text) {
        Value::Number(number) => Value::Number(number),
        _ => text.into(),
    }
}

pub(super) fn boolean(text: &str) -> Value {
    match text {
        "true" | "yes" | "1" => true.into(),
        "false" | "no" | "0" => false.into(),
        other => other.into(),
    }
}

/// JSON in brackets is a list as it stands; else commas divide, and a flag that is repeated goes on. An empty text is an empty list.
fn list(texts: &[String], read: impl Fn(&str) -> Value) -> Value {
    if let [text] = texts
        && let Ok(Value::Array(items)) = json::parse(text.as_bytes())
    {
        return Value::Array(items);
    }
    texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|item| !item.is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use hookswitch_model::objects::{account, client};
    use serde_json::json;

    use super::*;

    fn read(fields: &[Field], name: &str, texts: &[&str]) -> Value {
        let field = hookswitch_model::field::find(fields, name).unwrap();
        of_field(field, &texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_flag_is_read_as_its_field_wants_it_and_otherwise_left_to_the_server() {
        assert_eq!(read(client::FIELDS, "credit", &["100.50"]).to_string(), "100.50");
        assert_eq!(read(client::FIELDS, "credit", &["null"]), Value::Null);
        assert_eq!(read(client::FIELDS, "credit", &["much"]), json!("much"));
        assert_eq!(read(client::FIELDS, "name", &["null"]), json!("null"));
        assert_eq!(read(client::FIELDS, "name", &["17"]), json!("17"));
        assert_eq!(read(client::FIELDS, "tags", &["a, b", "c"]), json!(["a", "b", "c"]));
        assert_eq!(read(client::FIELDS, "tags", &[r#"["a,b"]"#]), json!(["a,b"]));
        assert_eq!(read(client::FIELDS, "tags", &[""]), json!([]));
        assert_eq!(read(account::FIELDS, "orig_enabled", &["false"]), json!(false));
    }
}
