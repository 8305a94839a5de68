//! `provisioning.handlers.backtest`: the journal's last events against a handler, read-only.
use hookswitch_testkit::{Call, Recorder, Reply, Server, after, assert_has, before, json, with};

#[tokio::test]
async fn the_last_events_are_asked_about_and_nothing_is_stored_or_logged() {
    let server = Server::start().await;
    for name in ["Old", "Allow", "Forbid", "Change", "Fail", "Unwanted"] {
        let client = server.client(name).await;
        server.account(client, &name.to_lowercase()).await;
    }
    let recorder = Recorder::answering(|call: &Call| match call.body["data"]["name"].as_str().unwrap() {
        "Forbid" => Reply::json(&json!({"verdict": "forbid", "message": "not him", "code": "E1"})),
        "Change" => Reply::json(&json!({"data": {"credit": 5}})),
        "Fail" => Reply::status(500),
        _ => Reply::ok(),
    })
    .await;
    let fields = with(before("clients.create", &recorder), json!({"condition": "data.name != 'Unwanted'"}));
    let journal = server.ok("provisioning.events.search", json!({"with_total": true})).await;
    let summary = server.ok("provisioning.handlers.backtest", json!({"handler": fields, "last": 5})).await;
    assert_has(
        &summary,
        &json!({"planned": 5, "asked": 4, "unwanted": 1, "would_allow": 1, "would_change": 1, "would_forbid": 1, "failed": 1,
            "skipped": 0, "changed_keys": {"credit": 1}, "failed_reasons": {"status": 1}}),
    );
    assert_has(&summary["forbidden_examples"][0], &json!({"events_id": "clients.create", "message": "not him"}));
    let calls = recorder.wait_exactly(4).await;
    for call in &calls {
        assert_has(call.body.get("event").unwrap(), &json!({"mode": "test", "stage": "before", "events_id": "clients.create"}));
        assert!(call.body["event"].get("seq").is_none());
    }
    assert!(calls.iter().all(|call| call.body["data"]["name"] != "Old"), "the newest only");
    assert_eq!(server.ok("provisioning.events.search", json!({"with_total": true})).await, journal);
    assert_eq!(server.log(json!({})).await, [] as [hookswitch_testkit::Value; 0]);
}

#[tokio::test]
async fn a_saved_handler_is_asked_by_client_and_event_and_writable_counts() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let (one, other) = (server.client("One").await, server.client("Other").await);
    for client in [one, other, one] {
        server.ok("clients.update", json!({"id": client, "notes": format!("of {client}"), "credit": client})).await;
        server.pay(client, "1").await;
        server.ok("clients.update", json!({"id": client, "notes": "", "credit": 0})).await;
    }
    let more = json!({"event": "clients.*", "status": "disabled", "writable": ["notes"]});
    let handler = server.handler(with(before("clients.update", &recorder), more)).await;
    recorder.answer(|_| Reply::json(&json!({"data": {"credit": 77}})));
    let asked = json!({"id": handler, "clients_id": one, "events_id": "clients.update"});
    let summary = server.ok("provisioning.handlers.backtest", asked).await;
    assert_has(&summary, &json!({"planned": 4, "asked": 4, "failed": 4, "failed_reasons": {"bad_reply": 4}}));
    assert!(recorder.calls().iter().all(|call| call.clients_id() == one));
    let refused =
        server.refused("provisioning.handlers.backtest", json!({"id": handler, "events_id": "clients.balance_zero"})).await;
    assert_eq!(refused.fields(), ["events_id"]);
    for (wrong, field) in [(json!({"last": 0}), "last"), (json!({"last": 1001}), "last"), (json!({"zzz": 1}), "zzz")] {
        assert_eq!(server.refused("provisioning.handlers.backtest", with(json!({"id": handler}), wrong)).await.fields(), [field]);
    }
    let told = server.handler(after("clients.create", &recorder)).await;
    assert_eq!(server.refused("provisioning.handlers.backtest", json!({"id": told})).await.fields(), ["id"]);
}

#[tokio::test]
async fn a_password_is_masked_and_a_reseller_is_asked_about_its_own_clients() {
    let server = Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").start().await;
    let own = server.company("Own", 1).await;
    let admin = server.user("own-admin", "admin", json!(own)).await;
    let (mine, stranger) = (admin.client("Mine").await, server.client("Stranger").await);
    admin.account(mine, "mine").await;
    server.account(stranger, "stranger").await;
    let recorder = Recorder::start().await;
    let fields = before(json!(["clients.create", "clients.accounts.create"]), &recorder);
    let summary = admin.ok("provisioning.handlers.backtest", json!({"handler": fields})).await;
    assert_has(&summary, &json!({"planned": 2, "asked": 2, "would_allow": 2}));
    let calls = recorder.wait_exactly(2).await;
    assert!(calls.iter().all(|call| call.clients_id() == mine));
    let account = calls.iter().find(|call| call.events_id() == "clients.accounts.create").unwrap();
    assert_eq!(account.body["data"]["password"], "********");
    let of_stranger = json!({"handler": before("clients.create", &recorder), "clients_id": stranger});
    assert_has(
        &admin.ok("provisioning.handlers.backtest", of_stranger).await,
        &json!({"planned": 0, "asked": 0, "median_ms": null}),
    );
}

#[tokio::test]
async fn a_handler_that_hangs_holds_up_nobody_else_and_few_are_tested_at_once() {
    let server = Server::start().await;
    for number in 0..20 {
        server.client(&format!("Client {number}")).await;
    }
    let gate = hookswitch_testkit::Gate::shut();
    let hanging = Recorder::answering({
        let gate = gate.clone();
        move |_| Reply::ok().behind(&gate)
    })
    .await;
    let fields = with(before("clients.create", &hanging), json!({"timeout_ms": 30_000}));
    let start = || {
        let (api, fields) = ((*server).clone(), fields.clone());
        tokio::spawn(async move { api.ok("provisioning.handlers.backtest", json!({"handler": fields})).await })
    };
    let running = [start(), start()];
    hanging.wait_exactly(16).await;
    let refused = server.refused("provisioning.handlers.backtest", json!({"handler": fields})).await;
    assert_eq!(refused.word(), "too_many");
    server.client("Meanwhile").await;
    gate.open();
    for one in running {
        assert_has(&one.await.unwrap(), &json!({"planned": 20, "asked": 20, "would_allow": 20}));
    }
}
