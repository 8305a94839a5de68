//! What is measured: a server in a folder of its own, spoken to through its API only.
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    database::{self, Database},
    load::{Outcome, Plan, Until},
    process::{self, Listening, this_program},
    receive::{Tallies, Tally},
    template::Request,
    wire::Wire,
};

/// The admin's key in a server of the bench, which lives in a folder that nobody else can read.
pub(super) const KEY: &str = "bench-admin-key-0123456789-abcdefghij";

/// Where servers of the bench have their data.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// On the disk that is meant.
    pub(super) folder: PathBuf,
    /// The database server, if it is not the database inside.
    pub(super) database: Option<database::Server>,
}

/// A server's own folder, and its own database, if that is not in the folder.
pub(super) struct Home {
    folder: TempDir,
    database: Option<Database>,
}

impl Home {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// How its database is named for the program, if it is not the one in its folder.
    pub(super) fn database(&self) -> anyhow::Result<Option<String>> {
        self.database.as_ref().map(Database::url).transpose()
    }
}

/// A server of its own.
pub(super) struct Subject {
    server: Listening,
    home: Home,
}

impl Subject {
    /// Starts one with an empty database in a new folder.
    pub(super) async fn start(place: &Place) -> anyhow::Result<Self> {
        Self::start_in(Self::home(place).await?).await
    }

    /// A new folder, and an empty database.
    pub(super) async fn home(place: &Place) -> anyhow::Result<Home> {
        let folder = tempfile::Builder::new().prefix("hookswitch-bench-").tempdir_in(&place.folder)?;
        let database = match &place.database {
            Some(server) => Some(server.make().await?),
            None => None,
        };
        Ok(Home { folder, database })
    }

    /// Where its data is, within its folder.
    pub(super) fn data(folder: &Path) -> PathBuf {
        folder.join("data")
    }

    /// Starts one with an empty database and these lines in its configuration.
    pub(super) async fn start_with(place: &Place, config: &str) -> anyhow::Result<Self> {
        let home = Self::home(place).await?;
        std::fs::write(home.path().join("hookswitch.toml"), config)?;
        Self::start_in(home).await
    }

    /// One more node on the same database.
    pub(super) async fn start_beside(&self) -> anyhow::Result<Self> {
        let beside = self.home.path().parent().context("a folder within one")?;
        let folder = tempfile::Builder::new().prefix("hookswitch-bench-").tempdir_in(beside)?;
        let server = launch(folder.path(), self.home.database()?, Some(&Self::data(self.home.path()).join("master.key"))).await?;
        Ok(Self { server, home: Home { folder, database: None } })
    }

    /// Kills it without a word, and starts it again on what it has left.
    pub(super) async fn kill_and_start_again(self) -> anyhow::Result<Self> {
        let Self { server, home } = self;
        server.kill().await?;
        Self::start_in(home).await
    }

    /// Starts one on what is in its folder already.
    pub(super) async fn start_in(home: Home) -> anyhow::Result<Self> {
        let server = launch(home.path(), home.database()?, None).await?;
        Ok(Self { server, home })
    }

