//! Which objects are told, and how many there are; what is refused.
use hookswitch_testkit::{Recorder, Server, Value, after, assert_has, json, with};

use super::{begin, wait_state};

/// A server with three clients of two resellers, the second below the first, and a handler.
async fn three_clients() -> (Server, Recorder, i64, [i64; 3], i64) {
    let (server, recorder) =
        (Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").start().await, Recorder::start().await);
    let below = server.company("Below", 1).await;
    let mut clients = [0; 3];
    for (number, company) in [1, 1, below].into_iter().enumerate() {
        let made = json!({"name": format!("Client {number}"), "companies_id": company, "credit": number});
        clients[number] = server.ok("clients.create", made).await["id"].as_i64().unwrap();
        server.account(clients[number], &format!("account-{number}")).await;
    }
    let handler = server.handler(after(json!(["clients.create", "clients.accounts.create"]), &recorder)).await;
    (server, recorder, handler, clients, below)
}

/// Which clients were told of, once it is over.
async fn told(server: &Server, recorder: &Recorder, handler: i64, selection: Value) -> Vec<i64> {
    recorder.forget();
    let counted =
        server.ok("provisioning.handlers.resync", with(selection.clone(), json!({"id": handler, "count_only": true}))).await;
    let rehearsed =
        server.ok("provisioning.handlers.resync", with(selection.clone(), json!({"id": handler, "dry_run": true}))).await;
    let (id, total) = begin(server, handler, selection).await;
    assert_eq!((&counted, &rehearsed), (&json!({"id": null, "total": total}), &counted));
    wait_state(server, id, "done").await;
    let calls = recorder.wait_exactly(usize::try_from(total).unwrap()).await;
    let mut clients: Vec<i64> = calls.iter().map(|call| call.clients_id()).collect();
    clients.sort_unstable();
    clients.dedup();
    clients
}

#[tokio::test]
async fn everything_or_some_clients_or_a_reseller_and_those_below_or_what_a_condition_says() {
    let (server, recorder, handler, [one, two, three], below) = three_clients().await;
    for (selection, expected) in [
        (json!({}), vec![one, two, three]),
        (json!({"clients_id": [three, one, one]}), vec![one, three]),
        (json!({"companies_id": 1}), vec![one, two, three]),
        (json!({"companies_id": below}), vec![three]),
        (json!({"companies_id": below, "clients_id": [one, three]}), vec![three]),
        (json!({"condition": "event.events_id == 'clients.create' && data.credit > 0"}), vec![two, three]),
        (json!({"condition": "event.cause == 'resync' && object.id > 0", "clients_id": [two]}), vec![two]),
        (json!({"condition": "false"}), vec![]),
    ] {
        assert_eq!(told(&server, &recorder, handler, selection.clone()).await, expected, "{selection}");
    }
    let rows = server.ok("provisioning.resyncs.search", json!({"handlers_id": handler, "state": "done"})).await;
    assert_eq!(rows.as_array().unwrap().len(), 8);
    assert_has(
        &rows[7],
        &json!({"clients_id": null, "companies_id": null, "condition": "", "rate": 500, "by": "admin", "sent": 6}),
    );
    assert_has(&rows[6], &json!({"clients_id": [one, three], "total": 4}));
}

#[tokio::test]
async fn the_handlers_own_condition_and_reseller_count_as_ever() {
    let (server, recorder, _, [_, two, three], below) = three_clients().await;
    let own = with(after("clients.create", &recorder), json!({"condition": "data.credit > 0"}));
    let handler = server.handler(own).await;
    assert_eq!(told(&server, &recorder, handler, json!({})).await, [two, three]);
    let own = with(after("clients.create", &recorder), json!({"companies_id": below}));
    let handler = server.handler(own).await;
    assert_eq!(told(&server, &recorder, handler, json!({})).await, [three]);
    assert_eq!(told(&server, &recorder, handler, json!({"companies_id": 1})).await, [three], "those of both");
    let beside = server.company("Beside", 1).await;
    let refusal = server.refused("provisioning.handlers.resync", json!({"id": handler, "companies_id": beside})).await;
    assert_eq!(refusal.fields(), ["companies_id"]);
}

#[tokio::test]
async fn what_can_not_be_told_is_refused_by_name() {
    let (server, recorder, handler, ..) = three_clients().await;
    let resync = async |params: Value| server.refused("provisioning.handlers.resync", params).await;
    for (wrong, field) in [
        (json!({"clients_id": [900_001]}), "clients_id"),
        (json!({"clients_id": "1"}), "clients_id"),
        (json!({"companies_id": 900_001}), "companies_id"),
        (json!({"condition": "data.credit >"}), "condition"),
        (json!({"rate": 0}), "rate"),
        (json!({"rate": 10_001}), "rate"),
        (json!({"zzz": 1}), "zzz"),
    ] {
        assert_eq!(resync(with(wrong, json!({"id": handler}))).await.fields(), [field]);
    }
    for events in [json!("clients.delete"), json!(["provisioning.resync_done", "clients.packages.close"])] {
        let handler = server.handler(after(events, &recorder)).await;
        assert_eq!(resync(json!({"id": handler})).await.fields(), ["id"]);
    }
    let before = server.handler(with(after("clients.create", &recorder), json!({"type": "before"}))).await;
    assert_eq!(resync(json!({"id": before})).await.fields(), ["id"]);
    let disabled = server.handler(with(after("clients.create", &recorder), json!({"status": "disabled"}))).await;
    assert_eq!(resync(json!({"id": disabled})).await.code, -32009);
    assert_eq!(resync(json!({"id": 900_001})).await.code, -32004);
    assert_eq!(server.ok("provisioning.resyncs.search", json!({})).await, json!([]));
}

#[tokio::test]
async fn a_resellers_user_resyncs_his_own_handlers_with_his_own_clients() {
    let (server, recorder, foreign, [one, _, three], below) = three_clients().await;
    let operator = server.user("below", "operator", json!(below)).await;
    let reader = server.user("eye", "readonly", json!(below)).await;
    let own = server.handler(with(after("clients.create", &recorder), json!({"companies_id": below}))).await;
    assert_eq!(operator.refused("provisioning.handlers.resync", json!({"id": foreign})).await.code, -32004);
    assert_eq!(reader.refused("provisioning.handlers.resync", json!({"id": own})).await.code, -32003);
    for selection in [json!({"clients_id": [one]}), json!({"companies_id": 1})] {
        let refusal = operator.refused("provisioning.handlers.resync", with(selection, json!({"id": own}))).await;
        assert_eq!(refusal.fields().len(), 1);
        assert!(refusal.data.to_string().contains("does not exist"), "{refusal:?}");
    }
    let (id, total) = begin(&operator, own, json!({})).await;
    wait_state(&operator, id, "done").await;
    assert_eq!((total, recorder.wait_exactly(1).await[0].clients_id()), (1, three));
    let (others, _) = begin(&server, foreign, json!({"clients_id": [one]})).await;
    wait_state(&server, others, "done").await;
    for method in ["get", "pause", "resume", "cancel"] {
        let refusal = operator.refused(&format!("provisioning.resyncs.{method}"), json!({"id": others})).await;
        assert_eq!(refusal.code, -32004, "{method}");
    }
    let seen = operator.ok("provisioning.resyncs.search", json!({})).await;
    assert_eq!((seen.as_array().unwrap().len(), &seen[0]["by"]), (1, &json!("below")));
}

#[tokio::test]
async fn over_rest_it_is_the_same() {
    let (server, recorder, handler, ..) = three_clients().await;
    let begun = server.rest_is(200, &format!("POST /api/provisioning/handlers/{handler}/resync"), json!({"rate": 1000})).await;
    assert_has(&begun, &json!({"id": 1, "total": 6}));
    wait_state(&server, 1, "done").await;
    let found = server.rest_is(200, "GET /api/provisioning/resyncs/1", json!(null)).await;
    assert_has(&found, &json!({"state": "done", "delivered": 6}));
    let none = server.handler(after("clients.delete", &recorder)).await;
    server.rest_is(400, &format!("POST /api/provisioning/handlers/{none}/resync"), json!({})).await;
}

#[tokio::test]
async fn a_list_that_names_nobody_is_a_mistake_and_not_everything() {
    let (server, _recorder, handler, ..) = three_clients().await;
    let refusal = server.refused("provisioning.handlers.resync", json!({"id": handler, "clients_id": []})).await;
    assert!(refusal.data["clients_id"].as_str().unwrap().contains("at least one"), "{refusal:?}");
}
