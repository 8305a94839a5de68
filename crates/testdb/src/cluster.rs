//! PostgreSQL, temporary: a data folder, a process, a port of the loopback and a socket. What is stopped can be started again on the same
//! data and the same port, as an operator does it.
use std::{
    fmt::Write as _,
    fs::{self, OpenOptions, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Fresh, Port, guard::Guard, programs, query};

/// The owner of everything in it.
pub const USER: &str = "hookswitch";
/// Asked for only where the cluster was told to. It is in every URL, so that a test can look for it where it must not be shown.
pub const PASSWORD: &str = "never-show-this-password";
/// Always there.
const ADMINISTRATION: &str = "postgres";
/// Of a whole database.
const FIRST_WITH_ICU: u32 = 15;
const WITHIN: Duration = Duration::from_secs(60);
const TRY_EVERY: Duration = Duration::from_millis(50);

/// Nothing here outlives a test, and a run has hundreds of servers with a dozen connections each.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "'127.0.0.1'"),
    ("max_connections", "500"),
    ("shared_buffers", "'128MB'"),
    ("max_wal_size", "'4GB'"),
    ("checkpoint_timeout", "'1h'"),
    ("wal_level", "replica"),
    ("log_line_prefix", "'%m %d '"),
];
const CARELESS: &[(&str, &str)] = &[("fsync", "off"), ("full_page_writes", "off")];

/// How it is to be made.
#[derive(Debug, Default)]
pub struct Setup {
    durable: bool,
    passwords: bool,
    tls: Option<String>,
    settings: Vec<(String, String)>,
}

/// How it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Transactions are broken off, connections are closed, everything is written.
    Fast,
    /// At once; the next start recovers.
    Immediate,
}

/// A cluster. It is ended and removed with this, and also when its process is killed.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    port: Port,
    // Before the port, which must not be given away while it listens.
    guard: Option<Guard>,
}

impl Setup {
    /// Flushing what it commits: for tests that crash it.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Asking for passwords.
    #[must_use]
    pub fn with_passwords(mut self) -> Self {
        self.passwords = true;
        self
    }

    /// Encrypting for who asks for it, with this certificate and its key (PEM).
    #[must_use]
    pub fn with_tls(mut self, pem: &str) -> Self {
        self.tls = Some(pem.to_owned());
        self
    }

    /// With a line in its `postgresql.conf`: the value as it stands there, a text in its quotes.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes and starts it.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn start(self) -> Cluster {
        let cluster = Cluster::prepare();
        let password = cluster.folder.join("password");
        fs::write(&password, PASSWORD).expect("a written file");
        let (data, password) = (cluster.data().display().to_string(), format!("--pwfile={}", password.display()));
        let method = if self.passwords { "--auth=scram-sha-256" } else { "--auth=trust" };
        let user = format!("--username={USER}");
        programs::run("initdb", &[&["-D", &data, "--no-sync", method, &user, &password], locale()].concat());
        let careless = CARELESS.iter().filter(|_| !self.durable);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let tls = self.tls.map(|pem| cluster.certificate(&pem)).unwrap_or_default();
        let settings: Vec<_> = SETTINGS.iter().chain(careless).map(owned).chain(tls).chain(self.settings).collect();
        cluster.configure(&settings);
        cluster.start_again();
        cluster
    }
}

/// Not the order of bytes that SQLite has, as most databases out there: what leaves its order to the database's locale is found out.
fn locale() -> &'static [&'static str] {
    const PLAIN: &[&str] = &["--encoding=UTF8", "--locale=C.UTF-8"];
    const ENGLISH: &[&str] = &["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"];
    if programs::version() >= FIRST_WITH_ICU { ENGLISH } else { PLAIN }
}

