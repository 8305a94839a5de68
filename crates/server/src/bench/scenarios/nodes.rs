//! Two nodes on one database, beside one: both share this machine's processors with the database, so two can't do more here. What is
//! asked is how much it costs to be several.
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;

use super::{Circumstances, delivered::nothing_wrong};
use crate::bench::{
    limits::CONCURRENCY,
    load::{Outcome, Until},
    report::{Figure, Section},
    subject::{Load, Receiver, Subject},
};

const SHARE_WANTED: f64 = 0.9;
const PATIENCE: Duration = Duration::from_secs(120);
/// Until each has its share of the clients.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What so many nodes did together.
struct Done {
    created: f64,
    delivered: f64,
    /// Processor time in microseconds for each event: of all nodes, of the database.
    nodes_us: f64,
    database_us: f64,
}

pub(super) async fn beside_one(at: &Circumstances) -> anyhow::Result<Section> {
    anyhow::ensure!(at.place.database.is_some(), "several nodes need a server: --database postgres://...");
    let one = measure(at, 1).await.context("one node")?;
    let two = measure(at, 2).await.context("two nodes")?;
    let mut figures = Vec::new();
    for (name, done) in [("one node", &one), ("two nodes", &two)] {
        figures.extend([
            Figure::new(format!("{name}: created"), done.created, "/s"),
            Figure::new(format!("{name}: delivered while creating"), done.delivered, "/s"),
            Figure::new(format!("{name}: processor time per event, all nodes"), done.nodes_us, "us"),
            Figure::new(format!("{name}: the database's beside it"), done.database_us, "us"),
        ]);
    }
    figures.push(Figure::new("two of one, created", two.created / one.created, "x").at_least(SHARE_WANTED));
    figures.push(Figure::new("two of one, delivered", two.delivered / one.delivered, "x").at_least(SHARE_WANTED));
    Ok(Section {
        name: "nodes",
        about: "clients created over 64 connections, shared out among the nodes, and delivered to one after handler meanwhile",
        figures,
    })
}

async fn measure(at: &Circumstances, count: usize) -> anyhow::Result<Done> {
    let (first, receiver) = (at.warm_server().await?, Receiver::start().await?);
    let mut nodes = vec![first];
    for _ in 1..count {
        let beside = nodes[0].start_beside().await?;
        beside.load(Load { until: Until::Seconds(1.0), ..Load::clients_create() }).await?;
        nodes.push(beside);
    }
    settled(&nodes[0], count).await?;
    let task = receiver.url("/order");
    let handler = json!({"name": "receiver", "event": "clients.create", "task": task, "concurrency": CONCURRENCY});
    nodes[0].handler(handler).await?;
    let (busy, database_busy) = (busy(&nodes)?, nodes[0].database_seconds().await?.unwrap_or_default());
    let outcomes = loaded(at, &nodes).await?;
    let at_end = receiver.tally("/order").await?;
    let answered: u64 = outcomes.iter().map(|outcome| outcome.answered).sum();
    let whole = receiver.wait("/order", answered, PATIENCE).await?;
    nothing_wrong(&whole, answered)?;
    let seconds = outcomes.iter().map(|outcome| outcome.seconds).fold(0.0, f64::max);
    let each = |seconds: f64| seconds * 1e6 / answered.max(1) as f64;
    let done = Done {
        created: answered as f64 / seconds,
        delivered: at_end.posts as f64 / seconds,
        nodes_us: each(self::busy(&nodes)? - busy),
        database_us: each(nodes[0].database_seconds().await?.unwrap_or_default() - database_busy),
    };
    // The one with the database last.
    while let Some(node) = nodes.pop() {
        node.end().await?;
    }
    Ok(done)
}

async fn loaded(at: &Circumstances, nodes: &[Subject]) -> anyhow::Result<Vec<Outcome>> {
    let connections = CONCURRENCY / nodes.len();
    let load = || Load { connections, until: Until::Seconds(at.seconds * 2.0), ..Load::clients_create() };
    match nodes {
        [one] => Ok(vec![one.load(load()).await?]),
        [one, other] => {
            let (one, other) = tokio::join!(one.load(load()), other.load(load()));
            Ok(vec![one?, other?])
        }
        _ => anyhow::bail!("one or two nodes are measured"),
    }
}

fn busy(nodes: &[Subject]) -> anyhow::Result<f64> {
    nodes.iter().map(Subject::processor_seconds).sum()
}

/// Waits until each of so many nodes has clients of its own.
async fn settled(node: &Subject, count: usize) -> anyhow::Result<()> {
    let end = Instant::now() + SETTLED_WITHIN;
    loop {
        let status = node.call("system.status", json!({})).await?;
        let owners = status["nodes"].as_array().into_iter().flatten();
        let with_shards = owners.filter(|node| node["shards"].as_i64().unwrap_or(0) >= 256 / count as i64).count();
        if with_shards == count {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < end, "the nodes don't share the clients: {}", status["nodes"]);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
