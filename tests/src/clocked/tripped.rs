//! A before handler that is dead costs its callers nothing for long: it is tripped, and probed until it is back.
use hookswitch_testkit::{Clocked, Recorder, Reply, before, json};

#[tokio::test(flavor = "multi_thread")]
async fn ten_failures_in_a_row_over_30_seconds_trip_a_before_handler_until_a_probe_succeeds() {
    let server = Clocked::start().await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    server.handler(before("clients.create", &recorder)).await;
    let reason = async || server.refused("clients.create", json!({"name": "Acme"})).await.data["reason"].clone();
    for _ in 0..12 {
        assert_eq!(reason().await, "status", "ten failures in less than 30 s are not enough");
    }
    server.advance(31);
    assert_eq!(reason().await, "status");
    let called = recorder.calls().len();
    assert_eq!(reason().await, "tripped");
    assert_eq!(reason().await, "tripped");
    assert_eq!(recorder.calls().len(), called, "failed at once");
    let rows = server.wait_log(json!({"status": "skipped"}), 2).await;
    assert!(rows.iter().all(|row| row["error"].as_str().unwrap().contains("tripped")), "{rows:#?}");

    server.advance(11);
    assert_eq!(reason().await, "status", "one probe every 10 s");
    assert_eq!(recorder.calls().len(), called + 1);
    assert_eq!(reason().await, "tripped");

    recorder.answer(|_| Reply::ok());
    server.advance(11);
    server.client("Acme").await;
    server.client("Beta").await;
    assert_eq!(recorder.calls().len(), called + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_in_between_starts_the_count_again() {
    let server = Clocked::start().await;
    let recorder =
        Recorder::answering(|call| if call.body["data"]["name"] == "Good" { Reply::ok() } else { Reply::status(500) }).await;
    server.handler(before("clients.create", &recorder)).await;
    for _ in 0..9 {
        server.refused("clients.create", json!({"name": "Bad"})).await;
        server.advance(5);
    }
    server.client("Good").await;
    for _ in 0..9 {
        let refusal = server.refused("clients.create", json!({"name": "Bad"})).await;
        assert_eq!(refusal.data["reason"], "status");
        server.advance(5);
    }
}
