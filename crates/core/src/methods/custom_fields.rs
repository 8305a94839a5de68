//! `custom_fields.*`: which keys of its own a carrier keeps for its clients and packages.
//!
//! No object ever has two fields of one key: a key is taken if another definition that could meet this one has it, be it of the
//! same reseller, of one above or of one below.
use hookswitch_model::{
    Object,
    objects::custom_field::{self, CustomField, DEFINITIONS_MAX, ObjectType},
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Tx, tables};
use serde_json::Value;

use super::{params, reach};
use crate::{
    perform::{At, Draft, Write, Written},
    registry::{Act, Gives, Method, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "custom_fields";

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "custom_fields.create",
        "Defines a custom field",
        Takes::Fields(custom_field::FIELDS),
        Gives::Object(custom_field::FIELDS),
        Act::of_configuration(create).making(Sequence::CustomFields),
    )
    .checking(custom_field::check_create),
    Method::reads(
        "custom_fields.get",
        "Gives the definition of a custom field",
        Takes::Fields(params::ID),
        Gives::Object(custom_field::FIELDS),
        |tx, at, given| Ok(reach::custom_field(tx, at, params::id(given))?.shown().into()),
    ),
    Method::reads(
        "custom_fields.search",
        "Lists definitions of custom fields",
        Takes::Filters(&tables::custom_fields::LIST),
        Gives::Rows(custom_field::FIELDS),
        |tx, at, given| tables::custom_fields::search(tx, &at.asked(given)),
    ),
    Method::acts(
        "custom_fields.update",
        "Changes the definition of a custom field; values follow a key that is renamed",
        Takes::Changes(custom_field::FIELDS),
        Gives::Object(custom_field::FIELDS),
        Act::of_configuration(update),
    )
    .checking(custom_field::check_update),
    Method::acts(
        "custom_fields.delete",
        "Deletes the definition of a custom field; its values go with it",
        Takes::Fields(params::ID),
        Gives::Count,
        Act::of_configuration(delete),
    ),
];

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut errors = FieldErrors::new();
    let companies_id = reseller_of_new(at, request, &mut errors);
    let definition = CustomField::from_new(at.new_id, companies_id, request);
    if !errors.names("companies_id") {
        check_place(tx, &definition, &mut errors)?;
    }
    let definition = errors.or(definition)?;
    let preview = definition.shown().into();
    let write: Write = Box::new(move |tx, _| {
        tables::custom_fields::insert(tx, &definition)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(preview, write))
}

/// The reseller of a new definition: as asked for, else the key's reseller (or 1).
fn reseller_of_new(at: &At, request: &Object, errors: &mut FieldErrors) -> Option<i64> {
    let asked = params::integer(request, "companies_id");
    let companies_id = if request.contains_key("companies_id") { asked } else { Some(at.caller.companies_id.unwrap_or(1)) };
    match companies_id {
        None if at.caller.companies_id.is_some() => errors.add("companies_id", "must be your own reseller or one below it"),
        Some(id) if at.access.reseller(id).is_none() || !at.access.sees(&at.caller, id) => {
            errors.add("companies_id", "does not exist");
        }
        _ => {}
    }
    companies_id
}

fn check_place(tx: &Tx, definition: &CustomField, errors: &mut FieldErrors) -> Result<(), Refusal> {
    if tables::custom_fields::key_taken(tx, definition)? {
        errors.add("key", "is already in use");
    }
    let together = tables::custom_fields::most_together(tx, definition.object_type, definition.companies_id)?;
    if together >= DEFINITIONS_MAX {
        errors.add("companies_id", format!("has {DEFINITIONS_MAX} custom fields already, the most there may be"));
    }
    Ok(())
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = reach::custom_field(tx, at, params::id(request))?;
    let mut definition = old.clone();
    definition.apply(request);
    if definition == old {
        return Ok(Draft::nothing(old.shown().into()));
    }
    if definition.key != old.key && tables::custom_fields::key_taken(tx, &definition)? {
        return Err(Refusal::field("key", "is already in use"));
    }
    let preview = definition.shown().into();
    let write: Write = Box::new(move |tx, _| {
        tables::custom_fields::update(tx, &definition)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(preview, write))
}

fn delete(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let definition = reach::custom_field(tx, at, params::id(request))?;
    let write: Write = Box::new(move |tx, _| {
        tables::custom_fields::delete(tx, definition.id)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(1.into(), write))
}

/// What speaks against a reseller's move: two fields of one key, or too many, would meet in its objects or in those below it.
pub(crate) fn check_move(tx: &Tx, companies_id: i64, parent_id: Option<i64>, errors: &mut FieldErrors) -> Result<(), Refusal> {
    if let Some(below) = parent_id
        && let Some(key) = tables::custom_fields::clash_if_moved(tx, companies_id, below)?
    {
        errors.add("parent_id", format!("the custom field {key} is defined both there and in what is moved"));
    }
    for object_type in [ObjectType::Clients, ObjectType::Packages] {
        if tables::custom_fields::most_together_if_moved(tx, object_type, companies_id, parent_id)? > DEFINITIONS_MAX {
            errors.add("parent_id", format!("more than {DEFINITIONS_MAX} custom fields would come together"));
        }
    }
    Ok(())
}

/// What the custom fields of an object become by a change, in the order of their definitions; null takes a value away.
///
/// # Errors
/// Every key that is not defined, and those that would make it too large.
pub(crate) fn changed(definitions: &[CustomField], before: &Object, changes: &Object) -> Result<Object, FieldErrors> {
    let mut errors = FieldErrors::new();
    for key in changes.keys().filter(|key| definitions.iter().all(|definition| definition.key != **key)) {
        errors.add(key, "unknown field");
    }
    let value_of = |key: &String| changes.get(key).or_else(|| before.get(key)).filter(|value| !value.is_null());
    let set = definitions.iter().filter_map(|definition| Some((definition.key.clone(), value_of(&definition.key)?.clone())));
    let after = Value::Object(set.collect());
    if custom_field::VALUES.read(&after).is_err() {
        let most = custom_field::VALUES_BYTES_MAX;
        for key in changes.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key) {
            errors.add(key, format!("with it all custom fields together are larger than {most} bytes as JSON"));
        }
    }
    match after {
        Value::Object(after) if errors.is_empty() => Ok(after),
        _ => Err(errors),
    }
}

/// The same, of values that came as one field `custom_fields` and were not looked at yet.
///
/// # Errors
/// Every wrong value and every key that is not defined, by its path, such as `custom_fields.sla_level`.
pub(crate) fn changed_within(definitions: &[CustomField], before: &Object, given: &Object) -> Result<Object, FieldErrors> {
    let mut errors = FieldErrors::new();
    let changes = custom_field::check_values(given).unwrap_or_else(|wrong| {
        errors.merge(wrong);
        given.clone()
    });
    let after = changed(definitions, before, &changes).unwrap_or_else(|wrong| {
        errors.merge(wrong);
        Object::new()
    });
    if errors.is_empty() { Ok(after) } else { Err(by_path(&errors)) }
}

fn by_path(errors: &FieldErrors) -> FieldErrors {
    let mut by_path = FieldErrors::new();
    errors.iter().for_each(|(key, words)| by_path.add(&format!("custom_fields.{key}"), words));
    by_path
}
