//! One call over HTTP: everything within one time limit, the reply within one size.
//!
//! Each handler has a client, and so a connection pool, of its own: no handler can use up another's connections.
//! A call that is given up closes its connection (HTTP/1.1) or resets its stream (HTTP/2), so nothing is left behind.
//!
//! A kept connection may be closed by the server just before we write. If nothing of the request was taken, hyper
//! tries again on another connection by itself. If it may have been taken, we can't know whether it was handled, and
//! the call counts as failed. That hardly ever happens: idle connections are given up after [`IDLE_MAX`], which is
//! before the 5 seconds after which Node, Apache and uvicorn close theirs.
use std::time::Duration;

use hookswitch_model::{
    handler::{self, Handler},
    moment::Moment,
    refusal::FailureReason,
};
use reqwest::{
    Body, Client, Method, Request, Response, Url,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use rustls::ClientConfig;

use super::{
    BODY_BYTES_MAX, Call, CallError, Kind, Reply,
    address::{Forbidden, Reach},
    headers,
    resolver::Resolver,
    signature::Key,
    tls, words,
};

/// How long an unused connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// A handler over HTTP, ready to be called.
pub(super) struct Target {
    client: Client,
    url: Url,
    method: Method,
    headers: HeaderMap,
    key: Key,
    old_key: Option<(Key, Moment)>,
    /// Known from the start when the URL's host is an address.
    forbidden: Option<Forbidden>,
}

/// What has come back so far: what is known of a call that its time limit ends.
#[derive(Default)]
struct Progress {
    status: Option<i64>,
    body: Vec<u8>,
}

impl Target {
    /// Fails, in words, for a handler that can't be called; that should have been found when it was saved.
    pub(super) fn new(handler: &Handler, user_agent: &HeaderValue, tls: &ClientConfig, reach: Reach) -> Result<Self, String> {
        let mut url = Url::parse(&handler.task).map_err(|error| format!("the task is not a URL: {error}"))?;
        let headers = headers::of_handler(handler, user_agent, &mut url)?;
        let unreadable = || "the signing secret can't be read: rotate it".to_owned();
        let key = Key::read(&handler.secret).ok_or_else(unreadable)?;
        let old_key = handler.old_secret.as_ref().and_then(|(secret, until)| Some((Key::read(secret)?, *until)));
        let method = match handler.method {
            handler::Method::Post => Method::POST,
            handler::Method::Put => Method::PUT,
            handler::Method::Patch => Method::PATCH,
        };
        let forbidden = reach.check_url(&url).err();
        let client = client(handler, tls, reach)?;
        Ok(Self { client, url, method, headers, key, old_key, forbidden })
    }

    /// Calls once, within so much time.
    pub(super) async fn call(&self, call: &Call, within: Duration) -> Result<Reply, CallError> {
        if let Some(forbidden) = self.forbidden {
            return Err(CallError::new(FailureReason::Refused, forbidden.to_string()));
        }
        let mut progress = Progress::default();
        let outcome = tokio::time::timeout(within, self.exchange(call, &mut progress)).await;
        let Progress { status, body } = progress;
        let retry_after = match outcome {
            Ok(Ok(retry_after)) => retry_after,
            Ok(Err(error)) => return Err(CallError { status, body, ..error }),
            Err(_) => return Err(CallError { status, body, ..late(call, status.is_some()) }),
        };
        let status = status.unwrap_or_default();
        Ok(Reply { kind: Kind::Http, status, body, stderr: String::new(), first_line: String::new(), retry_after })
    }

    /// Leaves status and body in `progress`; returns the reply's `Retry-After`.
    async fn exchange(&self, call: &Call, progress: &mut Progress) -> Result<Option<Duration>, CallError> {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = headers::of_call(&self.headers, call, self.keys(call.now));
        *request.body_mut() = Some(Body::from(call.body.clone()));
        let response = self.client.execute(request).await.map_err(|error| words::of(&error))?;
        progress.status = Some(i64::from(response.status().as_u16()));
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value, call.now));
        read(response, &mut progress.body).await?;
        Ok(retry_after)
    }

    fn keys(&self, now: Moment) -> impl Iterator<Item = &Key> {
        let old = self.old_key.as_ref().filter(|(_, until)| now < *until).map(|(key, _)| key);
        std::iter::once(&self.key).chain(old)
    }
}

pub(super) fn client(handler: &Handler, tls: &ClientConfig, reach: Reach) -> Result<Client, String> {
    let concurrency = usize::try_from(handler.concurrency).unwrap_or(usize::MAX);
    Client::builder()
        .tls_backend_preconfigured(tls::of_handler(tls))
        .dns_resolver(Resolver::new(reach))
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        // A connection that is still being made when its call gives up would otherwise be tried for ever.
        .connect_timeout(Duration::from_millis(u64::from(handler.timeout_ms)))
        .pool_max_idle_per_host(concurrency)
        .pool_idle_timeout(IDLE_MAX)
        .build()
        .map_err(|_| "no HTTP client could be made for it".to_owned())
}

/// In chunks, because the length that a reply claims is only a claim. One that claims to be too long is read all the
/// same: its beginning tells the integrator what it is.
pub(super) async fn read(mut response: Response, body: &mut Vec<u8>) -> Result<(), CallError> {
    while let Some(chunk) = response.chunk().await.map_err(|error| words::of_body(&error))? {
        let room = BODY_BYTES_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Err(CallError::new(FailureReason::BadReply, "the reply is longer than 1 MiB"));
        }
    }
    Ok(())
}

pub(super) fn late(call: &Call, began: bool) -> CallError {
    let ms = call.timeout.as_millis();
    let words = if began { format!("the reply did not end within {ms} ms") } else { format!("no reply within {ms} ms") };
    CallError::new(FailureReason::Timeout, words)
}

/// Seconds or a date; one in the past means now.
pub(super) fn retry_after(value: &HeaderValue, now: Moment) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let ms = Moment(date.as_microsecond()).millis_since(now);
    Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

#[cfg(test)]
mod tests;
