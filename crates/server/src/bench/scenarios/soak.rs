//! Half of what is possible, for a long time: memory, descriptors, the queue and the database must level off.
//!
//! The load changes a thousand clients over and over, and one handler hears of every change. Log and journal are kept small, so
//! that what is old goes out within the run, as it does after a month in earnest. What has levelled off is no higher in the
//! last third than in the one before, but for a little noise.
use std::time::{Duration, Instant};

use serde_json::json;

use super::Circumstances;
use crate::bench::{
    limits::CONCURRENCY,
    load::Until,
    report::{Figure, Section},
    subject::{Load, Receiver, Subject},
};

const CLIENTS: u64 = 1_000;
/// The journal and the log are full after the first minutes.
const CONFIG: &str = "log_max_bytes = 100_000_000\njournal_max_bytes = 200_000_000\n";
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The last third against the one before.
const GROWTH_WANTED: f64 = 1.1;
const PATIENCE: Duration = Duration::from_secs(60);

/// What is looked at.
#[derive(Debug, Clone, Copy)]
struct Look {
    memory_mb: f64,
    descriptors: f64,
    waiting: f64,
    database_mb: f64,
}

impl Look {
    async fn at(server: &Subject) -> anyhow::Result<Self> {
        Ok(Self {
            memory_mb: server.memory()?.resident_mb,
            descriptors: server.descriptors()? as f64,
            waiting: server.waiting().await? as f64,
            database_mb: server.database_mb().await?,
        })
    }
}

fn updates(picks: &[i64]) -> Load<'static> {
    Load {
        method: "clients.update",
        params: r#"{"id":{pick},"notes":"bench {unique}"}"#,
        picks: picks.to_vec(),
        ..Load::clients_create()
    }
}

pub(super) async fn soak(at: &Circumstances) -> anyhow::Result<Section> {
    let (server, receiver) = (Subject::start_with(&at.place, CONFIG).await?, Receiver::start().await?);
    server.make_clients(CLIENTS).await?;
    let picks = server.all_clients().await?;
    let task = receiver.url("/rise");
    server.handler(json!({"name": "receiver", "event": "clients.update", "task": task, "concurrency": CONCURRENCY})).await?;
    let most = server.load(Load { until: Until::Seconds(10.0), ..updates(&picks) }).await?;
    receiver.wait("/rise", most.answered, PATIENCE).await?;
    let rate = most.rate() / 2.0;
    let load = Load { until: Until::Seconds(at.seconds), rate: Some(rate), ..updates(&picks) };
    let (outcome, looks) = tokio::join!(server.load(load), looks(&server, at.seconds));
    let (outcome, looks) = (outcome?, looks?);
    let tally = receiver.wait("/rise", most.answered + outcome.answered, PATIENCE).await?;
    anyhow::ensure!(tally.out_of_order == 0, "{} posts were out of order", tally.out_of_order);
    let mut figures = vec![
        Figure::new("for", outcome.seconds, "s"),
        Figure::new("most that was possible before", most.rate(), "changes/s"),
        Figure::new("changes", outcome.rate(), "/s"),
        Figure::new("heard of, in order", tally.posts as f64, "events"),
        Figure::new("99 % of a change", outcome.latency.percentile_ms(99.0), "ms"),
    ];
    figures.extend(levels("memory", "MB", &looks, |look| look.memory_mb));
    figures.extend(levels("descriptors", "", &looks, |look| look.descriptors));
    figures.extend(levels("size of the database", "MB", &looks, |look| look.database_mb));
    // A queue that is empty most of the time has no growth to speak of.
    let longest = looks.iter().map(|look| look.waiting).fold(0.0, f64::max);
    figures.push(Figure::new("waiting deliveries, at the most", longest, "").at_most(rate));
    server.end().await?;
    Ok(Section { name: "soak", about: "changes of 1,000 clients at half of the maximal rate, one handler listening", figures })
}

async fn looks(server: &Subject, seconds: f64) -> anyhow::Result<Vec<Look>> {
    let (started, mut looks) = (Instant::now(), Vec::new());
    while started.elapsed().as_secs_f64() < seconds {
        tokio::time::sleep(LOOK_EVERY).await;
        looks.push(Look::at(server).await?);
    }
    Ok(looks)
}

/// The means of the three thirds, and how the last compares to the one before.
fn levels(name: &'static str, unit: &'static str, looks: &[Look], of: impl Fn(&Look) -> f64) -> Vec<Figure> {
    let third = (looks.len() / 3).max(1);
    let mean = |part: &[Look]| part.iter().map(&of).sum::<f64>() / part.len().max(1) as f64;
    let means: Vec<f64> = looks.chunks(third).take(3).map(mean).collect();
    let [first, second, last] = [0, 1, 2].map(|at| means.get(at).copied().unwrap_or_default());
    vec![
        Figure::new(format!("{name}, first third"), first, unit),
        Figure::new(format!("{name}, second third"), second, unit),
        Figure::new(format!("{name}, last third"), last, unit),
        Figure::new(format!("{name}, last third of the second"), last / second, "x").at_most(GROWTH_WANTED),
    ]
}
