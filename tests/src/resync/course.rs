//! Rate, waiting, pause, resume, cancel, restarts.
use std::time::Duration;

use hookswitch_testkit::{Api, Clocked, Gate, Recorder, Reply, Server, after, assert_has, json, wait_until, with};

use super::{begin, resync, wait_state};

async fn clients(api: &Api, count: usize) {
    for number in 0..count {
        api.client(&format!("Client {number}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_written_at_its_rate_and_it_says_how_long_yet() {
    let (server, recorder) = (Clocked::start().await, Recorder::start().await);
    clients(&server, 20).await;
    let handler = server.handler(after("clients.create", &recorder)).await;
    let (id, total) = begin(&server, handler, json!({"rate": 2})).await;
    assert_eq!(total, 20);
    recorder.wait_exactly(1).await;
    assert_has(&resync(&server, id).await, &json!({"state": "running", "sent": 1, "total": 20, "rate": 2, "eta_s": 10}));
    for second in 1..=3 {
        server.advance(1);
        // One at the beginning of each second and one in the middle of it: the clock stands at its end.
        recorder.wait(1 + second).await;
    }
    let sent = resync(&server, id).await["sent"].as_i64().unwrap();
    assert!((4..=7).contains(&sent), "{sent} within 3 s at 2/s");
    for _ in 0..20 {
        server.advance(1);
        let before = recorder.calls().len();
        if before == 20 {
            break;
        }
        recorder.wait(before + 1).await;
    }
    wait_state(&server, id, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_an_hour_does_not_hold_it_up() {
    let (server, recorder) = (Clocked::start().await, Recorder::start().await);
    clients(&server, 3).await;
    let handler = server.handler(after("clients.create", &recorder)).await;
    begin(&server, handler, json!({"rate": 1})).await;
    recorder.wait_exactly(1).await;
    server.advance(-3_600);
    recorder.wait_exactly(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_it_writes_nothing_resumed_it_goes_on_where_it_was_cancelled_it_ends() {
    let (server, recorder) = (Clocked::start().await, Recorder::start().await);
    clients(&server, 10).await;
    let handler = server.handler(after(json!(["clients.create", "provisioning.resync_done"]), &recorder)).await;
    let (id, _) = begin(&server, handler, json!({"rate": 1})).await;
    recorder.wait_exactly(1).await;
    let paused = server.ok("provisioning.resyncs.pause", json!({"id": id})).await;
    assert_has(&paused, &json!({"state": "paused", "reason": "paused by admin", "sent": 1, "eta_s": null}));
    assert_eq!(server.ok("provisioning.resyncs.pause", json!({"id": id})).await["state"], "paused");
    for _ in 0..5 {
        server.advance(10);
    }
    assert_eq!(resync(&server, id).await["sent"], 1);
    let resumed = server.ok("provisioning.resyncs.resume", json!({"id": id})).await;
    assert_has(&resumed, &json!({"state": "running", "reason": null}));
    recorder.wait(2).await;
    server.advance(1);
    let cancelled = server.ok("provisioning.resyncs.cancel", json!({"id": id})).await;
    assert_has(&cancelled, &json!({"state": "cancelled", "reason": "cancelled by admin"}));
    assert!(cancelled["ended_dt"].is_string());
    for method in ["pause", "resume", "cancel"] {
        assert_eq!(server.refused(&format!("provisioning.resyncs.{method}"), json!({"id": id})).await.code, -32009, "{method}");
    }
    server.advance(60);
    let (next, total) = begin(&server, handler, json!({"rate": 10_000})).await;
    wait_until("the next one is over", async || {
        server.advance(1);
        resync(&server, next).await["state"] == "done"
    })
    .await;
    server.wait_all_delivered().await;
    let of = |id: i64| recorder.calls().iter().filter(|call| call.event("resync")["id"] == id).count();
    assert_eq!(of(next) as i64, total + 1, "all, and that it has all");
    assert!(of(id) < 10, "the cancelled one has written no more");
}

#[tokio::test]
async fn two_at_once_for_one_handler_are_refused_naming_the_first() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    clients(&server, 3).await;
    let handler = server.handler(after("clients.create", &recorder)).await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    let (id, _) = begin(&server, handler, json!({})).await;
    let waiting = wait_state(&server, id, "waiting").await;
    assert_has(&waiting, &json!({"sent": 0, "reason": "the handler is paused by admin: maintenance", "eta_s": null}));
    let refusal = server.refused("provisioning.handlers.resync", json!({"id": handler})).await;
    assert_eq!(refusal.code, -32009);
    assert!(refusal.message.contains(&format!("resync {id}")) && refusal.message.contains("waiting"), "{refusal:?}");
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    wait_state(&server, id, "done").await;
    begin(&server, handler, json!({})).await;
}

#[tokio::test]
async fn a_handler_that_does_not_take_it_is_not_buried() {
    let (server, gate) = (Server::start().await, Gate::shut());
    clients(&server, 3).await;
    let held = gate.clone();
    let recorder = Recorder::answering(move |_| Reply::ok().behind(&held)).await;
    let handler = with(after("clients.accounts.create", &recorder), json!({"timeout_ms": 30_000, "concurrency": 256}));
    for number in 0..1_200 {
        server.account(1, &format!("account-{number}")).await;
    }
    let handler = server.handler(handler).await;
    let (id, total) = begin(&server, handler, json!({"rate": 10_000})).await;
    assert_eq!(total, 1_200);
    let waiting = wait_state(&server, id, "waiting").await;
    assert!(waiting["reason"].as_str().unwrap().contains("deliveries wait for the handler"), "{waiting}");
    assert_eq!(waiting["sent"], 1_000, "no more than can be kept in view");
    gate.open();
    wait_state(&server, id, "done").await;
    recorder.wait_exactly(1_200).await;
}

#[tokio::test]
async fn a_live_event_does_not_stand_behind_all_of_it() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    clients(&server, 400).await;
    let slow = Duration::from_millis(4);
    recorder.answer(move |_| Reply::ok().after(slow));
    let handler = server.handler(with(after("clients.create", &recorder), json!({"concurrency": 1}))).await;
    let (id, _) = begin(&server, handler, json!({"rate": 10_000})).await;
    recorder.wait(20).await;
    let live = server.client("Live").await;
    let ahead = recorder.calls().len();
    wait_state(&server, id, "done").await;
    let calls = recorder.calls();
    let at = calls.iter().position(|call| call.clients_id() == live).expect("it was told");
    assert!(ahead < 200 && at < ahead + 100, "{at} calls before it, {ahead} when it happened");
    assert_eq!(calls[at].event("cause"), &json!(null));
}

#[tokio::test]
async fn disabled_meanwhile_it_waits_and_deleted_it_ends() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    clients(&server, 30).await;
    let handler = server.handler(after("clients.create", &recorder)).await;
    let (id, _) = begin(&server, handler, json!({"rate": 5})).await;
    recorder.wait(1).await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    let waiting = wait_state(&server, id, "waiting").await;
    assert_eq!(waiting["reason"], "the handler is disabled");
    server.ok("provisioning.handlers.delete", json!({"id": handler, "force": true})).await;
    assert_has(&resync(&server, id).await, &json!({"state": "cancelled", "reason": "the handler was deleted"}));
}

#[tokio::test]
async fn a_handler_that_takes_none_of_it_any_more_ends_it() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    clients(&server, 30).await;
    let handler = server.handler(after(json!(["clients.create", "provisioning.resync_done"]), &recorder)).await;
    let (id, _) = begin(&server, handler, json!({"rate": 5})).await;
    recorder.wait(1).await;
    let less = json!({"id": handler, "event": ["clients.delete", "provisioning.resync_done"]});
    server.ok("provisioning.handlers.update", less).await;
    let ended = wait_state(&server, id, "cancelled").await;
    assert!(ended["reason"].as_str().unwrap().contains("takes none of its events"), "{ended}");
    server.wait_all_delivered().await;
    assert!(recorder.calls().iter().all(|call| call.events_id() == "clients.create"), "it has not got all");
}

#[tokio::test]
async fn after_kill_9_it_goes_on_where_it_was_and_leaves_nothing_out() {
    let (mut server, recorder) = (Server::start().await, Recorder::start().await);
    clients(&server, 40).await;
    for number in 0..40 {
        server.account(7, &format!("account-{number}")).await;
    }
    let handler = server.handler(after(json!(["clients.create", "clients.accounts.create"]), &recorder)).await;
    let (id, total) = begin(&server, handler, json!({"rate": 40})).await;
    for part in 1..=3 {
        wait_until("some more of it is sent", async || resync(&server, id).await["sent"].as_i64() >= Some(20 * part)).await;
        server.kill9().await;
        server.start_again().await;
    }
    let over = wait_state(&server, id, "done").await;
    assert_has(&over, &json!({"total": total, "sent": total, "delivered": total}));
    let mut told: Vec<_> =
        recorder.calls().iter().map(|call| (call.events_id().to_owned(), call.event("object_id").clone().to_string())).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 80);
    super::receiver::assert_rising(&recorder.calls());
}
