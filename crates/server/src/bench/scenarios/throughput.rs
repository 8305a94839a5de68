//! How many changes a second, each on the disk before it is answered.
use super::Circumstances;
use crate::bench::{
    load::{Outcome, Until},
    report::{Figure, Section},
    subject::{Load, Subject},
};

const CREATES_WANTED: Wanted = Wanted { inside: 8_000.0, postgres: 2_500.0 };
const TRANSACTIONS_WANTED: Wanted = Wanted { inside: 12_000.0, postgres: 3_000.0 };

/// What is wanted a second, by where the database is.
struct Wanted {
    inside: f64,
    postgres: f64,
}

pub(super) async fn create(at: &mut Circumstances) -> anyhow::Result<Section> {
    let ceiling = at.ceilings.map(|ceilings| ceilings.three);
    let (figures, rate) = measure(at, Load::clients_create(), &CREATES_WANTED, ceiling).await?;
    at.creates_per_second = Some(rate);
    Ok(Section { name: "create", about: "clients.create, no handlers, 64 connections", figures })
}

pub(super) async fn transactions(at: &Circumstances) -> anyhow::Result<Section> {
    let load = Load {
        method: "accounting.transactions.create",
        params: r#"{"clients_id":{pick},"type":"payment","amount":0.01}"#,
        ..Load::clients_create()
    };
    let ceiling = at.ceilings.map(|ceilings| ceilings.four);
    let (figures, _) = measure(at, load, &TRANSACTIONS_WANTED, ceiling).await?;
    Ok(Section {
        name: "transactions",
        about: "accounting.transactions.create over 1,000 clients, no handlers, 64 connections",
        figures,
    })
}

async fn measure(
    at: &Circumstances,
    load: Load<'_>,
    wanted: &Wanted,
    ceiling: Option<f64>,
) -> anyhow::Result<(Vec<Figure>, f64)> {
    let server = at.warm_server().await?;
    let picks = server.some_clients().await?;
    let (busy, database_busy) = (server.processor_seconds()?, server.database_seconds().await?);
    let outcome = server.load(Load { picks, until: Until::Seconds(at.seconds), ..load }).await?;
    let wanted = if ceiling.is_some() { wanted.postgres } else { wanted.inside };
    let mut figures = figures(at, &server, &outcome, busy, wanted)?;
    if let Some(ceiling) = ceiling {
        figures.insert(1, Figure::new("of pgbench with a transaction of as many rows", outcome.rate() / ceiling, "x"));
    }
    figures.extend(database_cost(&server, database_busy, outcome.answered).await?);
    server.end().await?;
    Ok((figures, outcome.rate()))
}

/// What the database's processes have cost for each of so many, since they had used so much.
pub(super) async fn database_cost(server: &Subject, before: Option<f64>, count: u64) -> anyhow::Result<Option<Figure>> {
    let now = server.database_seconds().await?;
    let used = now.zip(before).map(|(now, before)| (now - before) * 1e6 / count.max(1) as f64);
    Ok(used.map(|used| Figure::new("the database's processor time beside it", used, "us")))
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
