//! Schemas that both descriptions share, each under its name: one per object, and what each method gives.
//!
//! An object's schema lists every key that an answer may have. Required are those that every answer has: a replay of an
//! idempotent call leaves out keys, secrets and passwords, and a dry run has made none. New keys may come with a new version:
//! that is why objects are not closed.
use std::collections::BTreeMap;

use hookswitch_core::registry::{Gives, Method, Takes};
use hookswitch_model::{
    Object,
    field::{Field, schema},
};
use serde_json::{Value, json};

use super::{filters::Written, names, params};

/// Every shared schema by its name: objects, and the bodies of requests.
pub(super) fn components() -> Object {
    let mut components: BTreeMap<String, Value> = BTreeMap::new();
    for method in names::methods() {
        let collection = names::collection(method);
        match method.gives {
            Gives::Object(fields) | Gives::Rows(fields) => {
                drop(components.insert(names::object(collection), plain(collection, fields)))
            }
            Gives::ObjectAnd(fields, further) => {
                components.insert(names::object(collection), plain(collection, fields));
                components.insert(name_and(collection, further), with(collection, fields, further));
            }
            Gives::ObjectOr(fields, few) => {
                components.insert(names::object(collection), plain(collection, fields));
                components.insert(name_or(collection), part(fields, few));
            }
            Gives::Count | Gives::Other(_) => {}
        }
    }
    components.into_iter().collect()
}

fn name_and(collection: &str, further: &[Field]) -> String {
    let names: Vec<&str> = further.iter().map(|field| field.name).collect();
    names::object_and(collection, &names)
}

fn name_or(collection: &str) -> String {
    format!("Foreign{}", names::object(collection))
}

fn methods_of(collection: &str) -> impl Iterator<Item = &'static Method> {
    names::methods().filter(move |method| names::collection(method) == collection)
}

/// True if some answers leave this key out.
fn is_left_out(collection: &str, name: &str) -> bool {
    methods_of(collection).any(|method| method.hidden_in_replay.contains(&name))
}

/// True if only some methods show this key, as a further one.
pub(super) fn is_further(collection: &str, name: &str) -> bool {
    methods_of(collection)
        .any(|method| matches!(method.gives, Gives::ObjectAnd(_, further) if further.iter().any(|field| field.name == name)))
}

fn shown(fields: &'static [Field]) -> impl Iterator<Item = &'static Field> {
    fields.iter().filter(|field| field.access != hookswitch_model::field::Access::WriteOnly)
}

fn plain(collection: &str, fields: &'static [Field]) -> Value {
    open(collection, shown(fields).filter(|field| !is_further(collection, field.name)).collect())
}

fn with(collection: &str, fields: &'static [Field], further: &'static [Field]) -> Value {
    let own = shown(fields).filter(|field| further.iter().all(|other| other.name != field.name));
    open(collection, own.chain(further).collect())
}

/// What is shown of somebody else's object.
fn part(fields: &'static [Field], few: &[&str]) -> Value {
    let mut schema = schema::shown_object(fields.iter().filter(|field| few.contains(&field.name)), few);
    schema["description"] = "Of somebody else: no more than this is shown".into();
    schema
}

fn open(collection: &str, fields: Vec<&'static Field>) -> Value {
    let required: Vec<&str> = fields.iter().map(|field| field.name).filter(|name| !is_left_out(collection, name)).collect();
    let mut schema = schema::shown_object(fields, &required);
    if let Value::Object(schema) = &mut schema {
        schema.shift_remove("additionalProperties");
    }
    schema
}

/// A reference to a shared schema.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// What a method gives. Over REST a page is a bare array, its total stands in a header.
pub(super) fn result(method: &Method, written: Written) -> Value {
    let collection = names::collection(method);
    match method.gives {
        Gives::Object(_) => reference(&names::object(collection)),
        Gives::ObjectAnd(_, further) => reference(&name_and(collection, further)),
        Gives::ObjectOr(..) => json!({"anyOf": [reference(&names::object(collection)), reference(&name_or(collection))]}),
        Gives::Rows(_) => rows(&reference(&names::object(collection)), written),
        Gives::Count => json!({"type": "integer", "minimum": 0, "description": "How many rows it affected"}),
        Gives::Other(schema) => schema(),
    }
}

fn rows(row: &Value, written: Written) -> Value {
    let bare = json!({"type": "array", "items": row});
    if written == Written::Query {
        return bare;
    }
    let total = json!({"type": "integer", "minimum": 0, "description": "Rows that the filters find"});
    let with_total = json!({
        "type": "object",
        "properties": {"rows": bare, "total": total},
        "required": ["rows", "total"],
        "description": "With with_total: true",
    });
    json!({"anyOf": [bare, with_total]})
}

/// The body of a request over REST, without the `id` that stands in the address.
pub(super) fn body(method: &Method, has_id: bool) -> Value {
    let own = params::own(method, Written::Json);
    let params = own.into_iter().filter(|param| !(has_id && param.name == "id")).chain(params::dry_run(method));
    let (mut properties, mut required) = (Object::new(), Vec::new());
    for param in params {
        if param.required {
            required.push(param.name.clone());
        }
        properties.insert(param.name, param.schema);
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": params::other_keys(method)});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if matches!(method.takes, Takes::Selection(..)) {
        schema["minProperties"] = 1.into();
    }
    schema
}
