//! `clients.*`: create, get, search, update, archive, unarchive, delete.
use hookswitch_model::{
    Object,
    event::{self, Kind},
    life::Reason,
    objects::client::{self, Client, ClientStatus},
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Tx, tables};
use serde_json::Value;

use super::{accounts, balance, client_packages::ending, params, reach};
use crate::{
    concerns::{self, Concerns},
    perform::{At, Draft, Part, Write, Written},
    registry::{Act, Gives, Method, Takes},
    schedule,
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "clients";

const ITSELF: Concerns = Concerns::Client(concerns::itself);

const ARCHIVES: &[Kind] = &[&event::PACKAGES_DEACTIVATE, &event::PACKAGES_CLOSE, &event::CLIENTS_ARCHIVE];
const DELETES: &[Kind] = &[&event::PACKAGES_DEACTIVATE, &event::PACKAGES_CLOSE, &event::ACCOUNTS_DELETE, &event::CLIENTS_DELETE];

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "clients.create",
        "Creates a client",
        Takes::Fields(client::FIELDS),
        Gives::Object(client::FIELDS),
        Act::new(Concerns::NewClient, &[&event::CLIENTS_CREATE], create).making(Sequence::Clients),
    ),
    Method::reads("clients.get", "Gives a client", Takes::Fields(params::ID), Gives::Object(client::FIELDS), |tx, at, given| {
        Ok(reach::client(tx, at, params::id(given))?.shown().into())
    }),
    Method::reads("clients.search", "Lists clients", Takes::Filters(&tables::clients::LIST), Gives::Rows(client::FIELDS), search),
    Method::acts(
        "clients.update",
        "Changes a client",
        Takes::Changes(client::FIELDS),
        Gives::Object(client::FIELDS),
        Act::new(ITSELF, &[&event::CLIENTS_UPDATE], update),
    ),
    Method::acts(
        "clients.archive",
        "Archives a client: it is kept and no longer served",
        Takes::Fields(params::ID),
        Gives::Count,
        Act::new(ITSELF, ARCHIVES, archive),
    ),
    Method::acts(
        "clients.unarchive",
        "Brings an archived client back, active",
        Takes::Fields(params::ID),
        Gives::Object(client::FIELDS),
        Act::new(ITSELF, &[&event::CLIENTS_UPDATE], unarchive),
    ),
    Method::acts(
        "clients.delete",
        "Deletes a client and its accounts; its transactions, events and log are kept",
        Takes::Fields(params::ID_AND_FORCE),
        Gives::Count,
        Act::new(ITSELF, DELETES, delete),
    ),
];

fn search(tx: &Tx, at: &At, given: &Object) -> Result<Value, Refusal> {
    tables::clients::search(tx, &at.asked(given))
}

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut errors = FieldErrors::new();
    let (companies_id, currencies_id) = reseller_of_new(at, request, &mut errors);
    let client = Client::from_new(at.new_id, companies_id, currencies_id, at.now, request);
    if errors.is_empty() && tables::clients::name_taken(tx, companies_id, &client.name, at.new_id)? {
        errors.add("name", "is already in use");
    }
    let client = errors.or(client)?;
    let object = client.shown();
    let part = Part {
        kind: &event::CLIENTS_CREATE,
        object_id: client.id,
        clients_id: client.id,
        companies_id,
        data: object.clone(),
        previous: None,
        object: object.clone(),
        watched: Object::new(),
        dt: None,
    };
    let write: Write = Box::new(move |tx, _| {
        tables::clients::insert(tx, &client)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::new(vec![part], object.into(), write))
}

/// The reseller and currency of a new client: as asked for, else the key's reseller (or 1) and its currency.
pub(crate) fn reseller_of_new(at: &At, request: &Object, errors: &mut FieldErrors) -> (i64, i64) {
    let asked = params::integer(request, "companies_id");
    let companies_id = asked.or(at.caller.companies_id).unwrap_or(1);
    let reseller = at.access.reseller(companies_id).filter(|_| at.access.sees(&at.caller, companies_id));
    match reseller {
        Some(reseller) => (companies_id, params::integer(request, "currencies_id").unwrap_or(reseller.currencies_id)),
        None => {
            errors.add("companies_id", "does not exist");
            (companies_id, 1)
        }
    }
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let client = reach::client(tx, at, params::id(request))?;
    if client.status == ClientStatus::Archived && request.contains_key("status") {
        return Err(Refusal::field("status", "an archived client is brought back by clients.unarchive"));
    }
    change(tx, client, request)
}

