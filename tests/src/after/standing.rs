//! Where a handler stands, and whether one client's present state is known to it.
use hookswitch_testkit::{Api, Recorder, Reply, Server, Value, after, assert_has, json, wait_until, with};

const EVENTS: &[&str] = &["clients.create", "clients.update", "clients.delete"];

async fn of_client(api: &Api, handler: i64, client: i64) -> Value {
    let status = api.ok("provisioning.handlers.status", json!({"id": handler, "clients_id": client})).await;
    assert_eq!(status["handlers"].as_array().unwrap().len(), 1, "{status}");
    with(status["handlers"][0].clone(), json!({"last_seq": status["last_seq"]}))
}

async fn of_handler(api: &Api, handler: i64) -> Value {
    api.ok("provisioning.handlers.status", json!({"id": handler})).await["handlers"][0].clone()
}

#[tokio::test]
async fn what_a_handler_has_heard_of_a_client_is_known_at_every_moment() {
    let server = Server::start().await;
    let old = server.client("Before there was a handler").await;
    let recorder = Recorder::start().await;
    let handler = server.handler(after(EVENTS, &recorder)).await;
    assert_has(&of_client(&server, handler, old).await, &json!({"state": "never_told", "delivered_seq": null, "last_seq": 1}));
    let client = server.client("Acme").await;
    server.wait_all_delivered().await;
    let told = of_client(&server, handler, client).await;
    assert_has(&told, &json!({"state": "in_step", "delivered_seq": 1, "waiting": 0, "dead": 0, "next_seq": null}));
    assert!(told["delivered_dt"].is_string());
    server.pay(client, "5").await;
    assert_has(&of_client(&server, handler, client).await, &json!({"state": "in_step", "delivered_seq": 1}));

    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    for notes in ["1", "2"] {
        server.ok("clients.update", json!({"id": client, "notes": notes})).await;
    }
    let stopped = of_client(&server, handler, client).await;
    assert_has(&stopped, &json!({"state": "stopped", "delivered_seq": 1, "waiting": 2, "next_seq": 2, "last_seq": 3}));
    let summary = of_handler(&server, handler).await;
    assert_has(&summary, &json!({"state": "stopped", "waiting": 2, "retrying": 0, "dead": 0, "paused": {"by": "admin"}}));
    assert!(summary["behind_since"].is_string() && summary["oldest_age_s"].is_number());
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    server.wait_all_delivered().await;
    assert_has(&of_client(&server, handler, client).await, &json!({"state": "in_step", "delivered_seq": 3, "waiting": 0}));
    assert_has(&of_handler(&server, handler).await, &json!({"state": "in_step", "behind_since": null}));
}

#[tokio::test]
async fn what_is_dead_leaves_the_handler_incomplete_until_it_is_sent_again() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::status(410)).await;
    let handler = server.handler(after(EVENTS, &recorder)).await;
    let client = server.client("Acme").await;
    server.wait_log(json!({"status": "failed"}), 1).await;
    assert_has(&of_client(&server, handler, client).await, &json!({"state": "incomplete", "delivered_seq": null, "dead": 1}));
    assert_has(&of_handler(&server, handler).await, &json!({"state": "incomplete", "dead": 1}));
    recorder.answer(|_| Reply::ok());
    server.ok("provisioning.deliveries.resend", json!({"handlers_id": handler, "state": "dead"})).await;
    server.wait_all_delivered().await;
    assert_has(&of_client(&server, handler, client).await, &json!({"state": "in_step", "delivered_seq": 1, "dead": 0}));
}

#[tokio::test]
async fn a_deleted_client_is_still_answered_about_and_a_restart_forgets_nothing() {
    let mut server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = server.handler(after(EVENTS, &recorder)).await;
    let client = server.client("Acme").await;
    server.ok("clients.delete", json!({"id": client})).await;
    server.wait_all_delivered().await;
    server.kill9().await;
    server.start_again().await;
    assert_has(&of_client(&server, handler, client).await, &json!({"state": "in_step", "delivered_seq": 2, "last_seq": 2}));
}

