//! A dead after handler is left alone, and probed until it is back (`provisioning.md`, section 5).
use hookswitch_testkit::{Api, Call, Clocked, Recorder, Reply, Value, after, assert_has, json, wait_for, wait_until, with};

const HANDLED: &[&str] = &["clients.create", "clients.update"];

async fn paused(api: &Api, handler: i64) -> Value {
    api.ok("provisioning.handlers.get", json!({"id": handler})).await["paused"].clone()
}

/// Waits until so many attempts were written down.
async fn attempts(api: &Api, count: usize) {
    wait_for(&format!("{count} attempts are in the log"), async || {
        let rows = api.log(json!({"stage": "after", "limit": 1000})).await;
        (rows.len() == count).then_some(())
    })
    .await;
}

/// A handler that has failed ten times in a row over 31 seconds, with one event each of so many clients.
async fn dead(server: &Clocked, more: Value) -> (Recorder, i64) {
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    let handler = server.handler(with(after(HANDLED, &recorder), with(json!({"retries": [3600, 3600]}), more))).await;
    for client in 0..9 {
        server.client(&format!("Client {client}")).await;
    }
    attempts(server, 9).await;
    assert_eq!(paused(server, handler).await, json!(null));
    server.advance(31);
    server.client("Client 9").await;
    wait_for("the breaker's pause", async || (paused(server, handler).await != json!(null)).then_some(())).await;
    attempts(server, 10).await;
    (recorder, handler)
}

