//! What removes a cluster: a shell that waits for the end of its standard input, which comes when the guard is dropped and also when the
//! test that holds it is killed. Nothing in the test's own process could do that.
use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

/// `$1` is the cluster's folder. The number in `postmaster.pid` may be an old one, after a crash.
const SCRIPT: &str = r#"
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; then
  kill -CONT "$pid"
  kill -QUIT "$pid"
  tries=0
  while [ -d "/proc/$pid" ] && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
fi
rm -rf "$1"
"#;

/// Ends and removes the cluster in its folder when it is dropped, or its process is gone.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
}

impl Guard {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "guard"]).arg(folder);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // What ends the test, as Ctrl-C does, must not end this.
        Self { shell: shell.process_group(0).current_dir("/").spawn().expect("a shell") }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It has its own limit of time.
        let _ = self.shell.wait();
    }
}