impl Cluster {
    /// As it comes: fast, without passwords.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start() -> Self {
        Self::setup().start()
    }

    /// With settings.
    #[must_use]
    pub fn setup() -> Setup {
        Setup::default()
    }

    /// A folder, a port, and what removes both.
    pub(crate) fn prepare() -> Self {
        let folder = tempfile::Builder::new().prefix("hookswitch-pg-").tempdir().expect("a temporary folder").keep();
        // It is somebody else's who runs it, and who must get there.
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("our own folder");
        programs::give(&folder);
        let guard = Some(Guard::of(&folder));
        Self { folder, port: Port::take(), guard }
    }

    /// Writes a certificate with its key where PostgreSQL takes it; gives the settings that name it.
    fn certificate(&self, pem: &str) -> Vec<(String, String)> {
        let file = self.folder.join("certificate.pem");
        fs::write(&file, pem).expect("a written file");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("our own file");
        programs::give(&file);
        let named = format!("'{}'", file.display());
        [("ssl", "on"), ("ssl_cert_file", &named), ("ssl_key_file", &named)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    /// Adds to what was configured before: of two lines the last one counts.
    pub(crate) fn configure(&self, settings: &[(String, String)]) {
        let mut lines = format!("port = {}\nunix_socket_directories = '{}'\n", self.port.number, self.folder.display());
        for (name, value) in settings {
            // Writing to a text can't fail.
            let _ = writeln!(lines, "{name} = {value}");
        }
        let file = OpenOptions::new().append(true).open(self.data().join("postgresql.conf"));
        file.expect("initdb made it").write_all(lines.as_bytes()).expect("a written configuration");
    }

    /// The URL of a database in it, by the loopback.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port.number)
    }

    /// The same by its socket.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port.number);
        format!("postgres://{USER}:{PASSWORD}@/{database}?host={folder}&port={port}")
    }

    /// The URL of a database that is always there.
    #[must_use]
    pub fn administration(&self) -> String {
        self.url(ADMINISTRATION)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// Its folder: `data` and the socket are in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A new database in it.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn fresh(&self) -> Fresh {
        Fresh::in_cluster(&self.administration())
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Stops it, and waits until it is gone.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop(&self, halt: Halt) {
        let mode = match halt {
            Halt::Fast => "fast",
            Halt::Immediate => "immediate",
        };
        programs::run("pg_ctl", &["-D", &self.data().display().to_string(), "-s", "-w", "-m", mode, "stop"]);
    }

    /// Starts it on its data and its port, and waits until it takes connections.
    ///
    /// # Panics
    /// When it does not get there.
    pub fn start_again(&self) {
        let (data, log) = (self.data().display().to_string(), self.log_file().display().to_string());
        let began = Instant::now();
        loop {
            let started = programs::try_run("pg_ctl", &["-D", &data, "-s", "-w", "-t", "60", "-l", &log, "start"]);
            if started.status.success() {
                return;
            }
            // After a kill its last processes hold the data for a moment.
            let held = began.elapsed() < WITHIN && self.log().contains("is still in use");
            assert!(held, "PostgreSQL does not start: {}\n{}", programs::said(&started), self.log());
            thread::sleep(TRY_EVERY);
        }
    }

    /// Stops it and starts it again.
    ///
    /// # Panics
    /// When that fails.
    pub fn restart(&self, halt: Halt) {
        self.stop(halt);
        self.start_again();
    }

    /// `kill -9`, and waits until its first process is gone; the others follow by themselves.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill9(&self) {
        let pid = self.pid();
        self.signal(Signal::SIGKILL);
        let began = Instant::now();
        while Path::new(&format!("/proc/{pid}")).exists() {
            assert!(began.elapsed() < WITHIN, "process {pid} does not end");
            thread::sleep(TRY_EVERY);
        }
    }

    /// Sends a signal to its first process alone.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("a running process");
    }

    fn pid(&self) -> Pid {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).expect("PostgreSQL runs");
        Pid::from_raw(text.lines().next().and_then(|line| line.parse().ok()).expect("a process id"))
    }

    /// What a statement gives in the database that is always there.
    ///
    /// # Panics
    /// When it fails.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        query::rows(&self.administration(), sql)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(4_000).map_or(0, |(at, _)| at);
            eprintln!("--- PostgreSQL's log ends with:\n{}", &log[from..]);
        }
        drop(self.guard.take());
    }
}
