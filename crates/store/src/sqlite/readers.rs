//! The readers: a few threads with a read-only connection each, in two companies: who reads what the program needs to go on is not
//! kept waiting by those who search. A closure sees one snapshot, and has a time limit: there are
//! few readers, and somebody's search through everything must not take them all.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::{
    Clock, Error, Faults, Place, Tx,
    engine::{READERS_QUEUE_MAX, Read, Readers},
};

/// How long one closure may read.
const READ_MAX: Duration = Duration::from_secs(5);
/// Steps of SQLite's machine between two looks at the time.
const STEPS: i32 = 10_000;

/// When the closure that runs must end; looked at by the engine as it goes.
type Deadline = Arc<Mutex<Option<Instant>>>;

/// Starts a thread of this name for each connection; they end when the last handle is gone.
pub(crate) fn start_readers(
    name: &str,
    connections: Vec<Connection>,
    clock: &Clock,
    faults: Option<&Faults>,
) -> std::io::Result<Readers> {
    let (queue, reads) = mpsc::channel(READERS_QUEUE_MAX);
    let reads = Arc::new(Mutex::new(reads));
    for (index, mut connection) in connections.into_iter().enumerate() {
        let (reads, clock, faults, deadline) = (Arc::clone(&reads), clock.clone(), faults.cloned(), Deadline::default());
        let watched = Arc::clone(&deadline);
        let is_late = move || of(&watched).is_some_and(|end| Instant::now() > end);
        connection.progress_handler(STEPS, Some(is_late)).map_err(std::io::Error::other)?;
        let name = format!("store-{name}-{index}");
        std::thread::Builder::new().name(name).spawn(move || run(&connection, &clock, faults.as_ref(), &reads, &deadline))?;
    }
    Ok(Readers::new(queue))
}

fn of(deadline: &Deadline) -> Option<Instant> {
    *deadline.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(
    connection: &Connection,
    clock: &Clock,
    faults: Option<&Faults>,
    reads: &Mutex<mpsc::Receiver<Read>>,
    deadline: &Deadline,
) {
    loop {
        // The one who holds the lock waits for the next; the others wait for the lock.
        let next = reads.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(read) = next else { return };
        let end = (!read.is_whole()).then(|| Instant::now() + READ_MAX);
        *deadline.lock().unwrap_or_else(PoisonError::into_inner) = end;
        let left = match Faults::ask(faults, Place::Read) {
            Ok(()) => in_snapshot(connection, clock, read),
            Err(error) => {
                read.fail(error.clone());
                Err(error)
            }
        };
        *deadline.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(error) = left {
            tracing::error!(%error, "a snapshot could not be taken or left");
        }
    }
}

fn in_snapshot(connection: &Connection, clock: &Clock, read: Read) -> Result<(), Error> {
    connection.prepare_cached("BEGIN DEFERRED")?.execute(())?;
    // A panic drops the closure's way to answer: its caller is told that the read failed.
    let _ = catch_unwind(AssertUnwindSafe(|| read.run(&Tx::sqlite(connection, clock.now()))));
    // To leave takes no time, and must not fail for want of it.
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok(())
}
