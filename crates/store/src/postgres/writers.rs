//! The writers: some threads with a connection each. A closure is a transaction of its own; who must not be decided about by two at
//! once is locked by the closure ([`crate::Subject`]). The server shares flushes among those who commit at the same time.
//!
//! What was asked to be done on commit is done by the thread that committed, right after it. Transactions of different clients may
//! get there in another order than they were committed in.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{
    Session,
    pool::{Dialer, Link},
};
use crate::{
    Clock, Error, Faults, Place, Tx,
    engine::{Counts, Job, Writer},
    tx::OnCommit,
};

/// Closures that wait at most; who comes then waits for room.
const QUEUE_MAX: usize = 4_096;
/// A closure that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// What is known of the server.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Commits of which nobody knows whether they are there.
    pub(crate) in_doubt: AtomicU64,
}

/// Starts so many threads with a connection each, the first of which may be there; they end when they are told to, or when the last handle is gone.
pub(crate) fn start(
    dialer: &Dialer,
    first: Option<Session>,
    (name, count): (&'static str, usize),
    clock: &Clock,
    faults: Option<&Faults>,
    health: &Arc<Health>,
) -> std::io::Result<(Writer, JoinHandle<()>)> {
    let (queue, jobs) = mpsc::channel(QUEUE_MAX);
    let (jobs, counts) = (Arc::new(Mutex::new(jobs)), Arc::new(Counts::default()));
    let mut threads = Vec::with_capacity(count);
    for (index, session) in std::iter::once(first).chain(std::iter::repeat_with(|| None)).take(count).enumerate() {
        let link = Link::new(dialer.clone(), session);
        let writing =
            Writing { clock: clock.clone(), faults: faults.cloned(), counts: Arc::clone(&counts), health: Arc::clone(health) };
        let jobs = Arc::clone(&jobs);
        let run = move || writing.run(link, &jobs);
        threads.push(std::thread::Builder::new().name(format!("store-{name}-{index}")).spawn(run)?);
    }
    let all = std::thread::Builder::new().name(format!("store-{name}s")).spawn(move || {
        // A thread that panicked has ended, too.
        threads.into_iter().for_each(|thread| drop(thread.join()));
    })?;
    Ok((Writer::new(queue, counts, QUEUE_MAX), all))
}

struct Writing {
    clock: Clock,
    faults: Option<Faults>,
    counts: Arc<Counts>,
    health: Arc<Health>,
}

impl Writing {
    fn run(&self, mut link: Link, jobs: &Mutex<mpsc::Receiver<Option<Box<dyn Job>>>>) {
        link.warm_up();
        loop {
            let next = {
                let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
                let next = jobs.blocking_recv();
                if let Some(None) = next {
                    // Also for the other threads; what was handed in before is with somebody already.
                    jobs.close();
                }
                next.flatten()
            };
            let Some(job) = next else { return };
            self.counts.jobs.fetch_add(1, Ordering::Relaxed);
            self.one(&mut link, job);
        }
    }

    fn one(&self, link: &mut Link, mut job: Box<dyn Job>) {
        let session = match link.session() {
            Ok(session) => session,
            Err(error) => {
                self.counts.fails.store(true, Ordering::Relaxed);
                return job.answer(Err(error));
            }
        };
        let mut then = Vec::new();
        let committed = self.commit(session, job.as_mut(), &mut then);
        let is_trouble = committed.as_ref().is_err_and(|error| !matches!(error, Error::Taken { .. } | Error::Again));
        self.counts.fails.store(is_trouble, Ordering::Relaxed);
        if let Err(error) = &committed {
            session.roll_back();
            then.clear();
            if is_trouble {
                tracing::error!(%error, "a transaction failed");
            }
            if matches!(error, Error::InDoubt(_)) {
                self.health.in_doubt.fetch_add(1, Ordering::Relaxed);
            }
        }
        then.into_iter().for_each(|then| drop(catch_unwind(AssertUnwindSafe(then))));
        job.answer(committed);
    }

    /// Runs a job in a transaction. `Ok` also where the job itself has failed, and nothing of it is kept.
    fn commit(&self, session: &Session, job: &mut dyn Job, then: &mut Vec<OnCommit>) -> Result<(), Error> {
        Faults::ask(self.faults.as_ref(), Place::Begin)?;
        session.begin("BEGIN")?;
        let started = Instant::now();
        let mut tx = Tx::postgres(session, self.clock.now());
        let kept = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx))).unwrap_or(false);
        let on_commit = std::mem::take(&mut tx.on_commit);
        if started.elapsed() > SLOW {
            tracing::warn!(ms = started.elapsed().as_millis(), "a write took long");
        }
        if !kept {
            session.roll_back();
            return Ok(());
        }
        Faults::ask(self.faults.as_ref(), Place::Flush)?;
        session.commit()?;
        self.counts.flushes.fetch_add(1, Ordering::Relaxed);
        *then = on_commit;
        Ok(())
    }
}
