//! A PostgreSQL server that is measured with: databases made for a scenario and removed after it, what its processes cost, and what it
//! can do at all.
//!
//! The ceiling is `pgbench`, which comes with the server: transactions of as many rows as an action of ours writes, into tables with
//! nothing but a key. Ours have up to ten indexes each, and somebody who reads, decides and answers: the ratio says what that costs.
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::process::Command;
use tokio_postgres::{Client, NoTls};

use super::subject::ticks_of;

/// Connections of `pgbench`: as many as a node has that write.
const CONNECTIONS: &str = "16";
/// About as long as the payload of `clients.create`.
const BODY_BYTES: usize = 1_500;
const SLOWEST: Duration = Duration::from_secs(60);
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// The server.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Of a database that is always there.
    url: String,
    folder: PathBuf,
}

/// A database of its own.
#[derive(Debug)]
pub(super) struct Database {
    server: Server,
    name: String,
}

impl Server {
    /// By the URL of a database in which nothing is done but making others.
    pub(super) fn at(url: &str, folder: &Path) -> Self {
        Self { url: url.to_owned(), folder: folder.to_owned() }
    }

    /// A new database.
    pub(super) async fn make(&self) -> anyhow::Result<Database> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("hookswitch_bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        ask(&self.url, &format!("CREATE DATABASE {name}")).await?;
        Ok(Database { server: self.clone(), name })
    }

    /// Processor time of its processes up to now, in seconds, if they are this machine's.
    pub(super) async fn processor_seconds(&self) -> anyhow::Result<f64> {
        let main = main_process(&self.url).await?;
        let children = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let alive: f64 = children.filter(|pid| parent_of(*pid) == Some(main)).filter_map(|pid| ticks_of(pid, false).ok()).sum();
        Ok(alive + ticks_of(main, true)?)
    }

    /// How many transactions of so many rows it commits in a second.
    pub(super) async fn ceiling(&self, rows: usize, seconds: f64) -> anyhow::Result<f64> {
        let database = self.make().await?;
        let tables: String = (0..rows).fold(String::new(), |mut sql, table| {
            // Writing to a text can't fail.
            let _ =
                write!(sql, "CREATE TABLE t{table} (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT NOT NULL);");
            sql
        });
        ask(&database.url()?, &tables).await?;
        let script = tempfile::Builder::new().suffix(".sql").tempfile_in(&self.folder)?;
        fs::write(script.path(), transaction(rows))?;
        let rate = pgbench(&database.url()?, script.path(), seconds).await;
        database.remove().await?;
        rate
    }
}

/// One row with a payload, the others short.
fn transaction(rows: usize) -> String {
    let body = "x".repeat(BODY_BYTES);
    let mut sql = "BEGIN;\n".to_owned();
    for table in 0..rows {
        let body = if table == 0 { body.as_str() } else { "short" };
        // Writing to a text can't fail.
        let _ = writeln!(sql, "INSERT INTO t{table} (body) VALUES ('{body}') RETURNING id;");
    }
    sql.push_str("COMMIT;\n");
    sql
}

async fn pgbench(url: &str, script: &Path, seconds: f64) -> anyhow::Result<f64> {
    let time = format!("{}", seconds.ceil().max(1.0));
    let mut command = Command::new("pgbench");
    command.args(["-n", "-M", "prepared", "-c", CONNECTIONS, "-j", "2", "-T", &time, "-f"]).arg(script).arg(url);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let limit = SLOWEST + Duration::from_secs_f64(seconds);
    let output = tokio::time::timeout(limit, output).await.context("pgbench does not end")?;
    let output = output.context("pgbench, which comes with PostgreSQL, can't be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    rate.with_context(|| format!("pgbench says no rate: {text}"))
}

impl Database {
    /// Its URL.
    pub(super) fn url(&self) -> anyhow::Result<String> {
        let (before, question) =
            self.server.url.split_once('?').map_or((self.server.url.as_str(), None), |(url, rest)| (url, Some(rest)));
        let (server, _) =
            before.rsplit_once('/').filter(|(server, _)| !server.ends_with('/')).context("the URL names no database")?;
        let question = question.map(|rest| format!("?{rest}")).unwrap_or_default();
        Ok(format!("{server}/{}{question}", self.name))
    }

    /// The server that it is in.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Its size in megabytes.
    pub(super) async fn megabytes(&self) -> anyhow::Result<f64> {
        Ok(number(&self.server.url, &format!("SELECT CAST(pg_database_size('{}') / 1000 AS INT)", self.name)).await? as f64 / 1e3)
    }

    /// Removes it, whoever is still connected.
    pub(super) async fn remove(self) -> anyhow::Result<()> {
        ask(&self.server.url, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }
}

async fn ask(url: &str, sql: &str) -> anyhow::Result<()> {
    let (client, driver) = connect(url).await?;
    client.batch_execute(sql).await?;
    drop(client);
    Ok(driver.await??)
}

async fn number(url: &str, sql: &str) -> anyhow::Result<i32> {
    let (client, driver) = connect(url).await?;
    let number = client.query_one(sql, &[]).await?.try_get(0)?;
    drop(client);
    driver.await??;
    Ok(number)
}

/// The server's first process, which has started all others. Asked for while the one that answers is there.
async fn main_process(url: &str) -> anyhow::Result<i32> {
    let (client, driver) = connect(url).await?;
    let backend = client.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
    let main = parent_of(backend);
    drop(client);
    driver.await??;
    main.context("the database's processes are not on this machine")
}

type Driver = tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>;

async fn connect(url: &str) -> anyhow::Result<(Client, Driver)> {
    let connected = tokio::time::timeout(CONNECT_MAX, tokio_postgres::connect(url, NoTls)).await;
    let (client, connection) = connected.context("the database does not answer")?.context("the database")?;
    Ok((client, tokio::spawn(connection)))
}

/// The process that has started this one.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}
