//! What was sent to handlers, and what came back?
//!
//! | file | subject |
//! |---|---|
//! | `list` | all calls: search, live |
//! | `text` | words in bodies: where they can be looked for |
//! | `call` | one call: what was sent, what came back, the whole action around it |
//! | `command` | the same call as a command |
mod call;
mod command;
mod list;
mod text;

use axum::{Router, routing::get};
use hookswitch_api::Api;

pub(crate) use list::day;

pub(crate) const PATH: &str = "/provisioning/logs";

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route(PATH, get(list::list))
        .route("/provisioning/logs/{id}", get(call::call))
        .route("/provisioning/logs/{id}/request", get(call::request))
        .route("/provisioning/logs/{id}/reply", get(call::reply))
}
