//! The Core API over REST: a request is a line such as `PATCH /api/clients/1` and a JSON body, null for none.
use serde_json::Value;

use crate::{Answer, Api};

impl Api {
    /// One request.
    ///
    /// # Panics
    /// When no whole answer came back.
    pub async fn rest(&self, line: &str, body: Value) -> Answer {
        self.rest_with(&[], line, body).await
    }

    /// One request with further headers; an entry replaces ours (an empty value removes it).
    ///
    /// # Panics
    /// When no whole answer came back.
    pub async fn rest_with(&self, headers: &[(&str, &str)], line: &str, body: Value) -> Answer {
        let (verb, path) = line.split_once(' ').expect("a verb and a path");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.try_send(verb, path, headers, body).await;
        answer.unwrap_or_else(|error| panic!("no answer to {line}: {error:?}"))
    }

    /// One request that must be answered with this status; gives the body.
    ///
    /// # Panics
    /// When the status is another, or the body is not JSON.
    pub async fn rest_is(&self, status: u16, line: &str, body: Value) -> Value {
        let answer = self.rest(line, body).await;
        assert_eq!(answer.status, status, "{line}: {answer:#?}");
        answer.json()
    }
}

impl Answer {
    /// A header by its lower-case name; empty when it is not there.
    ///
    /// # Panics
    /// When it is no text.
    #[must_use]
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of ASCII"))
    }
}
