//! `users.*`: who may call, with which key. A reseller's admin makes users of its own reseller only.
use hookswitch_model::{
    Object,
    field::Field,
    moment::Moment,
    objects::user::{self, User},
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Error, Sequence, Tx, tables};
use serde_json::Value;

use super::params;
use crate::{
    access::{
        Right,
        keys::{key_hash, new_key},
    },
    perform::{At, Draft, Write, Written},
    registry::{Act, Gives, Method, Takes, Touches},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "users";

/// What is shown once.
const KEY: &[Field] = &[Field::line("key", 128, "The API key; never shown again").read_only()];
const ROTATION: &[Field] = &[Field::ID, Field::OVERLAP_HOURS];

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "users.create",
        "Creates a user; its key is returned here and never again",
        Takes::Fields(user::FIELDS),
        Gives::ObjectAnd(user::FIELDS, KEY),
        Act::of_configuration(create).making(Sequence::Users).touching(Touches::Access),
    )
    .by(Right::Administer)
    .hiding(&["key"]),
    Method::reads("users.get", "Gives a user", Takes::Fields(params::ID), Gives::Object(user::FIELDS), |tx, at, given| {
        Ok(reached(tx, at, params::id(given))?.shown().into())
    })
    .by(Right::Administer),
    Method::reads(
        "users.search",
        "Lists users",
        Takes::Filters(&tables::users::LIST),
        Gives::Rows(user::FIELDS),
        |tx, at, given| tables::users::search(tx, &at.asked_within(given, own(at).map(|own| vec![own]))),
    )
    .by(Right::Administer),
    Method::acts(
        "users.update",
        "Changes a user",
        Takes::Changes(user::FIELDS),
        Gives::Object(user::FIELDS),
        Act::of_configuration(update).touching(Touches::Access),
    )
    .by(Right::Administer),
    Method::acts(
        "users.delete",
        "Deletes a user and its keys",
        Takes::Fields(params::ID),
        Gives::Count,
        Act::of_configuration(delete).touching(Touches::Access),
    )
    .by(Right::Administer),
    Method::acts(
        "users.rotate_key",
        "Gives a user a new key; the old one works on for overlap_hours",
        Takes::Fields(ROTATION),
        Gives::ObjectAnd(user::FIELDS, KEY),
        Act::of_configuration(rotate_key).touching(Touches::Access),
    )
    .by(Right::Administer)
    .hiding(&["key"]),
];

/// The caller's own reseller, if it has one: users of those below it are not its business.
fn own(at: &At) -> Option<i64> {
    at.caller.companies_id
}

fn reached(tx: &Tx, at: &At, id: i64) -> Result<User, Refusal> {
    tables::users::get(tx, id)?
        .filter(|user| own(at).is_none() || user.companies_id == own(at))
        .ok_or_else(|| Refusal::not_found(OBJECT, id))
}

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut errors = FieldErrors::new();
    let companies_id = if request.contains_key("companies_id") { params::integer(request, "companies_id") } else { own(at) };
    check_reseller(at, companies_id, &mut errors);
    let user = User::from_new(at.new_id, companies_id, at.now, request);
    if tables::users::by_login(tx, &user.login)?.is_some() {
        errors.add("login", "is already in use");
    }
    let user = errors.or(user)?;
    let password_hash = params::text(request, "password").map(str::to_owned);
    let preview = user.shown().into();
    let write: Write = Box::new(move |tx, _| {
        tables::users::insert(tx, &user, password_hash.as_deref())?;
        with_key(tx, &user, None)
    });
    Ok(Draft::silent(preview, write))
}

fn check_reseller(at: &At, companies_id: Option<i64>, errors: &mut FieldErrors) {
    match (own(at), companies_id) {
        (Some(own), wanted) if wanted != Some(own) => errors.add("companies_id", "must be your own reseller"),
        (_, Some(wanted)) if at.access.reseller(wanted).is_none() => errors.add("companies_id", "does not exist"),
        _ => {}
    }
}

/// Makes a key, keeps its hash, and answers with the user and the key itself.
fn with_key(tx: &mut Tx, user: &User, old_keys_end: Option<Moment>) -> Result<Written, Refusal> {
    let key = new_key()?;
    if let Some(end) = old_keys_end {
        tables::users::expire_keys(tx, user.id, end)?;
    }
    tables::users::add_key(tx, user.id, &key_hash(&key))?;
    tables::versions::bump(tx, tables::versions::ACCESS)?;
    let mut shown = user.shown();
    shown.insert("key".into(), key.into());
    Ok(Written { result: Some(shown.into()), ..Written::as_drafted() })
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = reached(tx, at, params::id(request))?;
    let mut user = old.clone();
    user.apply(request);
    let mut errors = FieldErrors::new();
    if user.companies_id != old.companies_id {
        check_reseller(at, user.companies_id, &mut errors);
    }
    if user.login != old.login && tables::users::by_login(tx, &user.login)?.is_some() {
        errors.add("login", "is already in use");
    }
    if shuts_itself_out(at, &user) {
        errors.add("allowed_ips", "would shut out the address that you call from");
    }
    let user = errors.or(user)?;
    if !user.is_system_admin() {
        keep_an_admin(tx, &old)?;
    }
    let password_hash = params::text(request, "password").map(str::to_owned);
    let preview = user.shown().into();
    let write: Write = Box::new(move |tx, _| {
        tables::users::update(tx, &user, password_hash.as_deref())?;
        tables::versions::bump(tx, tables::versions::ACCESS)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(preview, write))
}

/// True if the caller is about to forbid itself the address that it calls from: the last admin could not take that back.
fn shuts_itself_out(at: &At, user: &User) -> bool {
    let nets = &user.allowed_ips;
    let left_in = |from: std::net::IpAddr| nets.is_empty() || nets.iter().any(|net| net.contains(&from));
    user.id == at.caller.users_id && at.caller.from.is_some_and(|from| !left_in(from))
}

/// The last admin of the whole system can be neither deleted nor demoted: nobody could make another.
fn keep_an_admin(tx: &Tx, user: &User) -> Result<(), Refusal> {
    let others = || Ok::<bool, Error>(tables::users::all(tx)?.iter().any(|other| other.id != user.id && other.is_system_admin()));
    if user.is_system_admin() && !others()? {
        return Err(Refusal::conflict("this is the last admin of the whole system"));
    }
    Ok(())
}

fn delete(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let user = reached(tx, at, params::id(request))?;
    keep_an_admin(tx, &user)?;
    let write: Write = Box::new(move |tx, _| {
        tables::users::delete(tx, user.id)?;
        tables::versions::bump(tx, tables::versions::ACCESS)?;
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(Value::from(1), write))
}

fn rotate_key(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let user = reached(tx, at, params::id(request))?;
    let overlap_hours = params::integer(request, "overlap_hours").unwrap_or(0);
    let preview = user.shown().into();
    let write: Write = Box::new(move |tx, at| {
        let end = at.now.plus_millis(overlap_hours * 3_600_000);
        with_key(tx, &user, Some(end))
    });
    Ok(Draft::silent(preview, write))
}