#[tokio::test]
async fn a_reseller_sees_his_own_handlers_and_of_the_systems_only_what_they_know_of_his_clients() {
    let server = Server::start().await;
    let (own, other) = (server.company("Own", 1).await, server.company("Other", 1).await);
    let api = server.user("reseller", "operator", json!(own)).await;
    let recorder = Recorder::start().await;
    let systems = server.handler(after(EVENTS, &recorder)).await;
    let his = server.handler(with(after(EVENTS, &recorder), json!({"companies_id": own, "task": "https://example.org/"}))).await;
    let others =
        server.handler(with(after(EVENTS, &recorder), json!({"companies_id": other, "task": "https://example.org/"}))).await;
    server.ok("provisioning.handlers.pause", json!({"id": his})).await;
    let client = api.client("His").await;
    let ids = |status: &Value| -> Vec<i64> {
        status["handlers"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&api.ok("provisioning.handlers.status", json!({})).await), [his]);
    assert_eq!(ids(&api.ok("provisioning.handlers.status", json!({"clients_id": client})).await), [systems, his]);
    assert_eq!(api.refused("provisioning.handlers.status", json!({"id": others})).await.code, -32004);
    let foreign = server.ok("clients.create", json!({"name": "Foreign", "companies_id": other})).await["id"].clone();
    assert_eq!(api.refused("provisioning.handlers.status", json!({"clients_id": foreign})).await.code, -32004);
}

#[tokio::test]
async fn in_step_is_only_who_has_heard_everything() {
    let server = Server::start().await;
    let old = server.client("Before there was a handler").await;
    let recorder = Recorder::start().await;
    let handler = server.handler(after(EVENTS, &recorder)).await;
    let update = async |client: i64, notes: &str| {
        server.ok("clients.update", json!({"id": client, "notes": notes})).await;
        server.wait_all_delivered().await;
    };
    let state = async |client: i64| of_client(&server, handler, client).await["state"].clone();
    update(old, "a first word").await;
    assert_eq!(state(old).await, "unknown", "it never heard how the client began");

    let client = server.client("Acme").await;
    server.wait_all_delivered().await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    assert_eq!(of_handler(&server, handler).await["state"], "stopped");
    update(client, "said to nobody").await;
    assert_eq!(state(client).await, "stopped");
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "enabled"})).await;
    assert_eq!(state(client).await, "unknown", "what happened meanwhile was not written down for it");
    update(client, "said").await;
    assert_eq!(state(client).await, "in_step");

    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    server.ok("clients.update", json!({"id": client, "notes": "discarded"})).await;
    server.ok("provisioning.deliveries.discard", json!({"handlers_id": handler})).await;
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    update(client, "more").await;
    assert_eq!(state(client).await, "unknown", "something was discarded");

    server.ok("provisioning.handlers.resync", json!({"id": handler})).await;
    wait_until("the resync is told", async || state(client).await == "in_step" && state(old).await == "in_step").await;
}

#[tokio::test]
async fn whom_a_resync_has_still_to_tell_of_is_not_in_step_and_nobody_else() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = server.handler(after(EVENTS, &recorder)).await;
    let (chosen, other) = (server.client("Chosen").await, server.client("Other").await);
    server.wait_all_delivered().await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    let resync = server.ok("provisioning.handlers.resync", json!({"id": handler, "clients_id": [chosen]})).await["id"].clone();
    assert_has(&of_client(&server, handler, chosen).await, &json!({"state": "stopped", "resyncs_id": resync, "waiting": 0}));
    assert_has(&of_client(&server, handler, other).await, &json!({"state": "in_step", "resyncs_id": null}));
    let summary = of_handler(&server, handler).await;
    assert_has(&summary, &json!({"state": "stopped", "resyncs_id": resync}));
    let status = server.ok("system.status", json!({})).await;
    assert_has(&status["handlers"][0], &json!({"state": "stopped", "resyncs_id": resync}));
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    wait_until("the resync is told", async || of_client(&server, handler, chosen).await["state"] == "in_step").await;
}
