//! The databases: one of each kind, asked by programs that are not ours where that goes.
use hookswitch_testdb::{Fresh, MariaDb, query};
use hookswitch_testkit::wait_until;
use rusqlite::{Connection, types::ValueRef};
use tempfile::TempDir;

/// The password of every server here.
const PASSWORD: &str = hookswitch_testdb::cluster::PASSWORD;

/// A database that a handler works in.
pub(crate) enum Target {
    Postgres(Fresh),
    MariaDb(MariaDb, String),
    Sqlite(TempDir),
}

impl Target {
    pub(crate) fn postgres() -> Self {
        Self::Postgres(Fresh::make())
    }

    pub(crate) fn mariadb() -> Self {
        let server = MariaDb::start();
        let database = server.database();
        Self::MariaDb(server, database)
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) fn task(&self) -> String {
        match self {
            Self::Postgres(fresh) => {
                // postgres://USER:PASSWORD@HOST:PORT/DATABASE
                let (user, rest) = fresh.url().trim_start_matches("postgres://").split_once(':').unwrap();
                format!("sql://{user}@{}?engine=postgres", rest.split_once('@').unwrap().1)
            }
            Self::MariaDb(server, database) => server.task(database),
            Self::Sqlite(folder) => format!("sql://{}/switch.db?engine=sqlite", folder.path().display()),
        }
    }

    pub(crate) fn password(&self) -> Option<&'static str> {
        (!matches!(self, Self::Sqlite(_))).then_some(PASSWORD)
    }

    /// An engine's own word for a number that is given by itself.
    pub(super) fn serial(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "SERIAL PRIMARY KEY",
            Self::MariaDb(..) => "INT UNSIGNED AUTO_INCREMENT PRIMARY KEY",
            Self::Sqlite(_) => "INTEGER PRIMARY KEY AUTOINCREMENT",
        }
    }

    /// What a statement gives, as texts.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Postgres(fresh) => query::rows(fresh.url(), sql),
            Self::MariaDb(server, database) => server.rows(database, sql),
            Self::Sqlite(folder) => sqlite(folder, sql),
        }
    }

    /// One after another.
    pub(crate) fn run(&self, statements: &[String]) {
        for sql in statements {
            self.rows(sql);
        }
    }

    /// Waits until it gives just this.
    pub(crate) async fn wait(&self, sql: &str, expected: &[&[&str]]) {
        let expected: Vec<Vec<String>> = expected.iter().map(|row| row.iter().map(|&text| text.to_owned()).collect()).collect();
        wait_until(&format!("{sql} gives {expected:?}"), async || self.rows(sql) == expected).await;
    }
}

fn sqlite(folder: &TempDir, sql: &str) -> Vec<Vec<String>> {
    let connection = Connection::open(folder.path().join("switch.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    };
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get_ref(at).map(text)).collect()).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
