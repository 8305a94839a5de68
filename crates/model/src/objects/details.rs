//! The keys of an object that the program keeps without reading them: `details`, one JSON object in its row.
//!
//! Only keys that were set to something are kept, so that rows stay small; what an answer shows for the others is
//! decided by the table.
use serde_json::Value;

use crate::{
    Object,
    field::{Access, Field},
};

/// The keys of a table that only the program keeps: all that can be set but for `typed`, which the object's type has.
fn kept<'a>(fields: &'a [Field], typed: &'a [&str]) -> impl Iterator<Item = &'a Field> {
    fields.iter().filter(|field| field.access != Access::ReadOnly && !typed.contains(&field.name))
}

/// Takes the kept keys out of checked fields: null and the empty list mean that a key is not set.
pub(crate) fn take(details: &mut Object, fields: &[Field], typed: &[&str], checked: &Object) {
    for field in kept(fields, typed) {
        match checked.get(field.name) {
            None => {}
            Some(Value::Null) => drop(details.shift_remove(field.name)),
            Some(Value::Array(items)) if items.is_empty() && field.is_list() => drop(details.shift_remove(field.name)),
            Some(value) => drop(details.insert(field.name.to_owned(), value.clone())),
        }
    }
}

/// The whole answer in the table's order: `typed` gives the keys that the object's type has, `details` the others.
pub(crate) fn shown(fields: &[Field], details: &Object, typed: impl Fn(&str) -> Option<Value>) -> Object {
    let mut object = Object::with_capacity(fields.len());
    for field in fields.iter().filter(|field| field.access != Access::WriteOnly) {
        let value = typed(field.name).or_else(|| details.get(field.name).cloned()).unwrap_or_else(|| never_set(field));
        object.insert(field.name.to_owned(), value);
    }
    object
}

fn never_set(field: &Field) -> Value {
    if field.is_list() { Value::Array(Vec::new()) } else { Value::Null }
}
