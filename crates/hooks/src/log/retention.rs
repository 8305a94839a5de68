//! What is kept and for how long: the log and the journal `retention_days`, each at most so many bytes (`log_max_bytes`,
//! `journal_max_bytes`), and the log never the disk's last gigabyte. An event that is not yet delivered is never cut, nor are its
//! calls.
use std::{sync::atomic::Ordering, time::Duration};

use hookswitch_cluster::Cluster;
use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error, Store, Tx,
    tables::{
        cut::{Found, Mark},
        events, executions, hours, loops,
    },
};

use uuid::Uuid;

use super::Log;

/// How often it is looked at, by the clock.
const EVERY_MS: i64 = 60_000;
/// Rows that are looked at, and cut, in one transaction: it must not hold the writer up.
const CUT_MAX: i64 = 500;
/// Between two portions, so that others get their turn.
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

/// Cuts for ever; with several nodes one of them does.
pub(crate) async fn run(store: Store, cluster: Cluster, log: Log, retention: Retention) {
    let clock = store.clock().clone();
    loop {
        watch_disk(&store, &log);
        if cluster.is_leader()
            && let Err(error) = cut_all(&store, retention).await
        {
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
    let now = store.clock().now();
    let too_old = now.plus_millis(-DAY_MS * i64::from(retention.days));
    cut_log(store, too_old, i64::MAX).await?;
    cut_journal(store, too_old, i64::MAX).await?;
    // Few: one for each set of handlers, and one for each of their hours.
    store.write(move |tx| loops::cut(tx, too_old).and_then(|()| hours::cut(tx, too_old))).await?;
    let log_max = i64::try_from(retention.log_bytes_max).unwrap_or(i64::MAX);
    let bytes = store.read(executions::bytes).await?;
    cut_log(store, Moment(i64::MAX), bytes.saturating_sub(log_max)).await?;
    let journal_max = i64::try_from(retention.journal_bytes_max).unwrap_or(i64::MAX);
    let too_many = store.read(move |tx| events::too_many(tx, journal_max)).await?;
    cut_journal(store, now, too_many).await
}

/// From the log, what is from before a moment: at least so many bytes, if there are.
async fn cut_log(store: &Store, before: Moment, bytes: i64) -> Result<(), Error> {
    let find = move |tx: &Tx<'_>, from| executions::old(tx, before, from, CUT_MAX);
    let cut = |tx: &mut Tx<'_>, rows: &[i64], left| executions::cut(tx, rows, left).map(|cut| cut.bytes);
    walk(store, Mark::START, bytes, find, cut).await
}

/// From the journal, what came about before a moment: at most so many events.
async fn cut_journal(store: &Store, before: Moment, events: i64) -> Result<(), Error> {
    let find = move |tx: &Tx<'_>, from| events::old(tx, before, from, CUT_MAX);
    let cut = |tx: &mut Tx<'_>, rows: &[i64], left| {
        let few = usize::try_from(left).map_or(rows.len(), |left| left.min(rows.len()));
        events::cut(tx, &rows[..few])
    };
    walk(store, Uuid::nil(), events, find, cut).await
}

/// Portion after portion, until so much is cut or there is nothing behind. A portion is read first: where all of it must be kept,
/// as behind a handler that is long dead, the writer has nothing to do with it.
async fn walk<M: Send + 'static + Copy>(
    store: &Store,
    start: M,
    wanted: i64,
    find: impl Fn(&Tx<'_>, M) -> Result<Found<M>, Error> + Clone + Send + 'static,
    cut: impl Fn(&mut Tx<'_>, &[i64], i64) -> Result<i64, Error> + Clone + Send + 'static,
) -> Result<(), Error> {
    let (mut from, mut left) = (start, wanted);
    while left > 0 {
        let find = find.clone();
        let Found { rows, end } = store.read(move |tx| find(tx, from)).await?;
        if !rows.is_empty() {
            let cut = cut.clone();
            left -= store.write(move |tx| cut(tx, &rows, left)).await?;
        }
        let Some(end) = end else { break };
        from = end;
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hookswitch_model::{
        Object,
        event::{self, Actor, Event, Mode},
    };
    use hookswitch_store::{Clock, Database, MasterKey, Options, tables::deliveries};
    use hookswitch_testdb::Home;

    use super::*;

    /// What an event takes here: its row and a body of 600.
    const EVENT_BYTES: u64 = 1_000;

    fn store() -> (Store, Home) {
        let home = Home::new();
        let (database, key) = (Database::at(&home.url()).unwrap(), MasterKey::from_bytes([7; 32]));
        (Store::open(Options { database, key, clock: Clock::system(), faults: None }).unwrap(), home)
    }

    /// Events of yesterday, some of which wait for somebody to hear of them.
    async fn fill(store: &Store, events: i64, waits: fn(i64) -> bool) {
        let yesterday = store.clock().now().plus_millis(-DAY_MS);
        let millis = u64::try_from(yesterday.millis()).unwrap();
        let work = move |tx: &mut Tx<'_>| {
            for seq in 1..=events {
                let mut tail = [0; 10];
                tail[2..].copy_from_slice(&seq.to_be_bytes());
                let id = uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
                let event = Event {
                    id,
                    dt: yesterday,
                    kind: &event::CLIENTS_UPDATE,
                    object_id: 12,
                    clients_id: 12,
                    companies_id: 1,
                    era: 0,
                    mode: Mode::Live,
                    actor: Actor::Cli,
                    cause: None,
                    trace: None,
                    data: Object::new(),
                    previous: None,
                    object: Object::new(),
                };
                let events_row = events::insert(tx, &event, events::Entry { seq, body: &"x".repeat(600), secrets: None })?;
                let new = deliveries::New {
                    handlers_id: 1,
                    clients_id: 12,
                    companies_id: 1,
                    seq,
                    events_row,
                    place: 0,
                    event_id: id,
                    note: None,
                    fold: None,
                    folded: 0,
                };
                if waits(seq) {
                    deliveries::insert(tx, new)?;
                }
            }
            Ok::<_, Error>(())
        };
        store.write(work).await.unwrap();
    }

    async fn kept(store: &Store) -> Vec<i64> {
        store.read(|tx| tx.query("SELECT seq FROM events ORDER BY seq", &[], |row| row.get(0))).await.unwrap()
    }

    fn at_most(events: u64) -> Retention {
        Retention { journal_bytes_max: events * EVENT_BYTES, ..Retention::default() }
    }

    #[tokio::test]
    async fn the_oldest_events_that_nobody_waits_for_make_room_and_no_more_than_are_too_many() {
        let (store, _home) = store();
        fill(&store, 1_500, |seq| seq % 2 == 0).await;
        cut_all(&store, at_most(900)).await.unwrap();
        let left: Vec<i64> = (1..=1_500).filter(|seq| seq % 2 == 0 || *seq > 1_200).collect();
        assert_eq!(kept(&store).await, left);
        cut_all(&store, at_most(900)).await.unwrap();
        assert_eq!(kept(&store).await, left, "no more is too much");
    }

    #[tokio::test]
    async fn a_journal_that_is_too_large_because_a_handler_is_dead_costs_the_writer_nothing() {
        let (store, _home) = store();
        fill(&store, 2_000, |_| true).await;
        let before = store.figures().await.writes;
        cut_all(&store, at_most(100)).await.unwrap();
        // The list of loops, and the hours, are cut by the writer.
        assert_eq!((store.figures().await.writes - before, kept(&store).await.len()), (1, 2_000));
    }
}
