//! Each verb at its address does what its method does.
use hookswitch_testkit::{ADMIN_KEY, Engine, Recorder, Server, api::id, assert_has, json, names};

#[tokio::test]
async fn an_object_is_made_read_changed_listed_and_deleted() {
    let server = Server::start().await;
    let made = server.rest("POST /api/clients", json!({"name": "Acme", "credit": 5})).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/clients/1"), "{made:?}");
    assert_has(&made.json(), &json!({"id": 1, "name": "Acme", "credit": 5}));
    let got = server.rest(&format!("GET {}", made.header("location")), json!(null)).await;
    assert_eq!((got.status, got.json()), (200, made.json()));
    let changed = server.rest_is(200, "PATCH /api/clients/1", json!({"name": "Acme Telecom"})).await;
    assert_has(&changed, &json!({"id": 1, "name": "Acme Telecom", "credit": 5}));
    assert_eq!(names(&server.rest_is(200, "GET /api/clients", json!(null)).await), ["Acme Telecom"]);
    assert_eq!(server.rest_is(200, "DELETE /api/clients/1", json!(null)).await, json!(1));
    server.rest_is(404, "GET /api/clients/1", json!(null)).await;
}

#[tokio::test]
async fn what_rest_does_raises_the_same_events() {
    let server = Server::start().await;
    server.rest_is(201, "POST /api/clients", json!({"name": "Acme"})).await;
    server.rest_is(200, "PATCH /api/clients/1", json!({"credit": 5})).await;
    server.rest_is(200, "POST /api/clients/1/archive", json!(null)).await;
    server.rest_is(200, "POST /api/clients/1/unarchive", json!({})).await;
    let events: Vec<String> = server.journal(1).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(events, ["clients.create", "clients.update", "clients.archive", "clients.update"]);
}

#[tokio::test]
async fn an_account_stands_beside_the_clients_and_under_its_own_address() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let fields = json!({"clients_id": client, "name": "desk", "auth_type": "name", "accname": "desk-1"});
    let made = server.rest("POST /api/clients/accounts", fields).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/clients/accounts/1"), "{made:?}");
    let changed = server.rest_is(200, "PATCH /api/clients/accounts/1", json!({"notes": "x"})).await;
    assert_eq!(changed["notes"], "x");
    assert_eq!(server.rest_is(200, &format!("GET /api/clients/accounts?clients_id={client}"), json!(null)).await[0], changed);
    assert_eq!(server.rest_is(200, "DELETE /api/clients/accounts/1", json!(null)).await, json!(1));
}

#[tokio::test]
async fn a_payment_and_a_prepaid_charge_are_made_and_found_where_they_say() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let payment = json!({"clients_id": client, "type": "payment", "amount": 5});
    assert_eq!(server.rest_is(201, "POST /api/accounting/transactions", payment).await["balance_after"], json!(5));
    let charge = json!({"clients_id": client, "type": "charge", "amount": -2});
    let charged = server.rest("POST /api/accounting/transactions/prepaid", charge).await;
    assert_eq!((charged.status, charged.header("location")), (201, "/api/accounting/transactions/2"), "{charged:?}");
    assert_eq!(server.rest_is(200, "GET /api/accounting/transactions/2", json!(null)).await, charged.json());
    let charge = json!({"clients_id": client, "type": "charge", "amount": -4});
    let refused = server.rest_is(422, "POST /api/accounting/transactions/prepaid", charge).await;
    assert_eq!(refused["error"]["data"]["code"], "low_balance");
}

#[tokio::test]
async fn verbs_of_handlers_users_events_and_deliveries_have_their_addresses() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = json!({"name": "crm", "event": "clients.create", "task": recorder.url()});
    server.rest_is(201, "POST /api/provisioning/handlers", handler.clone()).await;
    let paused = server.rest_is(200, "POST /api/provisioning/handlers/1/pause", json!({"reason": "maintenance"})).await;
    assert_eq!(paused["paused"]["reason"], "maintenance");
    server.client("Acme").await;
    let waiting = server.rest_is(200, "GET /api/provisioning/deliveries?handlers_id=1&state=waiting", json!(null)).await;
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    let discarded = server.rest_is(200, "POST /api/provisioning/deliveries/discard", json!({"handlers_id": 1})).await;
    assert_eq!(discarded, json!({"discarded": 1}));
    server.rest_is(200, "POST /api/provisioning/handlers/1/resume", json!(null)).await;
    let saved = server.rest_is(200, "POST /api/provisioning/handlers/1/test", json!(null)).await;
    let unsaved = server.rest_is(200, "POST /api/provisioning/handlers/test", json!({"handler": handler})).await;
    assert_eq!((&saved["verdict"], &unsaved["verdict"]), (&json!("delivered"), &json!("delivered")));
    let list = server.rest_is(200, "GET /api/provisioning/events/list", json!(null)).await;
    assert_eq!(list[0]["events_id"], "clients.create");
    let happened = server.rest_is(200, "GET /api/provisioning/events?events_id=clients.create", json!(null)).await;
    let event = happened[0]["id"].as_str().unwrap();
    let whole = server.rest_is(200, &format!("GET /api/provisioning/events/{event}"), json!(null)).await;
    assert_eq!(whole["data"]["name"], "Acme");
    assert_eq!(server.rest_is(200, "GET /api/system/status", json!(null)).await["database"], Engine::of_this_run().name());
    let rotated = server.rest_is(200, "POST /api/users/1/rotate_key", json!({"overlap_hours": 1})).await;
    assert_ne!(rotated["key"], json!(ADMIN_KEY));
}

#[tokio::test]
async fn both_protocols_give_one_answer() {
    let server = Server::start().await;
    let client = id(&server.rest_is(201, "POST /api/clients", json!({"name": "Acme"})).await);
    assert_eq!(
        server.ok("clients.get", json!({"id": client})).await,
        server.rest_is(200, "GET /api/clients/1", json!(null)).await
    );
    let refused = server.refused("clients.update", json!({"id": client, "name": "", "credit": "5", "x": 1})).await;
    let rest = server.rest_is(400, "PATCH /api/clients/1", json!({"name": "", "credit": "5", "x": 1})).await;
    assert_eq!(rest["error"]["message"], json!(refused.message));
    assert_eq!(rest["error"]["data"], refused.data);
}
