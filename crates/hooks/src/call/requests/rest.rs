//! REST requests as they were configured, to a CRM above all: for each event a list, with its fields mapped.
use hookswitch_model::handler::Handler;
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value as Json;

use super::{
    super::configured::by_event::{ByEvent, list},
    REQUESTS_MAX,
    request::{Answer, Request, Template},
};
use crate::condition::expression::Given;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is configured.
pub(super) struct Rest {
    requests: ByEvent<Vec<Template>>,
    /// Sent in a test in place of the others, which are only shown: it should change nothing.
    test: Option<Box<Template>>,
}

impl Rest {
    pub(super) fn read(handler: &Handler) -> Result<Self, String> {
        let fields = handler.settings.get("fields").filter(|fields| !fields.is_null());
        if fields.is_some_and(|fields| !fields.is_object()) {
            return Err("has fields, which must be an object".to_owned());
        }
        let read = |given: &Json| Template::read(given, fields);
        let requests = ByEvent::read(handler.settings.get("requests"), "requests", |given| list(given, REQUESTS_MAX, read))?;
        if requests.is_empty() {
            return Err("must have requests for the events that it takes".to_owned());
        }
        requests.check(handler, "requests")?;
        let test = handler.settings.get("test").filter(|test| !test.is_null());
        let test =
            test.map(|test| Template::read(test, None).map(Box::new).map_err(|words| format!("test: {words}"))).transpose()?;
        Ok(Self { requests, test })
    }

    pub(super) fn requests(&self, events_id: &str, given: &Given<'_>, base: &Url, trial: bool) -> Result<Vec<Request>, String> {
        let mut requests = Vec::new();
        for (name, templates) in self.requests.of(events_id) {
            for (index, template) in templates.iter().enumerate() {
                let filled = template.fill(given, base);
                requests.extend(filled.map_err(|words| format!("requests, {name}, number {}: {words}", index + 1))?);
            }
        }
        if trial {
            requests.iter_mut().for_each(|request| request.answer = Answer::Unsent);
            let test = self.test.as_ref().map(|test| test.fill(given, base)).transpose();
            requests.extend(test.map_err(|words| format!("test: {words}"))?.flatten());
        }
        Ok(requests)
    }

    /// The same for every attempt, so that a product that keeps such keys does a repeat once.
    pub(super) fn mark(request: &mut reqwest::Request, event_id: uuid::Uuid, index: usize, is_missing: bool) {
        let which = if is_missing { "-missing" } else { "" };
        if let Ok(value) = HeaderValue::try_from(format!("{event_id}-{}{which}", index + 1)) {
            request.headers_mut().insert(IDEMPOTENCY_KEY, value);
        }
    }
}
