//! What counts as delivered, and what is dead at once.
use hookswitch_testkit::{Recorder, Reply, Server, Value, after, assert_has, json, wait_for, with};

/// A server with an after handler that has one attempt only, and what becomes of a delivery answered with `reply`.
async fn outcome(server: &Server, recorder: &Recorder, reply: Reply) -> Option<Value> {
    recorder.answer(move |_| reply.clone());
    recorder.forget();
    let client = server.client(&format!("client of {:?}", std::time::Instant::now())).await;
    let row = server.wait_log(json!({"clients_id": client}), 1).await.remove(0);
    wait_for("the delivery is decided", || async {
        let rows = server.ok("provisioning.deliveries.search", json!({"clients_id": client})).await;
        match rows.get(0) {
            None => Some(
                (row["status"] == "success").then_some(()).map_or_else(|| panic!("gone but not delivered: {row}"), |()| None),
            ),
            Some(delivery) if delivery["state"] == "waiting" => None,
            Some(delivery) => Some(Some(delivery.clone())),
        }
    })
    .await
}

#[tokio::test]
async fn any_2xx_is_delivered_whatever_the_body() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.create", &recorder)).await;
    for reply in [
        Reply::ok(),
        Reply::text(200, "OK"),
        Reply::text(201, "<html>"),
        Reply::status(204),
        Reply::status(299),
        Reply::json(&json!({"verdict": "forbid"})),
    ] {
        assert_eq!(outcome(&server, &recorder, reply).await, None);
    }
    recorder.answer(Reply::echo);
    server.client("echo").await;
    server.wait_all_delivered().await;
}

#[tokio::test]
async fn these_replies_kill_a_delivery_at_once() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.create", &recorder)).await;
    for reply in [
        Reply::status(410),
        Reply::text(410, "gone"),
        Reply::text(400, r#"{"retry": false}"#),
        Reply::text(422, r#"{"retry":false,"why":1}"#),
    ] {
        let delivery = outcome(&server, &recorder, reply).await.unwrap();
        assert_has(&delivery, &json!({"state": "dead", "attempt": 1, "events_id": "clients.create"}));
        assert!(delivery["error"].is_string(), "{delivery}");
    }
}

#[tokio::test]
async fn everything_else_is_tried_again() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(with(after("clients.create", &recorder), json!({"timeout_ms": 300}))).await;
    for reply in [
        Reply::status(500),
        Reply::status(404),
        Reply::status(302).header("location", "/elsewhere"),
        Reply::text(400, r#"{"retry": true}"#),
        Reply::text(500, r#"{"retry": false}"#),
        Reply::text(403, "no"),
        Reply::close(),
        Reply::reset(),
        Reply::hang(),
    ] {
        let shown = format!("{reply:?}");
        let delivery = outcome(&server, &recorder, reply).await.unwrap();
        assert_eq!(delivery["state"], "retrying", "{shown}: {delivery}");
        assert!(delivery["next_dt"].is_string() && delivery["error"].is_string(), "{delivery}");
        assert_eq!(recorder.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_dead_delivery_lets_the_next_one_pass_and_is_kept() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::answering(|call| if call.seq() == 3 { Reply::status(500) } else { Reply::ok() }).await;
    let handler = server.handler(with(after("clients.update", &recorder), json!({"retries": []}))).await;
    for round in 0..4 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
    }
    let seqs: Vec<_> = recorder.wait_exactly(4).await.iter().map(hookswitch_testkit::Call::seq).collect();
    assert_eq!(seqs, [2, 3, 4, 5]);
    let dead = wait_for("the dead one is settled", || async {
        let dead = server.ok("provisioning.deliveries.search", json!({})).await;
        (dead.as_array().unwrap().len() == 1 && dead[0]["state"] == "dead").then_some(dead)
    })
    .await;
    assert_has(
        &dead[0],
        &json!({"handlers_id": handler, "clients_id": client, "seq": 3, "attempt": 1, "events_id": "clients.update"}),
    );
    let one = server.ok("provisioning.deliveries.get", json!({"id": dead[0]["id"]})).await;
    assert_has(&one, &dead[0]);
}

#[tokio::test]
async fn a_dry_run_of_the_repair_only_counts() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    server.handler(with(after("clients.update", &recorder), json!({"retries": []}))).await;
    for round in 0..3 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
    }
    recorder.wait_exactly(3).await;
    let dead = json!({"state": "dead"});
    wait_for("all are dead", || async {
        (server.ok("provisioning.deliveries.search", dead.clone()).await.as_array()?.len() == 3).then_some(())
    })
    .await;
    let rehearsal = json!({"state": "dead", "dry_run": true});
    assert_eq!(server.ok("provisioning.deliveries.discard", rehearsal.clone()).await, json!({"discarded": 3}));
    assert_eq!(server.ok("provisioning.deliveries.resend", rehearsal).await, json!({"resent": 1, "overtaken": 2}));
    assert_eq!(server.ok("provisioning.deliveries.search", dead.clone()).await.as_array().unwrap().len(), 3, "nothing is done");
    assert_eq!(server.ok("provisioning.deliveries.discard", dead).await, json!({"discarded": 3}));
    recorder.wait_exactly(3).await;
}
