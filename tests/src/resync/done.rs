//! `provisioning.resync_done`: when the handler has all of it, and not before.
use hookswitch_testkit::{Gate, Recorder, Reply, Server, after, api::id, assert_has, json, wait_for, wait_until, with};

use super::{begin, resync, wait_state};

const DONE: &str = "provisioning.resync_done";

/// A server with three clients, the second of which the handler will not have.
async fn one_dead() -> (Server, Recorder, i64, i64) {
    let server = Server::start().await;
    for name in ["one", "two", "three"] {
        server.client(name).await;
    }
    let recorder =
        Recorder::answering(|call| if call.body["data"]["name"] == "two" { Reply::status(410) } else { Reply::ok() }).await;
    let handler = server.handler(after(json!(["clients.create", DONE]), &recorder)).await;
    let (id, total) = begin(&server, handler, json!({})).await;
    assert_eq!(total, 3);
    let incomplete = wait_state(&server, id, "incomplete").await;
    assert_has(&incomplete, &json!({"sent": 3, "delivered": 2, "waiting": 0, "retrying": 0, "dead": 1, "ended_dt": null}));
    assert!(incomplete["reason"].as_str().unwrap().contains("1 of its deliveries are dead"), "{incomplete}");
    recorder.wait_exactly(3).await;
    (server, recorder, handler, id)
}

async fn nothing_is_done(recorder: &Recorder) {
    assert!(recorder.calls().iter().all(|call| call.events_id() != DONE), "it was told that it has all");
}

#[tokio::test]
async fn after_the_last_one_is_delivered_the_handler_is_told_what_the_resync_was() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    let client = server.client("Acme").await;
    let handler = server.handler(after(json!(["clients.*", DONE]), &recorder)).await;
    let (id, total) = begin(&server, handler, json!({"clients_id": [client]})).await;
    assert_eq!(total, 2, "the client and the state of its funds");
    let call = recorder.wait_exactly(3).await.remove(2);
    let over = wait_state(&server, id, "done").await;
    assert_has(
        &call.body["event"],
        &json!({"events_id": DONE, "object_id": id, "clients_id": 0, "seq": 1, "cause": "resync", "resync": {"id": id, "total": 2}}),
    );
    let expected = json!({"id": id, "total": 2, "sent": 2, "clients_id": [client], "companies_id": null, "condition": "",
        "started_dt": over["started_dt"]});
    assert_eq!(call.body["data"], expected);
    assert_has(&call.body["object"], &json!({"id": id, "handlers_id": handler, "state": "done"}));
}

#[tokio::test]
async fn a_pattern_of_clients_events_does_not_mean_it() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    server.client("Acme").await;
    let handler = server.handler(after("clients.*", &recorder)).await;
    let (id, total) = begin(&server, handler, json!({})).await;
    wait_state(&server, id, "done").await;
    server.wait_all_delivered().await;
    recorder.wait_exactly(usize::try_from(total).unwrap()).await;
    nothing_is_done(&recorder).await;
}

#[tokio::test]
async fn while_one_is_dead_it_is_held_back_until_that_is_sent_again() {
    let (server, recorder, handler, id) = one_dead().await;
    nothing_is_done(&recorder).await;
    recorder.answer(|_| Reply::ok());
    server.ok("provisioning.deliveries.resend", json!({"handlers_id": handler, "state": "dead"})).await;
    assert_has(&wait_state(&server, id, "done").await, &json!({"delivered": 3, "dead": 0, "reason": null}));
    assert_eq!(recorder.wait_exactly(5).await[4].events_id(), DONE);
}

#[tokio::test]
async fn a_handler_that_will_never_hear_of_an_object_is_not_told_that_it_has_all() {
    let (server, recorder, handler, id) = one_dead().await;
    let discarded =
        server.ok("provisioning.deliveries.discard", json!({"handlers_id": handler, "reason": "known by hand"})).await;
    assert_eq!(discarded, json!({"discarded": 1}));
    let over = wait_state(&server, id, "done").await;
    assert_has(&over, &json!({"delivered": 2, "discarded": 1}));
    assert!(over["reason"].as_str().unwrap().contains("discarded"), "{over}");
    server.wait_all_delivered().await;
    nothing_is_done(&recorder).await;
    let rows = server.log(json!({"handlers_id": handler, "status": "skipped"})).await;
    assert_eq!(rows[0]["error"], "discarded by admin: known by hand");
}

