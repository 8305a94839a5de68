//! The server was down for weeks: every missed step is taken once, in order, with its own date.
use hookswitch_testkit::{Recorder, after, json};

use super::{DAY, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn missed_steps_are_taken_in_order_each_with_its_own_date() {
    let mut scene = Scene::with("45", json!({"period": "P7D", "renew_due": "P30D"})).await;
    let recorder = Recorder::start().await;
    scene.server.handler(after("clients.packages.*", &recorder)).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.restart_after(80 * DAY).await;
    scene.wait_condition(own, "closed").await;
    let expected = [
        "assign 2026-11-23T12:00:00+00:00",
        "activate 2026-11-23T12:00:00+00:00",
        "renew 2026-11-30T11:00:00+00:00",
        "renew 2026-12-07T11:00:00+00:00",
        "renew 2026-12-14T11:00:00+00:00",
        "deactivate 2026-12-21T12:00:00+00:00",
        "close 2027-01-20T12:00:00+00:00",
    ];
    assert_eq!(scene.steps(own).await, expected);
    assert_eq!(scene.balance().await, json!(0));
    scene.server.wait_all_delivered().await;
    let told: Vec<String> =
        recorder.calls().iter().map(|call| call.event("dt").as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(told, expected.map(|step| step.split_once(' ').unwrap().1));
    let dates = scene.server.ok("accounting.transactions.search", json!({"type": "package_fee", "order": ["id"]})).await;
    assert_eq!(dates[2]["c_dt"], "2026-11-30T11:00:00+00:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_in_the_past_is_lived_through_to_the_present() {
    let scene = Scene::with("1000", json!({})).await;
    let own = scene.assign(json!({"start_dt": "2026-09-30T00:00:00Z"})).await;
    scene.wait_paid_until(own, "2026-11-30T00:00:00+00:00").await;
    assert_eq!(scene.balance().await, json!(975));
    assert_eq!(scene.steps(own).await[1..3], ["activate 2026-09-30T00:00:00+00:00", "renew 2026-10-29T23:00:00+00:00"]);
}
