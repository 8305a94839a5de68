//! What a method may be sent, one parameter after another: its fields or filters, and the options of every method of its kind.
//!
//! What is meant where nothing is said is told in words only: generators take a `default` for a promise that the key is there.
use hookswitch_core::registry::{Method, Takes};
use hookswitch_model::field::{Access, Field, schema};
use serde_json::{Value, json};

use super::{
    filters::{self, Written},
    names, schemas,
};

/// One parameter.
#[derive(Debug, Clone)]
pub(super) struct Param {
    /// Its exact name.
    pub(super) name: String,
    /// What it may be, and its description.
    pub(super) schema: Value,
    /// True if it must be there.
    pub(super) required: bool,
}

impl Param {
    /// One that may be left out.
    pub(super) fn optional(name: &str, mut schema: Value, about: &str) -> Self {
        schema["description"] = about.into();
        Self { name: name.to_owned(), schema, required: false }
    }

    fn field(field: &Field, required: bool) -> Self {
        Self { name: field.name.to_owned(), schema: schema::property(field), required }
    }

    /// What it is, in one line.
    pub(super) fn about(&self) -> &str {
        self.schema["description"].as_str().unwrap_or_default()
    }
}

/// The parameters of a method, without its options.
pub(super) fn own(method: &Method, written: Written) -> Vec<Param> {
    match method.takes {
        Takes::Fields(fields) => of_new(fields).into_iter().map(|param| unsaved(method, param)).collect(),
        Takes::Changes(fields) => {
            let changeable = |field: &&Field| matches!(field.access, Access::Free | Access::WriteOnly | Access::UpdateOnly);
            let changes = fields.iter().filter(changeable).map(|field| Param::field(field, false));
            std::iter::once(Param::field(&Field::ID, true)).chain(changes).collect()
        }
        Takes::AnyKeys(fields, _) => of_new(fields),
        Takes::Filters(list) => filters::of_search(list, written),
        Takes::Selection(list, fields) => [filters::of_selection(list, written), of_new(fields)].concat(),
    }
}

/// The parameter that holds an object which is not saved, as it would be made; or what changes of one.
fn unsaved(method: &Method, mut param: Param) -> Param {
    let collection = names::collection(method);
    let (is_whole, are_changes) = (param.name == names::member(collection), param.name == Field::CHANGES.name);
    if (is_whole || are_changes)
        && let Some(create) = names::create_of(collection)
    {
        let mut object = schemas::body(create, false);
        if let (true, Some(object)) = (are_changes, object.as_object_mut()) {
            object.shift_remove("required");
        }
        let ways = json!([object, {"type": "null"}]);
        param.schema = json!({"anyOf": ways, "description": param.about()});
    }
    param
}

fn of_new(fields: &[Field]) -> Vec<Param> {
    let settable = |field: &&Field| matches!(field.access, Access::Free | Access::WriteOnly | Access::Fixed);
    fields.iter().filter(settable).map(|field| Param::field(field, field.required)).collect()
}

/// What any other key may hold, where there may be any.
pub(super) fn other_keys(method: &Method) -> Value {
    match method.takes {
        Takes::AnyKeys(_, other) => schema::property(other),
        _ => false.into(),
    }
}

/// `dry_run`, for methods that can be rehearsed.
pub(super) fn dry_run(method: &Method) -> Option<Param> {
    let about = "Validates, asks the before handlers that say dry_run, returns what would be stored, and changes nothing";
    let flag = json!({"type": "boolean"});
    method.rehearses().then(|| Param::optional("dry_run", flag, about))
}

/// The idempotency key, for methods that have one.
pub(super) fn idempotency_key(method: &Method) -> Option<Value> {
    let about = "Makes a repeated request return the first success, for 24 hours, per user and method";
    let key = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]*$", "description": about});
    method.idempotent.then_some(key)
}
