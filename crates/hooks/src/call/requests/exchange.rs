//! The requests of one event, sent one after another, and what their answers mean. The first that is not taken ends it: those before it are
//! sent again with the next attempt.
use std::time::Duration;

use hookswitch_model::{json, refusal::FailureReason};
use reqwest::{
    Body,
    header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use serde_json::{Value as Json, json};

use super::{
    super::{Call, CallError, Kind, Reply, configured, http, words},
    Plan, Target,
    request::{Answer, Request},
    rest::Rest,
};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const NOT_FOUND: u16 = 404;
/// So much of each answer is kept for the log.
const KEPT_BYTES: usize = 4 << 10;

/// An answer: its status, when it wants to be asked again, its body.
struct Answered {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// Sends them all, within so much time.
pub(super) async fn run(target: &Target, call: &Call, requests: &[Request], within: Duration) -> Result<Reply, CallError> {
    let mut told = Vec::new();
    let outcome = tokio::time::timeout(within, all(target, call, requests, &mut told)).await;
    let body = json!({"applied": matches!(outcome, Ok(Ok(Ok(_)))), "requests": told});
    match outcome {
        Ok(Ok(Ok(status))) => Ok(configured::done(status.into(), &body)),
        Ok(Ok(Err(refused))) => Ok(Reply {
            kind: Kind::Http,
            status: refused.status.into(),
            body: body.to_string().into_bytes(),
            stderr: String::new(),
            first_line: String::new(),
            retry_after: refused.retry_after,
        }),
        Ok(Err(error)) => Err(CallError { body: body.to_string().into_bytes(), ..error }),
        Err(_) => Err(CallError { body: body.to_string().into_bytes(), ..http::late(call, false) }),
    }
}

/// The status of the last answer, or the answer by which a request was not taken.
async fn all(
    target: &Target,
    call: &Call,
    requests: &[Request],
    told: &mut Vec<Json>,
) -> Result<Result<u16, Answered>, CallError> {
    let mut status = 0;
    for (index, request) in requests.iter().enumerate() {
        let mut answered = one(target, call, request, index, told).await?;
        let mut asked = request;
        if let (NOT_FOUND, Some(missing)) = (answered.status, &request.missing) {
            asked = missing;
            answered = one(target, call, asked, index, told).await?;
        }
        if !asked.takes(&answered)? {
            return Ok(Err(answered));
        }
        status = answered.status;
    }
    Ok(Ok(status))
}

async fn one(target: &Target, call: &Call, request: &Request, index: usize, told: &mut Vec<Json>) -> Result<Answered, CallError> {
    told.push(request.shown.clone());
    let mut tell = |name: &str, value: Json| {
        if let Some(Json::Object(last)) = told.last_mut() {
            last.insert(name.to_owned(), value);
        }
    };
    if request.answer == Answer::Unsent {
        tell("sent", "no: a test changes nothing there".into());
        return Ok(Answered { status: 200, retry_after: None, body: Vec::new() });
    }
    let response = target.client.execute(http_request(target, call, request, index)).await.map_err(|error| words::of(&error))?;
    let status = response.status().as_u16();
    tell("status", status.into());
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| http::retry_after(value, call.now));
    let mut body = Vec::new();
    let read = http::read(response, &mut body).await;
    tell("answer", String::from_utf8_lossy(&body[..body.len().min(KEPT_BYTES)]).into());
    // It has said what it means before its body went wrong.
    match read {
        Err(error) if request.answer == Answer::JsonRpc => Err(error),
        _ => Ok(Answered { status, retry_after, body }),
    }
}

fn http_request(target: &Target, call: &Call, request: &Request, index: usize) -> reqwest::Request {
    let mut made = reqwest::Request::new(request.method.clone(), request.url.clone());
    let mut headers = target.headers.clone();
    headers.extend(request.headers.clone());
    if let Ok(traceparent) = HeaderValue::try_from(call.trace.header()) {
        headers.insert(TRACEPARENT, traceparent);
    }
    *made.headers_mut() = headers;
    if matches!(target.plan, Plan::Rest(_)) {
        Rest::mark(&mut made, call.event_id, index);
    }
    *made.body_mut() = request.body.clone().map(Body::from);
    made
}

impl Request {
    /// True if the answer says that it is done.
    fn takes(&self, answered: &Answered) -> Result<bool, CallError> {
        let is_fine = (200..=299).contains(&answered.status);
        if self.answer != Answer::JsonRpc {
            return Ok(is_fine || self.accept.contains(&answered.status));
        }
        let reply = json::parse(&answered.body).ok().filter(Json::is_object);
        let Some(reply) = reply else {
            let not = || CallError::new(FailureReason::BadReply, "the reply is not JSON-RPC");
            return if is_fine { Err(not()) } else { Ok(false) };
        };
        match reply.get("error") {
            None | Some(Json::Null) => Ok(is_fine),
            Some(error)
                if error["code"].as_u64().is_some_and(|code| self.accept.iter().any(|taken| u64::from(*taken) == code)) =>
            {
                Ok(true)
            }
            Some(error) => {
                let words = error["message"].as_str().unwrap_or("it says not why");
                let code = &error["code"];
                Err(CallError::new(FailureReason::Status, format!("it answered with the error {code}: {words}")))
            }
        }
    }
}
