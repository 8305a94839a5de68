//! A before handler that fails: `on_failure` decides, and the caller is told why.
use hookswitch_testkit::{Recorder, Reply, Server, after, assert_has, before, json, with};

/// Each failing reply with the contract's reason for it.
fn failures() -> Vec<(&'static str, Reply)> {
    let big = json!({"data": {"notes": "x".repeat(1 << 20)}});
    let json = |body| Reply::json(&body);
    vec![
        ("status", Reply::status(500)),
        ("status", Reply::text(503, "{}")),
        ("status", Reply::text(404, json!({"verdict": "allow"}).to_string())),
        ("status", Reply::status(401)),
        ("status", Reply::status(410)),
        ("status", Reply::status(302).header("location", "http://127.0.0.1:9/elsewhere")),
        ("status", Reply::text(206, "{}")),
        ("bad_reply", Reply::text(200, "OK")),
        ("bad_reply", Reply::text(200, "[]")),
        ("bad_reply", Reply::text(200, "null")),
        ("bad_reply", Reply::text(200, "\"allow\"")),
        ("bad_reply", Reply::text(200, "{} {}")),
        ("bad_reply", Reply::text(200, "{\"verdict\":\"allow\"")),
        ("bad_reply", Reply::text(200, b"{\"data\":{\"notes\":\"\xff\"}}".to_vec())),
        ("bad_reply", json(json!({"verdict": "perhaps"}))),
        ("bad_reply", json(json!({"verdict": 1}))),
        ("bad_reply", json(json!({"result": "fine"}))),
        ("bad_reply", json(json!({"data": [1]}))),
        ("bad_reply", json(json!({"data": {"no_such_key": 1}}))),
        ("bad_reply", json(json!({"data": {"credit": "100"}}))),
        ("bad_reply", json(json!({"data": {"credit": -1}}))),
        ("bad_reply", json(json!({"data": {"name": ""}}))),
        ("bad_reply", json(json!({"data": {"id": 4711}}))),
        ("bad_reply", json(json!({"data": {"balance": 4711}}))),
        ("bad_reply", json(big)),
        ("bad_reply", Reply::endless()),
        ("refused", Reply::close()),
        ("refused", Reply::reset()),
    ]
}

#[tokio::test]
async fn every_failing_reply_refuses_the_action_with_its_reason_and_changes_nothing() {
    let server = Server::start().await;
    let (recorder, told) = (Recorder::start().await, Recorder::start().await);
    let handler = server.handler(with(before("clients.create", &recorder), json!({"name": "crm"}))).await;
    server.handler(after("clients.create", &told)).await;
    for (reason, reply) in failures() {
        let shown: String = format!("{reply:?}").chars().take(200).collect();
        recorder.answer(move |_| reply.clone());
        let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
        assert_eq!(refusal.code, -32053, "{shown}: {refusal:?}");
        assert!(refusal.message.starts_with("handler_failed: "), "{refusal:?}");
        let expected = json!({"code": "handler_failed", "reason": reason, "handler": {"id": handler, "name": "crm"}});
        assert_has(&refusal.data, &expected);
    }
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]));
    assert_eq!(server.ok("provisioning.events.search", json!({})).await, json!([]));
    assert!(told.calls().is_empty());
    let rows = server.wait_log(json!({"handlers_id": handler, "limit": 1000}), failures().len()).await;
    assert!(rows.iter().all(|row| row["status"] == "failed" && row["error"].is_string()), "{rows:#?}");
}

#[tokio::test]
async fn with_on_failure_allow_a_failing_handler_is_passed_over() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(with(before("clients.create", &recorder), json!({"on_failure": "allow"}))).await;
    let count = failures().len();
    for (index, (_, reply)) in failures().into_iter().enumerate() {
        recorder.answer(move |_| reply.clone());
        let client = server.ok("clients.create", json!({"name": format!("client {index}"), "credit": 7})).await;
        assert_has(&client, &json!({"credit": 7, "balance": 0, "notes": null}));
    }
    let rows = server.wait_log(json!({"stage": "before", "limit": 1000}), count).await;
    assert!(rows.iter().all(|row| row["status"] == "failed"), "{rows:#?}");
}

#[tokio::test]
async fn a_forbidding_verdict_counts_also_with_on_failure_allow() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::status(403)).await;
    server.handler(with(before("clients.create", &recorder), json!({"on_failure": "allow"}))).await;
    assert_eq!(server.refused("clients.create", json!({"name": "Acme"})).await.word(), "forbidden_by_handler");
}

#[tokio::test]
async fn a_hanging_handler_is_a_timeout_after_its_own_limit() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::hang()).await;
    server.handler(with(before("clients.create", &recorder), json!({"timeout_ms": 150}))).await;
    let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
    assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "timeout"}));
    let row = server.wait_log(json!({"status": "failed"}), 1).await.remove(0);
    let took = row["duration_ms"].as_i64().unwrap();
    assert!((140..5_000).contains(&took), "{took} ms");
    assert_eq!(row["response_status"], json!(null));
}

#[tokio::test]
async fn a_port_where_nobody_listens_and_an_address_that_is_forbidden_are_refused() {
    let server = Server::start().await;
    for task in [
        "http://127.0.0.1:1/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/hook",
        "http://no-such-host.invalid/hook",
    ] {
        let handler = json!({"name": "gone", "event": "clients.create", "type": "before", "task": task, "timeout_ms": 5000});
        let handler = match server.call("provisioning.handlers.create", handler).await {
            Ok(handler) => handler["id"].clone(),
            // Addresses that are refused always may be refused when they are saved.
            Err(refusal) => {
                assert_eq!(refusal.fields(), ["task"]);
                continue;
            }
        };
        let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
        assert_has(
            &refusal.data,
            &json!({"code": "handler_failed", "reason": "refused", "handler": {"id": handler, "name": "gone"}}),
        );
        server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    }
}
