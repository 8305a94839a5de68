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

use super::{
    Call, CallError, Reply,
    address::{Forbidden, Reach},
    configured::{Surroundings, nothing_to_do, old_name, people, settings, unusable},
    headers, http,
};
use crate::{
    condition::expression::Given,
    mask::{self, Mask},
};
use exchange::Exchange;
use request::Request;

/// The most requests of one event.
const REQUESTS_MAX: usize = 10;

/// A handler of such a kind, ready to be called.
pub(super) struct Target {
    client: Client,
    url: Url,
    headers: HeaderMap,
    surroundings: Surroundings,
    /// What is secret of the handler, wherever an answer repeats it.
    mask: Mask,
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
            if let Err(words) = Plan::read(handler, &url) {
                errors.add("settings", words);
            }
        }
    }
    if let Some(words) = old_name(handler) {
        errors.add("event", words);
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
        let plan = Plan::read(handler, &url)?;
        let forbidden = reach.check_url(&url).err();
        let surroundings =
            Surroundings::new(handler, settings::open(&handler.settings, &["requests", "fields", "calls", "messages"]));
        Ok(Self {
            client: http::client(handler, tls, reach)?,
            url,
            headers,
            surroundings,
            mask: Mask::of(handler),
            plan,
            forbidden,
        })
    }

    /// Calls once, within so much time.
    pub(super) async fn call(&self, call: &Call, within: Duration) -> Result<Reply, CallError> {
        if let Some(forbidden) = self.forbidden {
            return Err(CallError::new(FailureReason::Refused, forbidden.to_string()));
        }
        let (requests, mask) = self.requests(call)?;
        if requests.is_empty() {
            return Ok(nothing_to_do());
        }
        Exchange::new(self, call, &mask, within).run(&requests).await
    }

    /// Not held over a wait: what the language keeps can't be sent between threads.
    fn requests(&self, call: &Call) -> Result<(Vec<Request>, Mask), CallError> {
        let payload = self.surroundings.around(&call.body)?;
        let requests = self.plan.requests(&call.events_id, &payload, &self.url).map_err(unusable)?;
        let all = || requests.iter().chain(requests.iter().filter_map(|request| request.missing.as_deref()));
        if !all().all(|request| is_same_place(&self.url, &request.url)) {
            return Err(unusable("a request would lead to another host"));
        }
        let digests = all().flat_map(|request| &request.secrets).map(String::as_str);
        let members = ["data", "previous", "object"].into_iter().filter_map(|name| payload.get(name));
        let mask = self.mask.clone().and(digests).and(members.flat_map(mask::passwords));
        Ok((requests, mask))
    }
}

impl Plan {
    fn read(handler: &Handler, url: &Url) -> Result<Self, String> {
        match handler.kind() {
            Kind::Chat => chat::Chat::read(handler, url).map(Self::Chat),
            Kind::Kamailio => kamailio::Kamailio::read(handler).map(Self::Kamailio),
            _ => rest::Rest::read(handler).map(Self::Rest),
        }
    }

    fn requests(&self, events_id: &str, payload: &Object, url: &Url) -> Result<Vec<Request>, String> {
        let given = Given::new(payload);
        let is_trial = people::is_trial(payload);
        match self {
            Self::Rest(rest) => rest.requests(events_id, &given, url, is_trial),
            Self::Chat(chat) => chat.requests(events_id, &given, payload, is_trial),
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

/// True if a URL leads to the very server that another one names.
fn is_same_place(one: &Url, other: &Url) -> bool {
    let place = |url: &Url| (url.scheme().to_owned(), url.host().map(|host| host.to_owned()), url.port_or_known_default());
    place(one) == place(other) && one.username() == other.username() && one.password() == other.password()
}

/// `settings.token` as a header.
fn bearer(settings: &Object) -> Result<Option<HeaderValue>, String> {
    let Some(token) = settings::text(settings, "token")? else { return Ok(None) };
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| "has a token that a header can't have")?;
    value.set_sensitive(true);
    Ok(Some(value))
}
