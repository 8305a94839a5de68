//! `companies.*`: resellers, a tree. A reseller's own key may name itself anew, and make and change those below it.
use hookswitch_model::{
    Object,
    objects::company::{self, Company},
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Tx, tables};

use super::{custom_fields, params, reach};
use crate::{
    access::keys::RESELLER_DEPTH_MAX,
    perform::{At, Draft, Write, Written},
    registry::{Act, Gives, Method, Takes, Touches},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "companies";

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "companies.create",
        "Creates a reseller",
        Takes::Fields(company::FIELDS),
        Gives::Object(company::FIELDS),
        Act::of_configuration(create).making(Sequence::Companies).touching(Touches::Access),
    ),
    Method::reads(
        "companies.get",
        "Gives a reseller",
        Takes::Fields(params::ID),
        Gives::Object(company::FIELDS),
        |tx, at, given| Ok(reach::company(tx, at, params::id(given))?.shown().into()),
    ),
    Method::reads(
        "companies.search",
        "Lists resellers",
        Takes::Filters(&tables::companies::LIST),
        Gives::Rows(company::FIELDS),
        |tx, at, given| tables::companies::search(tx, &at.asked(given)),
    ),
    Method::acts(
        "companies.update",
        "Changes a reseller",
        Takes::Changes(company::FIELDS),
        Gives::Object(company::FIELDS),
        Act::of_configuration(update).touching(Touches::Access),
    ),
];

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut errors = FieldErrors::new();
    let asked = request.contains_key("parent_id");
    let parent_id = if asked { params::integer(request, "parent_id") } else { at.caller.companies_id };
    check_parent(tx, at, parent_id, None, &mut errors)?;
    let company = Company::from_new(at.new_id, parent_id, at.now, request);
    if tables::companies::name_taken(tx, &company.name, company.id)? {
        errors.add("name", "is already in use");
    }
    let company = errors.or(company)?;
    let preview = company.shown().into();
    let write: Write = Box::new(move |tx, _| {
        tables::companies::insert(tx, &company)?;
        bump(tx)
    });
    Ok(Draft::silent(preview, write))
}

/// A parent must be within reach, and neither the reseller itself nor one below it. Found in the very transaction: two that
/// are put below each other at once must not both be.
fn check_parent(tx: &Tx, at: &At, parent_id: Option<i64>, itself: Option<i64>, errors: &mut FieldErrors) -> Result<(), Refusal> {
    let Some(parent_id) = parent_id else {
        if at.caller.companies_id.is_some() {
            errors.add("parent_id", "must be your own reseller or one below it");
        }
        return Ok(());
    };
    let way_up = way_up(tx, parent_id)?;
    if way_up.is_empty() || !at.access.sees(&at.caller, parent_id) {
        errors.add("parent_id", "does not exist");
    } else if itself.is_some_and(|id| way_up.contains(&id)) {
        errors.add("parent_id", "must not be the reseller itself or one below it");
    } else if way_up.len() + 1 >= RESELLER_DEPTH_MAX {
        errors.add("parent_id", format!("resellers may stand at most {RESELLER_DEPTH_MAX} deep"));
    }
    Ok(())
}

/// A reseller and those above it, from below; nothing if it is not there.
fn way_up(tx: &Tx, companies_id: i64) -> Result<Vec<i64>, Refusal> {
    let (mut way, mut next) = (Vec::new(), Some(companies_id));
    while let Some(id) = next.filter(|_| way.len() < RESELLER_DEPTH_MAX) {
        next = match tables::companies::get(tx, id)? {
            Some(company) => {
                way.push(id);
                company.parent_id
            }
            None => None,
        };
    }
    Ok(way)
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = reach::company(tx, at, params::id(request))?;
    let mut company = old.clone();
    company.apply(request);
    let Some(difference) = params::difference(&old.shown(), &company.shown(), request) else {
        return Ok(Draft::nothing(old.shown().into()));
    };
    let mut errors = FieldErrors::new();
    if at.caller.companies_id == Some(company.id) {
        for name in ["parent_id", "status"].into_iter().filter(|name| difference.changed(name)) {
            errors.add(name, "only those above your reseller can change this");
        }
    }
    if difference.changed("parent_id") {
        check_parent(tx, at, company.parent_id, Some(company.id), &mut errors)?;
        if !errors.names("parent_id") {
            custom_fields::check_move(tx, company.id, company.parent_id, &mut errors)?;
        }
    }
    if difference.changed("name") && tables::companies::name_taken(tx, &company.name, company.id)? {
        errors.add("name", "is already in use");
    }
    let company = errors.or(company)?;
    let preview = company.shown().into();
    let write: Write = Box::new(move |tx, _| {
        tables::companies::update(tx, &company)?;
        bump(tx)
    });
    Ok(Draft::silent(preview, write))
}

fn bump(tx: &mut Tx) -> Result<Written, Refusal> {
    tables::versions::bump(tx, tables::versions::ACCESS)?;
    Ok(Written::as_drafted())
}
