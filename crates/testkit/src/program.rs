//! The `hookswitch` binary: run once for its exit status, or as a server that can be killed and started again.
use std::{
    ffi::{OsStr, OsString},
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use hookswitch_testdb::{Engine, Home};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{Api, Scripts};

/// The first admin's key in every test server.
pub const ADMIN_KEY: &str = "test-admin-key-0123456789-abcdefghij";
/// And its password.
pub const ADMIN_PASSWORD: &str = "test admin password";

/// What the program promises to need at most, from a signal to its end, and somewhat more.
const END: Duration = Duration::from_secs(20);
/// So long a command may work.
const RUN: Duration = Duration::from_secs(60);

/// The binary that cargo built beside this test (`./test` builds it first), or the one that `HOOKSWITCH_BIN` names: a release
/// build, for what is measured.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("HOOKSWITCH_BIN") {
        // Commands run in folders of their own.
        return fs::canonicalize(&named).unwrap_or_else(|error| panic!("HOOKSWITCH_BIN names {}: {error}", named.display()));
    }
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let binary = folder.join("hookswitch");
    assert!(binary.exists(), "{} is missing: run ./test, or cargo build -p hookswitch", binary.display());
    binary
}

/// A command of the program in an empty working folder, untouched by the settings of whoever runs the tests.
#[must_use]
pub fn command(folder: &Path) -> Command {
    untouched(Command::new(binary()), folder)
}

fn untouched(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

fn is_setting(variable: &str) -> bool {
    ["HOOKSWITCH_", "OTEL_"].iter().any(|prefix| variable.starts_with(prefix))
}

/// True if [`Setup::mounting`] works here: for root, where the machine allows it. Says so if it does not.
#[must_use]
pub fn may_mount() -> bool {
    let tried = std::process::Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
    let may = tried.is_ok_and(|status| status.success());
    if !may {
        eprintln!("left out: file systems can't be mounted here");
    }
    may
}

/// The program behind a shell that mounts something for it alone.
fn command_mounting(folder: &Path, mounts: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", &format!("{mounts}\nexec \"$0\" \"$@\"")]).arg(binary());
    untouched(command, folder)
}

/// Runs the program to its end.
///
/// # Panics
/// When it does not end within a minute: a machine that is busy with other tests fills a database slowly.
pub async fn run(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let output = command(folder).args(args).envs(env.iter().copied()).output();
    timeout(RUN, output).await.unwrap_or_else(|_| panic!("{args:?} did not end")).expect("the program can be run")
}

/// Asserts how the program ended, and that it said these words; gives all that it said.
///
/// # Panics
/// When it ended otherwise, with what it said.
#[track_caller]
pub fn assert_ended(output: &Output, status: i32, words: &str) -> String {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(words), "{words:?} is not in: {said}");
    said
}

/// How a server is to be started.
#[derive(Debug, Default)]
pub struct Setup {
    env: Vec<(OsString, OsString)>,
    args: Vec<OsString>,
    config: String,
    listen: Option<String>,
    /// Run by a shell before the program, in a mount namespace of their own.
    mounts: Option<String>,
}

impl Setup {
    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// With a further argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// With a line in its `hookswitch.toml`.
    #[must_use]
    pub fn config(mut self, line: &str) -> Self {
        self.config.push_str(line);
        self.config.push('\n');
        self
    }

    /// Listening on another address than loopback's first free port, such as `0.0.0.0:0`.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Self {
        self.listen = Some(address.to_owned());
        self
    }

    /// With file systems of its own: these commands are run by a shell before it starts, in its working folder, and what they
    /// mount nobody else sees. See [`may_mount`].
    #[must_use]
    pub fn mounting(mut self, commands: &str) -> Self {
        self.mounts = Some(commands.to_owned());
        self
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it does not get there.
    pub async fn start(self) -> Server {
        let home = Home::new();
        configure(&home, &self.config);
        let running = launch(&self, home.path()).await;
        Server { setup: self, running, home }
    }
}

/// The real program, serving on a free port, with a data folder of its own. It is killed when this is dropped.
pub struct Server {
    setup: Setup,
    // Killed before its database is taken away.
    running: Running,
    home: Home,
}

struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    api: Api,
}

impl Server {
    /// As it comes, with an empty database.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// With settings.
    #[must_use]
    pub fn setup() -> Setup {
        Setup::default()
    }

