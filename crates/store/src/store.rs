//! The store's handle: opening, writing, reading, closing.
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::JoinHandle,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    Clock, Error, Faults, MasterKey, OpenError, Sequence, Tx, Vault,
    engine::{Job, Read, Readers, Writer},
    ids::Ids,
    opening::{Opened, Purpose, from_file, from_server},
    place::Place,
    postgres::{self, notices::Heard},
};

/// A last checkpoint that takes longer is left to the next start.
const CLOSING_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// Which database. `Debug` shows no URL: it may hold a password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// A file, made if absent.
    Sqlite(PathBuf),
    /// A database of a server, by its URL (`postgres://...`); its tables are made if absent.
    Postgres(String),
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => out.debug_tuple("Sqlite").field(file).finish(),
            Self::Postgres(_) => out.write_str("Postgres(***)"),
        }
    }
}

impl Database {
    /// What a URL names: `sqlite:FILE`, or `postgres://...` (`postgresql://...`); `None` if it is neither.
    #[must_use]
    pub fn at(url: &str) -> Option<Self> {
        match url.split_once(':')? {
            ("sqlite", file) => Some(Self::Sqlite(file.into())),
            ("postgres" | "postgresql", _) => Some(Self::Postgres(url.to_owned())),
            _ => None,
        }
    }
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
    /// Bytes of the database, with its log where that lies beside it.
    pub bytes: u64,
}

/// A cheap handle.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    apart: Writer,
    readers: Readers,
    searchers: Readers,
    clock: Clock,
    vault: Vault,
    ids: Ids,
    place: Arc<Place>,
    era: i64,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Store {
    /// Opens a database: looks before it touches, migrates, starts the threads.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator; nothing was changed then.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_for(Purpose::Serve, options)
    }

    /// Opens a database that a copy is to fill: one that is new, or that holds a part of the copy.
    ///
    /// # Errors
    /// The same.
    pub fn open_to_fill(options: Options) -> Result<Self, OpenError> {
        Self::open_for(Purpose::Fill, options)
    }

    /// Opens a database of a server to read it, while others work on it: nothing is written, the schema is left as it is.
    ///
    /// # Errors
    /// The same; also when it is of an older schema.
    pub fn open_to_read(options: Options) -> Result<Self, OpenError> {
        Self::open_for(Purpose::Read, options)
    }

    fn open_for(purpose: Purpose, options: Options) -> Result<Self, OpenError> {
        let Options { database, key, clock, faults } = options;
        let vault = Vault::new(key);
        let opened = match database {
            Database::Sqlite(path) => from_file(path, purpose, &clock, &vault, faults)?,
            Database::Postgres(url) => from_server(&url, purpose, &clock, &vault, faults.as_ref())?,
        };
        let Opened { writer, apart, readers, searchers, place, era, threads } = opened;
        let (threads, place) = (Arc::new(Mutex::new(threads)), Arc::new(place));
        Ok(Self { writer, apart, readers, searchers, clock, vault, ids: Ids::default(), place, era, threads })
    }

    /// Writes: the closure runs in a transaction, which may be shared with others, its own part undone if it fails. What it wrote
    /// is flushed when this gives `Ok`. It runs also if the caller goes away. Others may write at the same time
    /// ([`Store::has_several_writers`]): it locks what it decides about.
    ///
    /// # Errors
    /// The closure's own, or the store's.
    pub async fn write<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        write_by(&self.writer, work).await
    }

    /// Writes something short that must not wait behind what others write, such as that this node is alive. Where several can write
    /// it has a connection of its own, waits for a lock for a second only ([`Error::Again`]), and comes after nothing but its like.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_apart<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        write_by(&self.apart, work).await
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
        self.place.is_there()
    }

    /// How often nobody knew whether a transaction was committed, because the server was lost meanwhile: what it wrote may be there
    /// without anybody having been told.
    #[must_use]
    pub fn commits_in_doubt(&self) -> u64 {
        self.place.commits_in_doubt()
    }

    /// The engine's name.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        self.place.engine()
    }

    /// Where it is, for whoever runs it: no password is in it.
    #[must_use]
    pub fn shown(&self) -> String {
        self.place.shown()
    }

    /// True if several write at the same time, here or on other nodes: then what is committed may be seen in any order, and only what
    /// is locked has one.
    #[must_use]
    pub fn has_several_writers(&self) -> bool {
        self.place.dialer().is_some()
    }

    /// Sends messages to all who listen on this database, each shorter than 8,000 bytes.
    ///
    /// # Errors
    /// Whatever the store says; where there can be nobody else, that there is nobody.
    pub async fn tell(&self, messages: Vec<String>) -> Result<(), Error> {
        match self.place.dialer() {
            Some(_) => self.write(move |tx| postgres::notices::send(tx, &messages)).await,
            None => Err(Error::engine("nobody else works on this database")),
        }
    }

    /// Listens to what is sent on this database, until what this gives is dropped. Whoever listens is to send something himself every
    /// few seconds: a connection that is silent is taken for dead.
    ///
    /// # Errors
    /// That there can be nobody else, or that no thread could be started.
    pub fn listen(&self) -> Result<mpsc::Receiver<Heard>, Error> {
        let dialer = self.place.dialer().ok_or_else(|| Error::engine("nobody else works on this database"))?;
        postgres::notices::listen(dialer.clone()).map_err(Error::engine)
    }

    /// Higher after each restore from a backup, 0 before the first: stands in every event, so that its receivers can tell numbers apart
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
    pub async fn figures(&self) -> Figures {
        Figures {
            engine: self.engine(),
            writes: self.writer.counts.jobs.load(Ordering::Relaxed),
            flushes: self.writer.counts.flushes.load(Ordering::Relaxed),
            waiting: self.writer.waiting(),
            bytes: self.place.bytes(&self.searchers).await,
        }
    }

    /// The folder that the database is in, for looking at the disk's free room; `None` if that is another machine's business.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.place.folder()
    }

    /// Ends in order: unused ids are given back, what was handed in before is done, the log is merged into the file. Whoever
    /// writes afterwards is told that the store is closed.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn close(self) -> Result<(), Error> {
        let threads = self.end().await?;
        let ended = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let _ = tokio::time::timeout(CLOSING_MAX, ended).await;
        Ok(())
    }

    /// The same, and the log is merged however long that takes: what was filled may be large, and its file is wanted alone.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn close_whole(self) -> Result<(), Error> {
        let threads = self.end().await?;
        let ended = tokio::task::spawn_blocking(move || threads.into_iter().all(|thread| thread.join().is_ok())).await;
        if matches!(ended, Ok(true)) { Ok(()) } else { Err(Error::engine("closing the database panicked")) }
    }

    /// Takes nothing more; gives the threads that end then.
    async fn end(&self) -> Result<Vec<JoinHandle<()>>, Error> {
        self.ids.give_back(self).await?;
        self.writer.end().await;
        self.apart.end().await;
        Ok(std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

async fn write_by<T, E>(writer: &Writer, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    writer.submit(Box::new(Writing { work: Some(work), result: None, answer })).await?;
    answered.await.unwrap_or_else(|_| Err(Error::engine("the store ended before it answered").into()))
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
    let work = move |snapshot: Result<&Tx<'_>, Error>| drop(answer.send(snapshot.map_err(E::from).and_then(work)));
    readers.submit(Read::new(work, whole)).await?;
    answered.await.unwrap_or_else(|_| Err(Error::engine("a read failed").into()))
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
