//! One delivery into a database: statements that were configured, not programmed, in one transaction of the target.
//!
//! ```text
//!   payload --> values (CEL) --> bound to the statements of its event          program, statement
//!           --> object, era, seq                                               seen
//!   BEGIN; is it newer?; the statements; COMMIT                                postgres, mysql, sqlite
//!   --> rows changed, or why not, in words
//! ```
//!
//! **Nothing of a payload ever becomes part of a statement's text.** What stands between `{{` and `}}` is compiled when the handler is saved
//! and bound as a parameter.
//!
//! **An old state never overwrites a newer one**, because whether an event is newer is asked and written down in the transaction that
//! applies it ([`seen`]). That also makes it harmless to repeat a transaction whose end nobody heard of: so a connection that was
//! lost, or a deadlock, is tried again at once, within the call's own time limit.
//!
//! | file | subject |
//! |---|---|
//! | [`place`] | which database a task names, and whether that may be |
//! | [`settings`], [`program`], [`statement`] | what was configured, compiled |
//! | [`templates`] | what Kamailio, OpenSIPS, FreeRADIUS and Asterisk need, ready made |
//! | [`seen`], [`job`] | the transaction, the same for every engine |
//! | [`postgres`], [`mysql`], [`sqlite`] | each in its own way; `pool` serves them |
mod job;
mod mysql;
mod place;
mod pool;
mod postgres;
mod program;
mod seen;
mod settings;
mod sqlite;
mod statement;
mod templates;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use hookswitch_model::{
    handler::Handler,
    refusal::{FailureReason, FieldErrors},
};
use rustls::ClientConfig;
use serde_json::{Value as Json, json};

use super::{
    Call, CallError, Reply,
    address::Reach,
    configured::{Surroundings, done, nothing_to_do, old_name, unusable},
    host::Host,
    http,
};
use crate::condition::expression::Given;
use job::{Done, Job, Trouble};
use place::{Engine, Place};
use pool::Pool;
use program::Program;
use seen::Seen;
use settings::Settings;
use templates::Template;

/// How often a transaction is begun within one call.
const TRIES: usize = 4;
/// Tables that must be there, and what makes them.
type Tables = Vec<(&'static str, Vec<&'static str>)>;

/// A handler in a database, ready to be called.
pub(super) struct Target {
    handlers_id: i64,
    surroundings: Surroundings,
    program: Program,
    tables: Tables,
    way: Way,
}

enum Way {
    Postgres(Box<Behind<postgres::Postgres>>),
    Mysql(Box<Behind<mysql::Mysql>>),
    Sqlite(sqlite::Sqlite),
}

/// A database behind a port.
struct Behind<E: Connects> {
    made: E,
    pool: Pool<E::Connection>,
    server: Reached,
}

/// How connections are made to an engine's server.
trait Connects {
    type Connection: Connection;
    /// Connects to one of these.
    async fn connect(&self, addresses: &[SocketAddr]) -> Result<Self::Connection, Trouble>;
}

/// A connection, for one transaction at a time.
trait Connection {
    /// True if it is known to be of no use any more.
    fn is_closed(&self) -> bool;
    /// Makes the tables that are missing.
    async fn make_tables(&mut self, tables: &[(&str, Vec<&str>)]) -> Result<(), Trouble>;
    /// Runs a transaction to its end. Unless the connection is lost it is as it was before.
    async fn run(&mut self, job: &Job<'_>) -> Result<Done, Trouble>;
}

/// Where a server is, and whether its tables were looked for.
struct Reached {
    host: Host,
    has_tables: AtomicBool,
    making: tokio::sync::Mutex<()>,
}

/// What can't work about such a handler, by field, when it is saved.
pub(crate) fn validate(handler: &Handler, reach: &Reach, data_dir: &Path) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if let Some(words) = old_name(handler) {
        errors.add("event", words);
    }
    let settings = Settings::read(&handler.settings);
    match Place::read(&handler.task) {
        Ok(Place::Server(server)) => {
            if let Err(forbidden) = server.check(reach) {
                errors.add("task", forbidden.to_string());
            }
        }
        Ok(Place::File(_)) if handler.companies_id.is_some() => {
            errors.add("task", "must not be a file: it is a reseller's handler")
        }
        Ok(Place::File(path)) => {
            if let Err(words) = place::of_file(&path, data_dir) {
                errors.add("task", words);
            }
        }
        Err(words) => errors.add("task", words),
    }
    match &settings {
        Err(words) => errors.add("settings", words.clone()),
        Ok(settings) => {
            let engine = Place::read(&handler.task).map_or(Engine::Postgres, |place| place.engine());
            if let Err(words) = Program::compile(handler, settings, engine) {
                errors.add("settings", words);
            }
            if settings.template.is_some() && !handler.passwords {
                errors.add("passwords", "must be true for a template: the digests are made of them");
            }
        }
    }
    errors
}

/// True for a file of this machine: only users of the whole system may name one.
#[must_use]
pub fn is_file(task: &str) -> bool {
    matches!(Place::read(task), Ok(Place::File(_)))
}

