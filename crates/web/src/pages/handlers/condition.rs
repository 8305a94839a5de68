//! A condition checked while it is typed. No method checks one alone: a test of a handler that holds it, with an event that there is none
//! of, gets as far as that and calls nobody.
use axum::{http::header, response::IntoResponse};
use hookswitch_model::refusal::Refusal;
use serde_json::json;

use super::params;
use crate::{answer::Answer, session::Typed, visitor::Visitor};

/// An event that is not in the catalogue.
const NO_EVENT: &str = "none";

/// `{"error": "..."}`, or null if it compiles.
pub(super) async fn check(visitor: Visitor, Typed(form): Typed) -> Answer {
    let condition = form.raw("text").unwrap_or_default();
    let handler = json!({"name": "check", "event": "clients.create", "task": "http://127.0.0.1/", "condition": condition});
    let handler = if visitor.sees_all() {
        handler
    } else {
        // A reseller's may not be called on this machine; none is.
        json!({"name": "check", "event": "clients.create", "task": "https://192.0.2.1/", "condition": condition})
    };
    let said = visitor.act("provisioning.handlers.test", params([("handler", handler), ("events_id", NO_EVENT.into())])).await;
    let error = match said {
        Err(Refusal::Invalid(errors)) => {
            errors.iter().find(|(field, _)| *field == "handler.condition").map(|(_, words)| words.to_owned())
        }
        Err(other) => return Err(other.into()),
        Ok(_) => None,
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], json!({"error": error}).to_string()).into_response())
}
