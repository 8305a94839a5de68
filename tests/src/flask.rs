//! A real Flask app decides what happens: first the one that sends its input back, then its variants.
use hookswitch_testkit::{Companion, Server, Value, assert_has, companion::python, json, with};

async fn flask() -> Companion {
    Companion::start(python(), &["tests/flask/app.py"], &[]).await
}

fn before(app: &Companion, path: &str) -> Value {
    json!({"name": "flask", "event": "clients.create", "type": "before", "task": app.url(path), "timeout_ms": 5000})
}

#[tokio::test]
async fn the_echo_app_allows_as_a_before_handler_and_counts_as_delivered_as_an_after_handler() {
    let (server, app) = (Server::start().await, flask().await);
    server.handler(before(&app, "/api")).await;
    server.handler(with(before(&app, "/api"), json!({"type": "after"}))).await;
    let client = server.ok("clients.create", json!({"name": "Zażółć \u{1f4de}", "credit": 0.1})).await;
    assert_has(&client, &json!({"name": "Zażółć \u{1f4de}", "credit": 0.1, "status": "active"}));
    server.wait_all_delivered().await;
    let rows = server.wait_log(json!({}), 2).await;
    assert!(rows.iter().all(|row| row["status"] == "success" && row["response_status"] == json!(200)), "{rows:#?}");
    let whole = server.ok("provisioning.executions.get", json!({"id": rows[0]["id"]})).await;
    assert!([json!({}), json!([]), json!(null)].contains(&whole["changes"]), "nothing was changed: {whole}");
}

#[tokio::test]
async fn an_app_that_adds_a_field_changes_the_client() {
    let (server, app) = (Server::start().await, flask().await);
    server.handler(before(&app, "/adds")).await;
    assert_eq!(server.ok("clients.create", json!({"name": "Acme"})).await["notes"], "added by Flask");
}

#[tokio::test]
async fn an_app_that_says_no_forbids() {
    let (server, app) = (Server::start().await, flask().await);
    for (path, expected) in [
        ("/forbids", json!({"message": "not this one", "handler_code": "F1", "field": "name"})),
        ("/verdict", json!({"message": "no verdict but no"})),
    ] {
        let handler = server.handler(before(&app, path)).await;
        let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
        assert_eq!((refusal.code, refusal.word()), (-32022, "forbidden_by_handler"));
        assert_has(&refusal.data, &expected);
        server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    }
}

#[tokio::test]
async fn an_app_that_breaks_has_failed() {
    let (server, app) = (Server::start().await, flask().await);
    for (path, reason) in
        [("/fails", "status"), ("/text", "bad_reply"), ("/closes", "refused"), ("/hangs", "timeout"), ("/nothing", "status")]
    {
        let handler = server.handler(with(before(&app, path), json!({"timeout_ms": 1500}))).await;
        let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
        assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": reason}));
        server.ok("provisioning.handlers.update", json!({"id": handler, "on_failure": "allow"})).await;
        server.client(&format!("Acme {path}")).await;
        server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    }
}

#[tokio::test]
async fn an_app_may_call_back_about_the_same_client_while_it_is_asked() {
    let (server, app) = (Server::start().await, flask().await);
    let client = server.client("Acme").await;
    let path = format!("/calls-back?key={}&api={}/api/", server.key(), server.base());
    server.handler(with(before(&app, &path), json!({"event": "clients.update"}))).await;
    let changed = server.ok("clients.update", json!({"id": client, "name": "Acme Telecom"})).await;
    assert_has(&changed, &json!({"name": "Acme Telecom", "c_company": "seen by Flask"}));
    let journal = server.ok("provisioning.events.search", json!({"clients_id": client, "order": ["seq"]})).await;
    assert_eq!((&journal[1]["cause"], &journal[2]["cause"]), (&journal[2]["id"], &json!(null)));
}
