//! What somebody asks for, and what is refused.
use hookswitch_testkit::{api::id, assert_has, json};

use super::{DAY, HOUR, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn deactivated_on_request_it_stays_off_and_comes_back_without_a_charge_within_its_period() {
    let scene = Scene::with("100", json!({})).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    let off = scene.server.ok("clients.packages.deactivate", json!({"id": own, "reason": "holidays"})).await;
    assert_has(&off, &json!({"condition": "deactivated", "status": "archive", "reason": "holidays"}));
    scene.server.pay(scene.client, "1").await;
    scene.server.advance(5 * DAY);
    assert_eq!(scene.get(own).await["condition"], "deactivated", "only a request activates it");
    let on = scene.server.ok("clients.packages.activate", json!({"id": own})).await;
    assert_has(&on, &json!({"condition": "activated", "period_stop_dt": "2026-12-23T12:00:00+00:00", "reason": null}));
    assert_eq!(scene.balance().await, json!(86));
    scene.server.ok("clients.packages.deactivate", json!({"id": own})).await;
    scene.server.advance(40 * DAY);
    let later = scene.server.ok("clients.packages.activate", json!({"id": own})).await;
    assert_has(&later, &json!({"condition": "activated", "period_start_dt": "2027-01-07T12:00:00+00:00"}));
    assert_eq!(scene.balance().await, json!(76), "after its period it costs a period, and no activation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_is_due_from_its_advance_on() {
    let scene = Scene::with("15", json!({"advance_renew": "P2D"})).await;
    let own = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    let early = scene.server.refused("clients.packages.renew", json!({"id": own})).await;
    assert_eq!((early.code, early.word()), (-32022, "not_due"));
    scene.server.advance(28 * DAY + HOUR);
    let poor = scene.server.refused("clients.packages.renew", json!({"id": own})).await;
    assert_eq!(poor.word(), "low_balance");
    scene.server.ok("clients.update", json!({"id": scene.client, "credit": 9})).await;
    let discount = json!({"id": own, "period_fee": 9, "period_stop_dt": "2027-01-31T12:00:00Z"});
    let renewed = scene.server.ok("clients.packages.renew", discount).await;
    let expected = json!({
        "period_start_dt": "2026-12-23T12:00:00+00:00", "period_stop_dt": "2027-01-31T12:00:00+00:00", "period_fee": 10,
    });
    assert_has(&renewed, &expected);
    assert_eq!(scene.balance().await, json!(-9), "the fee of this step alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_from_a_wrong_condition_are_refused() {
    let scene = Scene::with("0", json!({})).await;
    let own = scene.assign(json!({})).await;
    for method in ["clients.packages.deactivate", "clients.packages.renew"] {
        assert_eq!(scene.server.refused(method, json!({"id": own})).await.word(), "wrong_condition", "{method}");
    }
    assert_eq!(scene.server.refused("clients.packages.activate", json!({"id": own})).await.word(), "low_balance");
    let closed = scene.server.ok("clients.packages.close", json!({"id": own, "reason": "mistake"})).await;
    assert_has(&closed, &json!({"condition": "closed", "status": "archive", "reason": "mistake"}));
    for step in ["activate", "deactivate", "renew", "close"] {
        let refusal = scene.server.refused(&format!("clients.packages.{step}"), json!({"id": own})).await;
        assert_eq!((refusal.code, refusal.word()), (-32022, "wrong_condition"), "{step}");
    }
    let events = scene.events().await;
    assert_eq!(events, ["clients.create", "clients.packages.assign", "clients.packages.close"], "a new one is not deactivated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_assignment_is_named_in_one_answer() {
    let scene = Scene::with("0", json!({})).await;
    let nowhere =
        json!({"clients_id": 999, "packages_id": 999, "quantity": 0, "start_dt": "yesterday", "condition": "activated"});
    let refusal = scene.server.refused("clients.packages.assign", nowhere).await;
    assert_eq!(refusal.fields(), ["clients_id", "condition", "packages_id", "quantity", "start_dt"]);
    let usual = json!({"clients_id": scene.client, "packages_id": scene.package});
    let other = scene.server.client("Other").await;
    let account = scene.server.account(other, "other").await;
    for (more, field) in [
        (json!({"accounts_id": account}), "accounts_id"),
        (json!({"stop_dt": "2026-11-23T12:00:00Z"}), "stop_dt"),
        (json!({"start_dt": "1890-01-01"}), "start_dt"),
        (json!({"quantity": 1_000_000, "period_fee": 999_999_999}), "quantity"),
        (json!({"period_fee": "10"}), "period_fee"),
    ] {
        let refusal = scene.server.refused("clients.packages.assign", hookswitch_testkit::with(usual.clone(), more)).await;
        assert_eq!(refusal.fields(), [field]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_can_be_had_in_its_time_its_currency_and_its_reseller_only() {
    let scene = Scene::with("0", json!({})).await;
    let refused = async |package: hookswitch_testkit::Value| {
        let package = id(&scene.server.ok("packages.create", package).await);
        let refusal =
            scene.server.refused("clients.packages.assign", json!({"clients_id": scene.client, "packages_id": package})).await;
        refusal.fields().join(" ")
    };
    let lower = scene.server.company("Lower", 1).await;
    assert_eq!(refused(json!({"name": "x", "period": "P1M", "status": "disabled"})).await, "packages_id");
    assert_eq!(refused(json!({"name": "x", "period": "P1M", "currencies_id": 2})).await, "packages_id");
    assert_eq!(refused(json!({"name": "x", "period": "P1M", "companies_id": lower})).await, "packages_id");
    assert_eq!(refused(json!({"name": "x", "period": "P1M", "effective_from": "2026-12-01"})).await, "start_dt");
    assert_eq!(refused(json!({"name": "x", "period": "P1M", "effective_till": "2026-11-01"})).await, "start_dt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_deleted_only_when_nobody_has_it() {
    let scene = Scene::with("0", json!({})).await;
    let own = scene.assign(json!({})).await;
    let refusal = scene.server.refused("packages.delete", json!({"id": scene.package})).await;
    assert_eq!((refusal.code, refusal.word()), (-32009, "conflict"));
    scene.server.ok("clients.packages.close", json!({"id": own})).await;
    assert_eq!(scene.server.ok("packages.delete", json!({"id": scene.package})).await, json!(1));
    assert_eq!(scene.get(own).await["packages_name"], "Flat", "what was had keeps its name");
    assert_eq!(scene.server.refused("packages.get", json!({"id": scene.package})).await.code, -32004);
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_and_deleting_a_client_tell_of_its_packages_first() {
    let scene = Scene::with("15", json!({})).await;
    let account = scene.server.account(scene.client, "acme").await;
    let own = scene.assign(json!({"accounts_id": account})).await;
    let waiting = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    assert_eq!(scene.server.ok("clients.archive", json!({"id": scene.client})).await, json!(1));
    let steps = ["clients.packages.deactivate", "clients.packages.close", "clients.packages.close", "clients.archive"];
    let events = scene.events().await;
    assert_eq!(events[events.len() - 4..], steps, "{events:?}");
    assert_has(&scene.get(waiting).await, &json!({"condition": "closed", "reason": "client_archived"}));
    scene.server.ok("clients.unarchive", json!({"id": scene.client})).await;
    scene.server.pay(scene.client, "100").await;
    let own = scene.assign(json!({"accounts_id": account})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.ok("clients.delete", json!({"id": scene.client, "force": true})).await;
    let steps = ["clients.packages.deactivate", "clients.packages.close", "clients.accounts.delete", "clients.delete"];
    let events = scene.events().await;
    assert_eq!(events[events.len() - 4..], steps, "{events:?}");
    assert_eq!(scene.server.refused("clients.packages.get", json!({"id": own})).await.code, -32004);
    let fees = scene.server.ok("accounting.transactions.search", json!({"clients_packages_id": own})).await;
    assert_eq!(fees.as_array().unwrap().len(), 2, "the ledger is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_an_account_closes_what_was_for_it() {
    let scene = Scene::with("100", json!({})).await;
    let account = scene.server.account(scene.client, "acme").await;
    let own = scene.assign(json!({"accounts_id": account})).await;
    let whole = scene.assign(json!({})).await;
    scene.wait_condition(own, "activated").await;
    scene.server.ok("clients.accounts.delete", json!({"id": account})).await;
    assert_has(&scene.get(own).await, &json!({"condition": "closed", "reason": "account_deleted"}));
    assert_ne!(scene.get(whole).await["condition"], "closed");
    let events = scene.events().await;
    let steps = ["clients.packages.deactivate", "clients.packages.close", "clients.accounts.delete"];
    assert_eq!(events[events.len() - 3..], steps, "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_rehearsed_and_repeated_like_any_action() {
    let scene = Scene::with("0", json!({})).await;
    let own = scene.assign(json!({})).await;
    scene.server.ok("clients.update", json!({"id": scene.client, "credit": 5})).await;
    let dry = json!({"clients_id": scene.client, "packages_id": scene.package, "dry_run": true});
    assert_has(&scene.server.ok("clients.packages.assign", dry).await, &json!({"id": 0, "condition": "new"}));
    assert_eq!(
        scene.server.refused("clients.packages.activate", json!({"id": own, "dry_run": true})).await.word(),
        "low_balance"
    );
    let free = json!({"id": own, "period_fee": 0, "dry_run": true});
    assert_has(&scene.server.ok("clients.packages.activate", free).await, &json!({"condition": "activated"}));
    assert_eq!(scene.get(own).await["condition"], "new");
    let free = json!({"id": own, "period_fee": 0, "idempotency_key": "k"});
    let first = scene.server.ok("clients.packages.activate", free.clone()).await;
    assert_eq!(scene.server.ok("clients.packages.activate", free).await, first);
    assert_eq!(scene.balance().await, json!(-5));
}
