//! One budget covers the chain: a slow handler takes no time from those after it that must be asked.
use hookswitch_testkit::{Recorder, Reply, Server, before, json, with};

fn deadline(recorder: &Recorder) -> i64 {
    recorder.calls()[0].header("hookswitch-deadline-ms").unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_handler_is_told_its_time() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(with(before("clients.create", &recorder), json!({"timeout_ms": 1234}))).await;
    server.client("Acme").await;
    let told = deadline(&recorder);
    assert!((1..=1234).contains(&told), "{told}");
}

#[tokio::test]
async fn a_hanging_handler_leaves_the_reserves_of_those_after_it() {
    let server = Server::setup().config("before_budget_ms = 2000").start().await;
    let (hanging, second, third) =
        (Recorder::answering(|_| Reply::hang()).await, Recorder::start().await, Recorder::start().await);
    server
        .handler(with(before("clients.create", &hanging), json!({"order": 1, "timeout_ms": 30_000, "on_failure": "allow"})))
        .await;
    server.handler(with(before("clients.create", &second), json!({"order": 2, "timeout_ms": 30_000}))).await;
    server.handler(with(before("clients.create", &third), json!({"order": 3, "timeout_ms": 30_000}))).await;
    server.client("Acme").await;
    // Two reserves of 30 s are cut to 80 % of 2 s together: 800 ms each, and what is left goes to the first.
    assert!((1..=400).contains(&deadline(&hanging)), "{}", deadline(&hanging));
    assert!((400..=1_200).contains(&deadline(&second)), "{}", deadline(&second));
    assert!((400..=2_000).contains(&deadline(&third)), "{}", deadline(&third));
}

#[tokio::test]
async fn with_nothing_left_a_handler_is_not_called_and_its_row_says_skipped() {
    let server = Server::setup().config("before_budget_ms = 300").start().await;
    let (hanging, late) = (Recorder::answering(|_| Reply::hang()).await, Recorder::start().await);
    server
        .handler(with(before("clients.create", &hanging), json!({"order": 1, "timeout_ms": 30_000, "on_failure": "allow"})))
        .await;
    let skipped = server.handler(with(before("clients.create", &late), json!({"order": 2, "on_failure": "allow"}))).await;
    server.client("Acme").await;
    assert!(late.calls().is_empty());
    let row = server.wait_log(json!({"handlers_id": skipped}), 1).await.remove(0);
    assert_eq!(row["status"], "skipped");
    assert!(row["error"].as_str().unwrap().contains("skipped"), "{row}");
}

#[tokio::test]
async fn a_chain_that_may_fail_answers_within_its_budget() {
    let server = Server::setup().config("before_budget_ms = 400").start().await;
    let hanging = Recorder::answering(|_| Reply::hang()).await;
    for order in 1..=5 {
        server
            .handler(with(
                before("clients.create", &hanging),
                json!({"order": order, "timeout_ms": 30_000, "on_failure": "allow"}),
            ))
            .await;
    }
    let began = std::time::Instant::now();
    server.client("Acme").await;
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?} for a budget of 400 ms", began.elapsed());
}
