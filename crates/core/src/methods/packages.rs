//! `packages.*`: what can be had for a fee. New terms count for those who have it from their next step on.
use hookswitch_model::{
    Object,
    objects::{
        custom_field::ObjectType,
        package::{self, Package},
    },
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Tx, tables};
use serde_json::Value;

use super::{client_packages::clock::concerns_those_who_have_it, clients::reseller_of_new, custom_fields, params};
use crate::{
    perform::{At, Draft, Write, Written},
    registry::{Act, Gives, Method, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "packages";

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "packages.create",
        "Creates a package",
        Takes::Fields(package::FIELDS),
        Gives::Object(package::FIELDS),
        Act::of_configuration(create).making(Sequence::Packages),
    ),
    Method::reads(
        "packages.get",
        "Gives a package",
        Takes::Fields(params::ID),
        Gives::Object(package::FIELDS),
        |tx, at, given| Ok(reached(tx, at, params::id(given))?.shown().into()),
    ),
    Method::reads(
        "packages.search",
        "Lists packages",
        Takes::Filters(&tables::packages::LIST),
        Gives::Rows(package::FIELDS),
        |tx, at, given| tables::packages::search(tx, &at.asked(given)),
    ),
    Method::acts(
        "packages.update",
        "Changes a package; archived, it is closed for all who have it",
        Takes::Changes(package::FIELDS),
        Gives::Object(package::FIELDS),
        Act::of_configuration(update),
    ),
    Method::acts(
        "packages.delete",
        "Deletes a package that nobody has",
        Takes::Fields(params::ID),
        Gives::Count,
        Act::of_configuration(delete),
    ),
];

fn reached(tx: &Tx, at: &At, id: i64) -> Result<Package, Refusal> {
    tables::packages::get(tx, id)?
        .filter(|package| at.access.sees(&at.caller, package.companies_id))
        .ok_or_else(|| Refusal::not_found(OBJECT, id))
}

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut errors = FieldErrors::new();
    let (companies_id, currencies_id) = reseller_of_new(at, request, &mut errors);
    let timezone = at.access.timezone_of(companies_id);
    let mut package = Package::from_new(at.new_id, companies_id, currencies_id, at.now, timezone, request);
    errors.merge(package.rules());
    if !errors.names("companies_id") {
        take_custom(tx, &mut package, request, &mut errors)?;
    }
    let package = errors.or(package)?;
    let preview = package.shown().into();
    let write: Write = Box::new(move |tx, _| {
        tables::packages::insert(tx, &package)?;
        if !package.custom.is_empty() {
            tables::packages::set_custom(tx, &package)?;
        }
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(preview, write))
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = reached(tx, at, params::id(request))?;
    let mut package = old.clone();
    package.apply(request, at.access.timezone_of(old.companies_id));
    let mut errors = package.rules();
    take_custom(tx, &mut package, request, &mut errors)?;
    let package = errors.or(package)?;
    if package == old {
        return Ok(Draft::nothing(old.shown().into()));
    }
    let look_again = concerns_those_who_have_it(&old, &package);
    let preview = package.shown().into();
    let write: Write = Box::new(move |tx, at| {
        tables::packages::update(tx, &package, look_again)?;
        if package.custom != old.custom {
            tables::packages::set_custom(tx, &package)?;
        }
        if look_again {
            at.schedule.look_again(tx);
        }
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(preview, write))
}

/// Takes over the custom fields that a request names.
fn take_custom(tx: &Tx, package: &mut Package, request: &Object, errors: &mut FieldErrors) -> Result<(), Refusal> {
    let Some(Value::Object(changes)) = request.get("custom_fields") else { return Ok(()) };
    let definitions = tables::custom_fields::concerning(tx, ObjectType::Packages, package.companies_id)?;
    match custom_fields::changed_within(&definitions, &package.custom, changes) {
        // Equal values keep their digits: 1 does not become 1.0.
        Ok(custom) if params::difference(&package.custom, &custom, changes).is_some() => package.custom = custom,
        Ok(_) => {}
        Err(wrong) => errors.merge(wrong),
    }
    Ok(())
}

fn delete(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let package = reached(tx, at, params::id(request))?;
    if tables::client_packages::somebody_has(tx, package.id)? {
        return Err(Refusal::conflict("clients have this package; close theirs, or archive it, which closes them all"));
    }
    let write: Write = Box::new(move |tx, _| {
        tables::packages::delete(tx, package.id)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(1.into(), write))
}
