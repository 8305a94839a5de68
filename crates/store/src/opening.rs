//! Opening a database of either engine: looked at before it is touched, migrated, its threads started.
use std::{path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use crate::{
    Clock, Faults, OpenError, Tx, Vault,
    engine::{Readers, Writer},
    migrate,
    place::Place,
    postgres::{self, Address, Health, Limits},
    sqlite, tables,
};

/// Threads that read what the program needs to go on: drafts, single objects, queues.
pub(crate) const READERS: usize = 4;
/// Threads that search for callers: they may be long at it, and others must not wait for them.
pub(crate) const SEARCHERS: usize = 3;
/// Connections that write to a server. With the one apart and those that read, four nodes find room in what a server allows by default.
const WRITERS: usize = 15;
/// A statement that writes may touch all that a handler has waiting; one that reads is waited for.
const WRITING: Limits = Limits { statement: Duration::from_secs(120), lock: Duration::from_secs(15) };
/// What is written apart is short, and worth nothing when it comes late.
const APART: Limits = Limits { statement: Duration::from_secs(5), lock: Duration::from_secs(1) };
const READING: Limits = Limits { statement: Duration::from_secs(5), lock: Duration::from_secs(5) };

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be used.
    Serve,
    /// To be filled by a copy.
    Fill,
    /// To be read while others use it: nothing is written, and no table is changed.
    Read,
}

impl Purpose {
    /// What is looked at, and put there, before anything else; gives the era.
    ///
    /// # Errors
    /// In words for the operator.
    pub(crate) fn start(self, tx: &mut Tx<'_>, vault: &Vault) -> Result<i64, OpenError> {
        match self {
            Self::Serve => tables::start(tx, vault),
            Self::Fill => tables::start_to_fill(tx, vault),
            Self::Read => tables::start_to_read(tx, vault),
        }
    }
}

/// An open database.
pub(crate) struct Opened {
    pub(crate) writer: Writer,
    /// With a connection of its own, for what can't wait for others. The same where there is but one who writes.
    pub(crate) apart: Writer,
    pub(crate) readers: Readers,
    pub(crate) searchers: Readers,
    pub(crate) place: Place,
    /// How often it was restored from a backup.
    pub(crate) era: i64,
    /// They end when the last who writes has ended.
    pub(crate) threads: Vec<JoinHandle<()>>,
}

/// A file.
///
/// # Errors
/// In words for the operator; nothing was changed then.
pub(crate) fn from_file(
    path: PathBuf,
    purpose: Purpose,
    clock: &Clock,
    vault: &Vault,
    faults: Option<Faults>,
) -> Result<Opened, OpenError> {
    let mut connection = sqlite::connect(&path)?;
    let other = |error: rusqlite::Error| OpenError::Other(error.to_string());
    sqlite::set_up_writer(&connection).map_err(other)?;
    migrate::migrate(&mut connection, clock)?;
    let era = purpose.start(&mut Tx::sqlite(&connection, clock.now()), vault)?;
    let connections = |count| (0..count).map(|_| sqlite::reader_of(&path)).collect::<Result<Vec<_>, _>>();
    let (readers, searchers) = (connections(READERS)?, connections(SEARCHERS)?);
    let readers = sqlite::start_readers("reader", readers, clock, faults.as_ref()).map_err(threads)?;
    let searchers = sqlite::start_readers("searcher", searchers, clock, faults.as_ref()).map_err(threads)?;
    let (writer, thread) = sqlite::start_writer(connection, clock.clone(), faults).map_err(threads)?;
    let (apart, threads) = (writer.clone(), vec![thread]);
    Ok(Opened { writer, apart, readers, searchers, place: Place::file(path), era, threads })
}

/// A database of a server.
///
/// # Errors
/// In words for the operator; nothing was changed then.
pub(crate) fn from_server(
    url: &str,
    purpose: Purpose,
    clock: &Clock,
    vault: &Vault,
    faults: Option<&Faults>,
) -> Result<Opened, OpenError> {
    let address = Address::parse(url)?;
    let shown = address.shown().to_owned();
    // A connection is driven by the thread that uses it, which must not drive others: whoever opens a store may be doing that.
    let open = || postgres::open(address, purpose, WRITING, clock, vault);
    let opened = std::thread::scope(|scope| scope.spawn(open).join());
    let (dialer, first, era) = opened.map_err(|_| OpenError::Other("opening it panicked".to_owned()))??;
    let reading = dialer.within(READING);
    let readers = postgres::start_readers("reader", READERS, &reading, clock, faults).map_err(threads)?;
    let searchers = postgres::start_readers("searcher", SEARCHERS, &reading, clock, faults).map_err(threads)?;
    let health = Arc::new(Health::default());
    let start = |dialer: &_, first, kind| postgres::start_writers(dialer, first, kind, clock, faults, &health).map_err(threads);
    let (writer, all) = start(&dialer, Some(first), ("writer", WRITERS))?;
    let (apart, alone) = start(&dialer.within(APART), None, ("apart", 1))?;
    let place = Place::Server { shown, health, dialer: Box::new(dialer) };
    Ok(Opened { writer, apart, readers, searchers, place, era, threads: vec![all, alone] })
}

fn threads(error: std::io::Error) -> OpenError {
    OpenError::Other(error.to_string())
}
