//! Whether a handler that hangs is felt by anyone else. The same load twice, two after handlers each time: a healthy
//! one whose delay is measured from the request to the event's arrival, and another that answers at once the first
//! time and hangs the second time, behind 3,000 waiting events. Clients are read all the while.
use std::time::Duration;

use serde_json::json;

use super::Circumstances;
use crate::bench::{
    histogram::{Histogram, Summary},
    load::Until,
    report::{Figure, Section},
    subject::{Load, Receiver, Subject},
};

const WAITING: u64 = 3_000;
const CREATES_PER_SECOND: f64 = 500.0;
const READS_PER_SECOND: f64 = 200.0;
const HANG: &str = "/hang/5000";
const PATIENCE: Duration = Duration::from_secs(60);
/// The worse of the two may be so much worse: 10 %, or 1 ms.
const WORSE_BY: f64 = 1.10;
const WORSE_BY_MS: f64 = 1.0;

/// How long things took in one of the two runs.
struct Felt {
    delay: Summary,
    reads: Summary,
    creates: Summary,
}

pub(super) async fn neighbour(at: &Circumstances) -> anyhow::Result<Section> {
    let (server, receiver) = (at.warm_server().await?, Receiver::start().await?);
    server.handler(json!({"name": "healthy", "event": "clients.create", "task": receiver.url("/delay")})).await?;
    let other = json!({"name": "other", "event": "clients.create", "task": receiver.url("/count"), "timeout_ms": 10_000});
    let other = server.handler(other).await?;
    let alone = felt(at, &server, &receiver).await?;

    server.call("provisioning.handlers.update", json!({"id": other, "task": receiver.url(HANG)})).await?;
    receiver.reset().await?;
    server.load(Load { until: Until::Requests(WAITING), ..creates() }).await?;
    receiver.wait("/delay", WAITING, PATIENCE).await?;
    let beside = felt(at, &server, &receiver).await?;
    let hanging = receiver.tally(HANG).await?.posts;
    anyhow::ensure!(hanging > 0, "the hanging handler was never called");
    server.end().await?;
    Ok(Section {
        name: "hang",
        about: "500 creates/s and 200 reads/s beside a handler that hangs 5 s with 3,000 waiting events",
        figures: figures(&alone, &beside, hanging),
    })
}

fn creates<'a>() -> Load<'a> {
    // The prefix is that of `receive::MICROS_PREFIX`; a test holds them together.
    Load { params: r#"{"name":"sent at {micros} {unique}"}"#, ..Load::clients_create() }
}

async fn felt(at: &Circumstances, server: &Subject, receiver: &Receiver) -> anyhow::Result<Felt> {
    receiver.reset().await?;
    let until = Until::Seconds(at.seconds);
    let picks = server.some_clients().await?;
    let creating = server.load(Load { connections: 16, until, rate: Some(CREATES_PER_SECOND), ..creates() });
    let reading = Load { method: "clients.get", params: r#"{"id":{pick}}"#, picks, ..Load::clients_create() };
    let reading = server.load(Load { connections: 8, until, rate: Some(READS_PER_SECOND), ..reading });
    let (creating, reading) = tokio::try_join!(creating, reading)?;
    let delay: Histogram = receiver.wait("/delay", creating.answered, PATIENCE).await?.delay;
    Ok(Felt { delay: delay.summary(), reads: reading.latency.summary(), creates: creating.latency.summary() })
}

fn figures(alone: &Felt, beside: &Felt, hanging: u64) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (what, alone, beside) in [
        ("event at the healthy handler", alone.delay, beside.delay),
        ("read", alone.reads, beside.reads),
        ("create", alone.creates, beside.creates),
    ] {
        let bound = (alone.p50_ms * WORSE_BY).max(alone.p50_ms + WORSE_BY_MS);
        figures.push(Figure::new(format!("{what}, median: both healthy"), alone.p50_ms, "ms"));
        figures.push(Figure::new(format!("{what}, median: one hangs"), beside.p50_ms, "ms").at_most(bound));
        figures.push(Figure::new(format!("{what}, 99 %: both healthy"), alone.p99_ms, "ms"));
        figures.push(Figure::new(format!("{what}, 99 %: one hangs"), beside.p99_ms, "ms"));
    }
    figures.push(Figure::new("calls to the hanging handler", hanging as f64, "calls"));
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::receive::MICROS_PREFIX;

    #[test]
    fn the_receiver_finds_the_time_in_the_names_that_are_made() {
        assert!(creates().params.contains(&format!("{MICROS_PREFIX}{{micros}}")));
    }
}
