//! Very many handlers that hold their connections: another one is told at once, what is open is bounded and is given up
//! afterwards.
use std::time::{Duration, Instant};

use hookswitch_testkit::{Engine, Peer, Recorder, Server, after, json, wait_until};

const HANDLERS: usize = 150;
/// As many lanes as a handler has calls in flight by default.
const CLIENTS: usize = 8;
/// The listener, the calls of this test, a database's file: what is open besides.
const OTHERS: usize = 100;
/// Connections to a server's database, each with what its thread waits on.
const TO_A_SERVER: usize = 150;
const MEMORY_KIB_MAX: u64 = 150 << 10;

/// What is open besides the handlers' connections, at most `others` of it for other things than the database.
fn besides(others: usize) -> usize {
    match Engine::of_this_run() {
        Engine::Sqlite => others,
        Engine::Postgres => others + TO_A_SERVER,
    }
}

#[tokio::test]
async fn thousands_of_connections_that_hang_delay_nobody_else_and_are_given_up() {
    let server = Server::start().await;
    let hanging = Peer::start(|stream| async move {
        let _kept = stream;
        std::future::pending().await
    })
    .await;
    let healthy = Recorder::start().await;
    let fields = json!({"name": "h", "task": hanging.url(), "event": "clients.create", "timeout_ms": 2_000, "retries": []});
    for _ in 0..HANDLERS {
        server.handler(fields.clone()).await;
    }
    server.handler(after("clients.*", &healthy)).await;
    let (memory, began) = (server.resident_kib(), Instant::now());
    for number in 0..CLIENTS {
        server.client(&format!("client {number}")).await;
    }
    healthy.wait(CLIENTS).await;
    assert!(began.elapsed() < Duration::from_secs(3), "told after {:?}", began.elapsed());
    wait_until("all connections are made", async || hanging.connections() == HANDLERS * CLIENTS).await;
    let open = server.descriptors();
    assert!(open.is_none_or(|open| open < HANDLERS * CLIENTS + besides(OTHERS)), "{open:?} open");
    server.ok("clients.update", json!({"id": 1, "notes": "while all hang"})).await;
    healthy.wait(CLIENTS + 1).await;
    let more = server.resident_kib().saturating_sub(memory);
    assert!(more < MEMORY_KIB_MAX, "{more} KiB more");
    wait_until("they are given up", async || server.descriptors().is_none_or(|open| open < besides(OTHERS))).await;
    assert_eq!(hanging.connections(), HANDLERS * CLIENTS);
}

#[tokio::test]
async fn connections_that_nobody_uses_are_closed_within_seconds() {
    let server = Server::start().await;
    let recorders: Vec<Recorder> = {
        let mut recorders = Vec::new();
        for _ in 0..20 {
            recorders.push(Recorder::start().await);
        }
        recorders
    };
    for recorder in &recorders {
        server.handler(after("clients.create", recorder)).await;
    }
    for number in 0..CLIENTS {
        server.client(&format!("client {number}")).await;
    }
    server.wait_all_delivered().await;
    let open = server.descriptors();
    assert!(open.is_none_or(|open| open < 20 * CLIENTS + besides(OTHERS)), "{open:?} open");
    wait_until("none is kept", async || server.descriptors().is_none_or(|open| open < besides(OTHERS / 2))).await;
}
