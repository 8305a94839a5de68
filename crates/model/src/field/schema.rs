//! A field table as JSON Schema (2020-12): descriptions say what the validation does, because both read one table.
//!
//! A field has two schemas. What a caller may **give** is as narrow as the check that it meets, as far as JSON Schema
//! can say it: bytes are counted as characters, and the decimals of an amount are only told in words, because
//! `multipleOf` goes through a binary float in most validators and refuses good amounts. What is **shown** is wider
//! where an answer may hold more, and has no patterns: a text that a stranger's program wrote is shown as it came.
use serde_json::{Value, json};

use crate::{
    Object,
    field::{Field, Kind},
    money::Money,
};

/// Control characters, as a regular expression's character class has them.
const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f";

/// Of the control characters only tabs and line ends.
const TEXT_PATTERN: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";

/// An object with these fields and no others, as a caller may give it.
#[must_use]
pub fn object<'a>(fields: impl IntoIterator<Item = &'a Field>, required: &[&str]) -> Value {
    of_fields(fields, required, property)
}

/// The same, as it is shown.
#[must_use]
pub fn shown_object<'a>(fields: impl IntoIterator<Item = &'a Field>, required: &[&str]) -> Value {
    of_fields(fields, required, shown)
}

fn of_fields<'a>(fields: impl IntoIterator<Item = &'a Field>, required: &[&str], of: fn(&Field) -> Value) -> Value {
    let properties: Object = fields.into_iter().map(|field| (field.name.to_owned(), of(field))).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// An object with these fields, and any other keys with values like `other`.
#[must_use]
pub fn open_object<'a>(fields: impl IntoIterator<Item = &'a Field>, required: &[&str], other: &Field) -> Value {
    let mut schema = object(fields, required);
    schema["additionalProperties"] = property(other);
    schema
}

/// One field, as a caller may give it.
#[must_use]
pub fn property(field: &Field) -> Value {
    described(field, given(&field.kind))
}

/// One field, as it is shown. An id given by the system is 0 where nothing is stored: in dry runs and tests.
#[must_use]
pub fn shown(field: &Field) -> Value {
    let mut kind = field.shown.unwrap_or(field.kind);
    if let ("id", Kind::Integer { min, .. }) = (field.name, &mut kind) {
        *min = 0;
    }
    described(field, of_kind(&kind))
}

fn described(field: &Field, mut schema: Value) -> Value {
    if field.null {
        allow_null(&mut schema);
    }
    schema["description"] = field.about.into();
    schema
}

/// Lets a schema take null too.
pub fn allow_null(schema: &mut Value) {
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(plain) => *plain = json!([plain.take(), "null"]),
        None => {}
    }
}

/// What a caller may give: the shown schema, and what the check looks at besides.
fn given(kind: &Kind) -> Value {
    let mut schema = of_kind(kind);
    let pattern = |schema: &mut Value, pattern: String| schema["pattern"] = pattern.into();
    match *kind {
        Kind::Line { min, .. } => pattern(&mut schema, line_pattern(min)),
        Kind::Word { .. } => pattern(&mut schema, format!(r"^[^\s{CONTROL}]*$")),
        Kind::Text { .. } | Kind::LongText { .. } | Kind::Scalar { .. } => pattern(&mut schema, TEXT_PATTERN.to_owned()),
        Kind::Values { .. } => {
            let value = &mut schema["additionalProperties"];
            pattern(value, TEXT_PATTERN.to_owned());
            allow_null(value);
        }
        Kind::LineList { min, .. } => pattern(&mut schema["items"], line_pattern(min)),
        Kind::LineOrList { .. } => {
            pattern(&mut schema, line_pattern(1));
            pattern(&mut schema["items"], line_pattern(1));
            // The one such field names events, of which there must be one.
            schema["minItems"] = 1.into();
        }
        Kind::NetList { .. } => {
            let subnet = json!({"pattern": "^[0-9A-Fa-f:.]+/[0-9]{1,3}$"});
            schema["items"]["anyOf"] = json!([{"format": "ipv4"}, {"format": "ipv6"}, subnet]);
        }
        _ => {}
    }
    schema
}

/// No control characters, and with a least length not blank.
fn line_pattern(min: usize) -> String {
    if min == 0 { format!("^[^{CONTROL}]*$") } else { format!(r"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$") }
}

fn scalar() -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

fn of_kind(kind: &Kind) -> Value {
    match *kind {
        Kind::Integer { min, max } => integer(min, max),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Line { min, max } | Kind::Word { min, max } => text(min, max),
        Kind::Text { max } => text(0, max),
        // No text within the bound has more characters than bytes.
        Kind::LongText { bytes } => text(0, bytes),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::Money { min, max } => amount(min, max),
        Kind::LineList { items, min, max } => list(items, &text(min, max)),
        Kind::LineOrList { items, max } => {
            json!({"type": ["string", "array"], "minLength": 1, "maxLength": max, "maxItems": items, "items": text(1, max)})
        }
        Kind::IntegerList { items, min, max } => list(items, &integer(min, max)),
        Kind::NetList { items, .. } => list(items, &json!({"type": "string"})),
        Kind::TimeZone => json!({"type": "string", "minLength": 1}),
        Kind::Uuid => json!({"type": "string", "format": "uuid"}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Scalar { .. } => scalar(),
        Kind::TimeOrDate => json!({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
        Kind::Duration { .. } => json!({"type": "string", "format": "duration"}),
        // "Any keys" is said in so many words: generators of clients take a bare object for one that has none.
        Kind::Object { .. } => json!({"type": "object", "additionalProperties": true}),
        Kind::Values { .. } => json!({"type": "object", "additionalProperties": scalar()}),
        Kind::Any { .. } => json!({}),
    }
}

/// The end of the range is only told in words: most programs read a number of that size as another one.
fn integer(min: i64, max: i64) -> Value {
    let mut schema = json!({"type": "integer"});
    if min != i64::MIN {
        schema["minimum"] = min.into();
    }
    if max == i64::MAX {
        schema["format"] = "int64".into();
    } else {
        schema["maximum"] = max.into();
    }
    schema
}

fn text(min: usize, max: usize) -> Value {
    let mut schema = json!({"type": "string"});
    if min > 0 {
        schema["minLength"] = min.into();
    }
    if max != usize::MAX {
        schema["maxLength"] = max.into();
    }
    schema
}

/// Any amount.
#[must_use]
pub fn any_amount() -> Value {
    amount(Money::MIN, Money::MAX)
}

fn amount(min: Money, max: Money) -> Value {
    json!({"type": "number", "minimum": min.to_json(), "maximum": max.to_json()})
}

fn list(items: usize, item: &Value) -> Value {
    json!({"type": "array", "maxItems": items, "items": item})
}
