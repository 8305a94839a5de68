//! Handlers that are slow on purpose: one byte a second, a reply without end in sight, one that never reads. Each costs its own
//! lanes until its time limit, and a bounded amount of memory; another handler is told at once.
use std::time::{Duration, Instant};

use hookswitch_testkit::{Engine, Peer, Recorder, Server, after, json, wait_for, with};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What slow handlers may take of the memory: less than two replies of 100 MB, of which there are eight at once.
const MEMORY_KIB_MAX: u64 = 160 << 10;
/// What passes through two dozen connections to a server stays in their buffers.
const BUFFERS_KIB_MAX: u64 = 96 << 10;
const EVENTS: i64 = 24;
const LIMIT: Duration = Duration::from_millis(200);
/// Far below what waiting for the slow ones would take: each of the attempts, one after another.
const AT_ONCE: Duration = Duration::from_secs(2);

fn memory_kib_max() -> u64 {
    match Engine::of_this_run() {
        Engine::Sqlite => MEMORY_KIB_MAX,
        Engine::Postgres => MEMORY_KIB_MAX + BUFFERS_KIB_MAX,
    }
}

/// A server that tells of clients to a slow peer and to a healthy handler.
struct Scene {
    server: Server,
    healthy: Recorder,
    slow: i64,
}

impl Scene {
    async fn with(peer: &Peer) -> Self {
        let (server, healthy) = (Server::start().await, Recorder::start().await);
        let task = json!({"name": "slow", "task": peer.url(), "event": "clients.*", "retries": [], "concurrency": 8});
        let slow = server.handler(with(task, json!({"timeout_ms": LIMIT.as_millis()}))).await;
        server.handler(after("clients.*", &healthy)).await;
        Self { server, healthy, slow }
    }

    /// Changes as many clients, and waits until the healthy handler was told of them all, at once, and the slow one has been
    /// given up; gives the log's rows.
    async fn changes(&self, notes: &str) -> Vec<hookswitch_testkit::Value> {
        let began = Instant::now();
        for number in 0..EVENTS {
            self.server.ok("clients.create", json!({"name": format!("client {number}"), "notes": notes})).await;
        }
        let created = began.elapsed();
        self.healthy.wait(EVENTS as usize).await;
        let told = began.elapsed() - created;
        assert!(told < AT_ONCE, "the healthy handler was told after {told:?}");
        let dead = json!({"handlers_id": self.slow, "state": "dead", "limit": 100});
        let all_dead = async || {
            let found = self.server.ok("provisioning.deliveries.search", dead.clone()).await;
            (found.as_array().unwrap().len() == EVENTS as usize).then_some(())
        };
        wait_for("the slow one is given up", all_dead).await;
        self.server.wait_log(json!({"handlers_id": self.slow, "limit": 100}), EVENTS as usize).await
    }
}

/// Reads a request's head and as much of its body as has come.
async fn read(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read(&mut [0; 4 << 10]).await.map(drop)
}

/// Writes a byte a second for ever.
async fn dribble(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        stream.write_all(b"x").await?;
        seconds.tick().await;
    }
}

fn errors(rows: &[hookswitch_testkit::Value]) -> Vec<&str> {
    rows.iter().map(|row| row["error"].as_str().unwrap()).collect()
}

/// No attempt took much longer than its limit.
fn check_limits(rows: &[hookswitch_testkit::Value]) {
    for row in rows {
        let took = row["duration_ms"].as_f64().unwrap();
        assert!((150.0..5_000.0).contains(&took), "{took} ms");
    }
}

#[tokio::test]
async fn a_handler_that_dribbles_its_head_is_given_up_at_its_time_limit() {
    let peer = Peer::start(|mut stream| async move {
        read(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Dribble: ").await?;
        dribble(&mut stream).await
    })
    .await;
    let scene = Scene::with(&peer).await;
    let rows = scene.changes("").await;
    check_limits(&rows);
    assert!(errors(&rows).iter().all(|error| *error == "timeout: no reply within 200 ms"), "{:?}", errors(&rows));
}

#[tokio::test]
async fn a_handler_that_dribbles_its_body_is_given_up_at_its_time_limit() {
    let peer = Peer::start(|mut stream| async move {
        read(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n").await?;
        dribble(&mut stream).await
    })
    .await;
    let scene = Scene::with(&peer).await;
    let rows = scene.changes("").await;
    check_limits(&rows);
    assert!(errors(&rows).iter().all(|error| *error == "timeout: the reply did not end within 200 ms"), "{:?}", errors(&rows));
}

#[tokio::test]
async fn a_handler_that_sends_100_mb_costs_a_bounded_amount_of_memory() {
    let peer = Peer::start(|mut stream| async move {
        read(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 104857600\r\n\r\n").await?;
        let mib = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            stream.write_all(&mib).await?;
        }
        Ok(())
    })
    .await;
    let scene = Scene::with(&peer).await;
    let before = scene.server.resident_kib();
    let rows = scene.changes("").await;
    let more = scene.server.resident_kib().saturating_sub(before);
    assert!(more < memory_kib_max(), "{more} KiB more");
    // On a busy machine the time limit may come first.
    let known = |error: &&str| *error == "bad_reply: the reply is longer than 1 MiB" || error.starts_with("timeout: ");
    assert!(errors(&rows).iter().all(known), "{:?}", errors(&rows));
}

#[tokio::test]
async fn a_handler_that_never_reads_is_given_up_at_its_time_limit() {
    let peer = Peer::start(|stream| async move {
        let _kept = stream;
        std::future::pending().await
    })
    .await;
    let scene = Scene::with(&peer).await;
    let before = scene.server.resident_kib();
    // A line end has two letters in JSON, and the payload has them twice: more than the buffers on the way take.
    let rows = scene.changes(&"\n".repeat(60_000)).await;
    check_limits(&rows);
    assert!(errors(&rows).iter().all(|error| *error == "timeout: no reply within 200 ms"), "{:?}", errors(&rows));
    let more = scene.server.resident_kib().saturating_sub(before);
    assert!(more < memory_kib_max(), "{more} KiB more");
}
