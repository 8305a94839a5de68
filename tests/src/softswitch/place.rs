//! A handler's database as the switches are told of it: the same server, user and password.
use crate::sql::target::Target;

/// Where a database is.
pub(super) struct Place {
    /// `mysql` or `postgres`.
    pub(super) engine: String,
    pub(super) user: String,
    pub(super) password: &'static str,
    pub(super) host: String,
    pub(super) port: String,
    pub(super) database: String,
}

impl Place {
    /// As the handler's task says it: `sql://USER@HOST:PORT/DATABASE?engine=ENGINE`.
    pub(super) fn of(target: &Target) -> Self {
        let task = target.task();
        let (user, rest) = task.strip_prefix("sql://").and_then(|rest| rest.split_once('@')).unwrap();
        let (server, rest) = rest.split_once('/').unwrap();
        let (host, port) = server.split_once(':').unwrap();
        let (database, engine) = rest.split_once("?engine=").unwrap();
        let [engine, user, host, port, database] = [engine, user, host, port, database].map(str::to_owned);
        Self { engine, user, password: target.password().unwrap(), host, port, database }
    }
}

/// Runs a file of statements that the product brings along.
pub(super) fn run_file(target: &Target, path: &str) {
    let sql = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{path}: {error}; ./test installs it, and tests run as root"));
    target.rows(&sql);
}