fn unarchive(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let client = reach::client(tx, at, params::id(request))?;
    if client.status != ClientStatus::Archived {
        return Ok(Draft::nothing(client.shown().into()));
    }
    let mut changes = request.clone();
    changes.insert("status".into(), ClientStatus::Active.word().into());
    change(tx, client, &changes)
}

/// Drafts an update: the event's `data` holds what really changes; if nothing does, nothing happens.
fn change(tx: &Tx, old: Client, request: &Object) -> Result<Draft, Refusal> {
    let mut client = old.clone();
    client.apply(request);
    let (before, object) = (old.shown(), client.shown());
    let Some(difference) = params::difference(&before, &object, request) else {
        return Ok(Draft::nothing(before.into()));
    };
    if difference.changed("name") && tables::clients::name_taken(tx, client.companies_id, &client.name, client.id)? {
        return Err(Refusal::field("name", "is already in use"));
    }
    let part = part(&event::CLIENTS_UPDATE, &old, difference.data, Some(difference.previous), object.clone(), &before);
    let write: Write = Box::new(move |tx, at| {
        let (client, edges) = balance::settle(&old, client);
        tables::clients::update(tx, &client)?;
        if has_more(&old, &client) {
            schedule::funds_rose(tx, at, client.id)?;
        }
        Ok(Written::with_edges(edges))
    });
    Ok(Draft::new(vec![part], object.into(), write))
}

/// True if there is more to pay with than before.
fn has_more(old: &Client, new: &Client) -> bool {
    match (old.available(), new.available()) {
        (Some(old), Some(new)) => new > old,
        (old, new) => old.is_some() && new.is_none(),
    }
}

fn archive(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut client = reach::client(tx, at, params::id(request))?;
    if client.status == ClientStatus::Archived {
        return Ok(Draft::nothing(0.into()));
    }
    let closings = ending::of_client(tx, client.id, Reason::ClientArchived)?;
    let mut parts: Vec<Part> = closings.iter().flat_map(|closing| closing.parts.clone()).collect();
    let before = client.shown();
    parts.push(part(&event::CLIENTS_ARCHIVE, &client, Object::new(), None, before.clone(), &before));
    client.status = ClientStatus::Archived;
    let write: Write = Box::new(move |tx, _| {
        closings.iter().try_for_each(|closing| closing.write(tx))?;
        tables::clients::update(tx, &client)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::new(parts, 1.into(), write))
}

fn delete(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let client = reach::client(tx, at, params::id(request))?;
    let force = request.get("force") == Some(&Value::Bool(true));
    if !client.balance.is_zero() && !force {
        let message = format!("the client's balance is {}; delete it with force, or settle it first", client.balance);
        return Err(Refusal::conflict(message));
    }
    let owned = tables::accounts::of_client(tx, &at.vault, client.id)?;
    let closings = ending::of_client(tx, client.id, Reason::ClientDeleted)?;
    let mut parts: Vec<Part> = closings.into_iter().flat_map(|closing| closing.parts).collect();
    parts.extend(owned.iter().map(|account| accounts::deletion(account, client.companies_id)));
    let before = client.shown();
    parts.push(part(&event::CLIENTS_DELETE, &client, Object::new(), None, before.clone(), &before));
    let accounts: Vec<i64> = owned.iter().map(|account| account.id).collect();
    let write: Write = Box::new(move |tx, _| {
        tables::client_packages::delete_of_client(tx, client.id)?;
        for id in accounts {
            tables::accounts::delete(tx, id)?;
        }
        tables::clients::delete(tx, client.id)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::new(parts, 1.into(), write))
}

fn part(kind: Kind, client: &Client, data: Object, previous: Option<Object>, object: Object, before: &Object) -> Part {
    let watched = params::watched(&data, before, &["status"]);
    Part {
        kind,
        object_id: client.id,
        clients_id: client.id,
        companies_id: client.companies_id,
        data,
        previous,
        object,
        watched,
        dt: None,
    }
}
