//! The lane: one handler gets all events of one client in the order of `seq`, one at a time; other clients don't wait.
use std::sync::Arc;

use hookswitch_testkit::{Call, Gate, Recorder, Reply, Server, after, json, wait_until, with};
use tokio::sync::Semaphore;

const EVENTS: [&str; 3] = ["clients.create", "clients.update", "clients.accounts.*"];

fn seqs(calls: &[Call], clients_id: i64) -> Vec<i64> {
    calls.iter().filter(|call| call.clients_id() == clients_id).map(Call::seq).collect()
}

/// Answers at once but for the first call about `clients_id`, which waits for the gate.
async fn gated(clients_id: i64, gate: &Gate) -> Recorder {
    let gate = gate.clone();
    Recorder::answering(move |call| if call.clients_id() == clients_id { Reply::ok().behind(&gate) } else { Reply::ok() }).await
}

#[tokio::test]
async fn one_client_waits_for_its_own_slow_call_and_other_clients_do_not() {
    let server = Server::start().await;
    let (slow, quick) = (server.client("Slow").await, server.client("Quick").await);
    let gate = Gate::shut();
    let recorder = gated(slow, &gate).await;
    server.handler(after(json!(EVENTS), &recorder)).await;
    for round in 0..5 {
        for client in [slow, quick] {
            server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
        }
        server.account(slow, &format!("s{round}")).await;
    }
    wait_until("the quick one is done", || async { seqs(&recorder.calls(), quick).len() == 5 }).await;
    assert_eq!(seqs(&recorder.calls(), slow), [2], "one at a time");
    let waiting = server.ok("provisioning.deliveries.search", json!({"clients_id": slow, "with_total": true})).await;
    assert_eq!(waiting["total"], json!(10));
    gate.open();
    server.wait_all_delivered().await;
    assert_eq!(seqs(&recorder.calls(), quick), [2, 3, 4, 5, 6]);
    assert_eq!(seqs(&recorder.calls(), slow), (2..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_slow_handler_does_not_delay_another() {
    let server = Server::start().await;
    let (hanging, healthy) = (Recorder::answering(|_| Reply::hang()).await, Recorder::start().await);
    server.handler(with(after(json!(EVENTS), &hanging), json!({"timeout_ms": 30_000, "name": "hanging"}))).await;
    server.handler(with(after(json!(EVENTS), &healthy), json!({"name": "healthy"}))).await;
    let client = server.client("Acme").await;
    for round in 0..50 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
    }
    healthy.wait_exactly(51).await;
    assert_eq!(seqs(&healthy.calls(), client), (1..=51).collect::<Vec<_>>());
    assert_eq!(hanging.calls().len(), 1);
}

#[tokio::test]
async fn without_ordering_a_slow_call_holds_up_nothing() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let gate = Gate::shut();
    let recorder = Recorder::answering({
        let gate = gate.clone();
        move |call| if call.seq() == 2 { Reply::ok().behind(&gate) } else { Reply::ok() }
    })
    .await;
    server.handler(with(after("clients.update", &recorder), json!({"ordering": "none"}))).await;
    for round in 0..5 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
    }
    recorder.wait_exactly(5).await;
    gate.open();
    server.wait_all_delivered().await;
}

#[tokio::test]
async fn no_more_calls_are_in_flight_than_the_handler_allows() {
    let server = Server::start().await;
    let (slow, witness) = (Recorder::start().await, Recorder::start().await);
    // Each call is answered when the test lets one go: how many are in flight depends on no machine's speed.
    let let_go = Arc::new(Semaphore::new(0));
    slow.answer_later({
        let let_go = let_go.clone();
        move |_| {
            let let_go = let_go.clone();
            async move {
                let_go.acquire_owned().await.unwrap().forget();
                Reply::ok()
            }
        }
    });
    let limits = json!({"concurrency": 3, "timeout_ms": 30_000, "name": "slow"});
    server.handler(with(after("clients.create", &slow), limits)).await;
    server.handler(after("clients.create", &witness)).await;
    let batch: Vec<_> =
        (0..20).map(|n| hookswitch_testkit::api::request("clients.create", json!({"name": format!("c{n}")}))).collect();
    server.post("/api/", &[], json!(batch).to_string()).await;
    for answered in 0..=17 {
        slow.wait(answered + 3).await;
        // By now a fourth call would have come, as all came to the other handler.
        witness.wait_exactly(20).await;
        assert_eq!(slow.calls().len(), answered + 3, "three in flight, {answered} answered");
        let_go.add_permits(1);
    }
    let_go.add_permits(2);
    server.wait_all_delivered().await;
    slow.wait_exactly(20).await;
}

#[tokio::test]
async fn an_event_list_and_a_pattern_choose_the_events() {
    let server = Server::start().await;
    let (listed, accounts) = (Recorder::start().await, Recorder::start().await);
    server.handler(after(json!(["clients.create", "clients.delete"]), &listed)).await;
    server.handler(after("clients.accounts.*", &accounts)).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "a").await;
    server.ok("clients.update", json!({"id": client, "notes": "n"})).await;
    server.ok("clients.accounts.update", json!({"id": account, "name": "b"})).await;
    server.ok("clients.delete", json!({"id": client})).await;
    let names = |calls: Vec<Call>| calls.iter().map(|call| call.events_id().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(listed.wait_exactly(2).await), ["clients.create", "clients.delete"]);
    let expected = ["clients.accounts.create", "clients.accounts.update", "clients.accounts.delete"];
    assert_eq!(names(accounts.wait_exactly(3).await), expected);
}

#[tokio::test]
async fn what_waits_survives_a_crash_and_goes_out_in_order() {
    let mut server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::answering(|_| Reply::hang()).await;
    server.handler(with(after("clients.update", &recorder), json!({"timeout_ms": 30_000}))).await;
    for round in 0..20 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
    }
    recorder.wait(1).await;
    server.kill9().await;
    recorder.answer(|_| Reply::ok());
    recorder.forget();
    server.start_again().await;
    server.wait_all_delivered().await;
    assert_eq!(seqs(&recorder.calls(), client), (2..=21).collect::<Vec<_>>());
}

#[tokio::test]
async fn seq_has_no_gap_also_where_nobody_listens() {
    let server = Server::start().await;
    let (client, other) = (server.client("Acme").await, server.client("Other").await);
    let recorder = Recorder::start().await;
    server.ok("clients.update", json!({"id": client, "notes": "nobody listens"})).await;
    server.refused("clients.update", json!({"id": client, "credit": -1})).await;
    server.handler(after("clients.update", &recorder)).await;
    server.ok("clients.update", json!({"id": client, "notes": "now"})).await;
    server.ok("clients.update", json!({"id": other, "notes": "now"})).await;
    let calls = recorder.wait_exactly(2).await;
    assert_eq!((seqs(&calls, client), seqs(&calls, other)), (vec![3], vec![2]));
    let journal: Vec<_> = server.journal(client).await.into_iter().map(|(_, seq)| seq).collect();
    assert_eq!(journal, [1, 2, 3]);
}
