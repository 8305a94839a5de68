//! The night on which everybody's period ends: very many renewals fall due at one moment, with one after handler that hears of them,
//! and callers go on creating clients meanwhile.
//!
//! How they are made to: all client packages have the same `start_dt`, one period of a day before a moment some minutes ahead. They are
//! activated at once, for the day that ends then, and are to be renewed at its end and not before.
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use hookswitch_model::moment::Moment;
use serde_json::{Value, json};

use super::Circumstances;
use crate::bench::{
    load::{Outcome, Until},
    report::{Figure, Section},
    subject::{Load, Receiver, Subject},
};

/// Client packages of one client.
const EACH: u32 = 2;
/// A day is the shortest of the usual periods.
const PERIOD: &str = "P1D";
const PERIOD_MS: i64 = 24 * 60 * 60 * 1_000;
/// The moment lies so far ahead that they are all activated by then: that takes so many times as long as to make as many clients.
const AHEAD_TIMES: f64 = 6.0;
const AHEAD_MIN_S: f64 = 15.0;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
const CREATES_PER_SECOND: f64 = 50.0;
/// One piece of the load that goes on until all are renewed.
const PIECE_S: f64 = 5.0;
const PATIENCE: Duration = Duration::from_secs(600);

const DONE_WANTED_S: f64 = 120.0;
const CREATE_WANTED_MS: f64 = 50.0;
/// Where the handler counts renewals, and looks at their order.
const PATH: &str = "/rise";

pub(super) async fn renewals(at: &Circumstances) -> anyhow::Result<Section> {
    let (server, receiver) = (Subject::start(&at.place).await?, Receiver::start().await?);
    let count = u64::from(at.packages);
    let moment = prepare(&server, &receiver, at.packages).await?;
    let left = wait_until(moment).await?;
    let busy = server.processor_seconds()?;
    let started = Instant::now();
    let (creates, took) = tokio::try_join!(creating(&server, &receiver, count), told(&receiver, count, started))?;
    let busy = server.processor_seconds()? - busy;
    let tally = receiver.tally(PATH).await?;
    anyhow::ensure!(tally.posts == count, "{} posts for {count} renewals", tally.posts);
    anyhow::ensure!(tally.out_of_order == 0, "{} posts were out of order", tally.out_of_order);
    server.end().await?;
    Ok(Section { name: "night", about: ABOUT, figures: figures(count, left, took, &creates, busy) })
}

const ABOUT: &str = "renewals that fall due at one moment, one after handler listening, 50 clients created a second meanwhile";

fn figures(count: u64, left: Duration, took: Duration, creates: &Outcome, busy: f64) -> Vec<Figure> {
    let (took, latency) = (took.as_secs_f64(), creates.latency.summary());
    // So many as 200,000 in two minutes, whatever their number.
    let wanted = DONE_WANTED_S * count as f64 / 200_000.0;
    vec![
        Figure::new("renewals", count as f64, ""),
        Figure::new("ready before the moment", left.as_secs_f64(), "s"),
        Figure::new("until the handler had heard of all", took, "s").at_most(wanted),
        Figure::new("renewed and delivered", count as f64 / took, "/s"),
        Figure::new("clients.create meanwhile, median", latency.p50_ms, "ms"),
        Figure::new("clients.create meanwhile, 99 %", latency.p99_ms, "ms").at_most(CREATE_WANTED_MS),
        Figure::new("clients.create meanwhile, slowest", latency.max_ms, "ms"),
        Figure::new("the server's processor time per renewal", busy * 1e6 / count as f64, "us"),
    ]
}

/// Clients with their packages, all activated, and the handler; gives the moment at which they are to be renewed.
async fn prepare(server: &Subject, receiver: &Receiver, packages: u32) -> anyhow::Result<Moment> {
    let clients = Load { params: r#"{"name":"bench {unique}","credit":null}"#, ..Load::clients_create() };
    let made = server.load(Load { until: Until::Requests(u64::from(packages / EACH)), ..clients }).await?;
    let ahead_s = AHEAD_MIN_S + AHEAD_TIMES * f64::from(packages) / made.rate();
    let moment = now().plus_millis((ahead_s * 1_000.0) as i64);
    let package = json!({"name": "night", "period": PERIOD, "period_fee": 1, "advance_renew": "PT0S"});
    let package = server.call("packages.create", package).await?["id"].take();
    let start = moment.plus_millis(-PERIOD_MS).iso();
    let params = format!(r#"{{"clients_id":{{pick}},"packages_id":{package},"start_dt":"{start}"}}"#);
    let (picks, until) = (server.all_clients().await?, Until::Requests(u64::from(packages)));
    server.load(Load { method: "clients.packages.assign", params: &params, picks, until, ..Load::clients_create() }).await?;
    let task = receiver.url(PATH);
    server.handler(json!({"name": "night", "event": "clients.packages.renew", "task": task, "concurrency": 64})).await?;
    while activated(server).await? < u64::from(packages) {
        anyhow::ensure!(now() < moment, "the machine is too slow to make ready so many: give a smaller --packages");
        tokio::time::sleep(LOOK).await;
    }
    Ok(moment)
}

async fn activated(server: &Subject) -> anyhow::Result<u64> {
    let found = json!({"condition": "activated", "limit": 1, "with_total": true});
    let found: Value = server.call("clients.packages.search", found).await?;
    found["total"].as_u64().context("a total")
}

/// Waits for the moment; gives how early it was.
async fn wait_until(moment: Moment) -> anyhow::Result<Duration> {
    let left = moment.millis_since(now());
    let left = u64::try_from(left).ok().context("the machine is too slow to make ready so many: give a smaller --packages")?;
    tokio::time::sleep(Duration::from_millis(left)).await;
    Ok(Duration::from_millis(left))
}

/// A caller goes on until all is renewed.
async fn creating(server: &Subject, receiver: &Receiver, count: u64) -> anyhow::Result<Outcome> {
    let mut all = Outcome::default();
    loop {
        let piece =
            Load { connections: 8, until: Until::Seconds(PIECE_S), rate: Some(CREATES_PER_SECOND), ..Load::clients_create() };
        all.merge(&server.load(piece).await?);
        if receiver.tally(PATH).await?.posts >= count {
            return Ok(all);
        }
    }
}

async fn told(receiver: &Receiver, count: u64, started: Instant) -> anyhow::Result<Duration> {
    receiver.wait(PATH, count, PATIENCE).await?;
    Ok(started.elapsed())
}

/// By this machine's clock, as the server has it.
fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
