//! How many changes a second, each on the disk before it is answered.
use super::Circumstances;
use crate::bench::{
    load::{Outcome, Until},
    report::{Figure, Section},
    subject::{Load, Subject},
};

const CREATES_WANTED: f64 = 8_000.0;
const TRANSACTIONS_WANTED: f64 = 12_000.0;

pub(super) async fn create(at: &mut Circumstances) -> anyhow::Result<Section> {
    let (figures, rate) = measure(at, Load::clients_create(), CREATES_WANTED).await?;
    at.creates_per_second = Some(rate);
    Ok(Section { name: "create", about: "clients.create, no handlers, 64 connections", figures })
}

pub(super) async fn transactions(at: &Circumstances) -> anyhow::Result<Section> {
    let load = Load {
        method: "accounting.transactions.create",
        params: r#"{"clients_id":{pick},"type":"payment","amount":0.01}"#,
        ..Load::clients_create()
    };
    let (figures, _) = measure(at, load, TRANSACTIONS_WANTED).await?;
    Ok(Section {
        name: "transactions",
        about: "accounting.transactions.create over 1,000 clients, no handlers, 64 connections",
        figures,
    })
}

async fn measure(at: &Circumstances, load: Load<'_>, wanted: f64) -> anyhow::Result<(Vec<Figure>, f64)> {
    let server = at.warm_server().await?;
    let picks = server.some_clients().await?;
    let busy = server.processor_seconds()?;
    let outcome = server.load(Load { picks, until: Until::Seconds(at.seconds), ..load }).await?;
    let figures = figures(at, &server, &outcome, busy, wanted)?;
    server.end().await?;
    Ok((figures, outcome.rate()))
}

fn figures(at: &Circumstances, server: &Subject, outcome: &Outcome, busy: f64, wanted: f64) -> anyhow::Result<Vec<Figure>> {
    let (rate, latency) = (outcome.rate(), outcome.latency.summary());
    let busy = server.processor_seconds()? - busy;
    Ok(vec![
        Figure::new("answered", rate, "/s").at_least(wanted),
        Figure::new("per flush of the disk", rate / at.limits.flushes_per_second, "changes"),
        Figure::new("median", latency.p50_ms, "ms"),
        Figure::new("99 %", latency.p99_ms, "ms"),
        Figure::new("slowest", latency.max_ms, "ms"),
        Figure::new("the server's processor time per change", busy * 1e6 / outcome.answered.max(1) as f64, "us"),
    ])
}
