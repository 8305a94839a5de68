//! The readers: a few threads with a connection each. A closure sees one snapshot; each of its statements has a time limit.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::mpsc;

use super::{
    Session,
    pool::{Dialer, Link},
};
use crate::{
    Clock, Error, Faults, Place, Tx,
    engine::{READERS_QUEUE_MAX, Read, Readers},
};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// How long whole tables may be read.
const WHOLE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts a thread of this name for each connection; they end when the last handle is gone.
pub(crate) fn start(
    name: &str,
    count: usize,
    dialer: &Dialer,
    clock: &Clock,
    faults: Option<&Faults>,
) -> std::io::Result<Readers> {
    let (queue, reads) = mpsc::channel(READERS_QUEUE_MAX);
    let reads = Arc::new(Mutex::new(reads));
    for index in 0..count {
        let (reads, clock, faults) = (Arc::clone(&reads), clock.clone(), faults.cloned());
        let mut link = Link::new(dialer.clone(), None);
        std::thread::Builder::new().name(format!("store-{name}-{index}")).spawn(move || {
            link.warm_up();
            loop {
                // The one who holds the lock waits for the next; the others wait for the lock.
                let next = reads.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                let Some(read) = next else { return };
                one(&mut link, &clock, faults.as_ref(), read);
            }
        })?;
    }
    Ok(Readers::new(queue))
}

fn one(link: &mut Link, clock: &Clock, faults: Option<&Faults>, read: Read) {
    let begun = Faults::ask(faults, Place::Read).and_then(|()| link.session());
    match begun {
        Ok(session) => {
            if let Err(error) = in_snapshot(session, clock, read) {
                tracing::warn!(%error, "a snapshot could not be taken or left");
            }
        }
        Err(error) => read.fail(error),
    }
}

fn in_snapshot(session: &Session, clock: &Clock, read: Read) -> Result<(), Error> {
    session.begin(BEGIN)?;
    let usual = session.patience();
    if read.is_whole() {
        session.be_patient(WHOLE_MAX);
        session.put("SET LOCAL statement_timeout = 0", &[])?;
        session.put("SET LOCAL idle_in_transaction_session_timeout = 0", &[])?;
    }
    // A panic drops the closure's way to answer: its caller is told that the read failed.
    let _ = catch_unwind(AssertUnwindSafe(|| read.run(&Tx::postgres(session, clock.now()))));
    session.be_patient(usual);
    // A statement that failed has told its caller.
    session.roll_back();
    Ok(())
}
