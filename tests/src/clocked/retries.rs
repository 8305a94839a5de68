//! The retry schedule (`provisioning.md`, section 5), to the second.
use hookswitch_testkit::{Api, Clocked, Recorder, Reply, Value, after, assert_has, json, wait_for, with};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The first client's first delivery that is there.
async fn delivery(api: &Api) -> Option<Value> {
    api.ok("provisioning.deliveries.search", json!({"clients_id": 1})).await.get(0).cloned()
}

/// Waits until the delivery has had `attempts` attempts and waits for the next, or is dead.
async fn settled(api: &Api, attempts: usize) -> Value {
    wait_for(&format!("attempt {attempts} is settled"), async || {
        let found = delivery(api).await?;
        let rows = api.log(json!({"stage": "after", "clients_id": 1, "limit": 1000})).await.len();
        (rows == attempts && found["state"] != "waiting" && found["attempt"].as_u64() >= Some(attempts as u64)).then_some(found)
    })
    .await
}

/// Seconds from now until the next attempt.
fn wait_of(server: &Clocked, delivery: &Value) -> i64 {
    Clocked::seconds(delivery["next_dt"].as_str().expect("a next time")) - server.now()
}

/// A handler that always answers so, and one event for it.
async fn failing(server: &Clocked, reply: Reply, more: Value) -> (Recorder, i64) {
    let recorder = Recorder::answering(move |_| reply.clone()).await;
    let handler = server.handler(with(after("clients.create", &recorder), more)).await;
    server.client("Acme").await;
    (recorder, handler)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_delivery_is_tried_for_a_day_on_the_default_schedule_and_is_then_dead() {
    let server = Clocked::start().await;
    let (recorder, _) = failing(&server, Reply::status(500), json!({})).await;
    // One that fails at everything would be paused by the breaker.
    recorder.answer(|call| if call.clients_id() == 1 { Reply::status(500) } else { Reply::ok() });
    let began = server.now();
    for attempt in 1.. {
        let found = settled(&server, attempt).await;
        if found["state"] == "dead" {
            let took = server.now() - began;
            assert!((DAY - 3 * HOUR..=DAY + HOUR).contains(&took), "dead after {took} s");
            assert!((15..=20).contains(&attempt), "{attempt} attempts");
            break;
        }
        let planned = [5, 30, 120, 600, 1_800, HOUR].get(attempt - 1).copied().unwrap_or(2 * HOUR);
        let waits = wait_of(&server, &found);
        // Up to 20 % jitter, and whole seconds are shown.
        let jitter = planned * 8 / 10 - 1..=planned * 12 / 10 + 1;
        assert!(jitter.contains(&waits), "attempt {attempt}: {waits} s, planned {planned}");
        let other = server.client(&format!("Other {attempt}")).await;
        wait_for("another's event", async || recorder.calls().iter().any(|call| call.clients_id() == other).then_some(())).await;
        server.wait_log(json!({"clients_id": other}), 1).await;
        server.advance(waits + 1);
    }
    let calls = recorder.calls();
    let attempts: Vec<_> = calls.iter().filter(|call| call.clients_id() == 1).map(hookswitch_testkit::Call::attempt).collect();
    assert_eq!(attempts, (1..=attempts.len() as i64).collect::<Vec<_>>());
    assert_eq!(delivery(&server).await.unwrap()["state"], "dead", "it never disappears on its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_schedule_counts_and_an_empty_one_is_one_attempt() {
    let server = Clocked::start().await;
    failing(&server, Reply::status(503), json!({"retries": [10, 1000]})).await;
    for (attempt, planned) in [(1, 10), (2, 1000)] {
        let found = settled(&server, attempt).await;
        assert_eq!(found["state"], "retrying");
        let waits = wait_of(&server, &found);
        assert!((planned * 8 / 10 - 1..=planned * 12 / 10 + 1).contains(&waits), "{waits} s, planned {planned}");
        server.advance(waits + 1);
    }
    assert_eq!(settled(&server, 3).await["state"], "dead");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_at_a_later_attempt_ends_it() {
    let server = Clocked::start().await;
    let (recorder, _) = failing(&server, Reply::close(), json!({})).await;
    settled(&server, 1).await;
    recorder.answer(|_| Reply::ok());
    server.advance(7);
    server.wait_all_delivered().await;
    assert_eq!(recorder.wait_exactly(2).await[1].header("hookswitch-attempt"), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_counts_up_to_an_hour() {
    let server = Clocked::start().await;
    let (recorder, _) = failing(&server, Reply::status(503).header("retry-after", "300"), json!({})).await;
    let waits = wait_of(&server, &settled(&server, 1).await);
    assert!((299..=361).contains(&waits), "{waits} s");
    recorder.answer(|_| Reply::status(429).header("retry-after", "86400"));
    server.advance(waits + 1);
    let waits = wait_of(&server, &settled(&server, 2).await);
    assert!((HOUR - 1..=HOUR * 12 / 10 + 1).contains(&waits), "{waits} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn later_events_of_the_client_wait_behind_a_retry_and_keep_their_order() {
    let server = Clocked::start().await;
    let (recorder, handler) = failing(&server, Reply::status(500), json!({"event": ["clients.create", "clients.update"]})).await;
    settled(&server, 1).await;
    for round in 0..3 {
        server.ok("clients.update", json!({"id": 1, "notes": format!("{round}")})).await;
    }
    let other = server.client("Other").await;
    recorder.wait_exactly(2).await;
    assert_eq!(recorder.calls()[1].clients_id(), other, "another client does not wait");
    recorder.answer(|_| Reply::ok());
    server.advance(10);
    wait_for("all of the first client's", async || {
        let rows = server.ok("provisioning.deliveries.search", json!({"handlers_id": handler, "clients_id": 1})).await;
        (rows == json!([])).then_some(())
    })
    .await;
    let seqs: Vec<_> = recorder.calls().iter().filter(|call| call.clients_id() == 1).map(hookswitch_testkit::Call::seq).collect();
    assert_eq!(seqs, [1, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_spent_paused_disabled_or_behind_another_does_not_count() {
    let server = Clocked::start().await;
    let (recorder, handler) = failing(&server, Reply::status(500), json!({"event": ["clients.create", "clients.update"]})).await;
    settled(&server, 1).await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    server.advance(3 * DAY);
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    server.advance(10);
    let found = settled(&server, 2).await;
    assert_eq!(found["state"], "retrying", "three days of pause are no day of trying: {found}");
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    server.advance(3 * DAY);
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "enabled"})).await;
    server.advance(40);
    assert_eq!(settled(&server, 3).await["state"], "retrying");
    assert_eq!(recorder.calls().len(), 3, "nothing was called meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_delivery_can_be_sent_again_days_later() {
    let server = Clocked::start().await;
    let (recorder, _) = failing(&server, Reply::status(410), json!({})).await;
    let dead = settled(&server, 1).await;
    server.advance(5 * DAY);
    recorder.answer(|_| Reply::ok());
    assert_has(&server.ok("provisioning.deliveries.resend", json!({"id": dead["id"]})).await, &json!({"resent": 1}));
    let calls = recorder.wait_exactly(2).await;
    assert_eq!(calls[1].header("hookswitch-resend"), Some("true"));
    server.wait_all_delivered().await;
}
