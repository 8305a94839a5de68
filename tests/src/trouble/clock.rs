//! A clock that jumps an hour ahead and is put right again: nothing stands still for that hour, nothing comes twice or in another
//! order.
use hookswitch_testkit::{Clocked, Recorder, Reply, Value, after, api::id, check::column, json, wait_for, wait_until, with};

const HOUR: i64 = 3_600;

async fn change(server: &Clocked, client: i64, notes: &str) {
    server.ok("clients.update", json!({"id": client, "notes": notes})).await;
}

fn told(recorder: &Recorder) -> Vec<(i64, String)> {
    let notes = |call: &hookswitch_testkit::Call| call.body["data"]["notes"].as_str().unwrap().to_owned();
    recorder.calls().iter().map(|call| (call.seq(), notes(call))).collect()
}

/// Waits until the first delivery has had so many attempts, the last one written down.
async fn attempts(server: &Clocked, count: i64) {
    wait_until(&format!("{count} attempts"), async || {
        let rows = server.ok("provisioning.deliveries.search", json!({"order": ["id"], "limit": 1})).await;
        rows[0]["attempt"].as_i64() >= Some(count)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_go_on_as_planned_while_the_clock_jumps_ahead_and_back() {
    let server = Clocked::start().await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    server.handler(with(after("clients.update", &recorder), json!({"retries": [30, 30, 30, 30]}))).await;
    let client = server.client("Acme").await;
    change(&server, client, "a").await;
    attempts(&server, 1).await;
    server.advance(HOUR);
    attempts(&server, 2).await;
    change(&server, client, "b").await;
    server.advance(-HOUR);
    change(&server, client, "c").await;
    // Due within its 30 s and their fifth, not within an hour.
    recorder.answer(|_| Reply::ok());
    wait_for("it is due", async || {
        server.advance(1);
        (told(&recorder).len() >= 5).then_some(())
    })
    .await;
    server.wait_all_delivered().await;
    let all: Vec<_> = told(&recorder).into_iter().map(|(_, notes)| notes).collect();
    assert_eq!(all, ["a", "a", "a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_events_wait_for_no_clock() {
    let server = Clocked::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.update", &recorder)).await;
    let client = server.client("Acme").await;
    for (step, notes) in [(0, "a"), (HOUR, "b"), (-HOUR, "c"), (-HOUR, "d"), (2 * HOUR, "e")] {
        server.advance(step);
        change(&server, client, notes).await;
    }
    recorder.wait(5).await;
    let expected: Vec<_> = ["a", "b", "c", "d", "e"].iter().zip(2..).map(|(notes, seq)| (seq, (*notes).to_owned())).collect();
    assert_eq!(told(&recorder), expected);
    assert_eq!(server.client("Beta").await, client + 1, "ids know no time");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_over_a_restart_does_not_wait_for_the_time_before_it() {
    let mut server = Clocked::start().await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    server.handler(with(after("clients.update", &recorder), json!({"retries": [30, 30]}))).await;
    let client = server.client("Acme").await;
    server.advance(HOUR);
    change(&server, client, "a").await;
    attempts(&server, 1).await;
    recorder.answer(|_| Reply::ok());
    server.restart_after(-HOUR).await;
    wait_for("it is due", async || {
        server.advance(1);
        (recorder.calls().len() == 2).then_some(())
    })
    .await;
    server.wait_all_delivered().await;
    assert!(server.now() < Clocked::seconds("2026-11-23T12:45:00Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_is_paused_by_the_breaker_is_probed_all_the_same() {
    let server = Clocked::start().await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    let handler = server.handler(with(after("clients.create", &recorder), json!({"retries": [600, 600, 600, 600]}))).await;
    let paused = async || server.ok("provisioning.handlers.get", json!({"id": handler})).await["paused"].clone();
    // At the tenth it is paused.
    for number in 0..10 {
        server.client(&format!("client {number}")).await;
        recorder.wait(number + 1).await;
        server.advance(4);
    }
    wait_until("it is paused", async || paused().await["by"] == "breaker").await;
    server.advance(HOUR);
    // It was an hour later for a while: a probe was sent, and its end written down.
    recorder.wait(11).await;
    server.wait_log(json!({"handlers_id": handler, "limit": 100}), 11).await;
    server.advance(-HOUR);
    recorder.answer(|_| Reply::ok());
    wait_until("a probe succeeds", async || {
        server.advance(1);
        paused().await == Value::Null
    })
    .await;
    assert!(server.now() < Clocked::seconds("2026-11-23T12:30:00Z"), "within minutes");
    server.wait_all_delivered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_is_known_as_one_by_either_clock() {
    let server = Clocked::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.*", &recorder)).await;
    for step in [HOUR, -HOUR] {
        server.advance(step);
        let client = server.client(&format!("client {step}")).await;
        let call = recorder.wait(1).await.remove(0);
        let cause = call.header("hookswitch-cause").unwrap().to_owned();
        server.advance(-step);
        let (headers, params) = ([("hookswitch-cause", cause.as_str())], json!({"id": client, "notes": "n"}));
        server.call_with(&headers, "clients.update", params).await.unwrap();
        let events = server.ok("provisioning.events.search", json!({"clients_id": client})).await;
        assert_eq!(events[0]["cause"], *call.event("id"), "{events}");
        assert_eq!(recorder.calls().len(), 1, "not told of its own reaction");
        recorder.forget();
        server.advance(step);
    }
}

/// What a client with an hourly package was told of, and charged, when its clock was turned so.
async fn hourly(steps: &[i64]) -> (Vec<(i64, String)>, Vec<Value>) {
    let server = Clocked::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.packages.*", &recorder)).await;
    let package = json!({"name": "Hourly", "period": "PT1H", "period_fee": 1, "activation_fee": 0});
    let package = id(&server.ok("packages.create", package).await);
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": null})).await);
    server.ok("clients.packages.assign", json!({"clients_id": client, "packages_id": package})).await;
    server.wait_nothing_due().await;
    for step in steps {
        server.advance(*step);
        server.wait_nothing_due().await;
    }
    server.wait_all_delivered().await;
    let told = recorder.calls().iter().map(|call| (call.seq(), call.events_id().to_owned())).collect();
    let fees = server.ok("accounting.transactions.search", json!({"clients_id": client, "order": ["id"], "limit": 100})).await;
    (told, column(&fees, "c_dt"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_package_takes_the_same_steps_and_is_charged_the_same() {
    let straight = hourly(&[HOUR + 60, HOUR]).await;
    let jumping = hourly(&[HOUR + 60, -HOUR, HOUR, -2 * HOUR, 2 * HOUR, HOUR]).await;
    assert_eq!(jumping, straight);
    assert!(straight.0.len() >= 4, "renewed twice at least: {straight:?}");
}
