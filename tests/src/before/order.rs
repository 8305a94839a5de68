//! Who is asked, and in which order.
use std::sync::{Arc, Mutex};

use hookswitch_testkit::{Recorder, Reply, Server, before, json, with};

#[tokio::test]
async fn system_handlers_come_first_then_order_then_id() {
    let server = Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").start().await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let listener = |name: &'static str| {
        let asked = asked.clone();
        Recorder::answering(move |_| {
            asked.lock().unwrap().push(name);
            Reply::ok()
        })
    };
    for (name, order, company) in [
        ("reseller 1", 1, json!(1)),
        ("system 50", 50, json!(null)),
        ("system 20 a", 20, json!(null)),
        ("system 20 b", 20, json!(null)),
        ("reseller 0 late", 2, json!(1)),
    ] {
        let recorder = listener(name).await;
        server
            .handler(with(before("clients.create", &recorder), json!({"name": name, "order": order, "companies_id": company})))
            .await;
    }
    server.client("Acme").await;
    assert_eq!(*asked.lock().unwrap(), ["system 20 a", "system 20 b", "system 50", "reseller 1", "reseller 0 late"]);
}

#[tokio::test]
async fn after_a_refusal_nobody_else_is_asked() {
    let server = Server::start().await;
    let (first, second) = (Recorder::answering(|_| Reply::status(403)).await, Recorder::start().await);
    server.handler(with(before("clients.create", &first), json!({"order": 1}))).await;
    server.handler(with(before("clients.create", &second), json!({"order": 2}))).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    assert!(second.calls().is_empty());
}

#[tokio::test]
async fn a_condition_must_be_true_on_the_data_as_it_stands_at_that_turn() {
    let server = Server::start().await;
    let raise = Recorder::answering(|_| Reply::json(&json!({"data": {"credit": 500}}))).await;
    let (high, never, absent) = (Recorder::start().await, Recorder::start().await, Recorder::start().await);
    server.handler(with(before("clients.create", &raise), json!({"order": 1, "condition": "data.name.startsWith('Big')"}))).await;
    server.handler(with(before("clients.create", &high), json!({"order": 2, "condition": "data.credit > 100"}))).await;
    server
        .handler(with(before("clients.create", &never), json!({"order": 3, "condition": "event.events_id == 'clients.update'"})))
        .await;
    server
        .handler(with(
            before("clients.create", &absent),
            json!({"order": 4, "condition": "previous.name == 'x' || data.nothing == 1"}),
        ))
        .await;
    server.client("Big Acme").await;
    server.client("Small Acme").await;
    assert_eq!(raise.calls().len(), 1);
    assert_eq!(high.wait_exactly(1).await[0].body["data"]["name"], "Big Acme");
    assert!(never.calls().is_empty() && absent.calls().is_empty());
}

#[tokio::test]
async fn a_condition_that_fails_otherwise_calls_the_handler_and_the_log_says_so() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server
        .handler(with(before("clients.create", &recorder), json!({"condition": "data.credit / 0 > 1 || data.name + 1 == 2"})))
        .await;
    server.client("Acme").await;
    recorder.wait_exactly(1).await;
    let row = server.wait_log(json!({"stage": "before"}), 1).await.remove(0);
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await.to_string();
    assert!(whole.contains("condition"), "{whole}");
}

#[tokio::test]
async fn disabled_and_archived_handlers_are_not_asked_and_a_saved_change_counts_at_once() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::status(403)).await;
    let handler = server.handler(before("clients.create", &recorder)).await;
    for (round, status) in ["disabled", "archived"].into_iter().enumerate() {
        server.refused("clients.create", json!({"name": "Acme"})).await;
        server.ok("provisioning.handlers.update", json!({"id": handler, "status": status})).await;
        server.client(&format!("Acme {round}")).await;
        server.ok("provisioning.handlers.update", json!({"id": handler, "status": "enabled"})).await;
    }
    server.refused("clients.create", json!({"name": "Acme"})).await;
    server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    server.client("Acme").await;
    assert_eq!(recorder.calls().len(), 3);
}
