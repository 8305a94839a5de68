//! A transaction in MySQL or MariaDB: one statement after another, each prepared once for a connection.
use std::{net::SocketAddr, time::Duration};

use mysql_async::{Conn, DriverError, Error, OptsBuilder, Params, SslOpts, Value, prelude::Queryable as _};

use super::{
    super::configured::settings::Tls,
    Connects,
    job::{Done, Job, Trouble},
    place::{Engine, Server},
    seen,
    settings::Settings,
    statement::Bound,
};

/// Statements that a connection knows: more than any handler has.
const STATEMENTS_KEPT: usize = 512;
/// Two transactions stood in each other's way; a lock did not come in time.
const AGAIN: [u16; 2] = [1213, 1205];
/// The server is going down.
const GOING_DOWN: [u16; 3] = [1053, 1077, 1927];

/// What connections are made with.
pub(super) struct Mysql {
    options: OptsBuilder,
    tls: Option<SslOpts>,
    prefer: bool,
}

/// A connection.
pub(super) struct Connection(Conn);

impl Mysql {
    pub(super) fn new(server: &Server, settings: &Settings, timeout: Duration) -> Self {
        let seconds = timeout.as_secs().max(1);
        let options = OptsBuilder::default()
            .tcp_port(server.port)
            .user(Some(&server.user))
            .pass(settings.password.as_deref())
            .db_name(Some(&server.database))
            // Else it would look for a socket once it is connected to this machine.
            .prefer_socket(false)
            .tcp_nodelay(true)
            .stmt_cache_size(STATEMENTS_KEPT)
            .setup(vec![
                // Reading what others have committed, as the lock of the client's row promises; and few gaps are locked so.
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
                format!("SET SESSION innodb_lock_wait_timeout = {seconds}"),
            ]);
        let host = Some(server.host.clone());
        let tls = match (settings.tls, &settings.ca) {
            (Tls::Off, _) => None,
            (Tls::Prefer | Tls::Require, _) => Some(SslOpts::default().with_danger_accept_invalid_certs(true)),
            (Tls::Verify, None) => Some(SslOpts::default()),
            (Tls::Verify, Some(pem)) => {
                let roots = vec![pem.clone().into_bytes().into()];
                Some(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots))
            }
        };
        let tls = tls.map(|tls| tls.with_danger_tls_hostname_override(host));
        Self { options, tls, prefer: settings.tls == Tls::Prefer }
    }
}

impl Connects for Mysql {
    type Connection = Connection;

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<Connection, Trouble> {
        let mut last = Trouble::Unreachable("the name leads to no address".to_owned());
        for address in addresses {
            let options = self.options.clone().ip_or_hostname(address.ip().to_string());
            let made = match Conn::new(options.clone().ssl_opts(self.tls.clone())).await {
                Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) if self.prefer => Conn::new(options).await,
                made => made,
            };
            match made {
                Ok(connection) => return Ok(Connection(connection)),
                Err(error) => last = refused(&error),
            }
        }
        Err(last)
    }
}

impl super::Connection for Connection {
    fn is_closed(&self) -> bool {
        self.0.is_disconnected()
    }

    async fn make_tables(&mut self, tables: &[(&str, Vec<&str>)]) -> Result<(), Trouble> {
        for (probe, make) in tables {
            if self.0.query_drop(*probe).await.is_ok() {
                continue;
            }
            for sql in make {
                let sql = if sql.starts_with("CREATE TABLE") { format!("{sql} ENGINE=InnoDB") } else { (*sql).to_owned() };
                self.0.query_drop(sql).await.map_err(|error| trouble(&error, None))?;
            }
        }
        Ok(())
    }

    async fn run(&mut self, job: &Job<'_>) -> Result<Done, Trouble> {
        let done = self.transaction(job).await;
        let end = if matches!(done, Ok(Done::Applied(_))) && job.seen.is_some() { "COMMIT" } else { "ROLLBACK" };
        match (self.0.query_drop(end).await, done) {
            (Ok(()), done) => done,
            (Err(error), Ok(_)) => Err(trouble(&error, None)),
            (Err(_), failed) => failed,
        }
    }
}

impl Connection {
    async fn transaction(&mut self, job: &Job<'_>) -> Result<Done, Trouble> {
        self.0.query_drop("BEGIN").await.map_err(|error| trouble(&error, None))?;
        if let Some(seen) = &job.seen {
            if let (Some((kind, id)), Some(lock)) = (seen.client(), seen::lock(Engine::Mysql)) {
                self.execute(lock, vec![seen.handler.into(), kind.into(), id.into()], None).await?;
            }
            let values = [seen.id, seen.era, seen.seq, seen.heard].map(Value::from);
            let values = [seen.handler.into(), seen.kind.as_str().into()].into_iter().chain(values).collect();
            if self.execute(seen::raise(Engine::Mysql), values, None).await? == 0 {
                return Ok(Done::Old);
            }
        }
        let mut rows = Vec::with_capacity(job.statements.len());
        for (index, one) in job.statements.iter().enumerate() {
            rows.push(self.execute(one.sql, one.values.iter().map(value).collect(), Some(index)).await?);
        }
        Ok(Done::Applied(rows))
    }

    async fn execute(&mut self, sql: &str, values: Vec<Value>, statement: Option<usize>) -> Result<u64, Trouble> {
        let values = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
        self.0.exec_drop(sql, values).await.map_err(|error| trouble(&error, statement))?;
        Ok(self.0.affected_rows())
    }
}

fn value(bound: &Bound) -> Value {
    match bound {
        Bound::Null => Value::NULL,
        Bound::Bool(value) => (*value).into(),
        Bound::Int(value) => (*value).into(),
        Bound::Float(value) => (*value).into(),
        Bound::Text(text) => text.as_str().into(),
    }
}

/// Why no connection was made.
fn refused(error: &Error) -> Trouble {
    Trouble::Unreachable(match error {
        Error::Server(said) => format!("the database refused the connection: {} ({})", said.message, said.code),
        Error::Io(mysql_async::IoError::Io(error)) => super::super::words::of_io(error.kind()),
        Error::Io(mysql_async::IoError::Tls(error)) => format!("the TLS connection failed: {error}"),
        Error::Driver(DriverError::NoClientSslFlagFromServer) => "the database offers no TLS".to_owned(),
        other => format!("no connection could be made: {other}"),
    })
}

fn trouble(error: &Error, statement: Option<usize>) -> Trouble {
    match error {
        Error::Server(said) => {
            let words = format!("{} (error {}, SQLSTATE {})", said.message, said.code, said.state);
            if AGAIN.contains(&said.code) {
                Trouble::Again(words)
            } else if GOING_DOWN.contains(&said.code) {
                Trouble::Lost(words)
            } else {
                Trouble::Refused { statement, words }
            }
        }
        Error::Driver(DriverError::Params(_) | DriverError::MixedParams | DriverError::StmtParamsMismatch { .. }) => {
            Trouble::Refused { statement, words: error.to_string() }
        }
        _ => Trouble::Lost("the connection to the database was lost".to_owned()),
    }
}
