//! No more file descriptors: callers wait or are told, deliveries go on by themselves, nobody spins.
use std::time::Duration;

use hookswitch_testkit::{Recorder, Server, after, json, wait_until, with};
use tokio::net::TcpStream;

const CLIENTS: i64 = 30;

#[tokio::test]
async fn without_free_descriptors_callers_wait_nothing_spins_and_deliveries_go_on_when_there_are_some() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    // One attempt only: that we have no descriptor is no fault of the handler.
    let handler = server.handler(with(after("clients.*", &told), json!({"retries": [], "timeout_ms": 30_000}))).await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    for number in 0..CLIENTS {
        server.client(&format!("client {number}")).await;
    }
    let address = server.base().trim_start_matches("http://").to_owned();
    // All that the server has open is allowed, and nothing else; those who come now are not even accepted.
    server.limit_descriptors(3);
    let mut waiting = Vec::new();
    for _ in 0..50 {
        waiting.push(TcpStream::connect(&address).await.unwrap());
    }
    // The connection of these calls is open already.
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    wait_until("it has said so", async || server.stderr().contains("no connection can be accepted")).await;
    let used = server.processor_time();
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        server.ok("clients.search", json!({"limit": 1})).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let used = server.processor_time() - used;
    assert!(used < Duration::from_millis(600), "{used:?} of processor time within a second of waiting");
    assert!(told.calls().is_empty());
    server.limit_descriptors(1_024);
    told.wait(CLIENTS as usize).await;
    server.wait_all_delivered().await;
    drop(waiting);
    // New connections are accepted.
    wait_until("it is ready", async || server.get("/readyz").await.status == 200).await;
    let health = health(&address).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
}

/// A request over a connection of its own.
async fn health(address: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
