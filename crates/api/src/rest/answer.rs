//! What a call came to, in HTTP's own words: the bare result, a status, and headers for what stands beside it.
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use hookswitch_core::{Answer, registry::Takes};
use hookswitch_model::refusal::Refusal;
use serde_json::Value;

use super::{address::Address, warnings};
use crate::{connections::Circumstances, problem};

/// Below this a list's total is told also if nobody asks for it.
pub(super) const TOTAL_BELOW: i64 = 10_000;

const TOTAL: &str = "x-total-count";
const WARNINGS: &str = "hookswitch-warnings";

/// A result.
pub(super) fn success(address: &Address, answer: Answer) -> Response {
    let Answer { result, warnings } = answer;
    let (result, total) = bare(address, result);
    let mut response = Response::new(Body::from(result.to_string()));
    if let Some(location) = location(address, &result) {
        *response.status_mut() = StatusCode::CREATED;
        response.headers_mut().insert(header::LOCATION, location);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, problem::JSON);
    if let Some(total) = total {
        headers.insert(TOTAL, total.into());
    }
    if let Some(value) = warnings::header(&warnings) {
        headers.insert(WARNINGS, value);
    }
    kept_by_nobody(response)
}

/// A refusal.
pub(super) fn refused(refusal: &Refusal, at: &Circumstances) -> Response {
    tracing::Span::current().record("code", refusal.rpc_code());
    kept_by_nobody(problem::refused(refusal, at.request_id.text()))
}

/// A page is a bare array; its total stands in a header.
fn bare(address: &Address, result: Value) -> (Value, Option<i64>) {
    match (address.method.takes, result) {
        (Takes::Filters(_), Value::Object(mut page)) if page.contains_key("rows") => {
            let total = page.get("total").and_then(Value::as_i64);
            (page.shift_remove("rows").unwrap_or_default(), total)
        }
        (_, result) => (result, None),
    }
}

/// Where the new object is; none for one that a dry run would make, whose id is 0.
fn location(address: &Address, result: &Value) -> Option<HeaderValue> {
    let collection = address.makes_in()?;
    let id = result.get("id")?.as_i64().filter(|id| *id > 0)?;
    HeaderValue::try_from(format!("{collection}/{id}")).ok()
}

/// Proxies don't know that answers differ by `X-Api-Key`.
fn kept_by_nobody(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