    /// Ends it in order, and removes its folder and its database.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        let Self { server, home: Home { folder, database } } = self;
        let status = server.terminate().await?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        if let Some(database) = database {
            database.remove().await?;
        }
        Ok(folder.close()?)
    }

    /// Processor time that the database's processes have used up to now, in seconds; `None` if the database is inside.
    pub(super) async fn database_seconds(&self) -> anyhow::Result<Option<f64>> {
        match &self.home.database {
            Some(database) => database.server().processor_seconds().await.map(Some),
            None => Ok(None),
        }
    }

    /// One call of the Core API.
    pub(super) async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.call_as(KEY, method, params).await
    }

    /// One call with somebody else's key.
    pub(super) async fn call_as(&self, key: &str, method: &str, params: Value) -> anyhow::Result<Value> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let mut answer = exchange(self.server.address, "/api/", key, &body).await?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => bail!("{method}: {answer}"),
        }
    }

    /// Saves a handler and returns its id.
    pub(super) async fn handler(&self, handler: Value) -> anyhow::Result<i64> {
        self.call("provisioning.handlers.create", handler).await?["id"].as_i64().context("an id")
    }

    /// Puts a script into its scripts folder.
    pub(super) fn script(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = Self::data(self.home.path()).join("scripts").join(name);
        fs::write(&path, text)?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?)
    }

    /// The size of what a script has written beside itself.
    pub(super) fn script_wrote(&self, name: &str) -> u64 {
        let path = Self::data(self.home.path()).join("scripts").join(name);
        fs::metadata(path).map_or(0, |found| found.len())
    }

    /// Loads it from another process.
    pub(super) async fn load(&self, load: Load<'_>) -> anyhow::Result<Outcome> {
        let outcome: Outcome = process::ask("__load", &load.plan(self.server.address)).await?;
        if let Some(error) = &outcome.first_error {
            bail!("{} of {} requests failed; the first: {error}", outcome.errors, outcome.errors + outcome.answered);
        }
        Ok(outcome)
    }

    /// Makes so many clients, as fast as it goes.
    pub(super) async fn make_clients(&self, count: u64) -> anyhow::Result<Outcome> {
        self.load(Load { until: Until::Requests(count), ..Load::clients_create() }).await
    }

    /// The ids of up to 1000 clients.
    pub(super) async fn some_clients(&self) -> anyhow::Result<Vec<i64>> {
        let rows = self.call("clients.search", json!({"limit": 1000, "order": ["id"]})).await?;
        Ok(rows.as_array().into_iter().flatten().filter_map(|row| row["id"].as_i64()).collect())
    }

    /// The ids of all clients.
    pub(super) async fn all_clients(&self) -> anyhow::Result<Vec<i64>> {
        let (mut all, mut last) = (Vec::new(), Some(0));
        while let Some(after_id) = last {
            let rows = self.call("clients.search", json!({"limit": 1000, "after_id": after_id})).await?;
            let ids = rows.as_array().into_iter().flatten().filter_map(|row| row["id"].as_i64());
            let before = all.len();
            all.extend(ids);
            last = all[before..].last().copied();
        }
        Ok(all)
    }

    /// The size of its database, in megabytes.
    pub(super) async fn database_mb(&self) -> anyhow::Result<f64> {
        if let Some(database) = &self.home.database {
            return database.megabytes().await;
        }
        let sizes = fs::read_dir(Self::data(self.home.path()))?.map(|entry| Ok(entry?.metadata()?.len()));
        Ok(sizes.sum::<anyhow::Result<u64>>()? as f64 / 1e6)
    }

    /// Its memory now and at its most, in megabytes.
    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.pid()?))?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a line of /proc/PID/status")?;
            let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
            anyhow::Ok(kilobytes / 1024.0)
        };
        Ok(Memory { resident_mb: megabytes("VmRSS:")?, peak_mb: megabytes("VmHWM:")? })
    }

    /// Files and connections that it has open.
    pub(super) fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.server.pid()?))?.count())
    }

    /// Deliveries that are not done.
    pub(super) async fn waiting(&self) -> anyhow::Result<i64> {
        let found = self.call("provisioning.deliveries.search", json!({"limit": 1, "with_total": true})).await?;
        found["total"].as_i64().context("a total")
    }

    /// Processor time that it has used up to now, in seconds, over all its threads.
    pub(super) fn processor_seconds(&self) -> anyhow::Result<f64> {
        ticks_of(i32::try_from(self.server.pid()?)?, false)
    }
}

