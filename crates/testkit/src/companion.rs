//! Programs that run beside the server: example handlers, a Flask app. Killed when dropped.
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use hookswitch_testdb::Port;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// A running program that listens on a port of this machine.
#[derive(Debug)]
pub struct Companion {
    _child: Child,
    port: Port,
}

impl Companion {
    /// Starts it with `PORT` in its environment and waits until something listens there.
    ///
    /// # Panics
    /// When it can't be started, ends, or never listens.
    pub async fn start(program: impl AsRef<Path>, args: &[&str], env: &[(&str, &str)]) -> Self {
        let port = Port::take();
        let name = program.as_ref().display().to_string();
        let mut child = Command::new(program.as_ref())
            .args(args)
            .current_dir(repository())
            .envs(env.iter().copied())
            .env("PORT", port.number.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} can't be started ({error}): ./test installs what the tests need"));
        let number = port.number;
        crate::wait_until(&format!("{name} {args:?} listens"), || {
            let ended = child.try_wait().ok().flatten();
            async move {
                assert!(ended.is_none(), "it ended: {ended:?}");
                TcpStream::connect(("127.0.0.1", number)).await.is_ok()
            }
        })
        .await;
        Self { _child: child, port }
    }

    /// `http://127.0.0.1:PORT` and this path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port.number)
    }
}

/// The Python of the tests' own virtual environment, in which Flask is installed.
///
/// # Panics
/// When `./test` has not made it.
#[must_use]
pub fn python() -> PathBuf {
    let python = repository().join("target/venv/bin/python");
    assert!(python.exists(), "{} is missing: ./test makes it", python.display());
    python
}

/// The repository's root.
///
/// # Panics
/// When this crate has been moved.
#[must_use]
pub fn repository() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().and_then(Path::parent).expect("crates/testkit is two levels down").to_owned()
}
