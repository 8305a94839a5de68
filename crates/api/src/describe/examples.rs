//! A request and its answer, for every method: made of sample values by the same tables that describe and check them.
use hookswitch_core::registry::{Gives, Method, Takes};
use hookswitch_model::{
    Object,
    field::{Access, Field},
};
use hookswitch_store::tables::search::{Kind, List};
use serde_json::{Value, json};

use super::{names, samples, schemas};

/// What might be sent: what must be there, and what tells most.
pub(super) fn request(method: &Method) -> Object {
    let collection = names::collection(method);
    match method.takes {
        Takes::Fields(fields) => of_fields(collection, fields, |field| field.access != Access::ReadOnly),
        Takes::AnyKeys(fields, other) => {
            let mut request = of_fields(collection, fields, |_| true);
            request.insert("sla_level".into(), samples::given(collection, other));
            request
        }
        Takes::Changes(fields) => {
            let id = fields.iter().find(|field| field.name == "id").unwrap_or(&Field::ID);
            let mut request = Object::from_iter([("id".to_owned(), samples::given(collection, id))]);
            let free: Vec<&Field> = fields.iter().filter(|field| field.access == Access::Free).collect();
            let change = free.iter().find(|field| field.name == "name").or(free.first());
            request.extend(change.map(|field| (field.name.to_owned(), samples::given(collection, field))));
            request
        }
        Takes::Filters(list) => of_search(list),
        Takes::Selection(list, _) => of_selection(collection, list),
    }
}

fn of_fields(collection: &str, fields: &[Field], can_be_set: impl Fn(&Field) -> bool) -> Object {
    let told = |field: &&Field| can_be_set(field) && (field.required || samples::is_telling(collection, field.name));
    fields.iter().filter(told).map(|field| (field.name.to_owned(), samples::given(collection, field))).collect()
}

fn of_search(list: &List) -> Object {
    let mut request = Object::new();
    let choice = list.columns.iter().find_map(|column| match column.kind {
        Kind::Choice(words) => Some((column.name, words)),
        _ => None,
    });
    if let Some((name, words)) = choice {
        request.insert(name.into(), json!([words[0]]));
    }
    // Texts in the log are looked for within a handler, a client or a day.
    if !list.newest_first && list.columns.iter().any(|column| column.quick) {
        request.insert("q".into(), "Acme*".into());
    }
    request.insert("order".into(), json!(["-id"]));
    request.insert("limit".into(), json!(50));
    request
}

fn of_selection(collection: &str, list: &List) -> Object {
    let told = list.columns.iter().filter(|column| samples::is_telling(collection, column.name));
    told.map(|column| (column.name.to_owned(), samples::of_schema(collection, column.name, &Value::Null))).collect()
}

/// What might come back.
pub(super) fn result(method: &Method) -> Value {
    let collection = names::collection(method);
    match method.gives {
        Gives::Object(fields) | Gives::ObjectOr(fields, _) => object(collection, fields, &[]).into(),
        Gives::ObjectAnd(fields, further) => object(collection, fields, further).into(),
        Gives::Rows(fields) => json!([object(collection, fields, &[])]),
        Gives::Count => json!(1),
        Gives::Other(schema) => samples::of_schema(collection, names::verb(method), &schema()),
    }
}

fn object(collection: &str, fields: &[Field], further: &[Field]) -> Object {
    let own = fields.iter().filter(|field| further.iter().all(|other| other.name != field.name));
    let shown = own.filter(|field| field.access != Access::WriteOnly && !schemas::is_further(collection, field.name));
    shown.chain(further).map(|field| (field.name.to_owned(), samples::shown(collection, field))).collect()
}
