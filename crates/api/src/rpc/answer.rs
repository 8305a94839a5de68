//! The response objects, written once, straight into the body; and the HTTP status around them.
use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};
use hookswitch_core::Answer;
use serde::Serialize;
use serde_json::Value;

use super::{call::Outcome, fault::Fault};
use crate::{connections::Circumstances, problem::JSON};

/// A usual answer fits, so that its buffer grows once at most.
const USUAL_BYTES: usize = 1_024;

/// A success; it has no member `error`.
#[derive(Serialize)]
struct Success<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    result: &'a Value,
    /// Beside the result, which is the method's own.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

/// An error; it has no member `result`.
#[derive(Serialize)]
struct Failure<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: i32,
    message: &'a str,
    data: Value,
}

/// Appends the response object; false for a notification, which has none.
pub(super) fn write(outcome: &Outcome, at: &Circumstances, body: &mut Vec<u8>) -> bool {
    if let Err(fault) = &outcome.result {
        note(fault);
    }
    let Some(id) = &outcome.id else { return false };
    match &outcome.result {
        Ok(Answer { result, warnings }) => append(body, &Success { jsonrpc: "2.0", id, result, warnings }),
        Err(fault) => append_failure(body, id, fault, at),
    }
    true
}

/// The answer to a single call.
pub(super) fn single(outcome: &Outcome, at: &Circumstances) -> Response {
    let mut body = Vec::with_capacity(USUAL_BYTES);
    let status = if write(outcome, at, &mut body) { StatusCode::OK } else { StatusCode::NO_CONTENT };
    respond(status, body, outcome.result.as_ref().err())
}

/// The answer to a batch: its response objects in brackets, or nothing if there are none.
pub(super) fn batch(answers: Vec<u8>) -> Response {
    let status = if answers.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::OK };
    respond(status, answers, None)
}

/// One error for a whole request.
pub(super) fn failed(status: StatusCode, fault: &Fault, at: &Circumstances) -> Response {
    note(fault);
    let mut body = Vec::new();
    append_failure(&mut body, &Value::Null, fault, at);
    respond(status, body, Some(fault))
}

/// A key that does not do shows in the status too, also where a notification has no other answer: with this key
/// nothing will ever happen.
fn respond(status: StatusCode, body: Vec<u8>, fault: Option<&Fault>) -> Response {
    let has_body = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if has_body {
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    }
    if let Some(Fault::Rejected(rejected)) = fault {
        rejected.show_in(&mut response);
    }
    response
}

fn append_failure(body: &mut Vec<u8>, id: &Value, fault: &Fault, at: &Circumstances) {
    let message = fault.message();
    let error = ErrorObject { code: fault.code(), message: &message, data: fault.data(at.request_id.text()) };
    append(body, &Failure { jsonrpc: "2.0", id, error });
}

fn append(body: &mut Vec<u8>, response: &impl Serialize) {
    serde_json::to_writer(body, response).expect("JSON values, texts and numbers can be written to memory");
}

/// What the log should know of an error.
fn note(fault: &Fault) {
    tracing::Span::current().record("code", fault.code());
}
