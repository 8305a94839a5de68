//! A transaction in PostgreSQL: two round trips, because statements that don't wait for each other are sent together.
use std::{collections::HashMap, net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_postgres::{
    Client, Config, Error, NoTls, Statement,
    config::SslMode,
    error::SqlState,
    tls::MakeTlsConnect,
    types::{Format, IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    super::{configured::settings::Tls, tls},
    Connects,
    job::{Done, Job, Trouble},
    place::{Engine, Server},
    seen::{self, Seen},
    settings::Settings,
    statement::Bound,
};

/// So many are sent together: futures that are joined in a small number are polled in their order, and so sent in it.
const TOGETHER: usize = 16;

/// What connections are made with.
pub(super) struct Postgres {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    host: String,
    timeout: Duration,
}

/// A connection, with the statements that it knows.
pub(super) struct Connection {
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl Postgres {
    pub(super) fn new(server: &Server, settings: &Settings, timeout: Duration, shared: &ClientConfig) -> Result<Self, String> {
        let mut config = Config::new();
        config.user(&server.user).dbname(&server.database).application_name("hookswitch");
        config.ssl_mode(match settings.tls {
            Tls::Off => SslMode::Disable,
            Tls::Prefer => SslMode::Prefer,
            Tls::Require | Tls::Verify => SslMode::Require,
        });
        if let Some(password) = &settings.password {
            config.password(password);
        }
        let tls = match settings.tls {
            Tls::Off => None,
            Tls::Prefer | Tls::Require => Some(tls::of_anybody(shared)),
            Tls::Verify => Some(match &settings.ca {
                Some(pem) => tls::of_roots(pem)?,
                None => shared.clone(),
            }),
        };
        let tls = tls.map(|mut config| {
            config.alpn_protocols.clear();
            MakeRustlsConnect::new(config)
        });
        Ok(Self { config, tls, host: server.host.clone(), timeout })
    }
}

impl Connects for Postgres {
    type Connection = Connection;

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<Connection, Trouble> {
        let unreachable = |error: &std::io::Error| Trouble::Unreachable(super::super::words::of_io(error.kind()));
        let stream = TcpStream::connect(addresses).await.map_err(|error| unreachable(&error))?;
        // It only costs time if it fails.
        let _ = stream.set_nodelay(true);
        let client = match self.tls.clone() {
            None => {
                let (client, connection) = self.config.connect_raw(stream, NoTls).await.map_err(|error| refused(&error))?;
                tokio::spawn(async move { drop(connection.await) });
                client
            }
            Some(mut tls) => {
                let made = <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::make_tls_connect(&mut tls, &self.host);
                let tls = made.map_err(|_| Trouble::Unreachable("TLS can't be spoken with a host of this name".to_owned()))?;
                let (client, connection) = self.config.connect_raw(stream, tls).await.map_err(|error| refused(&error))?;
                tokio::spawn(async move { drop(connection.await) });
                client
            }
        };
        let ms = self.timeout.as_millis();
        let limits = format!(
            "SET statement_timeout = {ms}; SET lock_timeout = {ms}; SET idle_in_transaction_session_timeout = {}",
            ms + 1_000
        );
        client.batch_execute(&limits).await.map_err(|error| trouble(&error, None))?;
        Ok(Connection { client, prepared: HashMap::new() })
    }
}

impl super::Connection for Connection {
    fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    async fn make_tables(&mut self, tables: &[(&str, Vec<&str>)]) -> Result<(), Trouble> {
        for (probe, make) in tables {
            if self.client.prepare(probe).await.is_ok() {
                continue;
            }
            for sql in make {
                self.client.batch_execute(sql).await.map_err(|error| trouble(&error, None))?;
            }
        }
        Ok(())
    }

    async fn run(&mut self, job: &Job<'_>) -> Result<Done, Trouble> {
        let (lock, raise) = (seen::lock(Engine::Postgres).unwrap_or_default(), seen::raise(Engine::Postgres));
        for (index, sql) in [(None, lock), (None, raise)]
            .into_iter()
            .chain(job.statements.iter().enumerate().map(|(at, one)| (Some(at), one.sql)))
        {
            self.prepare(sql).await.map_err(|error| trouble(&error, index))?;
        }
        if let Some(seen) = &job.seen
            && !self.begin(lock, raise, seen).await?
        {
            return self.client.batch_execute("ROLLBACK").await.map(|()| Done::Old).map_err(|error| trouble(&error, None));
        }
        if job.seen.is_none() {
            self.client.batch_execute("BEGIN").await.map_err(|error| trouble(&error, None))?;
        }
        let done = self.statements(job).await;
        if done.is_err() && !self.client.is_closed() {
            // The transaction is over anyhow; a connection that can't even do that is found out when it is used again.
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        done.map(Done::Applied)
    }
}

impl Connection {
    async fn prepare(&mut self, sql: &str) -> Result<(), Error> {
        if !self.prepared.contains_key(sql) {
            let statement = self.client.prepare(sql).await?;
            self.prepared.insert(sql.to_owned(), statement);
        }
        Ok(())
    }

    /// Begins, and takes what is locked first; false if the event is an old one.
    async fn begin(&self, lock: &str, raise: &str, seen: &Seen) -> Result<bool, Trouble> {
        let client = &self.client;
        let (kind, id) = seen.client().unwrap_or(("", 0));
        let (locked, raised) = (&self.prepared[lock], &self.prepared[raise]);
        let locking = async { if kind.is_empty() { Ok(0) } else { client.execute(locked, &[&seen.handler, &kind, &id]).await } };
        let values: [&(dyn ToSql + Sync); 6] = [&seen.handler, &seen.kind, &seen.id, &seen.era, &seen.seq, &seen.heard];
        let (begun, locked, raised) =
            tokio::join!(biased; client.batch_execute("BEGIN"), locking, client.execute(raised, &values));
        let raised = begun.and(locked).and(raised);
        if raised.is_err() && !client.is_closed() {
            let _ = client.batch_execute("ROLLBACK").await;
        }
        raised.map(|rows| rows > 0).map_err(|error| trouble(&error, None))
    }

    /// The statements and what ends them, sent without waiting. One that fails lets all behind it fail, the commit too.
    async fn statements(&self, job: &Job<'_>) -> Result<Vec<u64>, Trouble> {
        let end = if job.seen.is_some() { "COMMIT" } else { "ROLLBACK" };
        let mut rows = Vec::with_capacity(job.statements.len());
        let mut portions = job.statements.chunks(TOGETHER).peekable();
        while let Some(portion) = portions.next() {
            let from = rows.len();
            let values: Vec<Vec<&(dyn ToSql + Sync)>> =
                portion.iter().map(|one| one.values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()).collect();
            let sent = portion.iter().zip(&values).map(|(one, values)| self.client.execute(&self.prepared[one.sql], values));
            let (answers, ended) = match portions.peek() {
                Some(_) => (join_all(sent).await, Ok(())),
                None => tokio::join!(biased; join_all(sent), self.client.batch_execute(end)),
            };
            for (index, answer) in answers.into_iter().enumerate() {
                rows.push(answer.map_err(|error| trouble(&error, Some(from + index)))?);
            }
            ended.map_err(|error| trouble(&error, None))?;
        }
        Ok(rows)
    }
}

/// Values go as texts: the server reads each as the type that stands at its place, be that a number, a date or an enumeration.
impl ToSql for Bound {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let text = match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => text.clone(),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// Why no connection was made.
fn refused(error: &Error) -> Trouble {
    match error.as_db_error() {
        Some(said) => Trouble::Unreachable(format!("the database refused the connection: {}", said.message())),
        None if error.to_string().contains("TLS") => Trouble::Unreachable(format!(
            "the TLS connection failed: {}",
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
        )),
        None => Trouble::Unreachable(format!("no connection could be made: {error}")),
    }
}

fn trouble(error: &Error, statement: Option<usize>) -> Trouble {
    let Some(said) = error.as_db_error() else {
        let is_ours = !error.is_closed()
            && std::error::Error::source(error).is_some_and(|cause| cause.downcast_ref::<std::io::Error>().is_none());
        return if is_ours {
            Trouble::Refused { statement, words: error.to_string() }
        } else {
            Trouble::Lost("the connection to the database was lost".to_owned())
        };
    };
    let words = format!("{} (SQLSTATE {})", said.message(), said.code().code());
    let again = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
    let lost = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    if again.contains(said.code()) {
        Trouble::Again(words)
    } else if lost.contains(said.code()) {
        Trouble::Lost(words)
    } else {
        Trouble::Refused { statement, words }
    }
}