    /// Another node on the same database, with a data folder of its own. Only in the run that is on PostgreSQL.
    ///
    /// # Panics
    /// When the database can't be shared, or it does not start.
    pub async fn beside(&self, setup: Setup) -> Self {
        let database = self.home.postgres().map(|fresh| fresh.url().to_owned()).expect("a database that can be shared");
        let key = self.data().join("master.key");
        let home = Home::on(Engine::Sqlite);
        let shared = format!("database = '{database}'\nkey_file = '{}'\n", key.display());
        fs::write(home.path().join("hookswitch.toml"), shared + &setup.config).expect("a written configuration");
        let running = launch(&setup, home.path()).await;
        Self { setup, running, home }
    }

    /// Stops it where it is, as a machine that is suspended: it does not notice.
    ///
    /// # Panics
    /// When it has ended.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it has ended.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("a signal that can be sent");
    }

    /// Where its database lies, and its folder.
    #[must_use]
    pub fn database(&self) -> &Home {
        &self.home
    }

    /// Its working folder: `hookswitch.toml` and `data` are in it.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    /// Its scripts folder.
    #[must_use]
    pub fn scripts(&self) -> Scripts {
        Scripts::in_folder(&self.data().join("scripts"))
    }

    /// What it has written to standard error up to now, over all its starts.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(stderr_path(self.home())).unwrap_or_default()
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.child.id().expect("a running process")
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// When it can't be killed.
    pub async fn kill9(&mut self) {
        self.running.child.kill().await.expect("a process that can be killed");
    }

    /// Starts it again on the same data, with a new port and a new [`Api`].
    pub async fn start_again(&mut self) {
        self.running = launch(&self.setup, self.home.path()).await;
    }

    /// Sends a signal and waits for its end; returns how it ended and the rest of its standard output.
    ///
    /// # Panics
    /// When it does not end within 20 s.
    pub async fn end(&mut self, signal: Signal) -> (ExitStatus, String) {
        self.signal(signal);
        let status = timeout(END, self.running.child.wait()).await.expect("it ends in time").expect("a status");
        let mut rest = String::new();
        while let Ok(Some(line)) = self.running.stdout.next_line().await {
            rest.push_str(&line);
            rest.push('\n');
        }
        (status, rest)
    }

    /// SIGTERM.
    pub async fn terminate(&mut self) -> (ExitStatus, String) {
        self.end(Signal::SIGTERM).await
    }
}

impl Deref for Server {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.running.api
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.stderr();
            let from = log.char_indices().rev().nth(8_000).map_or(0, |(at, _)| at);
            eprintln!("--- the server's log ends with:\n{}", &log[from..]);
        }
    }
}

/// What is in `hookswitch.toml` counts for every command that is run in this folder: they all find the server's database.
fn configure(home: &Home, config: &str) {
    let database = home.postgres().map(|fresh| format!("database = '{}'\n", fresh.url())).unwrap_or_default();
    if !(database.is_empty() && config.is_empty()) {
        fs::write(home.path().join("hookswitch.toml"), database + config).expect("a written configuration");
    }
}

fn stderr_path(home: &Path) -> PathBuf {
    home.join("stderr.log")
}

async fn launch(setup: &Setup, home: &Path) -> Running {
    let log = fs::OpenOptions::new().create(true).append(true).open(stderr_path(home)).expect("a log file");
    let mut child = setup
        .mounts
        .as_deref()
        .map_or_else(|| command(home), |mounts| command_mounting(home, mounts))
        .args(["serve", "--data", "data", "--listen", setup.listen.as_deref().unwrap_or("127.0.0.1:0")])
        .args(&setup.args)
        .env("HOOKSWITCH_ADMIN_KEY", ADMIN_KEY)
        .env("HOOKSWITCH_ADMIN_PASSWORD", ADMIN_PASSWORD)
        .envs(setup.env.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program can be started");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped")).lines();
    let first = timeout(END, stdout.next_line()).await.expect("it says in time that it is ready").expect("readable output");
    let base = first.as_deref().and_then(|line| line.strip_prefix("listening on ")).unwrap_or_else(|| {
        let log = fs::read_to_string(stderr_path(home)).unwrap_or_default();
        panic!("expected `listening on http://ADDR`, found {first:?}; its log:\n{log}")
    });
    // All addresses are reached by this one.
    let base = base.replace("//0.0.0.0:", "//127.0.0.1:");
    Running { child, api: Api::new(&base, ADMIN_KEY), stdout }
}
