//! The name of a request: in its answer (`X-Request-Id`), in the log, in the answer to our own faults.
//!
//! A proxy or client that has named it already keeps its name, if it is fit for a log line. Otherwise it is the
//! start of this process, at random, and a number: unique, and cheaper than a new random one for each.
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header, both ways.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A given name may be this long.
const GIVEN_LENGTH_MAX: usize = 128;

/// Gives names.
pub(crate) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// For this process.
    pub(crate) fn new() -> Self {
        let random = RandomState::new().build_hasher().finish();
        #[expect(clippy::cast_possible_truncation, reason = "half of the random bits are enough")]
        let process = random as u32;
        Self { process, next: AtomicU64::new(1) }
    }

    /// The name that came with the request, or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        headers.get(HEADER).and_then(fit).unwrap_or_else(|| {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            RequestId(format!("{:08x}-{number}", self.process).into())
        })
    }
}

fn fit(given: &HeaderValue) -> Option<RequestId> {
    let text = given.to_str().ok()?;
    let fits = (1..=GIVEN_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(&byte));
    fits.then(|| RequestId(text.into()))
}

/// The name of one request.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// As text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// As a header's value.
    pub(crate) fn value(&self) -> HeaderValue {
        // Made of letters, digits and a few signs only.
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER, HeaderValue::from_static(text))])
    }

    #[test]
    fn a_given_name_is_kept_if_it_is_fit_for_a_log_line() {
        let ids = RequestIds::new();
        assert_eq!(ids.of(&given("4bf92f35-77b3.x")).text(), "4bf92f35-77b3.x");
        for unfit in ["", "a b", "a\"b", "a\tb"] {
            assert_ne!(ids.of(&given(unfit)).text(), unfit);
        }
    }

    #[test]
    fn no_two_requests_have_one_name() {
        let ids = RequestIds::new();
        let [one, two] = [ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new())];
        assert_ne!(one.text(), two.text());
        assert_eq!(one.value().to_str().unwrap(), one.text());
    }
}
