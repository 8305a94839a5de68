//! A shadow (`status: shadow`) is really asked, off the caller's path, and decides nothing.
use hookswitch_testkit::{
    Api, Call, Gate, Recorder, Reply, Server, Value, after, assert_has, before, json, wait_for, wait_until, with,
};

fn shadow(event: impl Into<Value>, recorder: &Recorder) -> Value {
    with(before(event, recorder), json!({"name": "shadow", "status": "shadow"}))
}

#[tokio::test]
async fn what_it_forbids_happens_and_the_log_says_that_it_was_a_shadow() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::text(403, "never")).await;
    let handler = server.handler(shadow("clients.create", &recorder)).await;
    let client = server.client("Acme").await;
    let call = recorder.wait_exactly(1).await.remove(0);
    assert_has(&call.body, &json!({"event": {"stage": "before", "mode": "live", "object_id": client}, "data": {"name": "Acme"}}));
    assert!(call.body["event"].get("seq").is_none(), "as if it were asked before");
    assert!(call.header("hookswitch-deadline-ms").is_some());
    let row = server.wait_log(json!({"handlers_id": handler}), 1).await.remove(0);
    assert_has(&row, &json!({"status": "forbidden", "stage": "before", "error": "never", "shadow": true}));
    assert_eq!(server.log(json!({"shadow": true})).await.len(), 1);
    assert_eq!(server.log(json!({"shadow": false})).await.len(), 0);
}

#[tokio::test]
async fn in_a_chain_it_sees_the_data_as_it_stands_at_its_turn_and_changes_nothing() {
    let server = Server::start().await;
    let (first, watching, last) = (Recorder::start().await, Recorder::start().await, Recorder::start().await);
    first.answer(|_| Reply::json(&json!({"data": {"notes": "by the first"}})));
    watching.answer(|_| Reply::json(&json!({"data": {"notes": "by the shadow", "credit": 7}})));
    for (order, recorder) in [(1, &first), (3, &last)] {
        server.handler(with(before("clients.create", recorder), json!({"order": order}))).await;
    }
    let handler = server.handler(with(shadow("clients.create", &watching), json!({"order": 2}))).await;
    let created = server.ok("clients.create", json!({"name": "Acme", "credit": 5})).await;
    assert_has(&created, &json!({"notes": "by the first", "credit": 5}));
    assert_eq!(watching.wait_exactly(1).await[0].body["data"]["notes"], "by the first");
    assert_eq!(last.calls()[0].body["data"]["notes"], "by the first");
    let row = server.wait_log(json!({"handlers_id": handler}), 1).await.remove(0);
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await;
    let changes = json!({"notes": {"old": "by the first", "new": "by the shadow"}, "credit": {"old": 5, "new": 7}});
    assert_has(&whole, &json!({"status": "success", "shadow": true, "changes": changes}));
    assert!(server.log(json!({"shadow": true})).await.len() == 1 && server.log(json!({"stage": "before"})).await.len() == 3);
}

#[tokio::test]
async fn nobody_waits_for_a_shadow_that_hangs() {
    let server = Server::start().await;
    let (hanging, quick) = (Recorder::answering(|_| Reply::hang()).await, Recorder::start().await);
    server
        .handler(with(shadow(json!(["clients.create", "clients.update"]), &hanging), json!({"timeout_ms": 30_000, "order": 1})))
        .await;
    let began = std::time::Instant::now();
    let client = server.client("Alone").await;
    // The budget is all there for those who decide, too.
    server.handler(with(before("clients.update", &quick), json!({"order": 2, "timeout_ms": 9_000}))).await;
    server.ok("clients.update", json!({"id": client, "notes": "n"})).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(9), "{:?}", began.elapsed());
    let deadline: u64 = quick.calls()[0].header("hookswitch-deadline-ms").unwrap().parse().unwrap();
    assert!(deadline > 7_000, "{deadline} ms");
    hanging.wait_exactly(2).await;
}

#[tokio::test]
async fn a_refusal_before_its_turn_leaves_it_out_and_one_after_it_does_not() {
    let server = Server::start().await;
    let (early, late, forbidding) =
        (Recorder::start().await, Recorder::start().await, Recorder::answering(|_| Reply::status(403)).await);
    server.handler(with(shadow("clients.create", &early), json!({"order": 1}))).await;
    server.handler(with(before("clients.create", &forbidding), json!({"order": 2}))).await;
    server.handler(with(shadow("clients.create", &late), json!({"order": 3}))).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    early.wait_exactly(1).await;
    assert!(late.calls().is_empty());
}

