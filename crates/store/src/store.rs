//! The store's handle: opening, writing, reading, closing.
use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use crate::{
    Clock, Error, Faults, MasterKey, OpenError, Sequence, Tx, Vault,
    ids::Ids,
    migrate,
    sqlite::{self, Job, Read, Readers, Writer},
    tables,
};

/// A last checkpoint that takes longer is left to the next start.
const CLOSING_MAX: std::time::Duration = std::time::Duration::from_secs(5);
/// Threads that read what the program needs to go on: drafts, single objects, queues.
const READERS: usize = 4;
/// Threads that search for callers: they may be long at it, and others must not wait for them.
const SEARCHERS: usize = 3;

/// Which database.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Database {
    /// A file, made if absent.
    Sqlite(PathBuf),
}

/// What a store is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which database.
    pub database: Database,
    /// What secrets are sealed with.
    pub key: MasterKey,
    /// What time it is.
    pub clock: Clock,
    /// What goes wrong on purpose, in tests.
    pub faults: Option<Faults>,
}

/// What is looked at, and put there, before anything else; gives the era.
type Start = fn(&mut Tx<'_>, &Vault) -> Result<i64, OpenError>;

/// What the store has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The engine's name.
    pub engine: &'static str,
    /// Closures that wrote.
    pub writes: u64,
    /// Flushes that they shared.
    pub flushes: u64,
    /// Closures that wait for the writer.
    pub waiting: usize,
    /// Bytes of the database and its log.
    pub bytes: u64,
}

/// A cheap handle.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    readers: Readers,
    searchers: Readers,
    clock: Clock,
    vault: Vault,
    ids: Ids,
    path: Arc<PathBuf>,
    era: i64,
    /// Which file that was when it was opened.
    file: Option<(u64, u64)>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Store {
    /// Opens a database: looks before it touches, migrates, starts the threads.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator; nothing was changed then.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_as(options, tables::start)
    }

    /// Opens a database that a copy is to fill: one that is new, or that holds a part of the copy.
    ///
    /// # Errors
    /// The same.
    pub fn open_to_fill(options: Options) -> Result<Self, OpenError> {
        Self::open_as(options, tables::start_to_fill)
    }

    fn open_as(options: Options, start: Start) -> Result<Self, OpenError> {
        let Options { database: Database::Sqlite(path), key, clock, faults } = options;
        let vault = Vault::new(key);
        let mut connection = sqlite::connect(&path)?;
        let other = |error: rusqlite::Error| OpenError::Other(error.to_string());
        sqlite::set_up_writer(&connection).map_err(other)?;
        migrate::migrate(&mut connection, &clock)?;
        let era = start(&mut Tx::new(&connection, clock.now()), &vault)?;
        let connections = |count| (0..count).map(|_| sqlite::reader_of(&path)).collect::<Result<Vec<_>, _>>();
        let (readers, searchers) = (connections(READERS)?, connections(SEARCHERS)?);
        let threads = |error: std::io::Error| OpenError::Other(error.to_string());
        let readers = Readers::start("reader", readers, &clock, faults.as_ref()).map_err(threads)?;
        let searchers = Readers::start("searcher", searchers, &clock, faults.as_ref()).map_err(threads)?;
        let (writer, thread) = Writer::start(connection, clock.clone(), faults).map_err(threads)?;
        let thread = Arc::new(Mutex::new(Some(thread)));
        let (ids, file) = (Ids::default(), file_at(&path));
        Ok(Self { writer, readers, searchers, clock, vault, ids, path: Arc::new(path), era, file, thread })
    }

    /// Writes: the closure runs in a transaction shared with others, its own part undone if it fails. What it wrote is
    /// flushed when this gives `Ok`. It runs also if the caller goes away.
    ///
    /// # Errors
    /// The closure's own, or the store's.
    pub async fn write<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.writer.submit(Box::new(Writing { work: Some(work), result: None, answer })).await?;
        answered.await.unwrap_or_else(|_| Err(Error::engine("the store ended before it answered").into()))
    }

    /// Reads something short that somebody waits for: the closure sees one snapshot, and has a few seconds.
    ///
    /// # Errors
    /// The closure's own, or the store's; [`Error::TooLong`] if it took too long.
    pub async fn read<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        read_by(&self.readers, work, false).await
    }

    /// Looks for what a caller asks for, which may take its time: other threads than those of [`Store::read`] do it. The closure
    /// sees one snapshot, and has a few seconds.
    ///
    /// # Errors
    /// The closure's own, or the store's; [`Error::TooLong`] if it took too long.
    pub async fn search<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        read_by(&self.searchers, work, false).await
    }

    /// Reads whole tables, however long that takes: for a quiet hour.
    ///
    /// # Errors
    /// The closure's own, or the store's.
    pub async fn read_whole<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        read_by(&self.searchers, work, true).await
    }

    /// True if the last transaction came to nothing, as on a full disk.
    #[must_use]
    pub fn fails_to_write(&self) -> bool {
        self.writer.counts.fails.load(Ordering::Relaxed)
    }

    /// True if the database is still found where it was opened. Else what is written is durable, but no start would find it.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.file.is_some() && self.file == file_at(&self.path)
    }

    /// How often this database was restored from a backup: stands in every event, so that its receivers can tell numbers apart
    /// that were given twice. Nobody restores a database that is served, so it stays while this lives.
    #[must_use]
    pub fn era(&self) -> i64 {
        self.era
    }

    /// The next id of a sequence; never given before.
    ///
    /// # Errors
    /// Whatever the store says when a new block is needed.
    pub async fn next_id(&self, sequence: Sequence) -> Result<i64, Error> {
        self.ids.next(self, sequence).await
    }

    /// What time it is.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Seals and opens secrets.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What it has done so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            engine: "sqlite",
            writes: self.writer.counts.jobs.load(Ordering::Relaxed),
            flushes: self.writer.counts.flushes.load(Ordering::Relaxed),
            waiting: self.writer.waiting(),
            bytes: size_of(&self.path) + size_of(&log_of(&self.path)),
        }
    }

    /// The folder that the database is in, for looking at the disk's free room.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.path.parent()
    }

    /// Ends in order: unused ids are given back, what was handed in before is done, the log is merged into the file. Whoever
    /// writes afterwards is told that the store is closed.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn close(self) -> Result<(), Error> {
        self.ids.give_back(&self).await?;
        self.writer.end().await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(move || thread.join());
            let _ = tokio::time::timeout(CLOSING_MAX, ended).await;
        }
        Ok(())
    }
}

async fn read_by<T, E>(
    readers: &Readers,
    work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    whole: bool,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    readers.submit(Read { work: Box::new(move |tx| drop(answer.send(work(tx)))), whole }).await?;
    answered.await.unwrap_or_else(|_| Err(Error::engine("a read failed").into()))
}

/// SQLite's log beside the file.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Which file is there: its device and its number.
fn file_at(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// One caller's closure on its way through the writer.
struct Writing<W, T, E> {
    work: Option<W>,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Job for Writing<W, T, E>
where
    W: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.result = self.work.take().map(|work| work(tx));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let result = match (self.result, committed) {
            // Also where it was not even run.
            (Some(Ok(_)) | None, Err(error)) => Err(error.into()),
            (Some(result), _) => result,
            (None, Ok(())) => Err(Error::engine("a write panicked; nothing of it was kept").into()),
        };
        // Nobody may be waiting any more.
        let _ = self.answer.send(result);
    }
}

#[cfg(test)]
mod tests;