/// Starts the program in a folder.
async fn launch(folder: &Path, database: Option<String>, key_file: Option<&Path>) -> anyhow::Result<Listening> {
    let data = Subject::data(folder).display().to_string();
    let mut command = this_program(&["serve", "--listen", "127.0.0.1:0", "--data", &data])?;
    command.current_dir(folder).env("HOOKSWITCH_ADMIN_KEY", KEY).env("HOOKSWITCH_ADMIN_PASSWORD", "a bench's password");
    if let Some(url) = database {
        command.env("HOOKSWITCH_DATABASE", url);
    }
    if let Some(key_file) = key_file {
        command.arg("--key-file").arg(key_file);
    }
    // Its log would only be in the way; warnings and errors would not.
    command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned()));
    Listening::start(command).await.context("starting the server")
}

/// Processor time that a process has used up to now, in seconds, over all its threads; with that of its children that have ended, if
/// asked for.
pub(super) fn ticks_of(pid: i32, with_ended: bool) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // After the name, which may hold blanks: fields 14 and 15 of all are the ticks in user mode and in the kernel, then those of
    // the children.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let counted = if with_ended { 11..15 } else { 11..13 };
    let ticks: f64 = fields.get(counted).context("/proc/PID/stat")?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS_PER_SECOND)
}

/// What Linux has counted in since for ever, whatever its timer does.
const TICKS_PER_SECOND: f64 = 100.0;

/// As the kernel sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) resident_mb: f64,
    pub(super) peak_mb: f64,
}

/// A load on a server: which call, over how many connections, until when, how fast.
#[derive(Debug, Clone)]
pub(super) struct Load<'a> {
    pub(super) method: &'a str,
    /// With the slots of [`super::template`].
    pub(super) params: &'a str,
    pub(super) picks: Vec<i64>,
    pub(super) connections: usize,
    pub(super) until: Until,
    pub(super) rate: Option<f64>,
    /// Whose it is.
    pub(super) key: &'a str,
}

impl Load<'_> {
    /// What most scenarios do: 64 connections create clients as fast as they are answered.
    pub(super) fn clients_create() -> Self {
        Load {
            method: "clients.create",
            params: r#"{"name":"bench {unique}"}"#,
            picks: Vec::new(),
            connections: 64,
            until: Until::Seconds(1.0),
            rate: None,
            key: KEY,
        }
    }

    fn plan(self, address: SocketAddr) -> Plan {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{}}}"#, self.method, self.params);
        let headers = vec![("x-api-key".to_owned(), self.key.to_owned())];
        let request = Request { address, path: "/api/".to_owned(), headers, body, picks: self.picks };
        Plan { request, connections: self.connections, until: self.until, rate: self.rate }
    }
}

/// A receiver of its own.
pub(super) struct Receiver {
    process: Listening,
}

impl Receiver {
    pub(super) async fn start() -> anyhow::Result<Self> {
        Ok(Self { process: Listening::start(this_program(&["__receive"])?).await? })
    }

    /// Where a handler's `task` points to.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.process.address)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// What came in on one path.
    pub(super) async fn tally(&self, path: &str) -> anyhow::Result<Tally> {
        let answer = exchange(self.process.address, "/-/tally", KEY, "").await?;
        let mut tallies: Tallies = serde_json::from_value(answer)?;
        Ok(tallies.remove(path).unwrap_or_default())
    }

    /// Forgets what came in.
    pub(super) async fn reset(&self) -> anyhow::Result<()> {
        exchange(self.process.address, "/-/reset", KEY, "").await.map(drop)
    }

    /// Waits until so many posts came in on a path.
    pub(super) async fn wait(&self, path: &str, posts: u64, patience: Duration) -> anyhow::Result<Tally> {
        let started = std::time::Instant::now();
        loop {
            let tally = self.tally(path).await?;
            if tally.posts >= posts {
                return Ok(tally);
            }
            anyhow::ensure!(started.elapsed() < patience, "after {patience:?} only {} of {posts} posts came in", tally.posts);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn exchange(address: SocketAddr, path: &str, key: &str, body: &str) -> anyhow::Result<Value> {
    let mut wire = Wire::connect(address).await?;
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n");
    wire.send(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    let answer = wire.receive().await?.context("the connection was closed")?;
    Ok(serde_json::from_slice(answer.body)?)
}
