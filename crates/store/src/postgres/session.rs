//! One connection, used by one thread: statements are prepared once, and those of which no answer is needed are sent along with the
//! next one, so that they cost no wait of their own.
//!
//! A statement's future sends it when it is first looked at; so all that is queued is sent in order, then the answers are waited
//! for. One that fails has those behind it refused by the server, as long as all are in one transaction, which they are.
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    task::Poll,
    time::Duration,
};

use futures_util::{TryStreamExt as _, poll};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    address::Address,
    dialect,
    value::{Owned, type_of},
};
use crate::{Error, Param, Subject};

/// Statements kept prepared by each connection; searches are put together in endless ways.
const STATEMENTS_MAX: usize = 256;
/// Statements that are queued at most, and bytes of their values.
const QUEUED_MAX: usize = 128;
const QUEUED_BYTES_MAX: usize = 1 << 20;
/// So long a server may take to accept a connection, with all that is said before the first statement; each of several hosts.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// So much longer than the server's own limit an answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The server ends a transaction whose program has fallen silent: it may hold what others wait for.
const IDLE_MS: u32 = 5_000;

/// What a connection is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long one statement may run at the server.
    pub(crate) statement: Duration,
    /// How long one may wait for a lock there.
    pub(crate) lock: Duration,
}

/// A statement that is sent with the next one.
struct Queued {
    statement: Statement,
    params: Vec<Owned>,
}

