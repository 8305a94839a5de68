//! Every row of the contract's table of errors, as REST shows it.
use hookswitch_testkit::{Answer, Recorder, Reply, Server, Value, api::id, assert_has, before, json, with};

#[track_caller]
fn is(answer: &Answer, status: u16, message: &str, data: &Value) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"]);
    assert!(body["error"]["message"].as_str().unwrap().starts_with(message), "{body}");
    assert_eq!(body["error"].as_object().unwrap().keys().collect::<Vec<_>>(), ["message", "data"]);
    assert_has(&body["error"]["data"], data);
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let server = Server::start().await;
    let wrong = server.rest("POST /api/clients", json!({"name": "", "credit": -1, "x": 1, "balance": 5})).await;
    is(&wrong, 400, "Invalid request", &json!({}));
    let mut fields: Vec<String> = wrong.json()["error"]["data"].as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(fields, ["balance", "credit", "name", "x"]);
    let foreign = json!({"clients_id": 7, "name": "a", "auth_type": "name", "accname": "a"});
    is(
        &server.rest("POST /api/clients/accounts", foreign).await,
        400,
        "Invalid request",
        &json!({"clients_id": "does not exist"}),
    );
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let server = Server::start().await;
    let data = json!({"code": "not_found", "object_name": "clients.accounts", "object_id": 7});
    for line in ["GET /api/clients/accounts/7", "PATCH /api/clients/accounts/7", "DELETE /api/clients/accounts/7"] {
        is(&server.rest(line, json!(null)).await, 404, "not_found: ", &data);
    }
    let uuid = "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11";
    let data = json!({"object_name": "provisioning.events", "object_id": uuid});
    is(&server.rest(&format!("GET /api/provisioning/events/{uuid}"), json!(null)).await, 404, "not_found: ", &data);
}

#[tokio::test]
async fn a_role_that_does_not_allow_it_is_403() {
    let server = Server::start().await;
    let reader = server.user("reader", "readonly", json!(null)).await;
    let denied = reader.rest("POST /api/clients", json!({"name": "Acme"})).await;
    is(&denied, 403, "access-denied: ", &json!({"code": "access-denied"}));
    reader.rest_is(200, "GET /api/clients", json!(null)).await;
}

#[tokio::test]
async fn a_state_or_a_rule_that_forbids_it_is_409_or_422() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let paid = with(json!({"clients_id": client, "type": "payment", "amount": 5}), json!({"external_id": "x-1"}));
    let first = id(&server.rest_is(201, "POST /api/accounting/transactions", paid.clone()).await);
    let taken = server.rest("POST /api/accounting/transactions", paid).await;
    is(&taken, 409, "conflict: ", &json!({"code": "conflict", "transactions_id": first}));
    let charge = json!({"clients_id": client, "type": "charge", "amount": -6});
    let low = server.rest("POST /api/accounting/transactions/prepaid", charge).await;
    is(&low, 422, "low_balance: ", &json!({"code": "low_balance"}));
}

#[tokio::test]
async fn a_handler_that_forbids_or_fails_is_named() {
    let server = Server::start().await;
    let said = json!({"verdict": "forbid", "message": "no", "field": "name", "code": "E7"});
    let recorder = Recorder::answering(move |_| Reply::json(&said)).await;
    let handler = server.handler(before("clients.create", &recorder)).await;
    let forbidden = server.rest("POST /api/clients", json!({"name": "Acme"})).await;
    let data = json!({"code": "forbidden_by_handler", "message": "no", "field": "name", "handler_code": "E7",
        "handler": {"id": handler, "name": "before"}});
    is(&forbidden, 422, "forbidden_by_handler: no", &data);
    let broken = Recorder::answering(|_| Reply::status(500)).await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "task": broken.url()})).await;
    let failed = server.rest("POST /api/clients", json!({"name": "Acme"})).await;
    let data = json!({"code": "handler_failed", "reason": "status", "handler": {"id": handler, "name": "before"}});
    is(&failed, 503, "handler_failed: ", &data);
}

#[tokio::test]
async fn what_is_too_large_is_413() {
    let server = Server::start().await;
    let body = json!({"name": "x".repeat(3 << 20)});
    is(&server.rest("POST /api/clients", body).await, 413, "too_large: ", &json!({"code": "too_large"}));
    let query = "a&".repeat(10_000);
    is(&server.rest(&format!("GET /api/clients?{query}"), json!(null)).await, 413, "too_large: ", &json!({"code": "too_large"}));
}

#[tokio::test]
async fn an_unknown_address_is_404_and_a_wrong_http_method_405() {
    let server = Server::start().await;
    for line in ["GET /api/nothing", "GET /api/clients/1/2/3", "POST /api/clients/1/nothing", "GET /api/clients/"] {
        is(&server.rest(line, json!(null)).await, 404, "not_found: ", &json!({"code": "not_found"}));
    }
    for (line, allowed) in [
        ("PUT /api/clients/1", "GET,HEAD,PATCH,DELETE"),
        ("DELETE /api/clients", "GET,HEAD,POST"),
        ("GET /api/clients/1/archive", "POST"),
        ("GET /api/provisioning/handlers/test", "POST"),
        ("PATCH /api/clients/accounts", "GET,HEAD,POST"),
    ] {
        let answer = server.rest(line, json!(null)).await;
        is(&answer, 405, "method_not_allowed: ", &json!({"code": "method_not_allowed"}));
        let sorted = |list: &str| list.split(',').map(|verb| verb.trim().to_owned()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(sorted(answer.header("allow")), sorted(allowed), "{line}");
    }
}
