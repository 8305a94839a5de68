//! `/metrics`: how it is doing, as OpenMetrics text (Prometheus).
//!
//! | file | subject |
//! |---|---|
//! | `mod.rs` | what is counted here: calls of methods, wrong keys, connections; the page |
//! | [`standing`] | what store, handlers and the process say of themselves when the page is asked for |
//!
//! Labels have few values, all of them ours: a caller can't make new time series.
mod standing;

use std::{sync::atomic::AtomicU64, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use hookswitch_model::{moment::Moment, refusal::Refusal};
use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use crate::{Api, connections::Circumstances, keys, keys::Rejected, problem};
use standing::Standing;

const PREFIX: &str = "hookswitch";
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Upper bounds in seconds: from one flush of a fast disk to the budget of a whole before chain, and beyond.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfMethod {
    method: &'static str,
}

/// What is counted about requests.
pub(crate) struct Metrics {
    registry: Registry,
    actions: Family<Action, Counter<u64, AtomicU64>>,
    durations: Family<OfMethod, Histogram, fn() -> Histogram>,
    wrong_keys: Counter<u64, AtomicU64>,
    connections: Gauge,
}

impl Metrics {
    /// Nothing counted yet; the process started now.
    pub(crate) fn new(now: Moment) -> Self {
        let actions = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let (wrong_keys, connections) = (Counter::default(), Gauge::default());
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let started = ConstGauge::new(now.millis() as f64 / 1_000.0);
        registry.register_with_unit("start_time", "When the process started, since 1970", Unit::Seconds, started);
        registry.register("connections", "Connections that are open", connections.clone());
        registry.register("wrong_keys", "Requests with a wrong key", wrong_keys.clone());
        registry.register("actions", "Calls of methods, by method and outcome", actions.clone());
        registry.register_with_unit("action_duration", "Time that calls of methods took", Unit::Seconds, durations.clone());
        Self { registry, actions, durations, wrong_keys, connections }
    }

    /// Counts one call of a method.
    pub(crate) fn count(&self, method: &'static str, refusal: Option<&Refusal>, took: Duration) {
        self.actions.get_or_create(&Action { method, outcome: outcome(refusal) }).inc();
        self.durations.get_or_create(&OfMethod { method }).observe(took.as_secs_f64());
    }

    /// Counts one wrong key.
    pub(crate) fn wrong_key(&self) {
        self.wrong_keys.inc();
    }

    /// Counts a connection as open until what it gives is dropped.
    pub(crate) fn connection(&self) -> Open<'_> {
        self.connections.inc();
        Open(&self.connections)
    }

    fn page(&self, standing: Standing) -> Result<String, std::fmt::Error> {
        let mut asked = Registry::with_prefix(PREFIX);
        asked.register_collector(Box::new(standing));
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &asked)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// An open connection.
pub(crate) struct Open<'a>(&'a Gauge);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// How a call ended, in one of a few words.
pub(crate) fn outcome(refusal: Option<&Refusal>) -> &'static str {
    match refusal {
        None => "success",
        Some(Refusal::Invalid(_)) => "invalid",
        Some(Refusal::AuthFailed(_) | Refusal::AccessDenied(_)) => "denied",
        Some(Refusal::NotFound { .. }) => "not_found",
        Some(Refusal::Conflict { .. } | Refusal::Again) => "conflict",
        Some(Refusal::Unprocessable { .. }) => "unprocessable",
        Some(Refusal::ForbiddenByHandler { .. }) => "forbidden_by_handler",
        Some(Refusal::HandlerFailed { .. }) => "handler_failed",
        Some(Refusal::TooLarge(_) | Refusal::TooMany(_)) => "too_much",
        Some(Refusal::Internal(_)) => "internal",
    }
}

/// Answers `GET /metrics`.
pub(crate) async fn show(State(api): State<Api>, Extension(at): Extension<Circumstances>, headers: HeaderMap) -> Response {
    if let Err(rejected) = may_see(&api, &at, &headers).await {
        return problem::rejected(&rejected, at.request_id.text());
    }
    let standing = Standing::of(&api.parts.core).await;
    match api.parts.metrics.page(standing) {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => problem::refused(&Refusal::internal("the metrics could not be written"), at.request_id.text()),
    }
}

/// The figures are those of the whole system: a reseller's key, which must not tell him how others are doing, does
/// not do.
async fn may_see(api: &Api, at: &Circumstances, headers: &HeaderMap) -> Result<(), Rejected> {
    if api.parts.open_metrics {
        return Ok(());
    }
    let caller = api.caller(keys::in_headers(headers), at.from).await?;
    if caller.companies_id.is_some() {
        let words = "these are figures of the whole system, your key is a reseller's".to_owned();
        return Err(Rejected { refusal: Refusal::AccessDenied(words), retry_after_seconds: None });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_method_and_outcome() {
        let metrics = Metrics::new(Moment::from_millis(1_500));
        metrics.count("clients.get", None, Duration::from_millis(3));
        metrics.count("clients.get", Some(&Refusal::not_found("clients", 1)), Duration::from_millis(1));
        metrics.wrong_key();
        let open = metrics.connection();
        drop(metrics.connection());
        let mut text = String::new();
        encode_registry(&mut text, &metrics.registry).unwrap();
        drop(open);
        for line in [
            "hookswitch_start_time_seconds 1.5",
            "hookswitch_connections 1",
            "hookswitch_wrong_keys_total 1",
            "hookswitch_actions_total{method=\"clients.get\",outcome=\"success\"} 1",
            "hookswitch_actions_total{method=\"clients.get\",outcome=\"not_found\"} 1",
            "hookswitch_action_duration_seconds_count{method=\"clients.get\"} 2",
            "hookswitch_action_duration_seconds_bucket{le=\"0.002\",method=\"clients.get\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
