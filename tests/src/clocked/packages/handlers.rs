//! Before handlers of steps: what they may change, and what becomes of a step that they refuse.
use hookswitch_testkit::{Recorder, Reply, assert_has, json, wait_until, with};

use super::{DAY, HOUR, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_changes_the_fee_and_the_end_of_this_step() {
    let scene = Scene::with("100", json!({})).await;
    let recorder =
        Recorder::answering(|_| Reply::json(&json!({"data": {"period_fee": 4, "period_stop_dt": "2026-12-31T00:00:00Z"}}))).await;
    scene.server.handler(hookswitch_testkit::before("clients.packages.activate", &recorder)).await;
    let own = scene.assign(json!({})).await;
    let active = scene.wait_condition(own, "activated").await;
    assert_has(&active, &json!({"period_stop_dt": "2026-12-31T00:00:00+00:00", "period_fee": 10}));
    assert_eq!(scene.balance().await, json!(91));
    let call = recorder.wait_exactly(1).await.remove(0);
    assert_has(&call.body["event"], &json!({"actor": {"type": "clock"}, "object_id": own, "stage": "before"}));
    assert_has(
        &call.body["data"],
        &json!({"activation_fee": 5, "period_fee": 10, "period_stop_dt": "2026-12-23T12:00:00+00:00"}),
    );
    let journal = scene.server.ok("provisioning.events.search", json!({"events_id": "clients.packages.activate"})).await;
    let event = scene.server.ok("provisioning.events.get", json!({"id": journal[0]["id"]})).await;
    assert_has(&event["data"], &json!({"period_fee": 4}));
    assert_has(&event["object"], &json!({"period_fee": 10}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_bounds_is_the_handlers_failure() {
    let scene = Scene::with("100", json!({})).await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"data": {"period_stop_dt": "2030-01-01T00:00:00Z"}}))).await;
    scene.server.handler(hookswitch_testkit::before("clients.packages.activate", &recorder)).await;
    let own = scene.assign(json!({})).await;
    let row = scene.server.wait_log(json!({"status": "failed"}), 1).await.remove(0);
    assert!(row["error"].to_string().contains("period_stop_dt"), "{row}");
    assert_eq!(scene.get(own).await["condition"], "new");
    assert_eq!(scene.balance().await, json!(100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_renewal_is_asked_again_until_the_periods_end_and_then_deactivated() {
    let scene = Scene::with("100", json!({})).await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"verdict": "forbid", "message": "no"}))).await;
    scene.server.handler(hookswitch_testkit::before("clients.packages.renew", &recorder)).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(30 * DAY - HOUR);
    recorder.wait_exactly(1).await;
    wait_until("the refusal is noted", async || scene.get(own).await["reason"] == "forbidden").await;
    for (advance, calls) in [(1, 2), (5, 3), (30, 4), (120, 5), (600, 6)] {
        scene.server.advance(advance - 1);
        scene.server.wait_nothing_due().await;
        assert_eq!(recorder.calls().len(), calls - 1, "not before its time");
        scene.server.advance(1);
        scene.server.wait_nothing_due().await;
        assert_eq!(recorder.calls().len(), calls);
    }
    assert_has(&scene.get(own).await, &json!({"condition": "activated", "status": "active"}));
    scene.server.advance(HOUR);
    let off = scene.wait_condition(own, "deactivated").await;
    assert_has(&off, &json!({"reason": "forbidden", "status": "archive"}));
    recorder.wait_exactly(6).await;
    scene.server.pay(scene.client, "100").await;
    scene.server.advance(DAY);
    assert_eq!(scene.get(own).await["condition"], "deactivated", "only a request activates it");
    assert_eq!(scene.steps(own).await[2], "deactivate 2026-12-23T12:00:00+00:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_try_of_a_step_is_told_how_it_ended_under_its_own_event() {
    let scene = Scene::with("100", json!({})).await;
    let (reserving, judging) = (Recorder::start().await, Recorder::answering(|_| Reply::status(403)).await);
    let event = "clients.packages.renew";
    let reserves = json!({"order": 1, "notify_outcome": true});
    scene.server.handler(with(hookswitch_testkit::before(event, &reserving), reserves)).await;
    let judge = scene.server.handler(with(hookswitch_testkit::before(event, &judging), json!({"order": 2}))).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(30 * DAY - HOUR);
    let calls = reserving.wait(2).await;
    assert_has(
        &calls[1].body,
        &json!({"event": {"id": calls[0].event("id"), "stage": "outcome", "actor": {"type": "clock"}},
            "outcome": {"state": "aborted", "by": {"type": "handler", "id": judge}}}),
    );
    wait_until("the refusal is noted", async || scene.get(own).await["reason"] == "forbidden").await;
    judging.answer(|_| Reply::ok());
    scene.server.advance(1);
    let calls = reserving.wait(4).await;
    assert_has(&calls[3].body, &json!({"event": {"id": calls[2].event("id")}, "outcome": {"state": "committed", "by": null}}));
    assert_ne!(calls[2].event("id"), calls[0].event("id"), "another try is another event");
    wait_until("nothing is owed", async || scene.server.ok("provisioning.outcomes.search", json!({})).await == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undecided_renewal_keeps_it_on_and_joins_the_old_period_when_it_is_decided() {
    let scene = Scene::with("100", json!({})).await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    let handler = scene.server.handler(hookswitch_testkit::before("clients.packages.renew", &recorder)).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(30 * DAY - HOUR);
    wait_until("the failure is noted", async || scene.get(own).await["reason"] == "handler_failed").await;
    scene.server.advance(2 * DAY);
    wait_until("it is asked again", async || recorder.calls().len() > 1).await;
    assert_has(&scene.get(own).await, &json!({"condition": "activated", "status": "active", "reason": "handler_failed"}));
    scene.server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    wait_until("it is renewed", async || {
        scene.server.advance(HOUR);
        scene.server.wait_nothing_due().await;
        scene.get(own).await["period_stop_dt"] == "2027-01-23T12:00:00+00:00"
    })
    .await;
    assert_has(&scene.get(own).await, &json!({"period_start_dt": "2026-12-23T12:00:00+00:00", "reason": null}));
    assert_eq!(scene.balance().await, json!(75));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_undecided_is_closed_when_renew_due_ends() {
    let scene = Scene::with("100", json!({"renew_due": "PT3H"})).await;
    let recorder = Recorder::answering(|_| Reply::status(500)).await;
    scene.server.handler(hookswitch_testkit::before("clients.packages.renew", &recorder)).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(30 * DAY - HOUR);
    wait_until("the failure is noted", async || scene.get(own).await["reason"] == "handler_failed").await;
    wait_until("it is closed", async || {
        scene.server.advance(HOUR);
        scene.server.wait_nothing_due().await;
        scene.get(own).await["condition"] == "closed"
    })
    .await;
    let steps = scene.steps(own).await;
    assert_eq!(steps[2..], ["deactivate 2026-12-23T15:00:00+00:00", "close 2026-12-23T15:00:00+00:00"], "{steps:?}");
    assert_eq!(scene.get(own).await["reason"], "renew_due");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_is_put_off_for_24_hours_at_most_and_then_the_log_says_so() {
    let scene = Scene::with("100", json!({})).await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"verdict": "forbid", "message": "not yet"}))).await;
    scene.server.handler(hookswitch_testkit::before("clients.packages.close", &recorder)).await;
    let own = scene.assign(json!({"stop_dt": "2026-11-24T12:00:00Z"})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(DAY);
    recorder.wait_exactly(1).await;
    scene.server.wait_log(json!({"status": "forbidden"}), 1).await;
    wait_until("it is put off for a day", async || {
        scene.server.advance(600);
        scene.server.wait_nothing_due().await;
        scene.get(own).await["condition"] == "closed"
    })
    .await;
    let rows = scene.server.wait_log(json!({"status": "skipped"}), 1).await;
    assert!(rows[0]["error"].to_string().contains("overruled"), "{}", rows[0]);
    let asked = scene.server.log(json!({"status": "forbidden", "limit": 1000})).await.len();
    assert!((25..=32).contains(&asked), "asked {asked} times: on the schedule, then hourly");
    let took = scene.server.now() - hookswitch_testkit::Clocked::seconds("2026-11-24T12:00:00Z");
    assert!((DAY..DAY + 2 * HOUR).contains(&took), "{took} s");
    assert_eq!(scene.steps(own).await[3], "close 2026-11-24T12:00:00+00:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_forbidden_changes_nothing_and_a_compound_action_is_one() {
    let scene = Scene::with("100", json!({})).await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"verdict": "forbid", "message": "keep it"}))).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.handler(hookswitch_testkit::before("clients.packages.close", &recorder)).await;
    for (method, params) in [
        ("clients.packages.close", json!({"id": own})),
        ("clients.archive", json!({"id": scene.client})),
        ("clients.delete", json!({"id": scene.client, "force": true})),
    ] {
        let refusal = scene.server.refused(method, params).await;
        assert_eq!((refusal.word(), refusal.data["message"].as_str()), ("forbidden_by_handler", Some("keep it")), "{method}");
    }
    assert_eq!(scene.get(own).await["condition"], "activated");
    assert_eq!(scene.events().await.len(), 3);
    assert_eq!(recorder.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_may_be_changed_before_it_is_made() {
    let scene = Scene::with("100", json!({})).await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"data": {"quantity": 2, "period_fee": 1}}))).await;
    scene.server.handler(with(hookswitch_testkit::before("clients.packages.assign", &recorder), json!({"name": "halves"}))).await;
    let own = scene.assign(json!({"start_dt": "2026-12-01"})).await;
    assert_has(&scene.get(own).await, &json!({"quantity": 2, "period_fee": 1, "activation_fee": 5}));
}
