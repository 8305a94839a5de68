//! A server that is not ours, in a temporary folder. It ends with the test, however that ends, and its folder goes with it.
use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use hookswitch_testkit::wait_until;
use tempfile::TempDir;

/// Starts the server in a session of its own, with all processes that it will have; waits for the end of its standard input, which
/// comes also when the test is killed; ends them all and removes the folder. `$1` is the folder, the rest the server's command.
const SCRIPT: &str = r#"
folder=$1; shift
setsid "$@" >"$folder/log" 2>&1 </dev/null &
pid=$!
cat >/dev/null
kill -KILL -$pid $pid 2>/dev/null
wait $pid 2>/dev/null
rm -rf "$folder"
"#;

/// An empty folder, for what a server needs before it starts.
pub(super) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("hookswitch-switch-").tempdir().unwrap()
}

/// It runs.
pub(super) struct Daemon {
    folder: PathBuf,
    guard: Child,
}

impl Daemon {
    /// Starts it; the folder is its own from now on.
    pub(super) fn start(folder: TempDir, program: &str, args: &[&str]) -> Self {
        let folder = folder.keep();
        let mut guard = Command::new("sh");
        guard.args(["-c", SCRIPT, "guard"]).arg(&folder).arg(program).args(args);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // What ends the test, as Ctrl-C does, must not end this.
        let guard = guard.process_group(0).current_dir(&folder).spawn().unwrap();
        Self { folder, guard }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until somebody takes packets at this port of the loopback.
    pub(super) async fn listens(&self, port: u16) {
        let address = format!(" 0100007F:{port:04X} ");
        let sockets = || fs::read_to_string("/proc/net/udp").unwrap();
        wait_until(&format!("somebody listens at port {port}"), async || sockets().contains(&address)).await;
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            eprintln!("{}:\n{log}", self.folder.display());
        }
        drop(self.guard.stdin.take());
        // It kills, so this does not take long.
        let _ = self.guard.wait();
    }
}
