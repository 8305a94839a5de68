//! `provisioning.executions.*`: the log of every call to a handler.
use hookswitch_model::{Object, refusal::Refusal};
use hookswitch_store::{Tx, tables};
use serde_json::Value;

use super::params;
use crate::{
    access::Right,
    perform::At,
    registry::{Method, Run},
};

/// The collection's name in errors.
pub const OBJECT: &str = "provisioning.executions";

pub(crate) static METHODS: &[Method] = &[
    Method {
        name: "provisioning.executions.search",
        about: "Lists calls to handlers, newest first",
        right: Right::Read,
        params: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(|tx, at, given| tables::executions::search(tx, given, at.access.scope(&at.caller).as_deref())),
    },
    Method {
        name: "provisioning.executions.get",
        about: "Gives a call with what was sent, what came back and what was changed",
        right: Right::Read,
        params: params::ID,
        check: params::id_only,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(get),
    },
];

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    let not_found = || Refusal::not_found(OBJECT, id);
    let call = tables::executions::get(tx, id)?.ok_or_else(not_found)?;
    if !at.access.sees(&at.caller, call.companies_id) {
        return Err(not_found());
    }
    let mut shown = call.shown();
    if at.caller.companies_id.is_some() && is_of_system(tx, at, call.handlers_id)? {
        // Of a system handler a reseller sees id, name and verdict: not what it was sent, nor what it said.
        for name in ["request", "response", "changes"] {
            shown.insert(name.into(), Value::Null);
        }
    }
    Ok(shown.into())
}

/// A handler that is gone counts as the system's: nobody can tell any more whose it was.
fn is_of_system(tx: &Tx, at: &At, handlers_id: i64) -> Result<bool, Refusal> {
    let handler = tables::handlers::get(tx, &at.vault, handlers_id)?;
    Ok(handler.is_none_or(|handler| handler.companies_id.is_none()))
}
