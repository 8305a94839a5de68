//! What a before handler adds to its caller's time. With and without it in turn, because a disk's mood changes within
//! seconds; from the difference the handler's own time to answer is taken off, as a bare client of it measures that.
use anyhow::Context as _;
use serde_json::json;

use super::Circumstances;
use crate::bench::{
    histogram::Histogram,
    load::{Outcome, Plan, Until},
    process,
    report::{Figure, Section},
    subject::{Load, Receiver, Subject},
    template::Request,
};

const ROUNDS: u32 = 5;
const MEDIAN_WANTED_MS: f64 = 0.5;
const P99_WANTED_MS: f64 = 2.0;

/// One way to load it.
struct Way {
    name: &'static str,
    connections: usize,
    rate: Option<f64>,
}

const WAYS: [Way; 2] = [
    Way { name: "1 connection", connections: 1, rate: None },
    Way { name: "1,000/s over 32 connections", connections: 32, rate: Some(1_000.0) },
];

/// Times of the three things that are compared.
#[derive(Default)]
struct Times {
    without: Histogram,
    with: Histogram,
    answer: Histogram,
}

pub(super) async fn overhead(at: &Circumstances) -> anyhow::Result<Section> {
    let (server, receiver) = (at.warm_server().await?, Receiver::start().await?);
    let task = receiver.url("/count");
    let id = server.handler(json!({"name": "asked", "event": "clients.create", "type": "before", "task": task})).await?;
    let mut figures = Vec::new();
    for way in WAYS {
        let times = measure(at, &server, &receiver, id, &way).await?;
        figures.extend(figures_of(at, &way, &times));
    }
    server.end().await?;
    Ok(Section { name: "before", about: "what one before handler that answers at once adds to clients.create", figures })
}

async fn measure(at: &Circumstances, server: &Subject, receiver: &Receiver, id: i64, way: &Way) -> anyhow::Result<Times> {
    let until = Until::Seconds((at.seconds / f64::from(ROUNDS)).max(0.5));
    let load = Load { connections: way.connections, rate: way.rate, until, ..Load::clients_create() };
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        for (status, histogram) in [("disabled", &mut times.without), ("enabled", &mut times.with)] {
            server.call("provisioning.handlers.update", json!({"id": id, "status": status})).await?;
            histogram.merge(&server.load(load.clone()).await?.latency);
        }
        times.answer.merge(&answers(receiver, way, until).await?.latency);
    }
    let asked = receiver.tally("/count").await?.posts;
    anyhow::ensure!(asked >= times.with.count(), "the handler was asked {asked} times for {} actions", times.with.count());
    Ok(times)
}

/// The handler's own answer time: the same load on the receiver itself.
async fn answers(receiver: &Receiver, way: &Way, until: Until) -> anyhow::Result<Outcome> {
    let body = json!({"event": {"events_id": "clients.create"}, "padding": "x".repeat(2_000)}).to_string();
    let request = Request { address: receiver.address(), path: "/answer".into(), headers: Vec::new(), body, picks: Vec::new() };
    let plan = Plan { request, connections: way.connections, until, rate: way.rate };
    process::ask("__load", &plan).await.context("the receiver's own time")
}

fn figures_of(at: &Circumstances, way: &Way, times: &Times) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (label, percent, wanted_ms) in [("median", 50.0, MEDIAN_WANTED_MS), ("99 %", 99.0, P99_WANTED_MS)] {
        let [without, with, answer] = [&times.without, &times.with, &times.answer].map(|times| times.percentile_ms(percent));
        let label = format!("{}, {label}", way.name);
        figures.push(Figure::new(format!("{label}: without the handler"), without, "ms"));
        figures.push(Figure::new(format!("{label}: with it"), with, "ms"));
        figures.push(Figure::new(format!("{label}: its own answer"), answer, "ms"));
        let ours = Figure::new(format!("{label}: added by us, one flush included"), with - without - answer, "ms");
        // Faster with the handler than without it: something else was measured, and nothing is shown.
        figures.push(if with < without { ours } else { ours.at_most(wanted_ms + at.limits.flush_ms) });
    }
    figures
}