impl Target {
    /// Fails, in words, for a handler that can't be called; that should have been found when it was saved.
    pub(super) fn new(handler: &Handler, tls: &ClientConfig, reach: Reach, data_dir: PathBuf) -> Result<Self, String> {
        let (place, settings) = (Place::read(&handler.task)?, Settings::read(&handler.settings)?);
        let program = Program::compile(handler, &settings, place.engine())?;
        let engine = place.engine();
        let timeout = Duration::from_millis(u64::from(handler.timeout_ms));
        let mut tables: Tables = vec![(seen::PROBE, vec![seen::TABLE])];
        if settings.template.is_some() {
            tables.extend(Template::tables());
        }
        let reached = |server: &place::Server| Reached {
            host: Host::new(&server.host, server.port, reach.clone()),
            has_tables: AtomicBool::new(false),
            making: tokio::sync::Mutex::default(),
        };
        let way = match place {
            Place::File(path) => Way::Sqlite(sqlite::Sqlite::new(path, data_dir, timeout)),
            Place::Server(server) if engine == Engine::Postgres => {
                Way::Postgres(Behind::new(postgres::Postgres::new(&server, &settings, timeout, tls)?, reached(&server)))
            }
            Place::Server(server) => Way::Mysql(Behind::new(mysql::Mysql::new(&server, &settings, timeout), reached(&server))),
        };
        let surroundings = Surroundings::new(handler, settings.open);
        Ok(Self { handlers_id: handler.id, surroundings, program, tables, way })
    }

    /// Calls once, within the call's time limit.
    pub(super) async fn call(&self, call: &Call) -> Result<Reply, CallError> {
        let payload = self.surroundings.around(&call.body)?;
        // Not held over a wait: what the language keeps can't be sent between threads.
        let statements = self.program.of(&call.events_id, &Given::new(&payload)).map_err(unusable)?;
        if statements.is_empty() {
            return Ok(nothing_to_do());
        }
        let head = payload.get("event").and_then(Json::as_object).cloned().unwrap_or_default();
        let job = Job { seen: Seen::of(self.handlers_id, &call.events_id, &head), statements };
        match tokio::time::timeout(call.timeout, Box::pin(self.attempts(&job))).await {
            Ok(Ok(how)) => Ok(done(0, &told(&job, &how))),
            Ok(Err(trouble)) => Err(failed(&job, &trouble)),
            Err(_) => Err(CallError { body: shown(&job).to_string().into_bytes(), ..http::late(call, false) }),
        }
    }

    async fn attempts(&self, job: &Job<'_>) -> Result<Done, Trouble> {
        for _ in 1..TRIES {
            match self.attempt(job).await {
                Err(Trouble::Lost(_) | Trouble::Again(_)) => {}
                ended => return ended,
            }
        }
        self.attempt(job).await
    }

    async fn attempt(&self, job: &Job<'_>) -> Result<Done, Trouble> {
        match &self.way {
            Way::Sqlite(file) => file.run(job, self.tables.clone()).await,
            Way::Postgres(server) => server.run(job, &self.tables).await,
            Way::Mysql(server) => server.run(job, &self.tables).await,
        }
    }
}

impl<E: Connects> Behind<E> {
    fn new(made: E, server: Reached) -> Box<Self> {
        Box::new(Self { made, pool: Pool::default(), server })
    }

    async fn run(&self, job: &Job<'_>, tables: &Tables) -> Result<Done, Trouble> {
        let mut connection = match self.pool.take().filter(|kept| !kept.is_closed()) {
            Some(kept) => kept,
            None => {
                let mut new = self.made.connect(&self.server.host.addresses().await.map_err(Trouble::Unreachable)?).await?;
                self.server.with_tables(&mut new, tables).await?;
                new
            }
        };
        let done = connection.run(job).await;
        match done {
            Ok(_) | Err(Trouble::Again(_)) => self.pool.put(connection),
            // Whatever stands there may be another than it was: everything is looked at anew.
            Err(_) => {
                self.server.has_tables.store(false, Ordering::Release);
                self.pool.clear();
            }
        }
        done
    }
}

impl Reached {
    /// Makes the tables once, one connection at a time: two that make the same one are in each other's way.
    async fn with_tables(&self, connection: &mut impl Connection, tables: &Tables) -> Result<(), Trouble> {
        if self.has_tables.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one_at_a_time = self.making.lock().await;
        if !self.has_tables.load(Ordering::Acquire) {
            connection.make_tables(tables).await?;
            self.has_tables.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// What was done, for the log.
fn told(job: &Job<'_>, done: &Done) -> Json {
    match done {
        Done::Old => json!({"applied": false, "reason": "this event, or a newer one of the object, was applied before"}),
        Done::Applied(rows) => {
            let mut told = shown(job);
            if let Some(list) = told["statements"].as_array_mut() {
                list.iter_mut().zip(rows).for_each(|(statement, rows)| statement["rows"] = (*rows).into());
            }
            let how = if job.seen.is_some() { json!(true) } else { json!("rolled back: this event did not happen") };
            told["applied"] = how;
            told
        }
    }
}

/// The statements with their values, as sent.
fn shown(job: &Job<'_>) -> Json {
    let of = |statement: &statement::Ready<'_>| {
        let sql = statement.sql.split_whitespace().collect::<Vec<_>>().join(" ");
        json!({"sql": sql, "values": statement.shown()})
    };
    json!({"applied": false, "statements": job.statements.iter().map(of).collect::<Vec<_>>()})
}

fn failed(job: &Job<'_>, trouble: &Trouble) -> CallError {
    let reason = match trouble {
        Trouble::Unreachable(_) | Trouble::Lost(_) => FailureReason::Refused,
        Trouble::Again(_) | Trouble::Refused { .. } => FailureReason::Status,
    };
    CallError { body: shown(job).to_string().into_bytes(), ..CallError::new(reason, trouble.words(job.statements.len())) }
}
