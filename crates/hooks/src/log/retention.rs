//! What is kept and for how long: the log and the journal `retention_days`, each at most so many bytes (`log_max_bytes`,
//! `journal_max_bytes`), and the log never the disk's last gigabyte. An event that is not yet delivered is never cut, nor are its calls.
use std::{sync::atomic::Ordering, time::Duration};

use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error, Store, Tx,
    tables::{
        cut::{Mark, Portion},
        events, executions, loops,
    },
};

use uuid::Uuid;

use super::Log;

/// How often it is looked at, by the clock.
const EVERY_MS: i64 = 60_000;
/// Rows in one transaction: it must not hold the writer up.
const CUT_MAX: i64 = 500;
/// Between two such transactions, so that others get their turn.
const BREATH: Duration = Duration::from_millis(5);
/// What the log leaves of the disk.
const DISK_LEFT_MIN: u64 = 1 << 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Days that the log and the journal are kept.
    pub days: u32,
    /// Bytes of the log at most, roughly.
    pub log_bytes_max: u64,
    /// Bytes of the journal at most, roughly.
    pub journal_bytes_max: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 30, log_bytes_max: 10_000_000_000, journal_bytes_max: 50_000_000_000 }
    }
}

/// Cuts for ever.
pub(crate) async fn run(store: Store, log: Log, retention: Retention) {
    let clock = store.clock().clone();
    loop {
        watch_disk(&store, &log);
        if let Err(error) = cut_all(&store, retention).await {
            tracing::error!(%error, "what is too old could not be cut; trying again in a minute");
        }
        clock.sleep(EVERY_MS).await;
    }
}

fn watch_disk(store: &Store, log: &Log) {
    let Some(folder) = store.folder() else { return };
    let folder = if folder.as_os_str().is_empty() { std::path::Path::new(".") } else { folder };
    let Ok(disk) = nix::sys::statvfs::statvfs(folder) else { return };
    let left = disk.blocks_available().saturating_mul(disk.fragment_size());
    let is_full = left < DISK_LEFT_MIN;
    if is_full != log.shared().disk_is_full.swap(is_full, Ordering::Relaxed) {
        if is_full {
            tracing::warn!(left, "the disk is nearly full: new rows of the execution log take the place of the oldest");
        } else {
            tracing::info!(left, "the disk has room for the execution log again");
        }
    }
}

async fn cut_all(store: &Store, retention: Retention) -> Result<(), Error> {
    let too_old = store.clock().now().plus_millis(-DAY_MS * i64::from(retention.days));
    repeat(store, Mark::START, move |tx, from| executions::cut(tx, too_old, from, CUT_MAX)).await?;
    repeat(store, Uuid::nil(), move |tx, from| events::cut(tx, too_old, from, CUT_MAX)).await?;
    // Few: one for each set of handlers.
    store.write(move |tx| loops::cut(tx, too_old)).await?;
    let log_max = i64::try_from(retention.log_bytes_max).unwrap_or(i64::MAX);
    let log_is_too_large = move |tx: &mut Tx<'_>, from| match executions::bytes(tx)? > log_max {
        true => executions::cut(tx, Moment(i64::MAX), from, CUT_MAX),
        false => Ok(Portion { cut: 0, end: None }),
    };
    repeat(store, Mark::START, log_is_too_large).await?;
    let journal_max = i64::try_from(retention.journal_bytes_max).unwrap_or(i64::MAX);
    let now = store.clock().now();
    let journal_is_too_large = move |tx: &mut Tx<'_>, from| match events::bytes(tx)? > journal_max {
        true => events::cut(tx, now, from, CUT_MAX),
        false => Ok(Portion { cut: 0, end: None }),
    };
    repeat(store, Uuid::nil(), journal_is_too_large).await
}

/// Portion after portion, until there is nothing behind.
async fn repeat<M: Send + 'static + Copy>(
    store: &Store,
    start: M,
    cut: impl Fn(&mut Tx<'_>, M) -> Result<Portion<M>, Error> + Clone + Send + 'static,
) -> Result<(), Error> {
    let mut from = start;
    loop {
        let portion = cut.clone();
        match store.write(move |tx| portion(tx, from)).await?.end {
            Some(end) => from = end,
            None => return Ok(()),
        }
        tokio::time::sleep(BREATH).await;
    }
}
