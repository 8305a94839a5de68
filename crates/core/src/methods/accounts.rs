//! `clients.accounts.*`: what a softswitch knows a client's calls by.
use hookswitch_model::{
    Object, event, json,
    life::Reason,
    objects::account::{self, Account},
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Tx, tables};
use serde_json::Value;

use super::{client_packages::ending, params, reach};
use crate::{
    access::Caller,
    concerns::{self, Concerns},
    perform::{At, Draft, Part, Write, Written},
    registry::{Act, Gives, Method, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "clients.accounts";

const DELETES: &[event::Kind] = &[&event::PACKAGES_DEACTIVATE, &event::PACKAGES_CLOSE, &event::ACCOUNTS_DELETE];

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "clients.accounts.create",
        "Creates an account of a client",
        Takes::Fields(account::FIELDS),
        Gives::Object(account::FIELDS),
        Act::new(Concerns::ClientAndAddresses(concerns::named), &[&event::ACCOUNTS_CREATE], create).making(Sequence::Accounts),
    )
    .hiding(&["password"]),
    Method::reads("clients.accounts.get", "Gives an account", Takes::Fields(params::ID), Gives::Object(account::FIELDS), get),
    Method::reads(
        "clients.accounts.search",
        "Lists accounts",
        Takes::Filters(&tables::accounts::LIST),
        Gives::Rows(account::FIELDS),
        search,
    ),
    Method::acts(
        "clients.accounts.update",
        "Changes an account",
        Takes::Changes(account::FIELDS),
        Gives::Object(account::FIELDS),
        Act::new(Concerns::ClientAndAddresses(concerns::of_account), &[&event::ACCOUNTS_UPDATE], update),
    )
    .hiding(&["password"]),
    Method::acts(
        "clients.accounts.delete",
        "Deletes an account",
        Takes::Fields(params::ID),
        Gives::Count,
        Act::new(Concerns::Client(concerns::of_account), DELETES, delete),
    ),
];

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let (account, _) = reach::account(tx, at, params::id(request))?;
    Ok(shown_to(&at.caller, account.shown()).into())
}

fn search(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let mut found = tables::accounts::search(tx, &at.vault, &at.asked(request))?;
    let rows = match &mut found {
        Value::Object(page) => page.get_mut("rows").and_then(Value::as_array_mut),
        other => other.as_array_mut(),
    };
    for row in rows.into_iter().flatten() {
        if let Value::Object(account) = row {
            *account = shown_to(&at.caller, std::mem::take(account));
        }
    }
    Ok(found)
}

/// Masks the password before those who must never see it.
fn shown_to(caller: &Caller, mut account: Object) -> Object {
    if !caller.sees_passwords()
        && let Some(password) = account.get_mut("password").filter(|password| !password.is_null())
    {
        *password = json::MASK.into();
    }
    account
}

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut errors = FieldErrors::new();
    let client = reach::owner(tx, at, request, &mut errors)?;
    let (clients_name, clients_id, companies_id) =
        client.map_or_else(Default::default, |client| (client.name, client.id, client.companies_id));
    let account = Account::from_new(at.new_id, clients_name, request);
    errors.merge(account.rules());
    check_unique(tx, &account, &mut errors)?;
    let account = errors.or(account)?;

    let object = account.shown();
    let part = Part {
        kind: &event::ACCOUNTS_CREATE,
        object_id: account.id,
        clients_id,
        companies_id,
        data: object.clone(),
        previous: None,
        object: object.clone(),
        watched: Object::new(),
        dt: None,
    };
    let write: Write = Box::new(move |tx, at| {
        tables::accounts::insert(tx, &at.vault, &account, companies_id)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::new(vec![part], object.into(), write))
}

/// A softswitch must know whose call it is: names, numbers and addresses are unique over the whole system.
fn check_unique(tx: &Tx, account: &Account, errors: &mut FieldErrors) -> Result<(), Refusal> {
    if let Some(accname) = &account.accname
        && tables::accounts::accname_taken(tx, accname, account.id)?
    {
        errors.add("accname", "is already in use");
    }
    let prefix = account.tech_prefix.as_deref().unwrap_or("");
    if let Some(ani) = &account.ani
        && tables::accounts::ani_taken(tx, ani, prefix, account.id)?
    {
        errors.add("ani", "is already in use");
    }
    for net in &account.ips {
        if tables::accounts::ip_taken(tx, prefix, net, account.id)? {
            errors.add("ips", format!("{net} is already in use"));
        }
    }
    Ok(())
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let (old, client) = reach::account(tx, at, params::id(request))?;
    let mut account = old.clone();
    account.apply(request);
    let (before, object) = (old.shown(), account.shown());
    let Some(mut difference) = params::difference(&before, &object, request) else {
        return Ok(Draft::nothing(before.into()));
    };
    let mut errors = account.rules();
    check_unique(tx, &account, &mut errors)?;
    let account = errors.or(account)?;
    difference.data.shift_insert(1, "clients_id".into(), account.clients_id.into());

    let watched = params::watched(&difference.data, &before, &[]);
    let part = Part {
        kind: &event::ACCOUNTS_UPDATE,
        object_id: account.id,
        clients_id: account.clients_id,
        companies_id: client.companies_id,
        data: difference.data,
        previous: Some(difference.previous),
        object: object.clone(),
        watched,
        dt: None,
    };
    let write: Write = Box::new(move |tx, at| {
        tables::accounts::update(tx, &at.vault, &account)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::new(vec![part], object.into(), write))
}

fn delete(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let (account, client) = reach::account(tx, at, params::id(request))?;
    let closings = ending::of_account(tx, account.id, Reason::AccountDeleted)?;
    let mut parts: Vec<Part> = closings.iter().flat_map(|closing| closing.parts.clone()).collect();
    parts.push(deletion(&account, client.companies_id));
    let write: Write = Box::new(move |tx, _| {
        closings.iter().try_for_each(|closing| closing.write(tx))?;
        tables::accounts::delete(tx, account.id)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::new(parts, 1.into(), write))
}

/// The share of an account in an action that deletes it, alone or with its client.
pub(crate) fn deletion(account: &Account, companies_id: i64) -> Part {
    Part {
        kind: &event::ACCOUNTS_DELETE,
        object_id: account.id,
        clients_id: account.clients_id,
        companies_id,
        data: Object::new(),
        previous: None,
        object: account.shown(),
        watched: Object::new(),
        dt: None,
    }
}
