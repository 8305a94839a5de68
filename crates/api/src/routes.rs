//! Which address is what.
//!
//! Cookies mean nothing here and a browser can't add our headers to a form, so that a page of somebody else's can't
//! act for its reader: that is why any `Content-Type` is taken.
use axum::{
    Router,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse as _, Response},
    routing::{get, post},
};
use hookswitch_model::refusal::Refusal;

use crate::{Api, connections::Circumstances, describe, health, management, metrics, problem, rest, rpc};

/// What somebody at a browser is told.
const NOTHING_FOR_PEOPLE: &str = "<!doctype html><html lang=\"en\"><title>Not found</title><main><h1>Not found</h1>\
    <p>There is nothing at this address.</p><p><a href=\"/\">To the overview</a></p></main></html>\n";

/// Every address of the API.
pub(crate) fn routes(api: Api) -> Router {
    Router::new()
        .route("/", post(rpc::post))
        .route("/api", post(rpc::post))
        .route("/api/", post(rpc::post))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .merge(rest::routes())
        .merge(describe::routes())
        .merge(management::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .with_state(api)
}

async fn nothing(uri: Uri, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") && !["/api", "/jsonrpc", "/admin"].iter().any(|prefix| uri.path().starts_with(prefix)) {
        return (StatusCode::NOT_FOUND, Html(NOTHING_FOR_PEOPLE)).into_response();
    }
    problem::plain(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
}

async fn wrong_method() -> Response {
    problem::plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "the header Allow says which HTTP methods are known here",
    )
}

/// The answer to a request in which we panicked.
pub(crate) fn broken(at: &Circumstances) -> Response {
    problem::refused(&Refusal::internal("a panic"), at.request_id.text())
}
