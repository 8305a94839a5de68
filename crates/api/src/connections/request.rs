//! One request: its circumstances, its line in the log, its panic.
//!
//! Everything that is done for it happens in a span with its id. Neither keys nor bodies are logged, nor what stands
//! behind the `?` of an address.
use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Instant};

use axum::response::Response;
use hyper::{Request, body::Incoming, service::Service as _};
use tracing::{Instrument as _, field::Empty};

use super::drive::Connection;
use crate::{
    panics::{Panicked, caught},
    request_id::{self, RequestId},
    routes,
    span::RequestSpan,
};

/// What is known of a request whatever it asks.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Its name in its answer and in the log.
    pub request_id: RequestId,
    /// Who sent it: the address behind our own proxies.
    pub from: IpAddr,
    /// What is recorded of it.
    pub span: RequestSpan,
}

/// Answers one request, whatever becomes of it.
pub(super) async fn answer(connection: Arc<Connection>, request: Request<Incoming>) -> Result<Response, Infallible> {
    let _running = connection.begin();
    let parts = &connection.common.api.parts;
    let headers = request.headers();
    let (request_id, from) = (parts.request_ids.of(headers), parts.proxies.caller(connection.peer, headers));
    let asked = (request.method(), request.uri());
    let span = RequestSpan::begin(parts.core.hooks().traces(), asked, headers, request_id.text());
    let at = Circumstances { request_id, from, span };
    // `method` and `code` are those of JSON-RPC; whoever finds them out fills them in.
    let span = tracing::info_span!("request", request_id = at.request_id.text(), method = Empty, code = Empty);
    let mut response = within(&connection, request, &at).instrument(span).await;
    response.headers_mut().insert(request_id::HEADER, at.request_id.value());
    Ok(response)
}

async fn within(connection: &Connection, mut request: Request<Incoming>, at: &Circumstances) -> Response {
    let began = Instant::now();
    let (verb, address) = (request.method().clone(), request.uri().clone());
    request.extensions_mut().insert(at.clone());
    let response = match caught(connection.common.routes.call(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(Panicked) => {
            tracing::error!("a request panicked");
            routes::broken(at)
        }
    };
    let (status, took) = (response.status().as_u16(), began.elapsed());
    at.span.answered(status);
    tracing::debug!(%verb, path = address.path(), status, ms = took.as_secs_f64() * 1_000.0, "answered");
    response
}
