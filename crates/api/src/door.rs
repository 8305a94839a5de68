//! From a request to the one door: what stands around a call comes from the same headers and is counted and logged alike,
//! whatever the protocol.
use std::time::Instant;

use axum::http::HeaderMap;
use hookswitch_core::{Answer, Call, Import};
use hookswitch_model::refusal::Refusal;

use crate::{Api, span::RequestSpan};

impl Api {
    /// Runs a call with what its request's headers say of it, within its span.
    pub(crate) async fn perform(&self, span: &RequestSpan, headers: &HeaderMap, call: Call) -> Result<Answer, Refusal> {
        let method = call.method.name;
        tracing::Span::current().record("method", method);
        let action = span.action(self.parts.core.hooks().traces(), method);
        let call = Call {
            cause: text(headers, "hookswitch-cause"),
            idempotency_key: text(headers, "idempotency-key"),
            trace: action.trace(),
            import: import(headers)?,
            ..call
        };
        let began = Instant::now();
        let result = self.parts.core.perform(call).await;
        action.ended(result.as_ref().err());
        self.parts.metrics.count(method, result.as_ref().err(), began.elapsed());
        if let Err(Refusal::Internal(detail)) = &result {
            // The caller learns the request's id only.
            tracing::error!(detail, "an unexpected error");
        }
        result
    }
}

/// A header, as far as it is text; the core refuses what it can't read.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Whether the call belongs to an import, and whether before handlers are left out of it.
fn import(headers: &HeaderMap) -> Result<Option<Import>, Refusal> {
    match headers.get("hookswitch-import").map(|value| value.as_bytes()) {
        None => Ok(None),
        Some(b"ask-before") => Ok(Some(Import::Asking)),
        Some(b"skip-before") => Ok(Some(Import::Unasked)),
        Some(_) => Err(Refusal::field("Hookswitch-Import", "must be ask-before or skip-before")),
    }
}
