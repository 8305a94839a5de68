//! A database file that was taken away, cut or damaged: under a running server, and at a start.
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use hookswitch_testkit::{
    Recorder, Server, after, json,
    program::{binary, run},
    wait_until,
};
use tokio::process::Command;

const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
/// More than is kept in memory of it, and less than the file has.
const CUT_TO: u64 = 8_192;

fn database(server: &Server) -> PathBuf {
    server.data().join("hookswitch.db")
}

/// Ended with 3 and one line, for the operator: which file, or what is wrong.
fn check_refused(output: &Output, words: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.contains(words), "{words:?} in {stderr}");
    assert_eq!(stderr.lines().count(), 1, "one line: {stderr}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_database_that_is_cut_short_under_a_running_server_gives_errors_in_plain_words_and_ends_nothing() {
    let mut server = Server::start().await;
    let told = Recorder::start().await;
    server.handler(after("clients.update", &told)).await;
    for number in 1..=50 {
        server.ok("clients.create", json!({"name": format!("client {number}"), "notes": "x".repeat(20_000)})).await;
    }
    // Everything is in the file then, and nothing beside it.
    server.terminate().await;
    let whole = fs::read(database(&server)).unwrap();
    server.start_again().await;
    fs::OpenOptions::new().write(true).open(database(&server)).unwrap().set_len(CUT_TO).unwrap();
    let mut refused = 0;
    for number in 1..=50 {
        if let Err(refusal) = server.call("clients.get", json!({"id": number})).await {
            assert_eq!((refusal.code, refusal.message.as_str()), (-32603, "An unexpected error occurred"));
            refused += 1;
        }
    }
    assert!(refused > 0, "most of it can't be read any more");
    assert_eq!(server.get("/healthz").await.status, 200);
    assert!(!server.stderr().contains("panicked"));
    server.kill9().await;
    check_refused(&run(server.home(), &SERVE, &[]).await, "database");
    // From a copy it goes on.
    for beside in ["hookswitch.db-wal", "hookswitch.db-shm"] {
        fs::remove_file(server.data().join(beside)).unwrap_or_default();
    }
    fs::write(database(&server), whole).unwrap();
    server.start_again().await;
    server.ok("clients.update", json!({"id": 50, "notes": "back"})).await;
    assert_eq!(told.wait_exactly(1).await[0].clients_id(), 50);
}

#[tokio::test]
async fn a_database_that_is_moved_away_under_a_running_server_is_noticed_and_loses_nothing() {
    let mut server = Server::start().await;
    let client = server.client("Acme").await;
    let moved = server.data().join("moved.db");
    fs::rename(database(&server), &moved).unwrap();
    wait_until("it is not ready", async || server.get("/readyz").await.status == 503).await;
    server.ok("clients.update", json!({"id": client, "notes": "meanwhile"})).await;
    fs::rename(&moved, database(&server)).unwrap();
    wait_until("it is ready", async || server.get("/readyz").await.status == 200).await;
    server.kill9().await;
    server.start_again().await;
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["notes"], "meanwhile");
}

#[tokio::test]
async fn a_database_that_cannot_be_read_at_a_start_ends_with_3_and_says_which() {
    let mut server = Server::start().await;
    server.client("Acme").await;
    server.terminate().await;
    let (file, aside) = (database(&server), server.data().join("aside"));
    let whole = fs::read(&file).unwrap();
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(CUT_TO).unwrap();
    check_refused(&run(server.home(), &SERVE, &[]).await, "damaged");
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    check_refused(&run(server.home(), &SERVE, &[]).await, "hookswitch.db");
    fs::remove_dir(&file).unwrap();
    fs::write(&file, whole).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if let Some(output) = as_somebody(server.home()).await {
        check_refused(&output, "hookswitch.db");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    server.start_again().await;
    assert_eq!(server.ok("clients.get", json!({"id": 1})).await["name"], "Acme");
}

/// Starts it as a user who is not root, whom file modes don't concern; `None` where that can't be done.
async fn as_somebody(home: &Path) -> Option<Output> {
    let uid = nix::unistd::getuid();
    if !uid.is_root() {
        return Some(run(home, &SERVE, &[]).await);
    }
    // Root without the right to pass over modes: files stay its own.
    let plain = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"];
    let mut setpriv = Command::new("setpriv");
    setpriv.current_dir(home).stdin(Stdio::null()).args(plain).arg(binary()).args(SERVE);
    setpriv.output().await.ok()
}