fn clients(calls: &[Call]) -> Vec<i64> {
    calls.iter().map(Call::clients_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_failures_in_a_row_over_30_seconds_pause_a_handler_and_its_version_stays() {
    let server = Clocked::start().await;
    let (recorder, handler) = dead(&server, json!({})).await;
    let shown = server.ok("provisioning.handlers.get", json!({"id": handler})).await;
    assert_has(&shown, &json!({"status": "enabled", "version": 1, "paused": {"by": "breaker"}}));
    let reason = shown["paused"]["reason"].as_str().unwrap();
    assert!(reason.contains("10 times in a row over 31 s") && reason.contains("500"), "{reason}");
    assert_eq!(Clocked::seconds(shown["paused"]["since"].as_str().unwrap()), server.now());
    server.client("Waits").await;
    assert_eq!(recorder.calls().len(), 10, "nothing is sent, its queue grows");
    let status = server.ok("system.status", json!({})).await;
    assert_has(&status["handlers"][0], &json!({"waiting": 1, "retrying": 10, "paused": {"by": "breaker"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_take_the_heads_of_different_lanes_in_turn_and_count_as_attempts() {
    let server = Clocked::start().await;
    let (recorder, _) = dead(&server, json!({})).await;
    server.ok("clients.update", json!({"id": 1, "notes": "behind the head"})).await;
    recorder.forget();
    for probe in 1..=12 {
        server.advance(9);
        server.ok("clients.get", json!({"id": 1})).await;
        assert_eq!(recorder.calls().len(), probe - 1, "not before 10 s have passed");
        server.advance(2);
        recorder.wait_exactly(probe).await;
        attempts(&server, 10 + probe).await;
    }
    let probed = recorder.calls();
    assert_eq!(clients(&probed), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2]);
    assert!(probed.iter().all(|call| call.events_id() == "clients.create"), "heads of lanes only");
    assert_eq!(probed.iter().map(Call::attempt).collect::<Vec<_>>(), [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3]);
    // The third attempt was the last one of this handler's schedule: what is dead lets the next one pass.
    let dead = server.ok("provisioning.deliveries.search", json!({"state": "dead"})).await;
    assert_eq!(dead.as_array().unwrap().len(), 2, "{dead}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_succeeds_ends_the_pause_and_everything_comes_at_once_in_order() {
    let server = Clocked::start().await;
    let (recorder, handler) = dead(&server, json!({})).await;
    for client in 1..=10 {
        server.ok("clients.update", json!({"id": client, "notes": "later"})).await;
    }
    recorder.forget();
    recorder.answer(|_| Reply::ok());
    server.advance(11);
    server.wait_all_delivered().await;
    wait_until("the pause is over", async || paused(&server, handler).await == json!(null)).await;
    let calls = recorder.wait_exactly(20).await;
    for client in 1..=10 {
        let seqs: Vec<i64> = calls.iter().filter(|call| call.clients_id() == client).map(Call::seq).collect();
        assert_eq!(seqs, [1, 2], "client {client}: nobody waits for a retry that was planned in an hour");
    }
    assert_eq!(clients(&calls)[0], 1, "the probe came first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_by_the_breaker_outlives_a_restart() {
    let mut server = Clocked::start().await;
    let (recorder, handler) = dead(&server, json!({})).await;
    recorder.forget();
    server.restart_after(1).await;
    assert_has(&paused(&server, handler).await, &json!({"by": "breaker"}));
    recorder.wait_exactly(1).await;
    attempts(&server, 11).await;
    recorder.answer(|_| Reply::ok());
    // The time of the next probe is set when the last one is over and done with.
    wait_until("the next probe", async || {
        server.advance(11);
        recorder.calls().len() > 1
    })
    .await;
    server.wait_all_delivered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_handler_costs_no_delivery_its_life_however_long_it_is_down() {
    let server = Clocked::start().await;
    let (recorder, handler) = dead(&server, json!({})).await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "retries": null})).await;
    attempts(&server, 11).await;
    wait_until("days of probes", async || {
        server.advance(3_600 * 24);
        recorder.calls().len() >= 15
    })
    .await;
    assert_eq!(server.ok("provisioning.deliveries.search", json!({"state": "dead"})).await, json!([]));
    recorder.answer(|_| Reply::ok());
    wait_until("the next probe", async || {
        server.advance(11);
        paused(&server, handler).await == json!(null)
    })
    .await;
    server.wait_all_delivered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_hand_it_can_be_resumed_or_left_alone_without_probes() {
    let server = Clocked::start().await;
    let (recorder, handler) = dead(&server, json!({})).await;
    let by_hand = server.ok("provisioning.handlers.pause", json!({"id": handler, "reason": "the disk is changed"})).await;
    assert_has(&by_hand["paused"], &json!({"by": "admin", "reason": "the disk is changed"}));
    recorder.forget();
    recorder.answer(|_| Reply::ok());
    server.advance(3_600 * 24 * 3);
    server.ok("clients.get", json!({"id": 1})).await;
    assert!(recorder.calls().is_empty(), "no probes");
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    server.advance(3_600 * 2);
    server.wait_all_delivered().await;
    assert_eq!(recorder.wait_exactly(10).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resume_by_hand_gives_a_dead_handler_a_new_chance_at_once() {
    let server = Clocked::start().await;
    let (recorder, handler) = dead(&server, json!({})).await;
    recorder.answer(|_| Reply::ok());
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    server.wait_all_delivered().await;
    assert_eq!(recorder.calls().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_poisoned_event_pauses_nobody_who_takes_the_others() {
    let server = Clocked::start().await;
    let recorder =
        Recorder::answering(|call| if call.body["data"]["name"] == "Poison" { Reply::status(500) } else { Reply::ok() }).await;
    let handler = server.handler(with(after(HANDLED, &recorder), json!({"retries": vec![3; 20]}))).await;
    server.client("Poison").await;
    for round in 1..=14 {
        attempts(&server, 2 * round - 1).await;
        server.client(&format!("Fine {round}")).await;
        attempts(&server, 2 * round).await;
        server.advance(4);
    }
    assert_eq!(paused(&server, handler).await, json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_client_with_thousands_of_events_in_front_keeps_nobody_from_being_probed() {
    let server = Clocked::start().await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    let handler = server.handler(with(after(HANDLED, &recorder), json!({"retries": vec![3600; 90]}))).await;
    let poison = server.client("Poison").await;
    for portion in 0..25 {
        let call = |n: usize| {
            let params = json!({"id": poison, "notes": format!("{portion}.{n}")});
            json!({"jsonrpc": "2.0", "id": n, "method": "clients.update", "params": params})
        };
        let answer = server.post("/api/", &[], json!((0..100).map(call).collect::<Vec<_>>()).to_string()).await;
        assert_eq!(answer.status, 200);
    }
    for client in 0..9 {
        server.client(&format!("Client {client}")).await;
    }
    attempts(&server, 10).await;
    // The clock turns: the clients' events but for the poison's come again, and the breaker pauses the handler.
    server.advance(3_600 * 2);
    wait_for("the breaker's pause", async || (paused(&server, handler).await != json!(null)).then_some(())).await;
    recorder.answer(move |call| if call.clients_id() == poison { Reply::status(500) } else { Reply::ok() });
    wait_until("a probe of somebody else ends the pause", async || {
        server.advance(11);
        paused(&server, handler).await == json!(null)
    })
    .await;
}
