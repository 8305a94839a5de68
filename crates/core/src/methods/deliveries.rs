//! `provisioning.deliveries.*`: what is waiting, retrying or dead, and the repair at hand.
use hookswitch_model::{Object, refusal::Refusal};
use hookswitch_store::{Tx, tables};
use serde_json::{Value, json};

use super::params;
use crate::{
    Core,
    access::Right,
    perform::At,
    registry::{Method, Run, Steered},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.deliveries";

pub(crate) static METHODS: &[Method] = &[
    Method {
        name: "provisioning.deliveries.search",
        about: "Lists deliveries that are waiting, retrying or dead",
        right: Right::Read,
        params: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(|tx, at, given| tables::deliveries::search(tx, given, at.access.scope(&at.caller).as_deref())),
    },
    Method {
        name: "provisioning.deliveries.get",
        about: "Gives a delivery",
        right: Right::Read,
        params: params::ID,
        check: params::id_only,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(get),
    },
    Method {
        name: "provisioning.deliveries.resend",
        about: "Sends dead deliveries again, and retrying ones now: one, a selection, or everything dead",
        right: Right::Operate,
        params: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Steer(resend),
    },
    Method {
        name: "provisioning.deliveries.discard",
        about: "Discards deliveries that wait or are dead; the log says who did it",
        right: Right::Operate,
        params: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Steer(discard),
    },
];

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    let delivery = tables::deliveries::get(tx, id, at.access.scope(&at.caller).as_deref())?;
    Ok(delivery.ok_or_else(|| Refusal::not_found(OBJECT, id))?.into())
}

fn resend(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let scope = at.access.scope(&at.caller);
        let done = core.hooks.after.resend(core.hooks.rules(), request, scope, at.mode).await?;
        Ok(json!({"resent": done.resent, "overtaken": done.overtaken}))
    })
}

fn discard(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let scope = at.access.scope(&at.caller);
        let by = at.caller.login().to_owned();
        let discarded = core.hooks.after.discard(core.hooks.rules(), request, scope, by, at.mode).await?;
        Ok(json!({"discarded": discarded}))
    })
}
