//! The requests of one event, sent one after another, and what their answers mean. The first that is not taken ends it: those before it are
//! sent again with the next attempt.
use std::time::Duration;

use hookswitch_model::{json, refusal::FailureReason};
use reqwest::{
    Body,
    header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, timeout_at};

use super::{
    super::{Call, CallError, Kind, Reply, configured, http, words},
    Plan, Target,
    request::{Answer, Request},
    rest::Rest,
};
use crate::mask::Mask;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Not there, or not there any more.
const MISSING: [u16; 2] = [404, 410];
/// So much of each answer is kept for the log.
const KEPT_BYTES: usize = 4 << 10;
/// So much of the words of an error.
const WORDS_BYTES: usize = 1 << 10;

/// The requests of one event on their way.
pub(super) struct Exchange<'c> {
    target: &'c Target,
    call: &'c Call,
    mask: &'c Mask,
    deadline: Instant,
    /// For the log: each request with its answer.
    told: Vec<Json>,
    /// The status of the last answer; 0 = there was none.
    status: u16,
}

/// An answer: its status, when it wants to be asked again, its body.
struct Answered {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl<'c> Exchange<'c> {
    pub(super) fn new(target: &'c Target, call: &'c Call, mask: &'c Mask, within: Duration) -> Self {
        Self { target, call, mask, deadline: Instant::now() + within, told: Vec::new(), status: 0 }
    }

    /// Sends them all.
    pub(super) async fn run(mut self, requests: &[Request]) -> Result<Reply, CallError> {
        let outcome = self.all(requests).await;
        let is_applied = matches!(outcome, Ok(None)) && requests.iter().all(|request| request.answer != Answer::Unsent);
        let mut told = json!({"applied": is_applied, "requests": self.told});
        if let Ok(Some(refused)) = &outcome
            && json::parse(&refused.body).is_ok_and(|reply| reply.get("retry") == Some(&Json::Bool(false)))
        {
            // The product's own word, as a program of the carrier's has it.
            told["retry"] = false.into();
        }
        match outcome {
            Ok(None) => Ok(configured::done(self.status.into(), &told)),
            Ok(Some(refused)) => Ok(Reply {
                kind: Kind::Http,
                status: refused.status.into(),
                body: told.to_string().into_bytes(),
                stderr: String::new(),
                first_line: String::new(),
                retry_after: refused.retry_after,
            }),
            // What was taken is not to be sent again at once, whoever's fault it is.
            Err(error) => Err(CallError { body: told.to_string().into_bytes(), ours: error.ours && self.status == 0, ..error }),
        }
    }

    /// The answer by which a request was not taken; `None` = all were.
    async fn all(&mut self, requests: &[Request]) -> Result<Option<Answered>, CallError> {
        for (index, request) in requests.iter().enumerate() {
            if request.answer == Answer::Unsent {
                self.tell(&request.shown, [("sent", "no: a test changes nothing there".into())]);
                continue;
            }
            let (mut asked, mut answered) = (request, self.one(request, index, false).await?);
            if let (true, Some(missing)) = (MISSING.contains(&answered.status), &request.missing) {
                (asked, answered) = (missing, self.one(missing, index, true).await?);
            }
            if !asked.takes(&answered)? {
                return Ok(Some(answered));
            }
        }
        Ok(None)
    }

    async fn one(&mut self, request: &Request, index: usize, is_missing: bool) -> Result<Answered, CallError> {
        let sent = timeout_at(self.deadline, self.target.client.execute(self.http(request, index, is_missing))).await;
        let sent = sent.map_err(|_| http::late(self.call, false)).and_then(|sent| sent.map_err(|error| words::of(&error)));
        let response = sent.inspect_err(|_| self.tell(&request.shown, []))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| http::retry_after(value, self.call.now));
        let mut body = Vec::new();
        let read = timeout_at(self.deadline, http::read(response, &mut body)).await;
        self.status = status;
        let answer = self.mask.head(&body, KEPT_BYTES);
        self.tell(&request.shown, [("status", status.into()), ("answer", answer.into())]);
        match read {
            Ok(Err(error)) if request.answer == Answer::JsonRpc => Err(error),
            Err(_) if request.answer == Answer::JsonRpc => Err(http::late(self.call, true)),
            // The status has said what it means before the body went wrong, or did not end.
            _ => Ok(Answered { status, retry_after, body }),
        }
    }

    fn tell<const N: usize>(&mut self, shown: &Json, more: [(&str, Json); N]) {
        let mut told = shown.clone();
        if let Json::Object(told) = &mut told {
            told.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        self.told.push(told);
    }

    fn http(&self, request: &Request, index: usize, is_missing: bool) -> reqwest::Request {
        let mut made = reqwest::Request::new(request.method.clone(), request.url.clone());
        let mut headers = self.target.headers.clone();
        headers.extend(request.headers.clone());
        if let Ok(traceparent) = HeaderValue::try_from(self.call.trace.header()) {
            headers.insert(TRACEPARENT, traceparent);
        }
        *made.headers_mut() = headers;
        if matches!(self.target.plan, Plan::Rest(_)) {
            Rest::mark(&mut made, self.call.event_id, index, is_missing);
        }
        *made.body_mut() = request.body.clone().map(Body::from);
        made
    }
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
            None | Some(Json::Null) if is_fine && !reply.as_object().is_some_and(|reply| reply.contains_key("result")) => {
                Err(CallError::new(FailureReason::BadReply, "the reply has neither a result nor an error"))
            }
            None | Some(Json::Null) => Ok(is_fine),
            Some(error)
                if error["code"].as_u64().is_some_and(|code| self.accept.iter().any(|taken| u64::from(*taken) == code)) =>
            {
                Ok(true)
            }
            Some(error) => {
                let words = error["message"].as_str().unwrap_or("it says not why");
                let words = self.mask_of_secrets().head(words.as_bytes(), WORDS_BYTES);
                let code = error["code"].as_i64().unwrap_or_default();
                Err(CallError::new(FailureReason::Status, format!("it answered with the error {code}: {words}")))
            }
        }
    }

    fn mask_of_secrets(&self) -> Mask {
        Mask::new(self.secrets.iter().map(String::as_str))
    }
}
