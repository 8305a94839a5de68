//! Whoever floods a handler, or hangs in it, does not hold up the others.
use std::time::Duration;

use hookswitch_testkit::{Call, Engine, Gate, Recorder, Reply, Server, after, json, wait_until, with};

/// More than a handler's queue holds in memory.
const FLOOD: usize = 1_200;

async fn flood(server: &Server, company: i64) {
    for portion in 0..FLOOD / 100 {
        let call = |n: usize| {
            let params = json!({"name": format!("Row {portion}.{n}"), "companies_id": company});
            json!({"jsonrpc": "2.0", "id": n, "method": "clients.create", "params": params})
        };
        let answer = server.post("/api/", &[], json!((0..100).map(call).collect::<Vec<_>>()).to_string()).await;
        assert_eq!(answer.status, 200);
    }
}

fn place_of(calls: &[Call], company: i64) -> Option<usize> {
    calls.iter().position(|call| call.event("companies_id") == company)
}

/// How many of the import may come before: what is in flight already, and one more of its turn. On PostgreSQL a lane is read before its first
/// turn; what comes within that time is no multiple of the import.
fn before_it() -> usize {
    match Engine::of_this_run() {
        Engine::Sqlite => 3,
        Engine::Postgres => FLOOD / 20,
    }
}

#[tokio::test]
async fn an_import_of_one_reseller_does_not_hold_back_the_single_change_of_another() {
    let server = Server::start().await;
    let (big, small) = (server.company("Big", 1).await, server.company("Small", 1).await);
    let gate = Gate::shut();
    let behind = gate.clone();
    let recorder = Recorder::answering(move |_| Reply::ok().behind(&behind)).await;
    server.handler(with(after("clients.create", &recorder), json!({"concurrency": 2, "timeout_ms": 30_000}))).await;
    flood(&server, big).await;
    server.ok("clients.create", json!({"name": "Single", "companies_id": small})).await;
    gate.open();
    wait_until("the single change has come", async || place_of(&recorder.calls(), small).is_some()).await;
    let place = place_of(&recorder.calls(), small).unwrap();
    assert!(place <= before_it(), "it came as number {}", place + 1);
    server.wait_all_delivered().await;
    recorder.wait_exactly(FLOOD + 1).await;
}

#[tokio::test]
async fn a_reseller_whose_calls_hang_leaves_places_to_another() {
    let server = Server::start().await;
    let (slow, quick) = (server.company("Slow", 1).await, server.company("Quick", 1).await);
    let recorder =
        Recorder::answering(move |call| if call.event("companies_id") == slow { Reply::hang() } else { Reply::ok() }).await;
    let calls = json!({"concurrency": 4, "timeout_ms": 400, "retries": [3600]});
    server.handler(with(after("clients.create", &recorder), calls)).await;
    for n in 0..40 {
        server.ok("clients.create", json!({"name": format!("Slow {n}"), "companies_id": slow})).await;
    }
    for n in 0..20 {
        server.ok("clients.create", json!({"name": format!("Quick {n}"), "companies_id": quick})).await;
    }
    let of = |company: i64| recorder.calls().iter().filter(|call| call.event("companies_id") == company).count();
    wait_until("all of the quick one's", async || of(quick) == 20).await;
    assert!(of(slow) <= 16, "{} of the slow one's calls were made meanwhile", of(slow));
}

#[tokio::test]
async fn a_client_with_a_thousand_events_does_not_hold_back_another_client() {
    let server = Server::start().await;
    let flooding = server.client("Flood").await;
    let recorder = Recorder::answering(|_| Reply::ok().after(Duration::from_millis(2))).await;
    server.handler(with(after("clients.update", &recorder), json!({"concurrency": 1}))).await;
    let call = |n: usize| json!({"jsonrpc": "2.0", "id": n, "method": "clients.update", "params": {"id": flooding, "notes": n.to_string()}});
    for portion in 0..10 {
        let calls: Vec<_> = (0..100).map(|n| call(portion * 100 + n)).collect();
        server.post("/api/", &[], json!(calls).to_string()).await;
    }
    let other = server.client("Other").await;
    let before = recorder.calls().len();
    server.ok("clients.update", json!({"id": other, "notes": "once"})).await;
    wait_until("the other's", async || recorder.calls().iter().any(|call| call.clients_id() == other)).await;
    let place = recorder.calls().iter().position(|call| call.clients_id() == other).unwrap();
    assert!(place <= before + 40, "call {place}, {before} had been made before it happened");
}