/// A connection.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    statements: RefCell<HashMap<Box<str>, Statement>>,
    queue: RefCell<Vec<Queued>>,
    queued_bytes: Cell<usize>,
    /// True once something of the transaction was sent.
    sent: Cell<bool>,
    /// True once a statement of the transaction has failed.
    failed: Cell<bool>,
    /// True once nothing more can be expected of it.
    broken: Cell<bool>,
    /// How long an answer is waited for.
    patience: Cell<Duration>,
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// [`Error::Unreachable`], also when the server accepts and then says nothing; or what it says.
    pub(crate) fn connect(address: &Address, tls: MakeRustlsConnect, limits: Limits) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::engine)?;
        let mut config = address.config.clone();
        let Limits { statement, lock } = limits;
        let ours = format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={IDLE_MS} -c jit=off -c client_min_messages=warning",
            statement.as_millis(),
            lock.as_millis()
        );
        let options = config.get_options().map_or_else(|| ours.clone(), |theirs| format!("{ours} {theirs}"));
        config.options(options);
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1);
        let limit = CONNECTED_WITHIN.saturating_mul(hosts);
        let (client, connection) = runtime.block_on(within(limit, config.connect(tls)))?;
        runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the database ended");
            }
        });
        Ok(Self {
            runtime,
            client,
            statements: RefCell::default(),
            queue: RefCell::default(),
            queued_bytes: Cell::new(0),
            sent: Cell::new(false),
            failed: Cell::new(false),
            broken: Cell::new(false),
            patience: Cell::new(statement.saturating_add(ANSWER_WITHIN)),
        })
    }

    /// False once the connection is lost, as far as that is known without asking the server.
    pub(crate) fn is_usable(&self) -> bool {
        // What the socket has to say is heard only while the runtime runs.
        self.runtime.block_on(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
        !self.broken.get() && !self.client.is_closed()
    }

    /// Begins a transaction, with its first statement.
    pub(crate) fn begin(&self, sql: &'static str) -> Result<(), Error> {
        self.queue.borrow_mut().clear();
        self.queued_bytes.set(0);
        self.sent.set(false);
        self.failed.set(false);
        self.put(sql, &[])
    }

    /// Commits. A transaction in which nothing was done costs nothing.
    ///
    /// # Errors
    /// [`Error::InDoubt`] if the connection was lost meanwhile: it may be there or not.
    pub(crate) fn commit(&self) -> Result<(), Error> {
        if self.failed.get() {
            return Err(Error::engine("a statement that failed was passed over"));
        }
        let is_only_begun = !self.sent.get() && self.queue.borrow().len() <= 1;
        if is_only_begun {
            self.queue.borrow_mut().clear();
            return Ok(());
        }
        let was_usable = !self.broken.get();
        let statement = self.prepared("COMMIT", &[])?;
        match self.send(Some((&statement, &[]))) {
            Err(Error::Unreachable(words)) if was_usable => Err(Error::InDoubt(words)),
            other => other.map(drop),
        }
    }

    /// Takes everything back.
    pub(crate) fn roll_back(&self) {
        self.queue.borrow_mut().clear();
        if !self.sent.get() || self.broken.get() {
            return;
        }
        if self.runtime.block_on(within(self.patience.get(), self.client.batch_execute("ROLLBACK"))).is_err() {
            self.broken.set(true);
        }
    }

    /// How long an answer is waited for.
    pub(crate) fn patience(&self) -> Duration {
        self.patience.get()
    }

    /// Answers to one statement may take this long from now on; the server's limit is set beside it.
    pub(crate) fn be_patient(&self, patience: Duration) {
        self.patience.set(patience);
    }

    /// Queues a statement that needs no answer.
    pub(crate) fn put(&self, sql: &str, params: &[Param<'_>]) -> Result<(), Error> {
        let statement = self.prepared(sql, params)?;
        let bytes: usize = params.iter().map(size_of).sum();
        self.queued_bytes.set(self.queued_bytes.get() + bytes);
        let count = {
            let mut queue = self.queue.borrow_mut();
            queue.push(Queued { statement, params: params.iter().map(Owned::from).collect() });
            queue.len()
        };
        if count >= QUEUED_MAX || self.queued_bytes.get() >= QUEUED_BYTES_MAX { self.send(None).map(drop) } else { Ok(()) }
    }

    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, Error> {
        let statement = self.prepared(sql, params)?;
        Ok(self.send(Some((&statement, params)))?.1)
    }

    /// Runs a statement; gives its rows.
    pub(crate) fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<tokio_postgres::Row>, Error> {
        let statement = self.prepared(sql, params)?;
        Ok(self.send(Some((&statement, params)))?.0)
    }

    /// Runs one statement with several sets of values, all sent at once; gives the rows of each.
    pub(crate) fn query_each(&self, sql: &str, sets: &[Vec<Param<'_>>]) -> Result<Vec<Vec<tokio_postgres::Row>>, Error> {
        let Some(first) = sets.first() else { return Ok(Vec::new()) };
        let statement = self.prepared(sql, first)?;
        self.send(None)?;
        let mut all = Vec::with_capacity(sets.len());
        for sets in sets.chunks(QUEUED_MAX) {
            let statements: Vec<(&Statement, &[Param<'_>])> = sets.iter().map(|set| (&statement, set.as_slice())).collect();
            all.extend(self.answers(&[], &statements)?.into_iter().map(|(rows, _)| rows));
        }
        Ok(all)
    }

    /// Runs statements without values, one after another.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), Error> {
        self.send(None)?;
        self.noted(self.runtime.block_on(within(self.patience.get(), self.client.batch_execute(sql))))
    }

    /// Until the end of the transaction the subject is ours.
    pub(crate) fn lock(&self, subject: Subject, shared: bool) -> Result<(), Error> {
        const ALONE: &str = "SELECT pg_advisory_xact_lock($1)";
        const SHARED: &str = "SELECT pg_advisory_xact_lock_shared($1)";
        self.put(if shared { SHARED } else { ALONE }, &[Param::Int(key_of(subject))])
    }

    /// Runs something of the library on this connection.
    fn drive<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        self.noted(self.runtime.block_on(within(self.patience.get(), work)))
    }

    fn prepared(&self, sql: &str, params: &[Param<'_>]) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let types: Vec<_> = params.iter().map(type_of).collect();
        let spelled = dialect::statement(sql);
        let statement = self.drive(self.client.prepare_typed(&spelled, &types))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS_MAX {
            // Those that are in use are prepared again; the others are forgotten here and at the server.
            statements.clear();
        }
        statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// Sends what is queued, and one more; gives that one's rows, and how many it changed.
    fn send(&self, last: Option<(&Statement, &[Param<'_>])>) -> Result<Answer, Error> {
        let queued = self.queue.take();
        self.queued_bytes.set(0);
        let last: Vec<_> = last.into_iter().collect();
        if queued.is_empty() && last.is_empty() {
            return Ok(Answer::default());
        }
        Ok(self.answers(&queued, &last)?.pop().unwrap_or_default())
    }

    fn answers(&self, queued: &[Queued], last: &[(&Statement, &[Param<'_>])]) -> Result<Vec<Answer>, Error> {
        self.sent.set(true);
        let asked = ask(&self.client, queued, last);
        self.noted(self.runtime.block_on(within(self.patience.get(), asked)))
    }

    fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.failed.set(true);
            self.broken.set(self.broken.get() || matches!(error, Error::Unreachable(_)));
        }
        result
    }
}

/// Rows, and how many were changed.
type Answer = (Vec<tokio_postgres::Row>, u64);

/// Sends all, in order, then waits for the answers: those of `last` are given.
async fn ask(
    client: &Client,
    queued: &[Queued],
    last: &[(&Statement, &[Param<'_>])],
) -> Result<Vec<Answer>, tokio_postgres::Error> {
    let (mut first, mut then) = (Vec::with_capacity(queued.len()), Vec::with_capacity(last.len()));
    for Queued { statement, params } in queued {
        let mut asked = Box::pin(client.query_raw(statement, params));
        let early = poll!(asked.as_mut());
        first.push((asked, early));
    }
    for (statement, params) in last {
        let mut asked = Box::pin(client.query_raw(*statement, *params));
        let early = poll!(asked.as_mut());
        then.push((asked, early));
    }
    for (asked, early) in first {
        answered(asked, early).await?;
    }
    let mut answers = Vec::with_capacity(then.len());
    for (asked, early) in then {
        answers.push(answered(asked, early).await?);
    }
    Ok(answers)
}

type Streamed = Result<tokio_postgres::RowStream, tokio_postgres::Error>;

async fn answered(asked: impl Future<Output = Streamed>, early: Poll<Streamed>) -> Result<Answer, tokio_postgres::Error> {
    let stream = match early {
        Poll::Ready(stream) => stream?,
        Poll::Pending => asked.await?,
    };
    let mut stream = std::pin::pin!(stream);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    let changed = stream.rows_affected().unwrap_or(0);
    Ok((rows, changed))
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Error::Unreachable("it does not answer".to_owned())),
    }
}

fn size_of(param: &Param<'_>) -> usize {
    match param {
        Param::Null => 1,
        Param::Int(_) => 8,
        Param::Text(text) => text.len(),
        Param::Blob(bytes) => bytes.len(),
    }
}

/// The number by which the server knows a subject: its kind in the first byte.
fn key_of(subject: Subject) -> i64 {
    const KIND_AT: u32 = 56;
    let (kind, number) = match subject {
        Subject::Configuration => (1, 0),
        Subject::Request(hash) => (2, hash),
        Subject::Resync(id) => (3, id),
        Subject::Client(id) => (4, id),
        Subject::Addresses => (5, 0),
        Subject::Membership => (6, 0),
        Subject::Node(id) => (7, id),
    };
    (kind << KIND_AT) | (number & ((1 << KIND_AT) - 1))
}
