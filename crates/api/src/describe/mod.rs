//! The API, described by itself: OpenAPI and OpenRPC from the tables that check requests and shape answers, so that neither
//! can say anything else than what happens. Nobody writes a second list of methods, fields, filters or errors.
//!
//! | file | subject |
//! |---|---|
//! | `openapi` | REST as OpenAPI 3.1: `GET /api/openapi.json`; `responses` has what comes back |
//! | `openrpc` | JSON-RPC as OpenRPC: the method `rpc.discover` |
//! | `schemas`, `params`, `filters` | objects, requests and lists as JSON Schema |
//! | `errors` | every refusal of every method |
//! | `examples`, `samples` | a request and its answer for every method |
//! | `names`, `about` | what things are called, and words that both share |
//! | `page` | a page to read and try it: `/api/docs` |
//!
//! These addresses need no key: what they tell is in the program for everybody to read. A wrong one is refused all the same,
//! so that nobody takes it for a right one.
mod about;
mod errors;
mod examples;
mod filters;
mod names;
mod openapi;
mod openrpc;
pub(crate) mod page;
mod params;
mod responses;
mod samples;
mod schemas;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::Value;

use crate::{
    Api,
    connections::Circumstances,
    keys::{self, Rejected},
    problem,
};

/// The method that gives the OpenRPC document.
pub(crate) const DISCOVER: &str = "rpc.discover";

static OPENAPI: LazyLock<Value> = LazyLock::new(openapi::document);
static OPENRPC: LazyLock<Value> = LazyLock::new(openrpc::document);
static OPENAPI_TEXT: LazyLock<Bytes> = LazyLock::new(|| OPENAPI.to_string().into());
static OPENRPC_TEXT: LazyLock<Bytes> = LazyLock::new(|| OPENRPC.to_string().into());

/// The description of REST, as OpenAPI.
#[must_use]
pub fn openapi() -> &'static Value {
    &OPENAPI
}

/// The description of JSON-RPC, as OpenRPC: the result of `rpc.discover`.
#[must_use]
pub fn openrpc() -> &'static Value {
    &OPENRPC
}

/// The addresses of the descriptions.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/openapi.json", get(show_openapi))
        .route("/api/rpc/discover", get(show_openrpc))
        .merge(page::routes())
}

async fn show_openapi(State(api): State<Api>, Extension(at): Extension<Circumstances>, headers: HeaderMap) -> Response {
    show(&api, &at, &headers, &OPENAPI_TEXT).await
}

async fn show_openrpc(State(api): State<Api>, Extension(at): Extension<Circumstances>, headers: HeaderMap) -> Response {
    show(&api, &at, &headers, &OPENRPC_TEXT).await
}

async fn show(api: &Api, at: &Circumstances, headers: &HeaderMap, document: &Bytes) -> Response {
    match api.accepts(keys::in_headers(headers), at).await {
        Ok(()) => ([(header::CONTENT_TYPE, problem::JSON)], Body::from(document.clone())).into_response(),
        Err(rejected) => problem::rejected(&rejected, at.request_id.text()),
    }
}

impl Api {
    /// True for no key at all and for a right one.
    ///
    /// # Errors
    /// For a wrong one.
    pub(crate) async fn accepts(&self, key: Option<&str>, at: &Circumstances) -> Result<(), Rejected> {
        match key {
            None => Ok(()),
            some => self.caller(some, at.from).await.map(drop),
        }
    }
}
