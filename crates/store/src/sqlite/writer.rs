//! The one writer: takes what waits, runs each closure in a savepoint, commits them all with one flush, answers all.
//!
//! What bounds a group: [`GROUP_MAX`] jobs. What orders it: the queue; commits, and with them everything that closures
//! asked to be done on commit, have one order. A closure that fails or panics is rolled back alone. If the commit
//! itself fails (a full disk), nothing of the group is there and every caller is told.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::{
    Clock, Error, Faults, Place, Tx,
    engine::{Counts, Job, Writer},
    tx::OnCommit,
};

/// Jobs in one transaction at most.
const GROUP_MAX: usize = 512;
/// Jobs that wait at most; who comes then waits for room.
const QUEUE_MAX: usize = 4_096;
/// A closure that takes longer holds everybody up.
const SLOW: Duration = Duration::from_secs(1);

/// Starts the thread; it ends when it is told to, or when the last handle is gone.
pub(crate) fn start_writer(
    connection: Connection,
    clock: Clock,
    faults: Option<Faults>,
) -> std::io::Result<(Writer, std::thread::JoinHandle<()>)> {
    let (queue, jobs) = mpsc::channel(QUEUE_MAX);
    let counts = Arc::new(Counts::default());
    let run = Run { connection, clock, faults, counts: Arc::clone(&counts) };
    let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || run.run(jobs))?;
    Ok((Writer::new(queue, counts, QUEUE_MAX), thread))
}

struct Run {
    connection: Connection,
    clock: Clock,
    faults: Option<Faults>,
    counts: Arc<Counts>,
}

impl Run {
    fn run(self, mut jobs: mpsc::Receiver<Option<Box<dyn Job>>>) {
        let (mut came, mut group, mut ends) = (Vec::with_capacity(GROUP_MAX), Vec::with_capacity(GROUP_MAX), false);
        while !ends && jobs.blocking_recv_many(&mut came, GROUP_MAX) > 0 {
            ends = came.iter().any(Option::is_none);
            group.extend(came.drain(..).flatten());
            self.counts.jobs.fetch_add(group.len() as u64, Ordering::Relaxed);
            let (committed, then) = self.commit(&mut group);
            then.into_iter().for_each(|then| drop(catch_unwind(AssertUnwindSafe(then))));
            group.drain(..).for_each(|job| job.answer(committed.clone()));
        }
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the last checkpoint failed; the next start will read the log");
        }
    }

    /// Runs a group in one transaction; gives what is to be done now that it is there.
    fn commit(&self, group: &mut [Box<dyn Job>]) -> (Result<(), Error>, Vec<OnCommit>) {
        let mut then = Vec::new();
        let committed = self.try_commit(group, &mut then);
        self.counts.fails.store(committed.is_err(), Ordering::Relaxed);
        if let Err(error) = &committed {
            tracing::error!(%error, jobs = group.len(), "a transaction failed; nothing of it was kept");
            if !self.connection.is_autocommit() {
                // Nothing more can be done here: the next BEGIN tells.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            then.clear();
        }
        (committed, then)
    }

    fn try_commit(&self, group: &mut [Box<dyn Job>], then: &mut Vec<OnCommit>) -> Result<(), Error> {
        let statement = |sql: &str| -> Result<(), Error> {
            self.connection.prepare_cached(sql)?.execute(())?;
            Ok(())
        };
        Faults::ask(self.faults.as_ref(), Place::Begin)?;
        statement("BEGIN IMMEDIATE")?;
        for job in group.iter_mut() {
            statement("SAVEPOINT job")?;
            match self.run_one(job.as_mut()) {
                Some(on_commit) => then.extend(on_commit),
                None => statement("ROLLBACK TO job")?,
            }
            statement("RELEASE job")?;
        }
        Faults::ask(self.faults.as_ref(), Place::Flush)?;
        statement("COMMIT")?;
        self.counts.flushes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Runs one job; gives what it wants done on commit, or nothing if its writes are to be undone.
    fn run_one(&self, job: &mut dyn Job) -> Option<Vec<OnCommit>> {
        let started = Instant::now();
        let mut tx = Tx::sqlite(&self.connection, self.clock.now());
        let kept = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx))).unwrap_or(false);
        if started.elapsed() > SLOW {
            tracing::warn!(ms = started.elapsed().as_millis(), "a write took long; all others waited for it");
        }
        kept.then_some(tx.on_commit)
    }
}
