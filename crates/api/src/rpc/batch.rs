//! Several calls in one request: run in order, one after another, each as if it had come alone.
//!
//! A batch that was begun is carried out to its end in a task of its own: how much of it happened must not depend on
//! when its caller hung up.
use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use hookswitch_core::access::Caller;
use hookswitch_model::refusal::Refusal;
use serde_json::Value;
use tracing::{Instrument as _, field::Empty};

use super::{
    Envelope, answer,
    call::{self, Outcome},
    fault::Fault,
    message::{self, Message},
};
use crate::{body::Room, keys, keys::Rejected, routes};

/// Calls in one batch.
const CALLS_MAX: usize = 100;
/// When the answers have this length together, the calls that are left are refused.
const ANSWERS_BYTES_MAX: usize = 16 << 20;

/// Answers a batch; its room is kept until then.
pub(super) async fn answer(mut envelope: Envelope, calls: Vec<Value>, room: Room) -> Response {
    tracing::Span::current().record("method", "batch");
    envelope.at.span.rename("batch");
    envelope.at.span = envelope.at.span.of_several();
    if let Some((status, fault)) = flaw(&envelope, &calls) {
        return answer::failed(status, &fault, &envelope.at);
    }
    let shared = match shared_caller(&envelope, &calls).await {
        Ok(shared) => shared,
        Err(rejected) => return answer::failed(StatusCode::OK, &rejected.into(), &envelope.at),
    };
    let at = envelope.at.clone();
    let work = async move {
        let _room = room;
        carry_out(&envelope, calls, shared).await
    };
    match tokio::spawn(work.in_current_span()).await {
        Ok(answers) => answer::batch(answers),
        Err(_) => routes::broken(&at),
    }
}

/// What is wrong with the batch as a whole.
fn flaw(envelope: &Envelope, calls: &[Value]) -> Option<(StatusCode, Fault)> {
    if calls.is_empty() {
        return Some((StatusCode::OK, Fault::Invalid("the batch is empty".to_owned())));
    }
    if calls.len() > CALLS_MAX {
        return Some((StatusCode::OK, Refusal::TooLarge(format!("a batch has at most {CALLS_MAX} calls")).into()));
    }
    if envelope.headers.contains_key("idempotency-key") {
        let words = "the calls of a batch have idempotency_key as a parameter each, not one header together";
        return Some((StatusCode::BAD_REQUEST, Fault::Invalid(words.to_owned())));
    }
    None
}

/// The caller of all calls that bring no key of their own; `None` only if there is no key but theirs.
async fn shared_caller(envelope: &Envelope, calls: &[Value]) -> Result<Option<Arc<Caller>>, Rejected> {
    match keys::in_headers(&envelope.headers) {
        None if calls.iter().any(message::has_auth) => Ok(None),
        key => envelope.api.caller(key, envelope.at.from).await.map(Some),
    }
}

/// The response objects in brackets; nothing at all if there were notifications only.
async fn carry_out(envelope: &Envelope, calls: Vec<Value>, shared: Option<Arc<Caller>>) -> Vec<u8> {
    let mut answers = Vec::new();
    for call in calls {
        let span = tracing::info_span!("call", method = Empty, code = Empty);
        let outcome = if answers.len() < ANSWERS_BYTES_MAX {
            call::run(envelope, call, shared.as_ref()).instrument(span.clone()).await
        } else {
            too_long(call)
        };
        let before = answers.len();
        answers.push(if before == 0 { b'[' } else { b',' });
        if !span.in_scope(|| answer::write(&outcome, &envelope.at, &mut answers)) {
            answers.truncate(before);
        }
    }
    if !answers.is_empty() {
        answers.push(b']');
    }
    answers
}

/// Not carried out: nobody could be told what came of it.
fn too_long(call: Value) -> Outcome {
    let words = format!("the answers to this batch have over {} MiB; this call was not carried out", ANSWERS_BYTES_MAX >> 20);
    match Message::read(call) {
        Ok(message) => Outcome { id: message.id, result: Err(Refusal::TooLarge(words).into()) },
        Err(no_call) => no_call.into(),
    }
}
