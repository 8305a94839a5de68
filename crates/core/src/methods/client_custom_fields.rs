//! `clients.custom_fields.*`: the values of a client, by the keys that are defined for its reseller.
use hookswitch_model::{
    Object, event,
    objects::{
        client::Client,
        custom_field::{self, CustomField, ObjectType},
    },
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Tx, tables};
use serde_json::{Value, json};

use super::{custom_fields, params, reach};
use crate::{
    concerns::{self, Concerns},
    perform::{At, Draft, Part, Write, Written},
    registry::{Act, Gives, Method, Takes},
};

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "clients.custom_fields.get",
        "Gives a client's custom fields: every key that is defined, null where it is not set",
        Takes::Fields(params::ID),
        Gives::Other(values_schema),
        get,
    ),
    Method::acts(
        "clients.custom_fields.update",
        "Sets custom fields of a client by key; null takes a value away",
        Takes::AnyKeys(params::ID, &custom_field::VALUE),
        Gives::Count,
        Act::new(Concerns::Client(concerns::itself), &[&event::CUSTOM_FIELDS_UPDATE], update),
    )
    .checking(check),
];

fn values_schema() -> Value {
    json!({"type": "object", "additionalProperties": hookswitch_model::field::schema::property(&custom_field::VALUE)})
}

/// `id` and values. Whether the keys are defined is found out in the draft, which sees the definitions.
fn check(given: &Object) -> Result<Object, FieldErrors> {
    let mut values = given.clone();
    let identity = values.shift_remove_entry("id").into_iter().collect();
    let mut errors = FieldErrors::new();
    let mut noted = |wrong: FieldErrors| {
        errors.merge(wrong);
        Object::new()
    };
    let mut checked = params::id_only(&identity).unwrap_or_else(&mut noted);
    checked.extend(custom_field::check_values(&values).unwrap_or_else(&mut noted));
    if errors.is_empty() { Ok(checked) } else { Err(errors) }
}

fn definitions(tx: &Tx, client: &Client) -> Result<Vec<CustomField>, Refusal> {
    Ok(tables::custom_fields::concerning(tx, ObjectType::Clients, client.companies_id)?)
}

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let client = reach::client(tx, at, params::id(request))?;
    let value = |key: &String| client.custom.get(key).cloned().unwrap_or(Value::Null);
    let keys = definitions(tx, &client)?.into_iter().map(|definition| definition.key);
    Ok(Value::Object(keys.map(|key| (key.clone(), value(&key))).collect()))
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let client = reach::client(tx, at, params::id(request))?;
    let mut changes = request.clone();
    changes.shift_remove("id");
    let definitions = definitions(tx, &client)?;
    let custom = custom_fields::changed(&definitions, &client.custom, &changes)?;
    let Some(mut difference) = params::difference(&client.custom, &custom, &changes) else {
        return Ok(Draft::nothing(0.into()));
    };
    let watched = watched(&difference.previous, &client);
    difference.data.shift_insert(0, "id".into(), client.id.into());
    let stored = tables::custom_fields::stored(&definitions, &custom)?;
    let (id, companies_id) = (client.id, client.companies_id);
    let part = Part {
        kind: &event::CUSTOM_FIELDS_UPDATE,
        object_id: id,
        clients_id: id,
        companies_id,
        data: difference.data,
        previous: Some(difference.previous),
        object: Client { custom, ..client }.shown(),
        watched,
        dt: None,
    };
    let write: Write = Box::new(move |tx, _| {
        tables::clients::set_custom(tx, id, stored.as_deref())?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::new(vec![part], 1.into(), write))
}

/// What the chain's answer depends on, named by where it stands in the whole client: a custom field may be called `status` too.
fn watched(previous: &Object, client: &Client) -> Object {
    let values = previous.iter().map(|(key, value)| (format!("custom_fields.{key}"), value.clone()));
    values.chain([("status".to_owned(), client.status.word().into())]).collect()
}