#[tokio::test]
async fn dry_runs_do_not_reach_it_and_it_is_not_told_how_it_ended() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(with(shadow("clients.create", &recorder), json!({"dry_run": true, "notify_outcome": true}))).await;
    let answer = server.whole("clients.create", json!({"name": "Dry", "dry_run": true})).await;
    assert_eq!(answer.get("warnings"), None, "{answer}");
    server.client("Acme").await;
    assert_eq!(recorder.wait_exactly(1).await[0].body["data"]["name"], "Acme");
    server.wait_log(json!({}), 1).await;
    assert_eq!(server.ok("provisioning.outcomes.search", json!({})).await, json!([]));
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn when_too_many_of_its_calls_are_under_way_it_is_left_out_with_a_row_that_says_so() {
    const WAITING_MAX: usize = 256;
    let server = Server::start().await;
    let gate = Gate::shut();
    let recorder = Recorder::answering({
        let gate = gate.clone();
        move |_| Reply::ok().behind(&gate)
    })
    .await;
    let more = json!({"concurrency": 1, "timeout_ms": 30_000});
    let handler = server.handler(with(shadow("clients.update", &recorder), more)).await;
    let client = server.client("Acme").await;
    for number in 0..=WAITING_MAX + 1 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{number}")})).await;
    }
    let row = server.wait_log(json!({"handlers_id": handler, "status": "skipped"}), 1).await.remove(0);
    assert_has(&row, &json!({"shadow": true, "duration_ms": 0}));
    assert!(row["error"].as_str().unwrap().starts_with("busy: "), "{row}");
    assert_eq!(recorder.calls().len(), 1, "one at a time");
    gate.open();
    server.wait_log(json!({"handlers_id": handler, "status": "success", "limit": 1000}), WAITING_MAX + 1).await;
    assert_eq!(recorder.calls().len(), WAITING_MAX + 1);
}

#[tokio::test]
async fn a_summary_says_what_it_would_have_done() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call: &Call| match call.body["data"]["name"].as_str().unwrap() {
        "Forbid" | "Forbid again" => Reply::json(&json!({"verdict": "forbid", "message": "not him"})),
        "Change" => Reply::json(&json!({"data": {"credit": 5, "notes": "n"}})),
        "Fail" => Reply::status(500),
        _ => Reply::ok(),
    })
    .await;
    let handler = server.handler(shadow("clients.create", &recorder)).await;
    for name in ["Allow", "Forbid", "Change", "Fail"] {
        server.client(name).await;
    }
    server.wait_log(json!({"handlers_id": handler, "shadow": true}), 4).await;
    let summary = server.ok("provisioning.handlers.shadow", json!({"id": handler})).await;
    assert_has(
        &summary,
        &json!({"asked": 4, "would_allow": 1, "would_change": 1, "would_forbid": 1, "failed": 1, "skipped": 0,
            "changed_keys": {"credit": 1, "notes": 1}, "failed_reasons": {"status": 1}, "complete": true}),
    );
    let examples = summary["forbidden_examples"].as_array().unwrap();
    assert_eq!(examples.len(), 1);
    assert_has(&examples[0], &json!({"events_id": "clients.create", "message": "not him"}));
    assert!(summary["median_ms"].as_i64() <= summary["p95_ms"].as_i64(), "{summary}");
    let none = server.ok("provisioning.handlers.shadow", json!({"id": handler, "dt_to": "2020-01-01"})).await;
    assert_has(&none, &json!({"asked": 0, "median_ms": null, "p95_ms": null, "forbidden_examples": []}));
    // Once it decides, what it decides is no shadow's word.
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "enabled"})).await;
    assert_eq!(server.refused("clients.create", json!({"name": "Forbid again"})).await.word(), "forbidden_by_handler");
    wait_until("its row", async || server.log(json!({"handlers_id": handler, "shadow": false})).await.len() == 1).await;
    assert_eq!(server.ok("provisioning.handlers.shadow", json!({"id": handler})).await["asked"], 4);
}

#[tokio::test]
async fn it_may_call_us_back_and_a_dead_one_is_never_tripped() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(shadow(json!(["clients.create", "clients.update"]), &recorder)).await;
    let api: Api = (*server).clone();
    recorder.answer_later(move |call| {
        let api = api.clone();
        async move {
            let cause = call.header("hookswitch-cause").unwrap().to_owned();
            let params = json!({"id": call.clients_id(), "notes": "by the shadow"});
            api.call_with(&[("hookswitch-cause", &cause)], "clients.update", params).await.unwrap();
            Reply::close()
        }
    });
    let client = server.client("Acme").await;
    wait_until("its own doing", async || server.ok("clients.get", json!({"id": client})).await["notes"] == "by the shadow").await;
    assert_eq!(recorder.calls().len(), 1, "it is not asked about its own doing");
}

#[tokio::test]
async fn after_handlers_have_no_shadow() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let refused = server
        .refused("provisioning.handlers.create", with(after("clients.create", &recorder), json!({"status": "shadow"})))
        .await;
    assert_eq!(refused.fields(), ["status"]);
    let handler = server.handler(shadow("clients.create", &recorder)).await;
    let refused = server.refused("provisioning.handlers.update", json!({"id": handler, "type": "after"})).await;
    assert_eq!(refused.fields(), ["status"]);
    assert_eq!(server.ok("provisioning.handlers.get", json!({"id": handler})).await["status"], "shadow");
    let found = wait_for("it by its status", async || {
        server.ok("provisioning.handlers.search", json!({"status": "shadow"})).await.get(0).cloned()
    })
    .await;
    assert_eq!(found["id"], handler);
}
