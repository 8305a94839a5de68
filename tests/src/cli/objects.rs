//! Commands for every object: tables, JSON, errors by the names of flags, exit statuses.
use hookswitch_testkit::{Recorder, Server, Value, before, json, program};

use super::{forbidding, run, said, text};

#[tokio::test]
async fn a_client_is_made_listed_changed_and_removed_from_the_command_line() {
    let server = Server::start().await;
    let added = said(&run(&server, &["clients", "add", "--name", "Acme", "--credit", "100.5", "--tags", "a,b"]).await, 0);
    assert!(added.contains("name                Acme\n") && added.contains("tags                a,b\n"), "{added}");
    let listed = said(&run(&server, &["clients", "list", "--status", "active", "--order=-id"]).await, 0);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(
        lines[0].starts_with("id  name  status  balance  credit") && lines[1].starts_with(" 1  Acme  active        0   100.5"),
        "{listed}"
    );
    said(&run(&server, &["clients", "edit", "1", "--credit", "null", "--notes", "text"]).await, 0);
    let client = server.ok("clients.get", json!({"id": 1})).await;
    assert_eq!((&client["credit"], &client["notes"]), (&Value::Null, &json!("text")));
    assert_eq!(said(&run(&server, &["clients", "archive", "1"]).await, 0), "1 done\n");
    assert_eq!(server.ok("clients.get", json!({"id": 1})).await["status"], "archived");
}

#[tokio::test]
async fn json_is_the_answer_of_the_api() {
    let server = Server::start().await;
    server.client("Acme").await;
    let output = run(&server, &["clients", "list", "--json", "--with-total"]).await;
    let printed: Value = said(&output, 0).parse().unwrap();
    assert_eq!(printed, server.ok("clients.search", json!({"with_total": true})).await);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_the_names_of_flags_and_nothing_is_on_standard_output() {
    let server = Server::start().await;
    let output = run(&server, &["accounts", "add", "--clients-id", "x", "--port", "0"]).await;
    assert_eq!(said(&output, 1), "");
    let words = text(&output.stderr);
    assert!(
        words.contains("--clients-id must be") && words.contains("--port must be") && words.contains("--accname is required"),
        "{words}"
    );
    let output = run(&server, &["clients", "get", "99"]).await;
    assert!(text(&output.stderr).contains("clients 99 does not exist"), "{output:?}");
    said(&output, 1);
    for wrong in [&["clients", "get"][..], &["clients", "fetch", "1"], &["clients", "edit", "1", "--status", "gone"]] {
        said(&run(&server, wrong).await, 2);
    }
}

#[tokio::test]
async fn a_handler_that_says_no_is_named_and_warnings_stand_beside_the_answer() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = server.handler(before("clients.create", &recorder)).await;
    recorder.answer(|_| forbidding("no credit for them"));
    let output = run(&server, &["clients", "add", "--name", "Acme"]).await;
    said(&output, 1);
    assert!(text(&output.stderr).contains("no credit for them"), "{output:?}");
    let id = handler.to_string();
    said(&run(&server, &["handlers", "disable", &id]).await, 0);
    said(&run(&server, &["clients", "add", "--name", "Acme"]).await, 0);
    let logged = said(&run(&server, &["logs", "list", "--handlers-id", &id, "--json"]).await, 0);
    let logged: Value = logged.parse().unwrap();
    assert_eq!(logged.as_array().unwrap().len(), 1, "{logged}");
    said(&run(&server, &["handlers", "enable", &id]).await, 0);
    let output = run(&server, &["clients", "add", "--name", "Beta", "--dry-run"]).await;
    said(&output, 0);
    assert!(text(&output.stderr).contains("warning: "), "{output:?}");
}

#[tokio::test]
async fn several_ids_are_done_one_after_another_and_any_parameter_can_be_set() {
    let server = Server::start().await;
    for name in ["A", "B", "C"] {
        server.client(name).await;
    }
    said(&run(&server, &["clients", "archive", "1", "3"]).await, 0);
    let listed = said(&run(&server, &["clients", "list", "--set", r#"status=["archived"]"#, "--json"]).await, 0);
    let listed: Value = listed.parse().unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    std::fs::write(server.home().join("params.json"), r#"{"name": "From a file", "credit": 1}"#).unwrap();
    said(&run(&server, &["clients", "add", "--params", "params.json", "--credit", "2"]).await, 0);
    assert_eq!(server.ok("clients.get", json!({"id": 4})).await["credit"], json!(2));
}

#[tokio::test]
async fn without_a_server_the_data_folder_is_worked_on_and_a_locked_one_is_not() {
    let mut server = Server::start().await;
    server.client("Acme").await;
    if server.database().postgres().is_none() {
        let output = program::run(server.home(), &["clients", "list", "--data", "data"], &[]).await;
        said(&output, 3);
        assert!(text(&output.stderr).contains("--url"), "{output:?}");
    }
    server.terminate().await;
    let listed = said(&program::run(server.home(), &["clients", "list", "--data", "data"], &[]).await, 0);
    assert!(listed.contains("Acme"), "{listed}");
    said(&program::run(server.home(), &["clients", "edit", "1", "--credit", "7", "--data", "data"], &[]).await, 0);
    server.start_again().await;
    assert_eq!(server.ok("clients.get", json!({"id": 1})).await["credit"], json!(7));
}

#[tokio::test]
async fn shells_complete_and_man_pages_tell_of_every_command() {
    let server = Server::start().await;
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&run(&server, &["completion", shell]).await, 0);
        assert!(script.contains("rotate-secret") && script.contains("clients"), "{shell}");
    }
    said(&run(&server, &["man", "pages"]).await, 0);
    let page = std::fs::read_to_string(server.home().join("pages/hookswitch-clients-add.1")).unwrap();
    assert!(page.contains("credit") && page.contains("Creates a client"), "{page}");
    assert!(server.home().join("pages/hookswitch-import.1").exists());
}
