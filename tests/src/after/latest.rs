//! `ordering: latest`: a handler that wants the present state only is not sent what is overtaken before it was sent.
use hookswitch_testkit::{Call, Gate, Recorder, Reply, Server, after, assert_has, json, wait_for, with};

const EVENTS: &[&str] = &["clients.create", "clients.update", "clients.accounts.*"];

async fn paused(server: &Server, recorder: &Recorder) -> i64 {
    let handler = server.handler(with(after(EVENTS, recorder), json!({"ordering": "latest"}))).await;
    server.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    handler
}

fn heard(calls: &[Call]) -> Vec<(String, i64, i64)> {
    calls.iter().map(|call| (call.events_id().to_owned(), call.event("object_id").as_i64().unwrap(), call.seq())).collect()
}

#[tokio::test]
async fn waiting_events_of_one_object_and_kind_are_folded_into_the_newest_and_counted() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = paused(&server, &recorder).await;
    let (one, two) = (server.client("One").await, server.client("Two").await);
    for round in 0..50 {
        server.ok("clients.update", json!({"id": one, "notes": format!("{round}")})).await;
    }
    server.ok("clients.update", json!({"id": two, "notes": "once"})).await;
    let waiting = server.ok("provisioning.deliveries.search", json!({"handlers_id": handler})).await;
    let folded: Vec<_> = waiting.as_array().unwrap().iter().map(|row| row["folded"].as_i64().unwrap()).collect();
    assert_eq!(folded, [0, 0, 49, 0], "{waiting:#}");
    let status = server.ok("provisioning.handlers.status", json!({"id": handler})).await;
    assert_has(&status["handlers"][0], &json!({"waiting": 4, "folded": 49, "state": "stopped"}));

    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    server.wait_all_delivered().await;
    let calls = recorder.wait_exactly(4).await;
    let mut heard = heard(&calls);
    heard.sort();
    let expected =
        [("clients.create", one, 1), ("clients.create", two, 1), ("clients.update", one, 51), ("clients.update", two, 2)];
    assert_eq!(heard, expected.map(|(name, id, seq)| (name.to_owned(), id, seq)));
    let last = calls.iter().find(|call| call.seq() == 51).unwrap();
    assert_eq!(last.body["object"]["notes"], "49", "the whole present state");
    let row = server.log(json!({"clients_id": one, "events_id": "clients.update"})).await.remove(0);
    assert!(row["error"].as_str().unwrap().contains("stands for 49 earlier events"), "{row}");
}

#[tokio::test]
async fn other_objects_and_kinds_keep_their_place_and_their_order() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = paused(&server, &recorder).await;
    let client = server.client("Acme").await;
    let (first, second) = (server.account(client, "100").await, server.account(client, "200").await);
    for (account, notes) in [(first, "a"), (second, "b"), (first, "c"), (second, "d")] {
        server.ok("clients.accounts.update", json!({"id": account, "notes": notes})).await;
    }
    server.ok("clients.accounts.delete", json!({"id": first})).await;
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    server.wait_all_delivered().await;
    let heard = heard(&recorder.calls());
    let expected = [
        ("clients.create", client, 1),
        ("clients.accounts.create", first, 2),
        ("clients.accounts.create", second, 3),
        ("clients.accounts.update", first, 6),
        ("clients.accounts.update", second, 7),
        ("clients.accounts.delete", first, 8),
    ];
    assert_eq!(heard, expected.map(|(name, id, seq)| (name.to_owned(), id, seq)));
}

#[tokio::test]
async fn of_folded_events_the_newest_password_is_told_and_no_other() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = paused(&server, &recorder).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "100").await;
    for secret in ["first-secret", "second-secret"] {
        server.ok("clients.accounts.update", json!({"id": account, "password": secret})).await;
    }
    server.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    server.wait_all_delivered().await;
    let calls = recorder.calls();
    assert_eq!(calls.last().unwrap().body["data"]["password"], "second-secret");
    assert!(calls.iter().all(|call| call.body["data"]["password"] != "first-secret"));
}

#[tokio::test]
async fn only_after_handlers_can_want_the_latest() {
    let server = Server::start().await;
    let fields =
        json!({"name": "x", "event": "clients.create", "type": "before", "task": "http://127.0.0.1:9/", "ordering": "latest"});
    let refusal = server.refused("provisioning.handlers.create", fields).await;
    assert_eq!(refusal.data["ordering"], "is for after handlers only");
}

#[tokio::test]
async fn what_is_being_tried_is_not_folded_so_its_failure_counts_and_the_count_is_right() {
    let server = Server::start().await;
    let gate = Gate::shut();
    let behind = gate.clone();
    let recorder = Recorder::answering(move |_| Reply::status(500).behind(&behind)).await;
    let more = json!({"ordering": "latest", "timeout_ms": 30_000, "retries": [3600]});
    let handler = server.handler(with(after("clients.update", &recorder), more)).await;
    let client = server.client("Acme").await;
    for round in 0..6 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
        recorder.wait(1).await;
    }
    let rows = async || server.ok("provisioning.deliveries.search", json!({"handlers_id": handler})).await;
    let waiting = rows().await;
    let shown: Vec<_> = waiting.as_array().unwrap().iter().map(|row| (&row["seq"], &row["folded"])).collect();
    assert_eq!(shown, [(&json!(2), &json!(0)), (&json!(7), &json!(4))], "{waiting:#}");
    gate.open();
    let first =
        wait_for("the failure is written down", async || rows().await.get(0).filter(|row| row["attempt"] == 1).cloned()).await;
    assert_has(&first, &json!({"seq": 2, "state": "retrying"}));
    assert_eq!(recorder.calls().len(), 1, "the newer one waits in its turn");
}
