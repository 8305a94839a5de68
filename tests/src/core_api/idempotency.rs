//! `Idempotency-Key`: a repeated create or transaction returns the first success.
use hookswitch_testkit::{Server, api::request, json};

#[tokio::test]
async fn a_repeated_create_returns_the_first_success() {
    let server = Server::start().await;
    let fields = json!({"name": "Acme", "credit": 10});
    let first = server.call_with(&[("idempotency-key", "k-1")], "clients.create", fields.clone()).await.unwrap();
    let again = server.call_with(&[("idempotency-key", "k-1")], "clients.create", fields.clone()).await.unwrap();
    assert_eq!(first, again);
    let mut with_parameter = fields;
    with_parameter["idempotency_key"] = json!("k-1");
    assert_eq!(server.ok("clients.create", with_parameter).await, first, "header and parameter are one key");
    let other = json!({"name": "Acme", "credit": 10, "idempotency_key": "k-2"});
    let refusal = server.call_with(&[("idempotency-key", "k-1")], "clients.create", other).await.unwrap_err();
    assert_eq!(refusal.fields(), ["idempotency_key"]);
    assert_eq!(server.ok("clients.search", json!({})).await.as_array().unwrap().len(), 1);
    assert_eq!(server.journal(first["id"].as_i64().unwrap()).await.len(), 1);
}

#[tokio::test]
async fn a_transaction_is_taken_once_also_when_two_ask_at_once() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let payment = json!({"clients_id": client, "type": "payment", "amount": 5, "idempotency_key": "pay-1"});
    let (one, two, three) = tokio::join!(
        server.ok("accounting.transactions.create", payment.clone()),
        server.ok("accounting.transactions.create", payment.clone()),
        server.ok("accounting.transactions.create", payment.clone()),
    );
    assert_eq!(one, two);
    assert_eq!(one, three);
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["balance"], json!(5));
}

#[tokio::test]
async fn the_same_key_with_other_parameters_is_refused() {
    let server = Server::start().await;
    server.ok("clients.create", json!({"name": "Acme", "idempotency_key": "k"})).await;
    let refusal = server.refused("clients.create", json!({"name": "Beta", "idempotency_key": "k"})).await;
    assert_eq!((refusal.code, refusal.word()), (-32022, "idempotency_key_reused"));
    let client = server.ok("clients.search", json!({})).await;
    let other_method = json!({"clients_id": client[0]["id"], "type": "payment", "amount": 1, "idempotency_key": "k"});
    server.ok("accounting.transactions.create", other_method).await;
    let other_user = server.user("other", "admin", json!(null)).await;
    other_user.ok("clients.create", json!({"name": "Beta", "idempotency_key": "k"})).await;
}

#[tokio::test]
async fn only_successes_are_remembered() {
    let server = Server::start().await;
    server.refused("clients.create", json!({"name": "", "idempotency_key": "k"})).await;
    server.ok("clients.create", json!({"name": "Acme", "idempotency_key": "k"})).await;
}

#[tokio::test]
async fn keys_and_secrets_are_left_out_of_a_replay() {
    let server = Server::start().await;
    let user = json!({"login": "crm", "role": "readonly", "password": "a long enough password", "idempotency_key": "u"});
    let first = server.ok("users.create", user.clone()).await;
    let again = server.ok("users.create", user).await;
    assert_eq!(first["id"], again["id"]);
    assert!(first["key"].is_string() && !again["key"].is_string(), "{again}");
    let handler = json!({"name": "h", "event": "clients.create", "task": "http://127.0.0.1:9/", "idempotency_key": "h"});
    let first = server.ok("provisioning.handlers.create", handler.clone()).await;
    let again = server.ok("provisioning.handlers.create", handler).await;
    assert_eq!(first["id"], again["id"]);
    assert!(first["secret"].is_string() && !again["secret"].is_string(), "{again}");
}

#[tokio::test]
async fn in_a_batch_the_parameter_counts_and_the_header_is_refused() {
    let server = Server::start().await;
    let call = request("clients.create", json!({"name": "Acme", "idempotency_key": "k"}));
    let batch = json!([call, call]).to_string();
    let answers = server.post("/api/", &[], batch.clone()).await.json();
    assert_eq!(answers[0]["result"], answers[1]["result"]);
    let answer = server.post("/api/", &[("idempotency-key", "k")], batch).await;
    assert!(answer.status == 400 || answer.json()["error"]["code"] == json!(-32602), "{answer:?}");
}

#[tokio::test]
async fn a_key_survives_a_crash_with_its_change() {
    let mut server = Server::start().await;
    let fields = json!({"name": "Acme", "idempotency_key": "k"});
    let first = server.ok("clients.create", fields.clone()).await;
    server.kill9().await;
    server.start_again().await;
    assert_eq!(server.ok("clients.create", fields).await, first);
}
