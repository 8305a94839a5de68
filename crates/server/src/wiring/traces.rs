//! Traces, if they are wanted: where they go, and who we are in them.
use hookswitch_store::Clock;
use hookswitch_traces::{Exporter, Settings as Plan, Traces};
use uuid::Uuid;

use super::node;
use crate::{
    config::{self, Environment, Settings},
    ending::Ended,
};

/// Whether and where traces go, by the settings and by OpenTelemetry's own variables.
/// A variable that is wrong leaves them off, and says so: what is set for all programs of a machine must not keep this one from starting.
pub(crate) fn plan(settings: &Settings, environment: Environment<'_>) -> Option<Plan> {
    let config::Otlp(url) = settings.otlp.clone()?;
    let own = [
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", Uuid::now_v7().to_string()),
        ("host.name", node::host()),
    ];
    let variable = |name: &str| environment(name).and_then(|value| value.into_string().ok());
    Plan::read(url, &own, &variable).unwrap_or_else(|wrong| {
        tracing::warn!("no traces are exported: {wrong}");
        None
    })
}

/// Begins to record and to export.
///
/// # Errors
/// When no HTTP client can be made.
pub(crate) fn start(plan: Option<Plan>, clock: &Clock) -> Ended<(Traces, Option<Exporter>)> {
    let Some(plan) = plan else { return Ok((Traces::off(), None)) };
    let endpoint = plan.endpoint();
    let (traces, exporter) = Traces::start(plan, clock.clone()).map_err(anyhow::Error::from)?;
    tracing::info!(endpoint, "traces are exported");
    Ok((traces, Some(exporter)))
}
