//! What happened, and what came of it?
//!
//! | file | subject |
//! |---|---|
//! | `list` | all events: search, live |
//! | `event` | one event: its data, its cause, who was asked and told, what still waits |
mod event;
mod list;

use axum::{Router, routing::get};
use hookswitch_api::Api;

pub(crate) const PATH: &str = "/provisioning/events";

pub(crate) fn routes() -> Router<Api> {
    Router::new().route(PATH, get(list::list)).route("/provisioning/events/{id}", get(event::event))
}
