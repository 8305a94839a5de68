//! A long queue: how soon a server that was killed with it is ready again, what memory it takes, and how fast it drains.
use std::time::{Duration, Instant};

use super::{
    Circumstances,
    fan_out::{paused_handlers, resumed_until_empty},
};
use crate::bench::{
    report::{Figure, Section},
    subject::{Receiver, Subject},
};

const HANDLERS: usize = 10;
const READY_WANTED_S: f64 = 2.0;
const MEMORY_WANTED_MB: f64 = 250.0;
const PATIENCE: Duration = Duration::from_secs(600);
/// What was needed for the last request is given back by then.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) async fn restart(at: &Circumstances) -> anyhow::Result<Section> {
    let receiver = Receiver::start().await?;
    let server = Subject::start(&at.place).await?;
    let handlers = paused_handlers(&server, &receiver, HANDLERS).await?;
    let events = u64::from(at.waiting) / HANDLERS as u64;
    let made = server.make_clients(events).await?;
    tokio::time::sleep(SETTLE).await;
    let holding = server.memory()?;
    let killed = Instant::now();
    let server = server.kill_and_start_again().await?;
    let ready = killed.elapsed().as_secs_f64();
    tokio::time::sleep(SETTLE).await;
    let after = server.memory()?;
    let waiting = server.waiting().await?;
    anyhow::ensure!(waiting as u64 == events * HANDLERS as u64, "{waiting} deliveries wait after the restart");
    let took = resumed_until_empty(&server, &receiver, &handlers, events, PATIENCE).await?;
    let drained = server.memory()?;
    let deliveries = (events * HANDLERS as u64) as f64;
    let figures = vec![
        Figure::new("deliveries that wait", deliveries, ""),
        Figure::new("made, with their events", made.rate() * HANDLERS as f64, "/s"),
        Figure::new("memory while they wait", holding.resident_mb, "MB").at_most(MEMORY_WANTED_MB),
        Figure::new("killed, and ready again", ready, "s").at_most(READY_WANTED_S),
        Figure::new("memory after that", after.resident_mb, "MB").at_most(MEMORY_WANTED_MB),
        Figure::new("memory at its most while they drain", drained.peak_mb, "MB").at_most(MEMORY_WANTED_MB),
        Figure::new("until the queues were empty", took, "s"),
        Figure::new("delivered", deliveries / took, "/s"),
        Figure::new("of the raw ceiling", deliveries / took / at.limits.posts_per_second, "x"),
        Figure::new("size of the database", server.database_mb().await?, "MB"),
    ];
    server.end().await?;
    Ok(Section { name: "backlog", about: "deliveries for ten paused handlers; kill -9, start, resume", figures })
}
