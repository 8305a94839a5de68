//! The Core API over HTTP: JSON-RPC, keys, limits, health, metrics.
//!
//! What a request says is decided in `hookswitch-core`; here it is only read, and its answer written. The way of a
//! request, from the socket inwards:
//!
//! | place | subject |
//! |---|---|
//! | [`connections`] | accepting, TLS, limits of time and number; a request's id; panics |
//! | `routes` | which address is what, what is at none |
//! | `body` | reading a body within bounds of size, time and memory |
//! | `keys`, `wrong_keys`, `proxies` | who calls, from where; guessing is slowed down |
//! | `door` | from a request to the one door, whatever the protocol |
//! | `span` | what is recorded of a request, for OpenTelemetry |
//! | `rpc` | JSON-RPC 2.0: from bytes to calls, from answers to bytes |
//! | `rest` | REST: the same methods at addresses of their own |
//! | `meant`, `aliases` | texts that stand for numbers; names and habits of the first API generation |
//! | [`describe`] | OpenAPI and OpenRPC from the table of methods, and a page to read and try them |
//! | `management` | the Management API: a thin face over the same methods, and lists as files |
//! | [`pages`] | what pages for people ask |
//! | `problem` | errors at addresses that don't speak JSON-RPC |
//! | `health`, `metrics` | is it alive, can it serve, how is it doing |
//!
//! **Invariant:** nothing here changes anything; every change goes through the one door, `Core::perform`.
mod aliases;
mod body;
pub mod connections;
pub mod describe;
mod door;
#[cfg(test)]
mod fixture;
mod health;
mod keys;
mod management;
pub mod meant;
mod metrics;
pub mod pages;
mod panics;
mod problem;
mod proxies;
mod request_id;
mod rest;
mod routes;
mod rpc;
mod span;
mod wrong_keys;

use std::sync::Arc;

use hookswitch_core::Core;
use ipnet::IpNet;

pub use connections::{Circumstances, Serving};
pub use request_id::RequestId;
pub use span::RequestSpan;

/// What the API stands on, and how it is set.
pub struct Options {
    /// What the product can do.
    pub core: Core,
    /// Networks whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// True if `/metrics` may be read without a key: the listener is on the loopback.
    pub open_metrics: bool,
}

/// The API; a cheap handle.
#[derive(Clone)]
pub struct Api {
    parts: Arc<Parts>,
}

/// What every request may need.
struct Parts {
    core: Core,
    proxies: proxies::Proxies,
    wrong_keys: wrong_keys::WrongKeys,
    bodies: body::Bodies,
    request_ids: request_id::RequestIds,
    metrics: metrics::Metrics,
    open_metrics: bool,
}

impl Api {
    /// Over this core.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let metrics = metrics::Metrics::new(options.core.store().clock().now());
        let parts = Parts {
            core: options.core,
            proxies: proxies::Proxies::new(options.trusted_proxies),
            wrong_keys: wrong_keys::WrongKeys::default(),
            bodies: body::Bodies::default(),
            request_ids: request_id::RequestIds::new(),
            metrics,
            open_metrics: options.open_metrics,
        };
        Self { parts: Arc::new(parts) }
    }
}
