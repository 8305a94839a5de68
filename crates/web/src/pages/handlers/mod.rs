//! Provisioning / Handlers: who is asked before something happens, who is told after, and does each do its job?
//!
//! | file | subject |
//! |---|---|
//! | [`list`] | all of them, grouped by what happens |
//! | [`chains`] | that grouping |
//! | [`order`] | who of a chain is asked first |
//! | [`steer`] | switched on and off, paused, deleted; what is dead sent again |
//! | [`one`] | how one is doing |
//! | [`figures`] | calls of the last 24 hours, and what waits |
//! | [`trials`] | shadow and back-test in plain words |
//! | [`sheet`] | the form, as it is shown |
//! | [`kinds`] | what can be chosen: a program of one's own, or something ready made |
//! | [`settings`], [`json_box`] | the boxes of what is ready made |
//! | [`typed`], [`task`], [`database`] | what was typed into it, as the method takes it |
//! | [`save`], [`both`] | the form sent: saved, tried, or somebody was faster |
//! | [`trial`] | one call with an event that is not meant |
//! | [`secret`] | shown once |
//! | [`resync`] | a handler told how everything stands |
//! | [`condition`] | a condition checked while it is typed |
mod both;
mod chains;
mod condition;
mod database;
mod figures;
mod json_box;
mod kinds;
mod list;
mod one;
mod order;
mod resync;
mod save;
mod secret;
mod settings;
mod sheet;
mod steer;
mod task;
mod trial;
mod trials;
mod typed;

use axum::{
    Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use hookswitch_api::Api;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use crate::{answer::go_to, parts::happened::text, visitor::Visitor};

const PATH: &str = "/provisioning/handlers";

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route(PATH, get(list::list))
        .route("/provisioning/handlers/order", post(order::save).get(back_to_the_list))
        .route("/provisioning/handlers/condition", post(condition::check))
        .route("/provisioning/handlers/new", get(save::new).post(save::create))
        .route("/provisioning/handlers/{id}", get(one::one))
        .route("/provisioning/handlers/{id}/edit", get(save::edit).post(save::update))
        .route("/provisioning/handlers/{id}/test", get(trial::ask).post(trial::test))
        .route("/provisioning/handlers/{id}/backtest", post(trials::backtest).get(back))
        .route("/provisioning/handlers/{id}/resync", get(resync::ask).post(resync::act))
        .route("/provisioning/handlers/{id}/status", post(steer::status).get(back))
        .route("/provisioning/handlers/{id}/pause", post(steer::pause).get(back))
        .route("/provisioning/handlers/{id}/resume", post(steer::resume).get(back))
        .route("/provisioning/handlers/{id}/resend", post(steer::resend).get(back))
        .route("/provisioning/handlers/{id}/delete", post(steer::delete).get(back))
        .route("/provisioning/handlers/{id}/secret", post(secret::rotate).get(back))
}

/// The page of one.
fn place(id: i64) -> String {
    format!("{PATH}/{id}")
}

/// Where somebody comes back to what was refused there: to the handler itself.
async fn back(Path(id): Path<i64>) -> Response {
    go_to(&place(id))
}

async fn back_to_the_list() -> Response {
    go_to(PATH)
}

/// A handler as the Core API shows it.
async fn get_one(visitor: &Visitor, id: i64) -> Result<Object, Refusal> {
    match visitor.ask("provisioning.handlers.get", json!({"id": id})).await? {
        // A reseller's user sees of a handler of the system who it is, and no more.
        Value::Object(handler) if !handler.contains_key("task") => {
            Err(Refusal::AccessDenied(format!("“{}” is a handler of the whole system", text(&handler, "name"))))
        }
        Value::Object(handler) => Ok(handler),
        _ => Err(Refusal::internal("no handler")),
    }
}

/// A number of an object, or 0.
fn number(object: &Object, name: &str) -> i64 {
    object.get(name).and_then(Value::as_i64).unwrap_or(0)
}

/// An object out of pairs.
fn params<const N: usize>(pairs: [(&str, Value); N]) -> Object {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
