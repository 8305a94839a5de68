//! The readers: a few threads with a read-only connection each. A closure sees one snapshot.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::{Clock, Error, Tx};

/// Closures that wait at most; who comes then waits for room.
const QUEUE_MAX: usize = 1_024;

/// Runs in a snapshot, and answers its caller itself.
pub(crate) type Read = Box<dyn FnOnce(&Tx<'_>) + Send>;

/// The readers' entrance.
#[derive(Clone)]
pub(crate) struct Readers {
    queue: mpsc::Sender<Read>,
}

impl Readers {
    /// Starts a thread for each connection; they end when the last handle is gone.
    pub(crate) fn start(connections: Vec<Connection>, clock: &Clock) -> std::io::Result<Self> {
        let (queue, reads) = mpsc::channel(QUEUE_MAX);
        let reads = Arc::new(Mutex::new(reads));
        for (index, connection) in connections.into_iter().enumerate() {
            let (reads, clock) = (Arc::clone(&reads), clock.clone());
            let name = format!("store-reader-{index}");
            std::thread::Builder::new().name(name).spawn(move || run(&connection, &clock, &reads))?;
        }
        Ok(Self { queue })
    }

    /// Hands a closure in, when there is room.
    pub(crate) async fn submit(&self, read: Read) -> Result<(), Error> {
        self.queue.send(read).await.map_err(|_| Error::engine("the store is closed"))
    }
}

fn run(connection: &Connection, clock: &Clock, reads: &Mutex<mpsc::Receiver<Read>>) {
    loop {
        // The one who holds the lock waits for the next; the others wait for the lock.
        let next = reads.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(read) = next else { return };
        if let Err(error) = in_snapshot(connection, clock, read) {
            tracing::error!(%error, "a snapshot could not be taken or left");
        }
    }
}

fn in_snapshot(connection: &Connection, clock: &Clock, read: Read) -> Result<(), Error> {
    connection.prepare_cached("BEGIN DEFERRED")?.execute(())?;
    // A panic drops the closure's way to answer: its caller is told that the read failed.
    let _ = catch_unwind(AssertUnwindSafe(|| read(&Tx::new(connection, clock.now()))));
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok(())
}
