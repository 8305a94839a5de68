//! Dead deliveries are sent again on demand, unless a later event has overtaken them.
use hookswitch_testkit::{Api, Recorder, Reply, Server, after, api::id, assert_has, json, wait_for, with};

/// A server with one dead delivery of `clients.update` (seq 2) and its handler, which answers well from now on.
async fn one_dead(events: &[&str]) -> (Server, Recorder, i64, i64) {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::answering(|_| Reply::status(410)).await;
    server.handler(with(after(json!(events), &recorder), json!({"name": "crm"}))).await;
    server.ok("clients.update", json!({"id": client, "notes": "1"})).await;
    let dead = wait_for("a dead delivery", || async {
        server.ok("provisioning.deliveries.search", json!({"state": "dead"})).await.get(0).cloned()
    })
    .await;
    recorder.answer(|_| Reply::ok());
    (server, recorder, client, id(&dead))
}

#[tokio::test]
async fn a_dead_delivery_is_sent_again_with_its_old_seq_and_id() {
    let (server, recorder, _, delivery) = one_dead(&["clients.update"]).await;
    let answer = server.ok("provisioning.deliveries.resend", json!({"id": delivery})).await;
    assert_has(&answer, &json!({"resent": 1, "overtaken": 0}));
    let calls = recorder.wait_exactly(2).await;
    assert_eq!((calls[0].seq(), calls[0].event("id")), (calls[1].seq(), calls[1].event("id")));
    assert_eq!((calls[0].header("hookswitch-resend"), calls[1].header("hookswitch-resend")), (None, Some("true")));
    server.wait_all_delivered().await;
}

#[tokio::test]
async fn an_overtaken_one_is_refused_unless_forced() {
    let (server, recorder, client, delivery) = one_dead(&["clients.update"]).await;
    server.ok("clients.update", json!({"id": client, "notes": "2"})).await;
    recorder.wait_exactly(2).await;
    let refusal = server.refused("provisioning.deliveries.resend", json!({"id": delivery})).await;
    assert_eq!(refusal.code, -32009);
    server.ok("provisioning.deliveries.resend", json!({"id": delivery, "force": true})).await;
    let calls = recorder.wait_exactly(3).await;
    assert_eq!(calls[2].seq(), 2);
}

#[tokio::test]
async fn in_a_selection_overtaken_ones_are_left_out() {
    let (server, recorder, client, _) = one_dead(&["clients.update", "clients.create"]).await;
    server.ok("clients.update", json!({"id": client, "notes": "2"})).await;
    recorder.wait_exactly(2).await;
    recorder.answer(|_| Reply::status(410));
    server.client("Other").await;
    hookswitch_testkit::wait_until("two dead", || async {
        server.ok("provisioning.deliveries.search", json!({"state": "dead", "with_total": true})).await["total"] == json!(2)
    })
    .await;
    recorder.answer(|_| Reply::ok());
    let answer = server.ok("provisioning.deliveries.resend", json!({"state": "dead"})).await;
    assert_eq!(answer, json!({"resent": 1, "overtaken": 1}));
    assert_eq!(recorder.wait_exactly(4).await[3].body["data"]["name"], "Other");
    let left = server.ok("provisioning.deliveries.search", json!({})).await;
    assert_has(&left[0], &json!({"state": "dead", "clients_id": client}));
}

#[tokio::test]
async fn discarding_takes_dead_ones_away_and_leaves_a_trace_in_the_log() {
    let (server, recorder, client, delivery) = one_dead(&["clients.update"]).await;
    assert_eq!(server.ok("provisioning.deliveries.discard", json!({"id": delivery})).await, json!({"discarded": 1}));
    assert_eq!(server.ok("provisioning.deliveries.search", json!({})).await, json!([]));
    assert_eq!(recorder.calls().len(), 1);
    assert_eq!(server.journal(client).await.len(), 2);
}

#[tokio::test]
async fn a_selection_needs_at_least_one_filter() {
    let (server, ..) = one_dead(&["clients.update"]).await;
    for method in ["provisioning.deliveries.resend", "provisioning.deliveries.discard"] {
        assert_eq!(server.refused(method, json!({})).await.code, -32602, "{method}");
        assert_eq!(server.refused(method, json!({"nonsense": 1})).await.fields(), ["nonsense"], "{method}");
        assert_eq!(server.refused(method, json!({"state": "gone"})).await.fields(), ["state"], "{method}");
    }
}

#[tokio::test]
async fn waiting_deliveries_are_found_by_each_of_their_columns() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::answering(|_| Reply::hang()).await;
    let handler = server.handler(with(after("clients.update", &recorder), json!({"timeout_ms": 30_000}))).await;
    for round in 0..3 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
    }
    let rows = server.ok("provisioning.deliveries.search", json!({"order": ["seq"]})).await;
    assert_eq!(hookswitch_testkit::check::column(&rows, "seq"), [json!(2), json!(3), json!(4)]);
    for key in ["id", "event_id", "events_id", "handlers_id", "clients_id", "seq", "state", "attempt", "next_dt", "error"] {
        assert!(rows[0].get(key).is_some(), "{key} in {}", rows[0]);
    }
    for (filter, count) in [
        (json!({"handlers_id": handler}), 3),
        (json!({"handlers_id": handler + 1}), 0),
        (json!({"clients_id": client, "state": ["waiting", "retrying"]}), 3),
        (json!({"events_id": "clients.create"}), 0),
        (json!({"event_id": rows[1]["event_id"]}), 1),
        (json!({"state": "dead"}), 0),
        (json!({"id": [rows[0]["id"], rows[2]["id"]]}), 2),
    ] {
        let found = server.ok("provisioning.deliveries.search", filter.clone()).await;
        assert_eq!(found.as_array().unwrap().len(), count, "{filter}");
    }
    let discarded = server.ok("provisioning.deliveries.discard", json!({"id": [rows[1]["id"], rows[2]["id"]]})).await;
    assert_eq!(discarded, json!({"discarded": 2}));
}

#[tokio::test]
async fn a_repair_is_done_whole_although_its_caller_hangs_up() {
    const DEAD: usize = 1_600;
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::status(410)).await;
    server.handler(after("clients.update", &recorder)).await;
    let client = server.client("Acme").await;
    for round in 0..DEAD {
        server.ok("clients.update", json!({"id": client, "notes": format!("{round}")})).await;
    }
    let count = |state: &'static str| {
        let api: Api = (*server).clone();
        async move {
            let found = api.ok("provisioning.deliveries.search", json!({"state": state, "with_total": true, "limit": 1})).await;
            found["total"].as_u64().unwrap() as usize
        }
    };
    wait_for("all are dead", || async { (count("dead").await == DEAD).then_some(()) }).await;
    recorder.answer(|_| Reply::ok());
    let api: Api = (*server).clone();
    let repair =
        tokio::spawn(async move { api.ok("provisioning.deliveries.resend", json!({"state": "dead", "force": true})).await });
    wait_for("it has begun", || async { (count("dead").await < DEAD).then_some(()) }).await;
    repair.abort();
    server.wait_all_delivered().await;
    assert_eq!(recorder.calls().len(), 2 * DEAD);
}