#[tokio::test]
async fn an_incomplete_one_gives_way_to_the_next() {
    let (server, recorder, handler, first) = one_dead().await;
    recorder.answer(|_| Reply::ok());
    let (second, _) = begin(&server, handler, json!({})).await;
    wait_state(&server, second, "done").await;
    assert_has(
        &resync(&server, first).await,
        &json!({"state": "cancelled", "reason": format!("resync {second} has taken its place")}),
    );
    wait_until("it has all", async || recorder.calls().last().unwrap().events_id() == DONE).await;
    assert_eq!(recorder.calls().last().unwrap().event("object_id"), second);
    let dead = server.ok("provisioning.deliveries.search", json!({"state": "dead"})).await;
    let refusal = server.refused("provisioning.deliveries.resend", json!({"id": id(&dead[0])})).await;
    assert_eq!(refusal.code, -32009, "the next one has overtaken it");
}

#[tokio::test]
async fn with_the_latest_only_a_live_event_that_stands_for_one_of_the_resync_holds_it_back_too() {
    let (server, gate) = (Server::start().await, Gate::shut());
    for name in ["one", "two", "three"] {
        server.client(name).await;
    }
    let shut = gate.clone();
    let reply = |live: bool| if live { Reply::status(410) } else { Reply::ok() };
    let recorder = Recorder::answering(move |call| reply(call.body["data"]["notes"] == "live").behind(&shut)).await;
    let latest = json!({"ordering": "latest", "concurrency": 1, "timeout_ms": 30_000});
    let handler = server.handler(with(after(json!(["clients.update", DONE]), &recorder), latest)).await;
    let (id, total) = begin(&server, handler, json!({})).await;
    wait_state(&server, id, "delivering").await;
    server.ok("clients.update", json!({"id": 3, "notes": "live"})).await;
    gate.open();
    let incomplete = wait_state(&server, id, "incomplete").await;
    assert_eq!((total, &incomplete["dead"]), (3, &json!(1)));
    let calls = recorder.wait_exactly(3).await;
    assert_eq!((calls[2].clients_id(), calls[2].event("cause")), (3, &json!(null)), "it stands for that of the resync");
    recorder.answer(|_| Reply::ok());
    server.ok("provisioning.deliveries.resend", json!({"handlers_id": handler, "state": "dead"})).await;
    wait_state(&server, id, "done").await;
    assert_eq!(recorder.wait_exactly(5).await[4].events_id(), DONE);
}

#[tokio::test]
async fn deliveries_are_chosen_by_when_their_events_happened() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::status(410)).await;
    server.handler(after("clients.create", &recorder)).await;
    server.client("Acme").await;
    let dead = wait_for("a dead delivery", async || {
        server.ok("provisioning.deliveries.search", json!({"state": "dead"})).await.get(0).cloned()
    })
    .await;
    let dt = dead["dt"].as_str().unwrap();
    let found = async |filter| server.ok("provisioning.deliveries.search", filter).await.as_array().unwrap().len();
    assert_eq!(found(json!({"dt_from": dt, "order": ["-dt"]})).await, 1);
    assert_eq!(found(json!({"dt_to": dt})).await, 0);
    assert_eq!(found(json!({"dt_from": "2999-01-01"})).await, 0);
    let resent = server.ok("provisioning.deliveries.resend", json!({"dt_to": dt, "state": "dead"})).await;
    assert_eq!(resent, json!({"resent": 0, "overtaken": 0}));
    let discarded = server.ok("provisioning.deliveries.discard", json!({"dt_from": dt, "dt_to": "2999-01-01"})).await;
    assert_eq!(discarded, json!({"discarded": 1}));
    for wrong in [json!({"id": 1, "reason": 5}), json!({"reason": "alone"})] {
        assert_eq!(server.refused("provisioning.deliveries.discard", wrong).await.code, -32602);
    }
}

#[tokio::test]
async fn what_is_overtaken_and_sent_all_the_same_is_old_to_the_handler_so_it_has_not_all() {
    let server = Server::start().await;
    let two = server.client("two").await;
    let recorder =
        Recorder::answering(|call| if call.events_id() == "clients.create" { Reply::status(410) } else { Reply::ok() }).await;
    let handler = server.handler(after(json!(["clients.create", "clients.update", DONE]), &recorder)).await;
    let (id, _) = begin(&server, handler, json!({})).await;
    wait_state(&server, id, "incomplete").await;
    server.ok("clients.update", json!({"id": two, "notes": "newer"})).await;
    recorder.answer(|_| Reply::ok());
    let dead = json!({"handlers_id": handler, "state": "dead"});
    assert_eq!(server.ok("provisioning.deliveries.resend", dead.clone()).await, json!({"resent": 0, "overtaken": 1}));
    server.ok("provisioning.deliveries.resend", with(dead, json!({"force": true}))).await;
    wait_state(&server, id, "done").await;
    server.wait_all_delivered().await;
    nothing_is_done(&recorder).await;
}
