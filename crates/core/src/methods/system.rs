//! `system.status`: is anything wrong?
use hookswitch_model::Object;
use serde_json::json;

use super::params;
use crate::{
    Core,
    access::Right,
    perform::At,
    registry::{Method, Run, Steered},
};

pub(crate) static METHODS: &[Method] = &[Method {
    name: "system.status",
    about: "Tells how the program is: version, database, deliveries by handler",
    right: Right::Read,
    params: &[],
    check: |given| params::checked(&[], given),
    idempotent: false,
    hidden_in_replay: &[],
    run: Run::Steer(status),
}];

fn status(core: &Core, at: At, _request: Object) -> Steered<'_> {
    Box::pin(async move {
        let whole_system = at.caller.companies_id.is_none();
        let mut status = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "dt": at.now.iso(),
            "database": core.store.figures().engine,
        });
        if whole_system {
            status["handlers"] = core.hooks.standing().await?;
        }
        Ok(status)
    })
}
