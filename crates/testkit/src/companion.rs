//! Programs that run beside the server: example handlers, a Flask app. Killed when dropped.
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    net::{TcpListener, TcpStream},
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
        let port = Port::take().await;
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

/// Ports that the kernel gives to nobody who asks for any: a companion binds its port only some time after it was chosen, and
/// by then a server or a recorder of another test might have been given it.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// A port of this machine that no other companion has, in whatever process.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    /// Locked as long as it is open.
    _lock: File,
}

impl Port {
    pub(crate) async fn take() -> Self {
        let folder = std::env::temp_dir().join("hookswitch-test-ports");
        std::fs::create_dir_all(&folder).expect("a folder for locks");
        let start = u16::try_from(std::process::id() % 10_000).expect("below 10,000");
        for step in 0..10_000_u16 {
            let number = PORTS.start + (start + step) % 10_000;
            let lock = File::create(folder.join(number.to_string())).expect("a file to lock");
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).await.is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no port between {} and {} is free", PORTS.start, PORTS.end);
    }
}
