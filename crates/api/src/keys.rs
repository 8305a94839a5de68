//! Whose call it is. Cookies count for nothing here, so that no web page can call in a logged-in person's name.
use std::{net::IpAddr, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use hookswitch_core::access::Caller;
use hookswitch_model::refusal::Refusal;

use crate::Api;

const KEY: &str = "x-api-key";
/// What HTTP wants a 401 to say: which scheme would do.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"hookswitch\"");

/// The key in the headers: `X-Api-Key`, else `Authorization: Bearer`; an empty one is none.
pub(crate) fn in_headers(headers: &HeaderMap) -> Option<&str> {
    let own = headers.get(KEY).map(|value| str::from_utf8(value.as_bytes()).unwrap_or_default().trim());
    own.filter(|key| !key.is_empty()).or_else(|| bearer(headers))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(key.trim()).filter(|key| scheme.eq_ignore_ascii_case("bearer") && !key.is_empty())
}

/// A key that is missing or wrong.
#[derive(Debug)]
pub(crate) struct Rejected {
    /// 401, or 429 for one who guesses.
    pub(crate) refusal: Refusal,
    /// For one who guesses: when the next guess may be tried.
    pub(crate) retry_after_seconds: Option<u64>,
}

impl Rejected {
    /// Makes an answer say it in HTTP's own words.
    pub(crate) fn show_in(&self, response: &mut Response) {
        *response.status_mut() = StatusCode::from_u16(self.refusal.http_status()).unwrap_or(StatusCode::UNAUTHORIZED);
        match self.retry_after_seconds {
            Some(seconds) => response.headers_mut().insert(header::RETRY_AFTER, seconds.into()),
            None => response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE),
        };
    }
}

impl Api {
    /// The caller behind a key, called from an address.
    pub(crate) async fn caller(&self, key: Option<&str>, from: IpAddr) -> Result<Arc<Caller>, Rejected> {
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            let refusal = Refusal::AuthFailed("the key is missing; send it as X-Api-Key".to_owned());
            return Err(Rejected { refusal, retry_after_seconds: None });
        };
        self.parts.core.authenticate(key, from).await.map_err(|refusal| self.rejected(refusal, from))
    }

    /// What becomes of a wrong key or password: one too many is slowed down.
    pub(crate) fn rejected(&self, refusal: Refusal, from: IpAddr) -> Rejected {
        self.parts.metrics.wrong_key();
        let now = self.parts.core.store().clock().now();
        let Some(seconds) = self.parts.wrong_keys.note(from, now) else {
            tracing::info!(%from, "a wrong key");
            return Rejected { refusal, retry_after_seconds: None };
        };
        // From here on the log is spared too.
        tracing::debug!(%from, "one wrong key too many");
        let message = format!("too many wrong keys or passwords from your address; try again in {seconds} s");
        Rejected { refusal: Refusal::TooMany(message), retry_after_seconds: Some(seconds) }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_key_comes_as_its_own_header_or_as_bearer() {
        assert_eq!(in_headers(&headers(&[("x-api-key", "abc")])), Some("abc"));
        assert_eq!(in_headers(&headers(&[("authorization", "bearer abc")])), Some("abc"));
        assert_eq!(in_headers(&headers(&[("x-api-key", ""), ("authorization", "Bearer abc")])), Some("abc"));
        assert_eq!(in_headers(&headers(&[("x-api-key", "own"), ("authorization", "Bearer other")])), Some("own"));
    }

    #[test]
    fn nothing_else_is_a_key() {
        for (name, value) in
            [("x-api-key", " "), ("authorization", "Basic YTpi"), ("authorization", "abc"), ("cookie", "key=abc")]
        {
            assert_eq!(in_headers(&headers(&[(name, value)])), None, "{name}: {value}");
        }
    }
}
