//! What every call over HTTP carries (contract section 2), and which headers of its own a handler may have.
//!
//! The static part is made once per handler; a call clones it (values are shared, not copied) and adds its own.
use hookswitch_model::handler::Handler;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::Url;

use super::{Call, signature};

const EVENT: HeaderName = HeaderName::from_static("hookswitch-event");
const STAGE: HeaderName = HeaderName::from_static("hookswitch-stage");
const ATTEMPT: HeaderName = HeaderName::from_static("hookswitch-attempt");
const DEADLINE_MS: HeaderName = HeaderName::from_static("hookswitch-deadline-ms");
const CAUSE: HeaderName = HeaderName::from_static("hookswitch-cause");
const RESEND: HeaderName = HeaderName::from_static("hookswitch-resend");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What is wrong with a static header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Such as one with a space.
    #[error("is not a header name")]
    Name,
    /// Such as one with a line break.
    #[error("has a value that a header can't have")]
    Value,
    /// One of the call's own.
    #[error("is set by the system and can't be replaced")]
    Ours,
    /// Says how the message is sent, which is for the connection to say.
    #[error("belongs to the connection and can't be set")]
    Connection,
}

/// Checks one of a handler's static headers, when it is saved.
///
/// # Errors
/// What is wrong with it.
pub fn check(name: &str, value: &str) -> Result<(), Unfit> {
    read(name, value).map(|_| ())
}

fn read(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Unfit> {
    let name: HeaderName = name.parse().map_err(|_| Unfit::Name)?;
    let text = name.as_str();
    let ours = name == CONTENT_TYPE || name == USER_AGENT || name == TRACEPARENT;
    if ours || text.starts_with("hookswitch-") || text.starts_with("webhook-") {
        return Err(Unfit::Ours);
    }
    let connection = ["connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    if connection.contains(&text) || text.starts_with("proxy-") {
        return Err(Unfit::Connection);
    }
    let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| Unfit::Value)?;
    // Kept out of HTTP/2's compression tables and of debug output.
    value.set_sensitive(true);
    Ok((name, value))
}

/// What all calls of one handler carry. Takes user and password out of the URL: they go into `Authorization`, as
/// they do in a browser, unless the handler has such a header of its own.
pub(super) fn of_handler(handler: &Handler, user_agent: &HeaderValue, url: &mut Url) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(16 + handler.headers.len());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, user_agent.clone());
    for (name, value) in &handler.headers {
        let (name, value) = read(name, value).map_err(|unfit| format!("the header {name} {unfit}"))?;
        headers.append(name, value);
    }
    if let Some(authorization) = crate::mask::basic(url)
        && !headers.contains_key(AUTHORIZATION)
        && let Ok(mut value) = HeaderValue::try_from(authorization)
    {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    // Both can fail only for URLs without a host, which are not HTTP.
    let _removed = (url.set_username(""), url.set_password(None));
    Ok(headers)
}

/// The static headers and the call's own, signed.
pub(super) fn of_call<'a>(fixed: &HeaderMap, call: &Call, keys: impl IntoIterator<Item = &'a signature::Key>) -> HeaderMap {
    let mut headers = fixed.clone();
    let id = call.event_id.to_string();
    let timestamp = call.now.seconds().to_string();
    let signature = signature::sign(&id, &timestamp, &call.body, keys);
    let mut set = |name, value: String| {
        // What can't be a header (never one of ours) is left out rather than failing the call.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    set(EVENT, call.events_id.to_string());
    set(ATTEMPT, call.attempt.to_string());
    if let Some(deadline_ms) = call.deadline_ms {
        set(DEADLINE_MS, deadline_ms.to_string());
    }
    set(CAUSE, call.cause_header.clone());
    set(TRACEPARENT, call.trace.header());
    set(WEBHOOK_ID, id);
    set(WEBHOOK_TIMESTAMP, timestamp);
    set(WEBHOOK_SIGNATURE, signature);
    headers.insert(STAGE, HeaderValue::from_static(call.stage.word()));
    if call.resend {
        headers.insert(RESEND, HeaderValue::from_static("true"));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handlers_own_headers_cannot_replace_ours_or_the_connections() {
        for name in ["Content-Type", "user-agent", "TraceParent", "Hookswitch-Cause", "hookswitch-new", "webhook-id"] {
            assert_eq!(check(name, "x"), Err(Unfit::Ours), "{name}");
        }
        for name in ["Content-Length", "Transfer-Encoding", "connection", "proxy-authorization"] {
            assert_eq!(check(name, "x"), Err(Unfit::Connection), "{name}");
        }
        assert_eq!(check("X Y", "x"), Err(Unfit::Name));
        assert_eq!(check("X-Y", "a\r\nHookswitch-Cause: b"), Err(Unfit::Value));
        assert_eq!(check("Authorization", "Bearer abc"), Ok(()));
        assert_eq!(check("X-Name", "Zoë"), Ok(()));
    }
}
