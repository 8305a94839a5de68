//! Paused, disabled and deleted handlers: what waits for them.
use hookswitch_testkit::{Call, Recorder, Reply, Server, after, assert_has, json, with};

async fn change(server: &Server, client: i64, notes: &str) {
    server.ok("clients.update", json!({"id": client, "notes": notes})).await;
}

fn notes(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.body["data"]["notes"].as_str().unwrap()).collect()
}

async fn waiting(server: &Server) -> i64 {
    server.ok("provisioning.deliveries.search", json!({"with_total": true})).await["total"].as_i64().unwrap()
}

#[tokio::test]
async fn a_paused_handler_gets_everything_in_order_once_it_is_resumed() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::start().await;
    let handler = server.handler(after("clients.update", &recorder)).await;
    server.ok("provisioning.handlers.pause", json!({"id": handler, "reason": "maintenance"})).await;
    let paused = server.ok("provisioning.handlers.get", json!({"id": handler})).await["paused"].clone();
    assert_has(&paused, &json!({"by": "admin", "reason": "maintenance"}));
    assert!(paused["since"].is_string());
    for round in ["1", "2", "3"] {
        change(&server, client, round).await;
    }
    assert_eq!(waiting(&server).await, 3);
    assert!(recorder.calls().is_empty());
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    assert_eq!(notes(&recorder.wait_exactly(3).await), ["1", "2", "3"]);
    assert_eq!(server.ok("provisioning.handlers.get", json!({"id": handler})).await["paused"], json!(null));
}

#[tokio::test]
async fn a_disabled_handler_gets_no_new_events_and_what_waited_goes_on_when_it_is_enabled() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::start().await;
    let handler = server.handler(after("clients.update", &recorder)).await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    change(&server, client, "before").await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    change(&server, client, "while disabled").await;
    assert_eq!(waiting(&server).await, 1);
    assert!(recorder.calls().is_empty());
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "enabled"})).await;
    change(&server, client, "after").await;
    assert_eq!(notes(&recorder.wait_exactly(2).await), ["before", "after"]);
}

#[tokio::test]
async fn deleting_a_handler_with_waiting_deliveries_needs_force_and_keeps_its_log() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::start().await;
    let handler = server.handler(with(after("clients.update", &recorder), json!({"name": "crm"}))).await;
    change(&server, client, "delivered").await;
    recorder.wait_exactly(1).await;
    server.wait_all_delivered().await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    change(&server, client, "waits").await;
    let refusal = server.refused("provisioning.handlers.delete", json!({"id": handler})).await;
    assert!([-32009, -32022, -32602].contains(&refusal.code), "{refusal:?}");
    assert_eq!(server.ok("provisioning.handlers.delete", json!({"id": handler, "force": true})).await, json!(1));
    assert_eq!(server.refused("provisioning.handlers.get", json!({"id": handler})).await.code, -32004);
    assert_eq!(waiting(&server).await, 0);
    let rows = server.log(json!({"handlers_id": handler})).await;
    assert!(rows.iter().any(|row| row["status"] == "success" && row["handlers_name"] == "crm"), "{rows:#?}");
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn a_change_of_the_task_counts_for_what_already_waits() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let (old, new) = (Recorder::answering(|_| Reply::status(500)).await, Recorder::start().await);
    let handler = server.handler(after("clients.update", &old)).await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    change(&server, client, "moved").await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "task": new.url()})).await;
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    assert_eq!(notes(&new.wait_exactly(1).await), ["moved"]);
    assert!(old.calls().is_empty());
}

#[tokio::test]
async fn a_condition_decides_for_after_handlers_on_the_decided_data() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let condition = json!({"condition": "event.stage == 'after' && object.credit >= 100 && data.name != 'Skip'"});
    server.handler(with(after("clients.create", &recorder), condition)).await;
    for (name, credit) in [("Small", 1), ("Big", 100), ("Skip", 100), ("Bigger", 1000)] {
        server.ok("clients.create", json!({"name": name, "credit": credit})).await;
    }
    let calls = recorder.wait_exactly(2).await;
    assert_eq!(calls.iter().map(|call| call.body["data"]["name"].as_str().unwrap()).collect::<Vec<_>>(), ["Big", "Bigger"]);
}

#[tokio::test]
async fn a_handler_with_waiting_deliveries_cannot_become_a_before_handler() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    let handler = server.handler(after("clients.update", &recorder)).await;
    change(&server, client, "waits").await;
    let change = json!({"id": handler, "type": "before"});
    assert_eq!(server.refused("provisioning.handlers.update", change.clone()).await.code, -32009);
    server.ok("provisioning.deliveries.discard", json!({"handlers_id": handler})).await;
    server.ok("provisioning.handlers.update", change).await;
}
