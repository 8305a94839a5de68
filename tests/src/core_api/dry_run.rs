//! `dry_run: true`: validated, asked of those who say they may be, and nothing changed.
use hookswitch_testkit::{Recorder, Reply, Server, api::id, assert_has, json, with};

#[tokio::test]
async fn a_dry_run_shows_what_would_be_stored_and_changes_nothing() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    let would = server.ok("clients.create", json!({"name": "Beta", "credit": 5, "dry_run": true})).await;
    assert_has(&would, &json!({"name": "Beta", "credit": 5, "status": "active"}));
    let would = server.ok("clients.update", json!({"id": client, "name": "Gamma", "dry_run": true})).await;
    assert_has(&would, &json!({"id": client, "name": "Gamma"}));
    let payment = json!({"clients_id": client, "type": "payment", "amount": 5, "dry_run": true});
    assert_eq!(server.ok("accounting.transactions.create", payment).await["balance_after"], json!(5));
    assert_eq!(server.ok("clients.accounts.delete", json!({"id": account, "dry_run": true})).await, json!(1));
    assert_eq!(server.ok("clients.delete", json!({"id": client, "dry_run": true})).await, json!(1));
    let rows = server.ok("clients.search", json!({})).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_has(&rows[0], &json!({"name": "Acme", "balance": 0, "status": "active"}));
    assert_eq!(server.journal(client).await.len(), 2);
}

#[tokio::test]
async fn a_dry_run_is_validated_like_the_real_thing() {
    let server = Server::start().await;
    server.client("Acme").await;
    let refusal = server.refused("clients.create", json!({"name": "Acme", "credit": -1, "dry_run": true})).await;
    assert_eq!(refusal.fields(), ["credit", "name"]);
    assert_eq!(server.refused("clients.create", json!({"name": "x", "dry_run": "yes"})).await.fields(), ["dry_run"]);
}

#[tokio::test]
async fn a_dry_run_asks_only_handlers_without_side_effects_and_names_the_others() {
    let server = Server::start().await;
    let pure = Recorder::answering(|_| Reply::json(&json!({"data": {"notes": "checked"}}))).await;
    let (effects, after) = (Recorder::start().await, Recorder::start().await);
    let before = |name: &str, recorder: &Recorder, dry: bool| {
        with(hookswitch_testkit::before("clients.create", recorder), json!({"name": name, "dry_run": dry}))
    };
    server.handler(before("pure", &pure, true)).await;
    server.handler(before("with effects", &effects, false)).await;
    server.handler(json!({"name": "after", "event": "clients.create", "task": after.url()})).await;
    let answer = server.whole("clients.create", json!({"name": "Acme", "dry_run": true})).await;
    assert_eq!(answer["result"]["notes"], "checked");
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("with effects") && !warnings.contains("pure"), "{warnings}");
    let call = pure.wait_exactly(1).await.remove(0);
    assert_has(&call.body["event"], &json!({"mode": "dry_run", "object_id": 0, "stage": "before"}));
    assert!(effects.calls().is_empty());
    server.ok("clients.create", json!({"name": "Real"})).await;
    assert_eq!(after.wait_exactly(1).await[0].body["data"]["name"], "Real");
}

#[tokio::test]
async fn a_dry_run_can_be_forbidden() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"verdict": "forbid", "message": "no"}))).await;
    let handler = json!({"name": "pure", "event": "clients.update", "type": "before", "task": recorder.url(), "dry_run": true});
    server.handler(handler).await;
    let client = server.ok("clients.create", json!({"name": "Acme"})).await;
    let refusal = server.refused("clients.update", json!({"id": id(&client), "name": "B", "dry_run": true})).await;
    assert_eq!(refusal.word(), "forbidden_by_handler");
    assert_eq!(recorder.wait_exactly(1).await[0].event("object_id"), &client["id"]);
}
