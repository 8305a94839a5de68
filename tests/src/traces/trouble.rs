//! A collector that is down, slow or unwilling does no harm to anybody else.
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use hookswitch_testkit::{Recorder, Reply, Server, after, before, json, wait_until};

use super::sink::Sink;

async fn counted(server: &Server, state: &str) -> u64 {
    let line = format!("hookswitch_trace_spans_total{{state=\"{state}\"}} ");
    let text = server.get("/metrics").await.text;
    text.lines().find_map(|found| found.strip_prefix(&line)?.parse().ok()).unwrap()
}

#[tokio::test]
async fn a_collector_that_is_not_there_keeps_nobody_waiting_and_the_end_neither() {
    let hangs = Sink::answering(|_| Reply::hang()).await;
    // Nobody answers for the first, and nobody listens at the second.
    let refused = "http://127.0.0.1:9/v1/traces?key=secret-of-the-url".to_owned();
    for url in ["http://192.0.2.1:4318".to_owned(), refused, hangs.endpoint()] {
        let mut server = Server::setup().arg("--otlp").arg(&url).start().await;
        let (asked, told) = (Recorder::start().await, Recorder::start().await);
        server.handler(before("clients.create", &asked)).await;
        server.handler(after("clients.create", &told)).await;
        let began = Instant::now();
        for number in 0..50 {
            server.client(&format!("client {number}")).await;
        }
        told.wait_exactly(50).await;
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        let began = Instant::now();
        let (status, _) = server.terminate().await;
        assert!(status.success() && began.elapsed() < Duration::from_secs(5), "{status} after {:?}", began.elapsed());
        assert!(!server.stderr().contains("secret-of-the-url"), "{}", server.stderr());
    }
}

#[tokio::test]
async fn what_a_collector_does_not_take_is_counted_and_said_once() {
    let sink = Sink::answering(|_| Reply::text(400, "no")).await;
    let server = sink.server().start().await;
    for number in 0..3 {
        server.client(&format!("client {number}")).await;
        let seen = counted(&server, "dropped").await;
        wait_until("it is counted", async || counted(&server, "dropped").await > seen).await;
    }
    assert_eq!(counted(&server, "exported").await, 0);
    let told = server.stderr();
    assert_eq!(told.matches("traces can't be exported").count(), 1, "{told}");
    assert!(told.contains("HTTP status 400") && told.contains("/v1/traces"), "{told}");
}

#[tokio::test]
async fn what_a_collector_can_not_take_for_now_is_sent_again() {
    let requests = AtomicUsize::new(0);
    let sink =
        Sink::answering(move |_| Reply::status(if requests.fetch_add(1, Ordering::SeqCst) == 0 { 503 } else { 200 })).await;
    let server = sink.server().start().await;
    server.client("Acme").await;
    wait_until("it is exported", async || counted(&server, "exported").await > 0).await;
    let requests = sink.requests();
    assert_eq!(requests[0].raw, requests[1].raw);
    assert_eq!(counted(&server, "dropped").await, 0);
    assert!(server.stderr().contains("traces are exported again"), "{}", server.stderr());
}

#[tokio::test]
async fn the_last_spans_are_sent_at_the_end() {
    let sink = Sink::start().await;
    let mut server = sink.server().start().await;
    server.call_with(&[("x-request-id", "the-last")], "clients.create", json!({"name": "Acme"})).await.unwrap();
    server.terminate().await;
    assert!(sink.spans().iter().any(|span| span.get("hookswitch.request_id") == "the-last"), "{:#?}", sink.spans());
}
