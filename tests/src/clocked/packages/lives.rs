//! What becomes of a client package as time and money pass.
use hookswitch_testkit::{assert_has, json};

use super::{DAY, HOUR, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_activated_at_once_where_there_is_money_and_both_fees_are_charged() {
    let scene = Scene::with("100", json!({})).await;
    let own = scene.assign(json!({})).await;
    let active = scene.wait_condition(own, "activated").await;
    let expected = json!({
        "status": "active", "packages_name": "Flat", "quantity": 1, "reason": null,
        "period_start_dt": "2026-11-23T12:00:00+00:00", "period_stop_dt": "2026-12-23T12:00:00+00:00",
    });
    assert_has(&active, &expected);
    assert_eq!(scene.balance().await, json!(85));
    let fees = scene.server.ok("accounting.transactions.search", json!({"clients_packages_id": own})).await;
    assert_has(&fees[0], &json!({"type": "package_fee", "amount": -5, "balance_after": 95, "c_dt": "2026-11-23T12:00:00+00:00"}));
    assert_has(&fees[1], &json!({"type": "package_fee", "amount": -10, "balance_after": 85}));
    assert_eq!(
        scene.events().await,
        ["clients.create", "clients.packages.assign", "clients.packages.activate"],
        "money that stays above zero is no event"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_its_start_and_for_money_and_a_payment_tries_it_at_once() {
    let scene = Scene::with("0", json!({})).await;
    let own = scene.assign(json!({"start_dt": "2026-11-25"})).await;
    assert_has(&scene.get(own).await, &json!({"condition": "new", "status": "pending", "start_dt": "2026-11-25T00:00:00+00:00"}));
    scene.server.advance(2 * DAY);
    scene.server.pay(scene.client, "14").await;
    scene.server.advance(60);
    assert_has(&scene.get(own).await, &json!({"condition": "new", "status": "pending"}));
    scene.server.pay(scene.client, "1").await;
    let active = scene.wait_condition(own, "activated").await;
    assert_eq!(active["period_start_dt"], "2026-11-25T12:01:00+00:00", "the first period begins with the payment");
    assert_eq!(scene.balance().await, json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_credit_is_money_too() {
    let scene = Scene::with("0", json!({})).await;
    let own = scene.assign(json!({})).await;
    scene.server.ok("clients.update", json!({"id": scene.client, "credit": 15})).await;
    scene.wait_condition(own, "activated").await;
    assert_eq!(scene.balance().await, json!(-15));
    let events = scene.events().await;
    assert_eq!(events[3..], ["clients.packages.activate", "clients.balance_zero", "clients.balance_zero"], "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_renewed_in_advance_period_after_period_and_keeps_its_anchor_day() {
    let scene = Scene::with("1000", json!({"advance_renew": "P1D"})).await;
    let own = scene.assign(json!({"start_dt": "2027-01-31T00:00:00Z"})).await;
    scene.server.advance(69 * DAY);
    scene.wait_paid_until(own, "2027-02-28T00:00:00+00:00").await;
    scene.server.advance(27 * DAY);
    scene.wait_paid_until(own, "2027-03-31T00:00:00+00:00").await;
    scene.server.advance(31 * DAY);
    scene.wait_paid_until(own, "2027-04-30T00:00:00+00:00").await;
    let steps = scene.steps(own).await;
    let expected = [
        "assign 2026-11-23T12:00:00+00:00",
        "activate 2027-01-31T00:00:00+00:00",
        "renew 2027-02-27T00:00:00+00:00",
        "renew 2027-03-30T00:00:00+00:00",
    ];
    assert_eq!(steps, expected);
    assert_eq!(scene.balance().await, json!(965));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_money_it_is_deactivated_at_the_end_of_its_period_and_comes_back_with_a_payment() {
    let scene = Scene::with("15", json!({"renew_due": "P10D"})).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(30 * DAY - HOUR);
    scene.server.advance(HOUR - 1);
    assert_eq!(scene.get(own).await["condition"], "activated", "paid until the end");
    scene.server.advance(1);
    let off = scene.wait_condition(own, "deactivated").await;
    assert_has(&off, &json!({"status": "pending", "reason": "low_balance", "period_stop_dt": "2026-12-23T12:00:00+00:00"}));
    scene.server.advance(3 * DAY);
    scene.server.pay(scene.client, "10").await;
    let on = scene.wait_condition(own, "activated").await;
    assert_has(&on, &json!({"status": "active", "reason": null, "period_start_dt": "2026-12-26T12:00:00+00:00"}));
    assert_eq!(scene.balance().await, json!(0), "only the period fee is charged again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_pays_for_is_closed_after_renew_due() {
    let scene = Scene::with("15", json!({"renew_due": "P10D"})).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(30 * DAY);
    scene.wait_condition(own, "deactivated").await;
    scene.server.advance(10 * DAY);
    let closed = scene.wait_condition(own, "closed").await;
    assert_has(&closed, &json!({"status": "archive", "reason": "renew_due"}));
    scene.server.pay(scene.client, "100").await;
    let steps = scene.steps(own).await;
    let expected = [
        "assign 2026-11-23T12:00:00+00:00",
        "activate 2026-11-23T12:00:00+00:00",
        "deactivate 2026-12-23T12:00:00+00:00",
        "close 2027-01-02T12:00:00+00:00",
    ];
    assert_eq!(steps, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_dt_ends_it_without_a_renewal_before() {
    let scene = Scene::with("100", json!({})).await;
    let own = scene.assign(json!({"stop_dt": "2026-12-23T12:00:00Z"})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(30 * DAY);
    let closed = scene.wait_condition(own, "closed").await;
    assert_has(&closed, &json!({"reason": "stop_dt"}));
    assert_eq!(scene.balance().await, json!(85), "one period was paid");
    let events = scene.events().await;
    assert_eq!(events[3..], ["clients.packages.deactivate", "clients.packages.close"], "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_are_times_the_quantity_and_may_be_overridden() {
    let scene = Scene::with("1000", json!({})).await;
    let own = scene.assign(json!({"quantity": 3, "activation_fee": 1.5, "period_fee": 0.000001})).await;
    scene.wait_condition(own, "activated").await;
    assert_eq!(scene.balance().await, json!(995.499997));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_needs_no_money_and_makes_no_transaction() {
    let scene = Scene::with("0", json!({"activation_fee": 0, "period_fee": 0})).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    assert_eq!(scene.server.ok("accounting.transactions.search", json!({})).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_shorter_than_its_advance_is_paid_one_period_ahead_and_no_more() {
    let scene = Scene::with("100", json!({"period": "PT10M", "advance_renew": "PT1H"})).await;
    let own = scene.assign(json!({})).await;
    scene.wait_paid_until(own, "2026-11-23T12:20:00+00:00").await;
    assert_eq!(scene.balance().await, json!(75));
    scene.server.advance(600);
    scene.wait_paid_until(own, "2026-11-23T12:30:00+00:00").await;
    assert_eq!(scene.balance().await, json!(65));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_package_is_closed_for_all_who_have_it() {
    let scene = Scene::with("1000", json!({})).await;
    let mut owned = Vec::new();
    for _ in 0..5 {
        owned.push(scene.assign(json!({})).await);
    }
    for own in &owned {
        scene.wait_condition(*own, "activated").await;
    }
    scene.server.ok("packages.update", json!({"id": scene.package, "status": "archive"})).await;
    for own in &owned {
        let closed = scene.wait_condition(*own, "closed").await;
        assert_has(&closed, &json!({"reason": "package_archived", "status": "archive"}));
    }
    let refusal =
        scene.server.refused("clients.packages.assign", json!({"clients_id": scene.client, "packages_id": scene.package})).await;
    assert_eq!(refusal.fields(), ["packages_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_terms_count_from_the_next_step_on() {
    let scene = Scene::with("15", json!({})).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.advance(31 * DAY);
    scene.wait_condition(own, "deactivated").await;
    scene.server.ok("packages.update", json!({"id": scene.package, "renew_due": "P1D", "period": "P7D"})).await;
    scene.server.advance(1);
    let closed = scene.wait_condition(own, "closed").await;
    assert_eq!(closed["reason"], "renew_due", "it waited without end, and has been due for a day by the new terms");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_begin_where_the_reseller_is() {
    let scene = Scene::with("1000", json!({})).await;
    scene.server.ok("companies.update", json!({"id": 1, "timezone": "Europe/Berlin"})).await;
    let own = scene.assign(json!({"start_dt": "2027-03-15", "stop_dt": "2027-06-01"})).await;
    assert_has(&scene.get(own).await, &json!({"start_dt": "2027-03-14T23:00:00+00:00", "stop_dt": "2027-05-31T22:00:00+00:00"}));
    scene.server.advance(115 * DAY);
    // Summer time began on 28 March.
    scene.wait_paid_until(own, "2027-04-14T22:00:00+00:00").await;
}
