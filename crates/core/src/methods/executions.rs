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
pub(crate) const OBJECT: &str = "provisioning.executions";

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
    let call = tables::executions::get(tx, id, at.access.scope(&at.caller).as_deref())?;
    Ok(call.ok_or_else(|| Refusal::not_found(OBJECT, id))?.into())
}
