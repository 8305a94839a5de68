//! `system.status`: is anything wrong?
use hookswitch_model::Object;
use serde_json::{Value, json};

use crate::{
    Core,
    access::Right,
    perform::At,
    registry::{Gives, Method, Steered, Takes},
};

pub(crate) static METHODS: &[Method] = &[Method::steers(
    "system.status",
    "Tells how the program is: version, database, deliveries by handler",
    Takes::Fields(&[]),
    Gives::Other(status_schema),
    status,
)
.by(Right::Read)];

fn status_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "version": {"type": "string", "description": "The program's version"},
            "dt": {"type": "string", "format": "date-time", "description": "The server's time"},
            "database": {"type": "string", "description": "The engine"},
            "handlers": {
                "type": "array",
                "items": {"type": "object"},
                "description": "How each handler's queue stands; for users of the whole system",
            },
            "clock_lag_s": {
                "type": "integer",
                "description": "Since when a step of a client package has been due, in seconds; for users of the whole system",
            },
        },
        "required": ["version", "dt", "database"],
    })
}

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
            status["clock_lag_s"] = core.clock_figures().await?.lag.as_secs().into();
        }
        Ok(status)
    })
}
