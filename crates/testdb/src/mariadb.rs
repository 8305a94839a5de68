//! MariaDB, temporary: a target for handlers, never where our own rows lie. A data folder, a process and a port of the loopback; all of it goes
//! with the process that made it, however that ends.
use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Port, cluster::PASSWORD};

/// Starts the server, waits for the end of its standard input, which comes also when the test is killed, and removes everything.
/// `$1` is the folder, the rest the server's command.
const SCRIPT: &str = r#"
folder=$1; shift
"$@" >"$folder/log" 2>&1 &
pid=$!
cat >/dev/null
kill -KILL $pid
wait $pid 2>/dev/null
rm -rf "$folder"
"#;
const WITHIN: Duration = Duration::from_secs(120);
const TRY_EVERY: Duration = Duration::from_millis(100);
/// Who may do everything.
const USER: &str = "hookswitch";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A server.
#[derive(Debug)]
pub struct MariaDb {
    folder: PathBuf,
    guard: Child,
    port: Port,
}

impl MariaDb {
    /// Makes and starts one.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("hookswitch-maria-").tempdir().expect("a temporary folder").keep();
        let (data, port) = (format!("--datadir={}", folder.join("data").display()), Port::take());
        let root = nix::unistd::Uid::effective().is_root().then_some("--user=root");
        let mut make = Command::new("mariadb-install-db");
        make.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data]).args(root);
        let made = make.output().expect("MariaDB is not installed: ./test installs it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let setup = folder.join("setup.sql");
        fs::write(
            &setup,
            format!("CREATE USER {USER}@127.0.0.1 IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO {USER}@127.0.0.1;\n"),
        )
        .expect("a written file");
        let mut guard = Command::new("sh");
        guard.args(["-c", SCRIPT, "guard"]).arg(&folder).arg("mariadbd").args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            &data,
        ]);
        guard.args(root).arg(format!("--port={}", port.number)).arg(format!("--socket={}", folder.join("s").display()));
        guard.arg(format!("--init-file={}", setup.display())).args(["--skip-name-resolve", "--innodb-buffer-pool-size=64M"]);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // What ends the test, as Ctrl-C does, must not end this.
        let guard = guard.process_group(0).current_dir("/").spawn().expect("a shell");
        let server = Self { folder, guard, port };
        server.wait();
        server
    }

    fn wait(&self) {
        let begun = Instant::now();
        while let Err(words) = self.try_rows("mysql", "SELECT 1") {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(begun.elapsed() < WITHIN, "MariaDB does not start: {words}\n{log}");
            thread::sleep(TRY_EVERY);
        }
    }

    /// A new database; gives its name.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let _none = self.rows("mysql", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The task of a handler in one of its databases; its password is [`PASSWORD`].
    #[must_use]
    pub fn task(&self, database: &str) -> String {
        format!("sql://{USER}@127.0.0.1:{}/{database}?engine=mysql", self.port.number)
    }

    /// What statements give, each value as text and NULL as `NULL`.
    ///
    /// # Panics
    /// When one fails.
    #[must_use]
    pub fn rows(&self, database: &str, sql: &str) -> Vec<Vec<String>> {
        self.try_rows(database, sql).unwrap_or_else(|words| panic!("{sql}: {words}"))
    }

    fn try_rows(&self, database: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let port = format!("--port={}", self.port.number);
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--host=127.0.0.1", "--user=hookswitch", "--batch", "--skip-column-names", &port]);
        client.arg(format!("--password={PASSWORD}")).arg(format!("--execute={sql}")).arg(database);
        let output = client.output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let row = |line: &str| line.split('\t').map(str::to_owned).collect();
        if output.status.success() {
            Ok(text.lines().map(row).collect())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // It kills, so this does not take long.
        let _ = self.guard.wait();
    }
}
