//! A handler that can't work is refused when it is saved, and the field is named.
use hookswitch_testkit::{Recorder, Server, api::id, assert_has, json, with};

#[tokio::test]
async fn a_new_handler_has_the_defaults_of_the_contract() {
    let server = Server::start().await;
    let after = server
        .ok("provisioning.handlers.create", json!({"name": "crm", "event": "clients.create", "task": "127.0.0.1:5000/api"}))
        .await;
    let defaults = json!({
        "name": "crm", "status": "enabled", "event": "clients.create", "type": "after", "order": 100,
        "task": "http://127.0.0.1:5000/api", "method": "POST", "timeout_ms": 3000,
        "retries": null, "concurrency": 8, "ordering": "per_client", "companies_id": null,
        "passwords": true, "balance_basis": "live", "paused": null,
    });
    assert_has(&after, &defaults);
    assert!(after["secret"].as_str().unwrap().starts_with("whsec_"));
    assert!(after["version"].is_i64());
    let before = server
        .ok(
            "provisioning.handlers.create",
            json!({"name": "b", "event": ["clients.create"], "type": "before", "task": "http://127.0.0.1:1/"}),
        )
        .await;
    assert_has(
        &before,
        &json!({"event": ["clients.create"], "concurrency": 64, "on_failure": "forbid", "writable": null, "dry_run": false}),
    );
    let shown = server.ok("provisioning.handlers.get", json!({"id": id(&after)})).await;
    assert!(!shown.to_string().contains("whsec_"), "{shown}");
}

#[tokio::test]
async fn each_field_that_cannot_work_is_named() {
    let server = Server::start().await;
    let good = json!({"name": "h", "event": "clients.create", "type": "after", "task": "http://crm.example:5000/"});
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("n".repeat(129))),
        ("event", json!("clients.nothing")),
        ("event", json!([])),
        ("event", json!(["clients.create", "x.*"])),
        ("type", json!("during")),
        ("task", json!("ftp://127.0.0.1/")),
        ("task", json!("http://")),
        ("task", json!("http://exa mple/")),
        ("task", json!("")),
        ("task", json!("script://nothing.sh")),
        ("method", json!("GET")),
        ("timeout_ms", json!(0)),
        ("timeout_ms", json!(30_001)),
        ("retries", json!([-1])),
        ("retries", json!(["5"])),
        ("concurrency", json!(0)),
        ("concurrency", json!(257)),
        ("ordering", json!("random")),
        ("companies_id", json!(4711)),
        ("condition", json!("data.name ==")),
        ("condition", json!("x".repeat(1025))),
        ("condition", json!(5)),
        ("balance_basis", json!("both")),
        ("headers", json!({"Bad Name": "x"})),
        ("headers", json!({"X-Ok": "line\r\nX-Injected: 1"})),
        ("headers", json!(["x"])),
        ("status", json!("sleeping")),
        ("id", json!(7)),
        ("secret", json!("whsec_mine")),
        ("version", json!(7)),
        ("what", json!(1)),
    ] {
        let refusal = server.refused("provisioning.handlers.create", with(good.clone(), json!({field: value}))).await;
        assert_eq!(refusal.fields(), [field], "{value}");
    }
    let before = with(good.clone(), json!({"type": "before", "event": ["clients.balance_zero"]}));
    assert_eq!(server.refused("provisioning.handlers.create", before).await.fields(), ["event", "type"]);
    assert_eq!(server.refused("provisioning.handlers.create", json!({})).await.fields(), ["event", "name", "task"]);
    assert_eq!(server.ok("provisioning.handlers.search", json!({})).await, json!([]));
}

#[tokio::test]
async fn a_nested_comprehension_is_refused() {
    let server = Server::start().await;
    let handler =
        |condition: &str| json!({"name": "h", "event": "clients.create", "task": "http://127.0.0.1:1/", "condition": condition});
    server.ok("provisioning.handlers.create", handler("data.tags.exists(tag, tag == 'vip')")).await;
    let nested = "data.tags.all(a, data.tags.all(b, a != b))";
    assert_eq!(server.refused("provisioning.handlers.create", handler(nested)).await.fields(), ["condition"]);
}

#[tokio::test]
async fn an_update_with_a_stale_version_is_a_conflict() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let first = server.ok("provisioning.handlers.create", hookswitch_testkit::after("clients.create", &recorder)).await;
    let second =
        server.ok("provisioning.handlers.update", json!({"id": id(&first), "version": first["version"], "order": 7})).await;
    assert_ne!(first["version"], second["version"]);
    let refusal =
        server.refused("provisioning.handlers.update", json!({"id": id(&first), "version": first["version"], "order": 8})).await;
    assert_eq!(refusal.code, -32009);
    assert_eq!(server.ok("provisioning.handlers.get", json!({"id": id(&first)})).await["order"], json!(7));
    server.ok("provisioning.handlers.update", json!({"id": id(&first), "order": 9})).await;
}

#[tokio::test]
async fn two_after_handlers_with_one_task_are_saved_with_a_warning() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(hookswitch_testkit::after("clients.create", &recorder)).await;
    let answer = server.whole("provisioning.handlers.create", hookswitch_testkit::after("clients.update", &recorder)).await;
    assert!(answer["result"].is_object());
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn secrets_and_header_values_are_not_stored_in_clear() {
    let mut server = Server::start().await;
    let recorder = Recorder::start().await;
    let fields =
        with(hookswitch_testkit::after("clients.accounts.create", &recorder), json!({"headers": {"X-Token": "t0ken-in-clear"}}));
    let handler = server.ok("provisioning.handlers.create", fields).await;
    let secret = handler["secret"].as_str().unwrap().trim_start_matches("whsec_").to_owned();
    let client = server.client("Acme").await;
    server.account(client, "acme").await;
    recorder.wait_exactly(1).await;
    server.wait_all_delivered().await;
    server.wait_log(json!({}), 1).await;
    server.terminate().await;
    for entry in std::fs::read_dir(server.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for hidden in [secret.as_str(), "t0ken-in-clear", "s3cret-s3cret"] {
                assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{hidden} in {}", path.display());
            }
        }
    }
}
