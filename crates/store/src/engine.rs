//! What both engines have in common: closures that wait for a thread that writes, and for one that reads.
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64},
};

use tokio::sync::mpsc;

use crate::{Error, Tx};

/// Closures that wait to read at most, for each company of readers; who comes then waits for room.
pub(crate) const READERS_QUEUE_MAX: usize = 1_024;

/// A caller's closure: run inside a transaction; then told whether that was committed.
pub(crate) trait Job: Send {
    /// Runs it; true if its writes are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Tells the caller. `committed` is an error if the transaction came to nothing.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

/// What was written so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) jobs: AtomicU64,
    pub(crate) flushes: AtomicU64,
    /// True if the last transaction came to nothing.
    pub(crate) fails: AtomicBool,
}

/// The entrance of whoever writes.
#[derive(Clone)]
pub(crate) struct Writer {
    /// `None` ends it.
    queue: mpsc::Sender<Option<Box<dyn Job>>>,
    pub(crate) counts: Arc<Counts>,
    queue_max: usize,
}

impl Writer {
    /// Before a queue that holds so many.
    pub(crate) fn new(queue: mpsc::Sender<Option<Box<dyn Job>>>, counts: Arc<Counts>, queue_max: usize) -> Self {
        Self { queue, counts, queue_max }
    }

    /// Hands a job in, when there is room.
    pub(crate) async fn submit(&self, job: Box<dyn Job>) -> Result<(), Error> {
        self.queue.send(Some(job)).await.map_err(|_| Error::engine("the store is closed"))
    }

    /// Ends the threads once everything is done that was handed in before.
    pub(crate) async fn end(&self) {
        // An error means that they have ended already.
        let _ended = self.queue.send(None).await;
    }

    /// Jobs that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue_max - self.queue.capacity()
    }
}

/// What a closure that reads is given: a snapshot, or why there is none.
type Work = Box<dyn FnOnce(Result<&Tx<'_>, Error>) + Send>;

/// Runs in a snapshot, and answers its caller itself.
pub(crate) struct Read {
    work: Work,
    whole: bool,
}

impl Read {
    /// `whole`: it may take as long as it takes.
    pub(crate) fn new(work: impl FnOnce(Result<&Tx<'_>, Error>) + Send + 'static, whole: bool) -> Self {
        Self { work: Box::new(work), whole }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    pub(crate) fn run(self, tx: &Tx<'_>) {
        (self.work)(Ok(tx));
    }

    /// There is no snapshot.
    pub(crate) fn fail(self, error: Error) {
        (self.work)(Err(error));
    }
}

/// The readers' entrance.
#[derive(Clone)]
pub(crate) struct Readers {
    queue: mpsc::Sender<Read>,
}

impl Readers {
    pub(crate) fn new(queue: mpsc::Sender<Read>) -> Self {
        Self { queue }
    }

    /// Hands a closure in, when there is room.
    pub(crate) async fn submit(&self, read: Read) -> Result<(), Error> {
        self.queue.send(read).await.map_err(|_| Error::engine("the store is closed"))
    }
}
