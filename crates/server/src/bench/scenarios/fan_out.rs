//! How fast one event gets out to many: a queue that has gathered for ten handlers, counted in deliveries. Each is checked for
//! order and for what is missing.
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Circumstances, delivered::nothing_wrong};
use crate::bench::{
    limits::CONCURRENCY,
    report::{Figure, Section},
    subject::{Receiver, Subject},
};

const HANDLERS: usize = 10;
const SHARE_OF_CEILING_WANTED: f64 = 0.4;
const EVENTS: u64 = 10_000;
/// A queue that is not empty after this time never will be.
const PATIENCE: Duration = Duration::from_secs(120);

/// So many handlers, paused, each with a path of its own at the receiver.
pub(super) async fn paused_handlers(server: &Subject, receiver: &Receiver, count: usize) -> anyhow::Result<Vec<(i64, String)>> {
    let mut handlers = Vec::with_capacity(count);
    for number in 0..count {
        let path = format!("/order/{number}");
        let concurrency = (CONCURRENCY / count).max(4);
        let handler = json!({"name": path, "event": "clients.create", "task": receiver.url(&path), "concurrency": concurrency});
        let id = server.handler(handler).await?;
        server.call("provisioning.handlers.pause", json!({"id": id})).await?;
        handlers.push((id, path));
    }
    Ok(handlers)
}

/// Resumes them and waits until each has got so many events; the seconds that this took.
pub(super) async fn resumed_until_empty(
    server: &Subject,
    receiver: &Receiver,
    handlers: &[(i64, String)],
    events: u64,
    patience: Duration,
) -> anyhow::Result<f64> {
    let started = Instant::now();
    for (id, _) in handlers {
        server.call("provisioning.handlers.resume", json!({"id": id})).await?;
    }
    for (_, path) in handlers {
        receiver.wait(path, events, patience).await?;
    }
    let took = started.elapsed().as_secs_f64();
    for (_, path) in handlers {
        nothing_wrong(&receiver.tally(path).await?, events)?;
    }
    Ok(took)
}

pub(super) async fn drain(at: &Circumstances) -> anyhow::Result<Section> {
    let (server, receiver) = (at.warm_server().await?, Receiver::start().await?);
    let handlers = paused_handlers(&server, &receiver, HANDLERS).await?;
    server.make_clients(EVENTS).await?;
    let busy = server.processor_seconds()?;
    let took = resumed_until_empty(&server, &receiver, &handlers, EVENTS, PATIENCE).await?;
    let busy = server.processor_seconds()? - busy;
    let deliveries = EVENTS as f64 * HANDLERS as f64;
    let rate = deliveries / took;
    let figures = vec![
        Figure::new("until the queues were empty", took, "s"),
        Figure::new("delivered", rate, "/s"),
        Figure::new("of the raw ceiling", rate / at.limits.posts_per_second, "x").at_least(SHARE_OF_CEILING_WANTED),
        Figure::new("the server's processor time per delivery", busy * 1e6 / deliveries, "us"),
    ];
    server.end().await?;
    Ok(Section { name: "fan-out", about: "10,000 events that had gathered for ten paused handlers, after their resume", figures })
}
