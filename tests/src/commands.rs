//! The other commands (`program.md`): through the API of a running server, or on the data folder when none runs.
use std::process::Output;

use hookswitch_testkit::{ADMIN_KEY, Api, Recorder, Server, after, json, program::run};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn assert_ended(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// The arguments of a command that goes through this server.
fn through<'a>(api: &'a Api, args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--url", api.base(), "--key", api.key()]].concat()
}

#[tokio::test]
async fn check_finds_a_sound_database_sound_and_needs_it_for_itself() {
    let mut server = Server::start().await;
    let client = server.client("Acme").await;
    server.pay(client, "12.5").await;
    let running = run(server.home(), &["check", "--data", "data"], &[]).await;
    if server.database().postgres().is_some() {
        // One snapshot, whoever works on it.
        assert_ended(&running, 0);
    } else {
        assert_ended(&running, 3);
        assert!(text(&running.stderr).contains("locked") && text(&running.stderr).contains("--url"), "{}", text(&running.stderr));
    }
    server.terminate().await;
    let output = run(server.home(), &["check", "--data", "data"], &[]).await;
    assert_ended(&output, 0);
    let said = text(&output.stdout);
    assert!(said.contains("every balance is the sum of its transactions") && !said.contains("BROKEN"), "{said}");
}

#[tokio::test]
async fn check_tells_how_a_running_server_is() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.create", &recorder)).await;
    let output = run(server.home(), &through(&server, &["check"]), &[]).await;
    assert_ended(&output, 0);
    let said = text(&output.stdout);
    assert!(said.contains("ready") && said.contains("handler 1 after: 0 waiting"), "{said}");
    let output = run(server.home(), &through(&server.with_key("no key at all"), &["check"]), &[]).await;
    assert_ended(&output, 1);
}

#[tokio::test]
async fn where_there_is_no_database_check_and_token_make_none() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["check", "--data", "absent"][..], &["token", "--data", "absent"][..]] {
        assert_ended(&run(home.path(), args, &[]).await, 3);
    }
    assert!(std::fs::read_dir(home.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn a_forgotten_key_is_replaced_while_the_server_is_stopped() {
    let mut server = Server::start().await;
    server.terminate().await;
    let output = run(server.home(), &["token", "--data", "data"], &[]).await;
    assert_ended(&output, 0);
    let key = text(&output.stdout).trim_end().to_owned();
    assert!((32..=128).contains(&key.len()) && !text(&output.stderr).contains(&key), "{key}");
    server.start_again().await;
    assert_eq!(server.refused("clients.search", json!({})).await.code, -32001, "the old one ended");
    server.with_key(&key).ok("clients.search", json!({})).await;
}

#[tokio::test]
async fn a_key_is_made_through_a_running_server() {
    let server = Server::start().await;
    let old = server.user("crm", "readonly", json!(null)).await;
    let output = run(server.home(), &through(&server, &["token", "--login", "crm", "--overlap-hours", "1"]), &[]).await;
    assert_ended(&output, 0);
    server.with_key(text(&output.stdout).trim_end()).ok("clients.search", json!({})).await;
    old.ok("clients.search", json!({})).await;
    let output = run(server.home(), &through(&server, &["token", "--login", "nobody"]), &[]).await;
    assert_ended(&output, 1);
    assert!(text(&output.stderr).contains("nobody"));
}

#[tokio::test]
async fn seed_fills_in_what_it_says_and_handlers_are_told() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.create", &recorder)).await;
    let args = ["seed", "--clients", "20", "--accounts", "3", "--transactions", "4"];
    let output = run(server.home(), &through(&server, &args), &[]).await;
    assert_ended(&output, 0);
    assert!(text(&output.stdout).starts_with("20 clients, 60 accounts, 80 transactions"), "{}", text(&output.stdout));
    for (method, rows) in [("clients.search", 20), ("clients.accounts.search", 60), ("accounting.transactions.search", 80)] {
        assert_eq!(server.ok(method, json!({"with_total": true, "limit": 1})).await["total"], json!(rows), "{method}");
    }
    recorder.wait_exactly(20).await;
}

#[tokio::test]
async fn the_same_seed_makes_the_same_and_only_once() {
    let mut names = Vec::new();
    for _ in 0..2 {
        let server = Server::start().await;
        let args = ["seed", "--seed", "7", "--clients", "5", "--packages", "3"];
        let output = run(server.home(), &through(&server, &args), &[]).await;
        assert_ended(&output, 0);
        let said = text(&output.stdout);
        assert!(said.contains("15 client packages") && said.trim_end().ends_with("(seed 7)"), "{said}");
        let clients = server.ok("clients.search", json!({"order": "name"})).await;
        names.push(clients.as_array().unwrap().iter().map(|client| client["name"].clone()).collect::<Vec<_>>());
        let total = |method| server.ok(method, json!({"with_total": true, "limit": 1}));
        assert_eq!(total("clients.packages.search").await["total"], json!(15));
        assert_ended(&run(server.home(), &through(&server, &args), &[]).await, 1);
        assert_eq!(total("clients.search").await["total"], json!(5));
    }
    assert_eq!((names[0].len(), &names[0]), (5, &names[1]));
}

#[tokio::test]
async fn seed_works_on_a_folder_without_a_server_again_and_again() {
    let mut server = Server::start().await;
    server.terminate().await;
    for _ in 0..2 {
        assert_ended(&run(server.home(), &["seed", "--data", "data", "--clients", "30"], &[]).await, 0);
    }
    assert_ended(&run(server.home(), &["check", "--data", "data"], &[]).await, 0);
    server.start_again().await;
    assert_eq!(server.ok("clients.search", json!({"with_total": true})).await["total"], json!(60));
}

#[tokio::test]
async fn an_address_needs_a_key_which_may_come_from_the_environment() {
    let server = Server::start().await;
    let args = ["check", "--url", server.base()];
    assert_ended(&run(server.home(), &args, &[]).await, 2);
    assert_ended(&run(server.home(), &args, &[("HOOKSWITCH_KEY", ADMIN_KEY)]).await, 0);
}
