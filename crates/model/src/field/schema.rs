//! A field table as JSON Schema (2020-12): descriptions say what the validation does, because both read one table.
use serde_json::{Value, json};

use crate::{
    Object,
    field::{Field, Kind},
    money::Money,
};

/// An object with these fields and no others.
#[must_use]
pub fn object<'a>(fields: impl IntoIterator<Item = &'a Field>, required: &[&str]) -> Value {
    let properties: Object = fields.into_iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// One field.
#[must_use]
pub fn property(field: &Field) -> Value {
    let mut schema = of_kind(&field.kind);
    if field.null {
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        } else if let Some(plain) = schema.get("type").filter(|plain| plain.is_string()).cloned() {
            schema["type"] = json!([plain, "null"]);
        } else if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.push("null".into());
        }
    }
    schema["description"] = field.about.into();
    schema
}

fn of_kind(kind: &Kind) -> Value {
    match *kind {
        Kind::Integer { min, max } => integer(min, max),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Line { min, max } | Kind::Word { min, max } => line(min, max),
        Kind::Text { max } => line(0, max),
        // Counted in bytes, which JSON Schema can't say; no text within the bound has more characters.
        Kind::LongText { bytes } => line(0, bytes),
        Kind::Choice(words) => json!({"enum": words}),
        Kind::Money { min, max } => amount(min, max),
        Kind::LineList { items, min, max } => list(items, &line(min, max)),
        Kind::LineOrList { items, max } => {
            json!({"type": ["string", "array"], "minLength": 1, "maxLength": max, "maxItems": items, "items": line(1, max)})
        }
        Kind::IntegerList { items, min, max } => list(items, &integer(min, max)),
        Kind::NetList { items, .. } => list(items, &json!({"type": "string"})),
        Kind::TimeZone => json!({"type": "string"}),
        Kind::Uuid => json!({"type": "string", "format": "uuid"}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::TimeOrDate => json!({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
        Kind::Duration { .. } => json!({"type": "string", "format": "duration"}),
        Kind::Object { .. } => json!({"type": "object"}),
        Kind::Any { .. } => json!({}),
    }
}

fn integer(min: i64, max: i64) -> Value {
    if max == i64::MAX {
        json!({"type": "integer", "minimum": min})
    } else {
        json!({"type": "integer", "minimum": min, "maximum": max})
    }
}

fn line(min: usize, max: usize) -> Value {
    if min == 0 {
        json!({"type": "string", "maxLength": max})
    } else {
        json!({"type": "string", "minLength": min, "maxLength": max})
    }
}

fn amount(min: Money, max: Money) -> Value {
    json!({"type": "number", "minimum": min.to_json(), "maximum": max.to_json()})
}

fn list(items: usize, item: &Value) -> Value {
    json!({"type": "array", "maxItems": items, "items": item})
}
