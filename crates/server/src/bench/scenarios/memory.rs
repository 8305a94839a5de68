//! How much memory the server holds, with nothing to do and with a long queue.
use std::time::Duration;

use serde_json::json;

use super::Circumstances;
use crate::bench::{
    report::{Figure, Section},
    subject::Subject,
};

const WAITING: u64 = 100_000;
const AT_REST_WANTED_MB: f64 = 60.0;
const WITH_QUEUE_WANTED_MB: f64 = 150.0;
/// What was needed for the last request is given back by then.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) async fn held(at: &Circumstances) -> anyhow::Result<Section> {
    let server = Subject::start(&at.place).await?;
    tokio::time::sleep(SETTLE).await;
    let fresh = server.memory()?;
    // Nobody listens on the discard port of this machine; paused, so that nobody is even tried.
    let handler = json!({"name": "paused", "event": "clients.create", "task": "http://127.0.0.1:9/"});
    let id = server.handler(handler).await?;
    server.call("provisioning.handlers.pause", json!({"id": id})).await?;
    server.make_clients(WAITING).await?;
    tokio::time::sleep(SETTLE).await;
    let paused = server.memory()?;
    server.call("provisioning.handlers.resume", json!({"id": id})).await?;
    tokio::time::sleep(SETTLE).await;
    let failing = server.memory()?;
    server.end().await?;
    let figures = vec![
        Figure::new("just started", fresh.resident_mb, "MB").at_most(AT_REST_WANTED_MB),
        Figure::new("100,000 deliveries wait for a paused handler", paused.resident_mb, "MB").at_most(WITH_QUEUE_WANTED_MB),
        Figure::new("100,000 deliveries wait for a dead handler", failing.resident_mb, "MB").at_most(WITH_QUEUE_WANTED_MB),
        Figure::new("at its most meanwhile", failing.peak_mb, "MB"),
    ];
    Ok(Section { name: "memory", about: "resident memory of the server's process", figures })
}
