//! REST: the methods of JSON-RPC at addresses of their own, from the same table and through the same door.
//!
//! | file | subject |
//! |---|---|
//! | [`address`] | where each method is found |
//! | `params` | parameters from path, query string and body; `query` reads the second |
//! | `answer` | statuses and headers; `warnings` is the longest of these |
//!
//! The router tells apart what is at no address (404) and what is at one under other HTTP methods only (405); a part of an
//! address that is written out goes before an `{id}`.
pub(crate) mod address;
mod answer;
mod params;
pub(crate) mod query;
mod warnings;

use axum::{
    Extension, Router,
    extract::{FromRequestParts as _, RawPathParams, Request, State},
    http::request::Parts,
    response::Response,
    routing::{MethodFilter, MethodRouter, on},
};
use hookswitch_core::Call;
use hookswitch_model::{Object, refusal::Refusal};

use crate::{Api, aliases, body::Held, connections::Circumstances, keys, problem};
use address::Address;
use params::Sent;

/// Every address of every method, and those of the first generation.
pub(crate) fn routes() -> Router<Api> {
    address::addresses().iter().fold(Router::new(), |router, address| {
        let router = router.route(&address.path, route(address, false));
        aliases::paths(&address.path).fold(router, |router, path| router.route(&path, route(address, true)))
    })
}

fn route(address: &'static Address, first_generation: bool) -> MethodRouter<Api> {
    // Our addresses have the usual HTTP methods only.
    let filter = MethodFilter::try_from(address.http.clone()).unwrap_or(MethodFilter::POST);
    on(filter, move |State(api): State<Api>, Extension(at): Extension<Circumstances>, request: Request| async move {
        serve(&api, &at, Place { address, first_generation }, request).await
    })
}

/// Where a request came in.
#[derive(Clone, Copy)]
struct Place {
    address: &'static Address,
    first_generation: bool,
}

async fn serve(api: &Api, at: &Circumstances, place: Place, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let held = match api.parts.bodies.read(&head.headers, body).await {
        Ok(held) => held,
        Err(unread) => return problem::unread(unread, at.request_id.text()),
    };
    let caller = match api.caller(keys::in_headers(&head.headers), at.from).await {
        Ok(caller) => caller,
        Err(rejected) => return problem::rejected(&rejected, at.request_id.text()),
    };
    let result = match params(place, &mut head, &held).await {
        Ok(params) => {
            let call = Call { total_below: Some(answer::TOTAL_BELOW), ..Call::new(place.address.method, params, caller) };
            api.perform(&at.span, &head.headers, call).await
        }
        Err(refusal) => Err(refusal),
    };
    match result {
        Ok(success) => answer::success(place.address, success),
        Err(refusal) => answer::refused(&refusal, at),
    }
}

async fn params(place: Place, head: &mut Parts, held: &Held) -> Result<Object, Refusal> {
    let id = if place.address.has_id { Some(id(head).await?) } else { None };
    let sent = Sent {
        http: &head.method,
        id: id.as_deref(),
        query: head.uri.query().unwrap_or_default(),
        body: &held.bytes,
        first_generation: place.first_generation,
    };
    params::read(place.address.method, &sent)
}

/// The `{id}` of the path, decoded.
async fn id(head: &mut Parts) -> Result<String, Refusal> {
    let params = RawPathParams::from_request_parts(head, &()).await;
    let params = params.map_err(|_| Refusal::field("id", "is not UTF-8"))?;
    let id = params.iter().next().map(|(_, value)| value.to_owned());
    id.ok_or_else(|| Refusal::internal("an address with an id has none"))
}
