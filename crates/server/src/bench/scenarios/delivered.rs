//! How fast events get out: while they are made, and from a queue that has gathered.
//! Both are counted at the receiver, and both check that each client's events came in order and none was lost.
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Circumstances, throughput};
use crate::bench::{
    limits::CONCURRENCY,
    load::Until,
    receive::Tally,
    report::{Figure, Section},
    subject::{Load, Receiver, Subject},
};

const SHARE_OF_CREATES_WANTED: f64 = 0.75;
const SHARE_OF_CEILING_WANTED: f64 = 0.5;
const ON_POSTGRES_WANTED: f64 = 2_000.0;
const QUEUE: u64 = 50_000;
/// A queue that is not empty after this time never will be.
const PATIENCE: Duration = Duration::from_secs(120);

/// The sustained run is longer than the others, so that a backlog would show.
const SUSTAINED_TIMES: f64 = 3.0;

async fn listener(server: &Subject, receiver: &Receiver) -> anyhow::Result<i64> {
    let task = receiver.url("/order");
    server.handler(json!({"name": "receiver", "event": "clients.create", "task": task, "concurrency": CONCURRENCY})).await
}

pub(super) fn nothing_wrong(tally: &Tally, expected: u64) -> anyhow::Result<()> {
    anyhow::ensure!(tally.out_of_order == 0, "{} posts were out of order", tally.out_of_order);
    anyhow::ensure!(tally.posts == expected, "{} posts for {expected} events", tally.posts);
    Ok(())
}

pub(super) async fn sustained(at: &mut Circumstances) -> anyhow::Result<Section> {
    if at.creates_per_second.is_none() {
        throughput::create(at).await?;
    }
    let creates = at.creates_per_second.unwrap_or_default();
    let (server, receiver) = (at.warm_server().await?, Receiver::start().await?);
    listener(&server, &receiver).await?;
    let (busy, database_busy) = (server.processor_seconds()?, server.database_seconds().await?);
    let until = Until::Seconds(at.seconds * SUSTAINED_TIMES);
    let outcome = server.load(Load { until, ..Load::clients_create() }).await?;
    let at_end = receiver.tally("/order").await?;
    let ended = Instant::now();
    let whole = receiver.wait("/order", outcome.answered, PATIENCE).await?;
    let catching_up = ended.elapsed();
    let busy = server.processor_seconds()? - busy;
    nothing_wrong(&whole, outcome.answered)?;
    let rate = at_end.posts as f64 / outcome.seconds;
    let delivered = Figure::new("delivered while creating", rate, "/s");
    let delivered = if at.ceilings.is_some() { delivered.at_least(ON_POSTGRES_WANTED) } else { delivered };
    let mut figures = vec![
        Figure::new("created", outcome.rate(), "/s"),
        delivered,
        Figure::new("delivered, of the create-only rate", rate / creates, "x").at_least(SHARE_OF_CREATES_WANTED),
        Figure::new("not yet delivered at the end", outcome.answered.saturating_sub(at_end.posts) as f64, "events"),
        Figure::new("until the last one was", catching_up.as_secs_f64() * 1000.0, "ms"),
        Figure::new("median of a create", outcome.latency.percentile_ms(50.0), "ms"),
        Figure::new("99 % of a create", outcome.latency.percentile_ms(99.0), "ms"),
        Figure::new("the server's processor time per event", busy * 1e6 / outcome.answered.max(1) as f64, "us"),
    ];
    if let Some(ceilings) = at.ceilings {
        figures.push(Figure::new("of pgbench with a transaction of as many rows", rate / ceilings.four, "x"));
    }
    figures.extend(throughput::database_cost(&server, database_busy, outcome.answered).await?);
    server.end().await?;
    Ok(Section {
        name: "delivered",
        about: "clients created over 64 connections and delivered to one after handler meanwhile",
        figures,
    })
}

pub(super) async fn drain(at: &Circumstances) -> anyhow::Result<Section> {
    let (server, receiver) = (at.warm_server().await?, Receiver::start().await?);
    let id = listener(&server, &receiver).await?;
    server.call("provisioning.handlers.pause", json!({"id": id})).await?;
    server.make_clients(QUEUE).await?;
    let early = receiver.tally("/order").await?;
    anyhow::ensure!(early.posts == 0, "a paused handler got {} posts", early.posts);
    let busy = server.processor_seconds()?;
    let started = Instant::now();
    server.call("provisioning.handlers.resume", json!({"id": id})).await?;
    let whole = receiver.wait("/order", QUEUE, PATIENCE).await?;
    let took = started.elapsed().as_secs_f64();
    nothing_wrong(&whole, QUEUE)?;
    let busy = server.processor_seconds()? - busy;
    let rate = QUEUE as f64 / took;
    let figures = vec![
        Figure::new("until the queue was empty", took, "s"),
        Figure::new("delivered", rate, "/s"),
        Figure::new("of the raw ceiling", rate / at.limits.posts_per_second, "x").at_least(SHARE_OF_CEILING_WANTED),
        Figure::new("the server's processor time per event", busy * 1e6 / QUEUE as f64, "us"),
    ];
    server.end().await?;
    Ok(Section { name: "drain", about: "50,000 events that had gathered for a paused handler, after its resume", figures })
}
