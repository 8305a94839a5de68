//! Handlers that ask a product over HTTP as it wants to be asked: what is sent for each event was configured.
//!
//! ```text
//!   payload --> the requests of its event, with its values       rest, chat, kamailio
//!           --> one after another, to the task's host alone      exchange
//!           --> all taken, or the first that was not, with every request and its answer for the log
//! ```
//!
//! Values never leave their place: in a path they are percent-encoded, in JSON they are values, in a chat's text they are escaped.
//!
//! Nothing on the other side keeps a late repeat out, as a SQL handler's table does. So what is configured should be harmless to
//! repeat (`PUT`, `PATCH` by an id of ours, unregistering); each request of [`rest`] carries an `Idempotency-Key`.
mod chat;
mod exchange;
mod kamailio;
mod request;
mod rest;

use std::time::Duration;

use hookswitch_model::{
    Object,
    handler::{
        Handler,
        task::{self, Kind},
    },
    refusal::{FailureReason, FieldErrors},
};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use rustls::ClientConfig;
use serde_json::Value as Json;

use super::{
    Call, CallError, Reply,
    address::{Forbidden, Reach},
    configured::{Surroundings, nothing_to_do, old_name, settings, unusable},
    headers, http,
};
use crate::condition::expression::Given;
use request::Request;

/// The most requests of one event.
const REQUESTS_MAX: usize = 10;

/// A handler of such a kind, ready to be called.
pub(super) struct Target {
    client: Client,
    url: Url,
    headers: HeaderMap,
    surroundings: Surroundings,
    plan: Plan,
    /// Known from the start when the URL's host is an address.
    forbidden: Option<Forbidden>,
}

/// What is sent.
enum Plan {
    Rest(rest::Rest),
    Chat(chat::Chat),
    Kamailio(kamailio::Kamailio),
}

/// What can't work about such a handler, by field, when it is saved.
pub(crate) fn validate(handler: &Handler, reach: &Reach) -> FieldErrors {
    let mut errors = FieldErrors::new();
    match url_of(handler) {
        Err(words) => errors.add("task", words),
        Ok(url) => {
            if let Err(forbidden) = reach.check_url(&url) {
                errors.add("task", forbidden.to_string());
            }
        }
    }
    if let Some(words) = old_name(handler) {
        errors.add("event", words);
    }
    if let Err(words) = Plan::read(handler) {
        errors.add("settings", words);
    }
    if let Err(words) = bearer(&handler.settings) {
        errors.add("settings", words);
    }
    errors
}

impl Target {
    /// Fails, in words, for a handler that can't be called; that should have been found when it was saved.
    pub(super) fn new(handler: &Handler, user_agent: &HeaderValue, tls: &ClientConfig, reach: Reach) -> Result<Self, String> {
        let mut url = url_of(handler)?;
        let mut headers = headers::of_handler(handler, user_agent, &mut url)?;
        if let (Some(token), false) = (bearer(&handler.settings)?, headers.contains_key(AUTHORIZATION)) {
            headers.insert(AUTHORIZATION, token);
        }
        let forbidden = reach.check_url(&url).err();
        let surroundings =
            Surroundings::new(handler, settings::open(&handler.settings, &["requests", "fields", "calls", "messages"]));
        Ok(Self { client: http::client(handler, tls, reach)?, url, headers, surroundings, plan: Plan::read(handler)?, forbidden })
    }

    /// Calls once, within so much time.
    pub(super) async fn call(&self, call: &Call, within: Duration) -> Result<Reply, CallError> {
        if let Some(forbidden) = self.forbidden {
            return Err(CallError::new(FailureReason::Refused, forbidden.to_string()));
        }
        let requests = self.requests(call)?;
        if requests.is_empty() {
            return Ok(nothing_to_do());
        }
        exchange::run(self, call, &requests, within).await
    }

    /// Not held over a wait: what the language keeps can't be sent between threads.
    fn requests(&self, call: &Call) -> Result<Vec<Request>, CallError> {
        let payload = self.surroundings.around(&call.body)?;
        let requests = self.plan.requests(&call.events_id, &payload, &self.url);
        requests.map_err(unusable)
    }
}

impl Plan {
    fn read(handler: &Handler) -> Result<Self, String> {
        match handler.kind() {
            Kind::Chat => chat::Chat::read(handler).map(Self::Chat),
            Kind::Kamailio => kamailio::Kamailio::read(handler).map(Self::Kamailio),
            _ => rest::Rest::read(handler).map(Self::Rest),
        }
    }

    fn requests(&self, events_id: &str, payload: &Object, url: &Url) -> Result<Vec<Request>, String> {
        let given = Given::new(payload);
        let is_trial = payload.get("event").and_then(|event| event.get("mode")).and_then(Json::as_str) == Some("test");
        match self {
            Self::Rest(rest) => rest.requests(events_id, &given, url, is_trial),
            Self::Chat(chat) => chat.requests(events_id, &given, payload, url),
            Self::Kamailio(kamailio) => kamailio.requests(events_id, &given, url, is_trial),
        }
    }
}

/// The URL behind a task's scheme. A chat's may have a query; others are asked below it.
fn url_of(handler: &Handler) -> Result<Url, String> {
    let url = Url::parse(task::url(&handler.task)).map_err(|error| format!("is not a URL: {error}"))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("must name a host".to_owned());
    }
    if url.fragment().is_some() || (url.query().is_some() && handler.kind() != Kind::Chat) {
        return Err("must end with the path".to_owned());
    }
    Ok(url)
}

/// `settings.token` as a header.
fn bearer(settings: &Object) -> Result<Option<HeaderValue>, String> {
    let Some(token) = settings::text(settings, "token")? else { return Ok(None) };
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| "has a token that a header can't have")?;
    value.set_sensitive(true);
    Ok(Some(value))
}
