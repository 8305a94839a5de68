//! JSON-RPC 2.0 over POST, from bytes to calls and from answers to bytes.
//!
//! | file | subject |
//! |---|---|
//! | [`message`] | what is a call, and what only looks like one |
//! | [`call`] | one call: whose is it, which method, through the door |
//! | [`batch`] | several in one request, in order |
//! | [`fault`] | why a call has no result |
//! | [`answer`] | the response objects and the HTTP status around them |
//!
//! Whatever is an answer has HTTP status 200, also an error. The exceptions are what a client must see before it looks
//! into the body: a key that is missing or wrong (401, 429), and a body that could not be read (400, 408, 413, 429).
mod answer;
mod batch;
mod call;
mod fault;
mod message;

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use hookswitch_model::{json, refusal::Refusal};
use serde_json::Value;

use crate::{
    Api,
    body::{Held, Unread},
    connections::Circumstances,
};
use fault::Fault;

/// What stands around calls: the same for all of a batch.
struct Envelope {
    api: Api,
    headers: HeaderMap,
    at: Circumstances,
}

/// Answers one request.
pub(crate) async fn post(State(api): State<Api>, Extension(at): Extension<Circumstances>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Held { bytes, room } = match api.parts.bodies.read(&head.headers, body).await {
        Ok(held) => held,
        Err(unread) => return refuse_unread(unread, &at),
    };
    let parsed = json::parse(&bytes);
    drop(bytes);
    let envelope = Envelope { api, headers: head.headers, at };
    match parsed {
        Err(error) => answer::failed(StatusCode::OK, &Fault::Parse(format!("the body {error}")), &envelope.at),
        Ok(Value::Array(calls)) => batch::answer(envelope, calls, room).await,
        Ok(call) => answer::single(&call::run(&envelope, call, None).await, &envelope.at),
    }
}

fn refuse_unread(unread: Unread, at: &Circumstances) -> Response {
    let words = unread.words();
    let (status, fault) = match unread {
        Unread::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, Fault::Refused(Refusal::TooLarge(words))),
        Unread::NoRoom => (StatusCode::TOO_MANY_REQUESTS, Fault::Refused(Refusal::TooMany(words))),
        Unread::TooLate => (StatusCode::REQUEST_TIMEOUT, Fault::Invalid(words)),
        Unread::BrokenOff => (StatusCode::BAD_REQUEST, Fault::Parse(words)),
    };
    answer::failed(status, &fault, at)
}

#[cfg(test)]
mod tests;
