//! What this machine can do at all: measured in the same run, because every other figure is worth only as much as the
//! disk and the processor under it.
use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    database::Server,
    histogram::Histogram,
    post, process,
    report::{Figure, Section},
    subject::Receiver,
};

/// Calls in flight at once, in the ceiling and in what is compared with it.
pub(super) const CONCURRENCY: usize = 64;
const FLUSH_FOR: Duration = Duration::from_secs(2);
const PAGE: [u8; 4096] = [7; 4096];

/// The machine's own limits.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// 4 KiB appended and flushed, one after another.
    pub(super) flushes_per_second: f64,
    pub(super) flush_ms: f64,
    /// Posts per second of the bare HTTP client to the receiver.
    pub(super) posts_per_second: f64,
}

impl Limits {
    pub(super) async fn measure(folder: &Path, seconds: f64) -> anyhow::Result<Self> {
        let folder = folder.to_owned();
        let flushes = tokio::task::spawn_blocking(move || flushes(&folder)).await??;
        let receiver = Receiver::start().await?;
        let plan = post::Plan { url: receiver.url("/count"), concurrency: CONCURRENCY, seconds: seconds.min(5.0) };
        let posts: post::Outcome = process::ask("__post", &plan).await?;
        Ok(Self {
            flushes_per_second: flushes.count() as f64 / FLUSH_FOR.as_secs_f64(),
            flush_ms: flushes.percentile_ms(50.0),
            posts_per_second: posts.posts as f64 / posts.seconds,
        })
    }
}

/// What a database server commits in a second, by the rows of a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceilings {
    /// As `clients.create` writes: the client, its counter, the event.
    pub(super) three: f64,
    /// As a transaction of the ledger does, or a create with one delivery.
    pub(super) four: f64,
}

impl Ceilings {
    pub(super) async fn measure(server: &Server, seconds: f64) -> anyhow::Result<Self> {
        Ok(Self { three: server.ceiling(3, seconds).await?, four: server.ceiling(4, seconds).await? })
    }

    pub(super) fn section(&self) -> Section {
        let figures = vec![
            Figure::new("transactions of 3 rows (pgbench, 16 connections, prepared)", self.three, "/s"),
            Figure::new("transactions of 4 rows", self.four, "/s"),
        ];
        Section { name: "database", about: "what the PostgreSQL server commits at all, measured in this run", figures }
    }
}

fn flushes(folder: &Path) -> anyhow::Result<Histogram> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let (mut times, started) = (Histogram::default(), Instant::now());
    while started.elapsed() < FLUSH_FOR {
        let begun = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        times.add(begun.elapsed());
    }
    Ok(times)
}
