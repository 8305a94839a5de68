//! `hookswitch copy`: from one database into another, broken off and gone on with, and what it refuses.
use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use hookswitch_testkit::{
    Api, Recorder, Server, Setup, after, json,
    postgres::Fresh,
    program::{assert_ended, command, run},
    wait_until,
};

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

async fn copy(home: &Path, from: &str, to: &str, key: &Path) -> Output {
    let key = key.display().to_string();
    run(home, &["copy", "--from", from, "--to", to, "--key-file", &key], &[]).await
}

async fn serve(database: &str, key: &Path) -> Server {
    Setup::default().arg("--database").arg(database).arg("--key-file").arg(key).start().await
}

/// A data folder with some clients, nobody working on it.
async fn seeded(home: &Path, clients: &str) -> (PathBuf, PathBuf) {
    let output = run(home, &["seed", "--data", "old", "--database", "sqlite:", "--seed", "7", "--clients", clients], &[]).await;
    assert_ended(&output, 0, "clients");
    (home.join("old/hookswitch.db"), home.join("old/master.key"))
}

/// What a caller sees of everything.
async fn seen(api: &Api) -> Vec<String> {
    let mut seen = Vec::new();
    for method in [
        "clients.search",
        "clients.accounts.search",
        "accounting.transactions.search",
        "provisioning.handlers.search",
        "provisioning.events.search",
        "provisioning.deliveries.search",
        "users.search",
        "companies.search",
    ] {
        seen.push(api.ok(method, json!({"limit": 1000})).await.to_string());
    }
    seen
}

#[tokio::test]
async fn the_story_goes_on_in_the_other_engine_and_back_in_the_first() {
    let told = Recorder::start().await;
    let home = tempfile::tempdir().unwrap();
    let first = home.path().join("first.db");
    let key = home.path().join("the.key");
    let mut server = serve(&url(&first), &key).await;
    let handler = server.handler(after("clients.*", &told)).await;
    let client = server.client("Acme").await;
    server.pay(client, "12.5").await;
    server.wait_all_delivered().await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    server.ok("clients.update", json!({"id": client, "notes": "this waits"})).await;
    let before = seen(&server).await;
    server.terminate().await;
    let fresh = Fresh::make();
    let said = assert_ended(&copy(home.path(), &url(&first), fresh.url(), &key).await, 0, "counted and compared");
    assert!(said.contains("1 clients, 1 transactions"), "{said}");

    let mut moved = serve(fresh.url(), &key).await;
    assert_eq!(seen(&moved).await, before);
    told.forget();
    moved.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    let waited = told.wait(1).await;
    assert_eq!((waited[0].events_id(), waited[0].clients_id()), ("clients.update", client));
    let next = moved.client("Next").await;
    assert_eq!(next, client + 1, "ids go on");
    moved.wait_all_delivered().await;
    let before = seen(&moved).await;
    moved.terminate().await;

    let second = home.path().join("second.db");
    assert_ended(&copy(home.path(), fresh.url(), &url(&second), &key).await, 0, "2 clients");
    let back = serve(&url(&second), &key).await;
    assert_eq!(seen(&back).await, before);
    assert_eq!(back.client("Third").await, client + 2);
    back.wait_all_delivered().await;
}

/// Kills a copy in the middle; the target is told to be one that has begun and is not over.
async fn killed_copy(home: &Path, from: &str, to: &str, key: &Path, has_begun: impl Fn() -> bool) {
    let mut copying = command(home)
        .args(["copy", "--from", from, "--to", to, "--key-file"])
        .arg(key)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if has_begun() {
            break;
        }
        assert!(copying.try_wait().unwrap().is_none(), "it was over before it could be killed");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    copying.kill().await.unwrap();
}

#[tokio::test]
async fn a_copy_that_was_killed_is_not_served_and_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let (source, key) = seeded(home.path(), "1500").await;
    let target = home.path().join("new.db");
    let log = home.path().join("new.db-wal");
    let some = || std::fs::metadata(&log).is_ok_and(|metadata| metadata.len() > 2_000_000);
    killed_copy(home.path(), &url(&source), &url(&target), &key, some).await;
    let (database, key_file) = (url(&target), key.display().to_string());
    let args = ["serve", "--data", "other", "--database", &database, "--key-file", &key_file, "--listen", "127.0.0.1:0"];
    assert_ended(&run(home.path(), &args, &[]).await, 3, "only a part of a copy");
    let said = assert_ended(&copy(home.path(), &url(&source), &database, &key).await, 0, "counted and compared");
    assert!(said.contains("1500 clients"), "{said}");
    let args = ["check", "--data", "other", "--database", &database, "--key-file", &key_file];
    assert_ended(&run(home.path(), &args, &[]).await, 0, "no id is given twice");
    assert_ended(&copy(home.path(), &url(&source), &database, &key).await, 3, "is in use");
}

#[tokio::test]
async fn a_copy_into_a_server_that_was_killed_goes_on_unless_its_source_was_used_meanwhile() {
    let home = tempfile::tempdir().unwrap();
    let (source, key) = seeded(home.path(), "1500").await;
    let fresh = Fresh::make();
    let some = || {
        let there = hookswitch_testkit::postgres::query::try_rows(fresh.url(), "SELECT COUNT(*) FROM copying");
        there.is_ok_and(|rows| rows[0][0].parse::<i64>().unwrap() > 12)
    };
    killed_copy(home.path(), &url(&source), fresh.url(), &key, some).await;
    // A copy of the same, which is used.
    let other = home.path().join("other.db");
    assert_ended(&copy(home.path(), &url(&source), &url(&other), &key).await, 0, "1500 clients");
    let used = serve(&url(&other), &key).await;
    used.client("Meanwhile").await;
    drop(used);
    wait_until("its lock is free", async || {
        let output = copy(home.path(), &url(&other), fresh.url(), &key).await;
        !String::from_utf8_lossy(&output.stderr).contains("locked")
    })
    .await;
    assert_ended(&copy(home.path(), &url(&other), fresh.url(), &key).await, 3, "before it was changed");
    assert_ended(&copy(home.path(), &url(&source), fresh.url(), &key).await, 0, "1500 clients");
}

#[tokio::test]
async fn a_running_server_another_key_and_a_target_in_use_are_refused() {
    let server = Setup::default().arg("--database").arg("sqlite:").start().await;
    server.client("Acme").await;
    let (database, key) = (server.data().join("hookswitch.db"), server.data().join("master.key"));
    let home = tempfile::tempdir().unwrap();
    let target = url(&home.path().join("new/hookswitch.db"));
    assert_ended(&copy(home.path(), &url(&database), &target, &key).await, 3, "locked");
    assert_ended(&copy(home.path(), &target, &url(&database), &key).await, 3, "there is no database");
    assert_ended(&copy(home.path(), &target, &target, &key).await, 2, "are the same database");
    let (source, own_key) = seeded(home.path(), "3").await;
    assert_ended(&copy(home.path(), &url(&source), &url(&database), &own_key).await, 3, "locked");
    assert_ended(&copy(home.path(), &url(&source), &target, &key).await, 3, "the key file is not the one");
    assert_ended(&copy(home.path(), &url(&source), &target, Path::new("absent.key")).await, 3, "is missing");
    assert_ended(&copy(home.path(), &url(&source), &target, &own_key).await, 0, "3 clients");
    assert_ended(&copy(home.path(), &url(&source), &target, &own_key).await, 3, "is in use");
}
