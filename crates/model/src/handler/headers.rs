//! A handler's static headers. Their values may be secrets: they are shown masked, and a masked one that comes back
//! means the stored one.
use serde_json::Value;

use crate::{Object, json::MASK};

/// The most headers of one handler.
const HEADERS_MAX: usize = 32;
const NAME_MAX: usize = 128;
const VALUE_MAX: usize = 4096;

/// Headers that are ours, or that belong to the connection rather than to the message.
const OWN: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
const OWN_PREFIXES: &[&str] = &["hookswitch-", "webhook-"];

/// What is wrong with the headers, if anything.
pub(super) fn error(headers: &Object) -> Option<String> {
    if headers.len() > HEADERS_MAX {
        return Some(format!("must be at most {HEADERS_MAX} headers"));
    }
    headers.iter().enumerate().find_map(|(index, (name, value))| {
        let twice = headers.keys().take(index).any(|earlier| earlier.eq_ignore_ascii_case(name));
        name_error(name)
            .map(str::to_owned)
            .or_else(|| twice.then(|| format!("names {name} twice")))
            .or_else(|| value_error(name, value))
    })
}

fn name_error(name: &str) -> Option<&'static str> {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(is_token_byte) {
        return Some("must be an object whose keys are names of HTTP headers");
    }
    let lower = name.to_ascii_lowercase();
    let own = OWN.contains(&lower.as_str()) || OWN_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
    own.then_some("must not name a header that every call has (Content-Type, User-Agent, Hookswitch-*, webhook-*, ...)")
}

fn value_error(name: &str, value: &Value) -> Option<String> {
    let good = value.as_str().is_some_and(|text| {
        text.len() <= VALUE_MAX && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text
    });
    (!good).then(|| format!("{name} must be a text of at most {VALUE_MAX} visible ASCII characters"))
}

/// The headers to be stored: as given, with the stored value for each masked one.
///
/// # Errors
/// A masked value without a stored one.
pub(super) fn unmasked(given: &Object, stored: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
    let value_of = |name: &String, value: &Value| match value.as_str() {
        Some(MASK) => {
            let known = stored.iter().find(|(stored, _)| stored.eq_ignore_ascii_case(name));
            known.map(|(_, value)| value.clone()).ok_or_else(|| format!("{name} is masked and not stored: give its value"))
        }
        text => Ok(text.unwrap_or_default().to_owned()),
    };
    given.iter().map(|(name, value)| Ok((name.clone(), value_of(name, value)?))).collect()
}
