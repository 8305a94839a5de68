//! Errors at addresses that don't speak JSON-RPC: `{"error": {"message", "data"}}`, with the HTTP status of the
//! contract's table.
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hookswitch_model::refusal::Refusal;
use serde_json::{Value, json};

use crate::{body::Unread, keys::Rejected};

/// JSON, whatever wrote it.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A refusal under its own HTTP status.
pub(crate) fn refused(refusal: &Refusal, request_id: &str) -> Response {
    let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    say(status, &refusal.to_string(), refusal.data(request_id))
}

/// A key that does not do.
pub(crate) fn rejected(rejected: &Rejected, request_id: &str) -> Response {
    let mut response = refused(&rejected.refusal, request_id);
    rejected.show_in(&mut response);
    response
}

/// A body that could not be read.
pub(crate) fn unread(unread: Unread, request_id: &str) -> Response {
    let words = unread.words();
    match unread {
        Unread::TooLarge => refused(&Refusal::TooLarge(words), request_id),
        Unread::NoRoom => refused(&Refusal::TooMany(words), request_id),
        Unread::TooLate => plain(StatusCode::REQUEST_TIMEOUT, "too_late", &words),
        Unread::BrokenOff => refused(&Refusal::field("body", "broke off"), request_id),
    }
}

/// An error that is no refusal of the core.
pub(crate) fn plain(status: StatusCode, code: &str, message: &str) -> Response {
    say(status, &format!("{code}: {message}"), json!({"code": code, "message": message}))
}

fn say(status: StatusCode, message: &str, data: Value) -> Response {
    let body = json!({"error": {"message": message, "data": data}}).to_string();
    (status, [(header::CONTENT_TYPE, JSON)], Body::from(body)).into_response()
}
