//! `provisioning.resyncs.*`: how far resyncs have come, and steering them.
//!
//! | file | subject |
//! |---|---|
//! | here | looking, pausing, resuming, cancelling |
//! | [`begin`] | `provisioning.handlers.resync`: checked, counted, begun |
pub(crate) mod begin;

use hookswitch_model::{
    Object,
    objects::resync::{self, Resync, State},
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};
use serde_json::Value;

use super::params;
use crate::{
    concerns::Concerns,
    perform::{At, Draft, Write, Written},
    registry::{Act, Gives, Method, Takes},
    resync::state_to_go_on,
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.resyncs";

pub(crate) static METHODS: &[Method] = &[
    Method::reads(
        "provisioning.resyncs.search",
        "Lists resyncs, newest first",
        Takes::Filters(&tables::resyncs::LIST),
        Gives::Rows(resync::FIELDS),
        |tx, at, given| tables::resyncs::search(tx, &at.asked(given)),
    ),
    Method::reads(
        "provisioning.resyncs.get",
        "Gives a resync with its progress",
        Takes::Fields(params::ID),
        Gives::ObjectAnd(resync::FIELDS, resync::PROGRESS),
        |tx, at, given| {
            let resync = reached(tx, at, params::id(given))?;
            shown(tx, &resync)
        },
    ),
    Method::acts(
        "provisioning.resyncs.pause",
        "Writes no more events of a resync until it is resumed; those that are written are delivered",
        Takes::Fields(params::ID),
        Gives::ObjectAnd(resync::FIELDS, resync::PROGRESS),
        Act::new(Concerns::Resync, &[], pause),
    ),
    Method::acts(
        "provisioning.resyncs.resume",
        "Goes on with a paused resync where it was",
        Takes::Fields(params::ID),
        Gives::ObjectAnd(resync::FIELDS, resync::PROGRESS),
        Act::new(Concerns::Resync, &[], resume),
    ),
    Method::acts(
        "provisioning.resyncs.cancel",
        "Ends a resync; what is written is delivered, but its handler is not told that it has all",
        Takes::Fields(params::ID),
        Gives::ObjectAnd(resync::FIELDS, resync::PROGRESS),
        Act::new(Concerns::Resync, &[], cancel),
    ),
];

/// A resync of a handler within the caller's reach.
fn reached(tx: &Tx, at: &At, id: i64) -> Result<Resync, Refusal> {
    tables::resyncs::get(tx, id)?
        .filter(|resync| match resync.scope_id {
            None => at.caller.companies_id.is_none(),
            Some(companies_id) => at.access.sees(&at.caller, companies_id),
        })
        .ok_or_else(|| Refusal::not_found(OBJECT, id))
}

fn shown(tx: &Tx, resync: &Resync) -> Result<Value, Refusal> {
    Ok(resync.shown_with(tables::resyncs::outstanding(tx, resync)?).into())
}

fn pause(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let resync = open(tx, at, request)?;
    if resync.state == State::Paused {
        return Ok(Draft::nothing(shown(tx, &resync)?));
    }
    changed(tx, Resync { state: State::Paused, reason: Some(format!("paused by {}", at.caller.login())), ..resync })
}

fn resume(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let resync = open(tx, at, request)?;
    if resync.state != State::Paused {
        return Ok(Draft::nothing(shown(tx, &resync)?));
    }
    changed(tx, Resync { state: state_to_go_on(&resync), reason: None, ..resync })
}

fn cancel(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut resync = open(tx, at, request)?;
    resync.end(State::Cancelled, Some(format!("cancelled by {}", at.caller.login())), at.now);
    changed(tx, resync)
}

/// One that is not over.
fn open(tx: &Tx, at: &At, request: &Object) -> Result<Resync, Refusal> {
    let resync = reached(tx, at, params::id(request))?;
    if resync.state.is_over() {
        return Err(Refusal::conflict(format!("it is over: {}", resync.state.word())));
    }
    Ok(resync)
}

fn changed(tx: &Tx, resync: Resync) -> Result<Draft, Refusal> {
    let preview = shown(tx, &resync)?;
    let write: Write = Box::new(move |tx, at| {
        tables::resyncs::update(tx, &resync)?;
        at.resyncs.nudge(tx, resync.id);
        Ok(Written::as_drafted())
    });
    Ok(Draft::silent(preview, write))
}
