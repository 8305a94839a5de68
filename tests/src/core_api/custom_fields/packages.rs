//! The custom fields of packages, which are set with the package itself.
use hookswitch_testkit::{Api, Server, Value, api::id, json, with};

use super::define;

async fn define_of_packages(api: &Api, key: &str, more: Value) -> i64 {
    define(api, key, with(json!({"object_type": "packages"}), more)).await
}

/// A package of the key's reseller with these values.
async fn package(api: &Api, values: Value) -> Value {
    api.ok("packages.create", json!({"name": "Flat", "period": "P1M", "custom_fields": values})).await
}

#[tokio::test]
async fn values_are_set_with_a_package_and_shown_in_the_order_of_their_definitions() {
    let server = Server::start().await;
    define_of_packages(&server, "last", json!({"order": 300})).await;
    define_of_packages(&server, "first", json!({"order": 1, "companies_id": null})).await;
    let values: Value = r#"{"last": 12345678901234567890.1200, "first": "Zürich"}"#.parse().unwrap();
    let created = package(&server, values).await;
    let shown = r#"{"first":"Zürich","last":12345678901234567890.1200}"#;
    assert_eq!(created["custom_fields"].to_string(), shown);
    assert_eq!(server.ok("packages.get", json!({"id": created["id"]})).await, created);
    assert_eq!(server.ok("packages.search", json!({})).await, json!([created]));
    let without = server.ok("packages.create", json!({"name": "Plain", "period": "P1M"})).await;
    assert_eq!(without["custom_fields"], json!({}));
}

#[tokio::test]
async fn an_update_changes_the_keys_that_it_names_and_null_takes_a_value_away() {
    let server = Server::start().await;
    for key in ["a", "b", "c"] {
        define_of_packages(&server, key, json!({})).await;
    }
    let own = id(&package(&server, json!({"a": 1, "b": "two", "c": null})).await);
    let update =
        async |more: Value| server.ok("packages.update", with(json!({"id": own}), more)).await["custom_fields"].to_string();
    assert_eq!(update(json!({"notes": "n"})).await, r#"{"a":1,"b":"two"}"#, "the others stay");
    assert_eq!(update(json!({"custom_fields": {"a": null, "c": false}})).await, r#"{"b":"two","c":false}"#);
    assert_eq!(update(json!({"custom_fields": {}})).await, r#"{"b":"two","c":false}"#);
    assert_eq!(update(json!({"custom_fields": {"b": 1}, "dry_run": true})).await, r#"{"b":1,"c":false}"#);
    assert_eq!(update(json!({"custom_fields": {"a": 1}})).await, r#"{"a":1,"b":"two","c":false}"#, "nothing came of the dry run");
    assert_eq!(update(json!({"custom_fields": {"a": 1.0}})).await, r#"{"a":1,"b":"two","c":false}"#, "equal is no change");
    assert_eq!(update(json!({"custom_fields": {"a": null, "b": null, "c": null}})).await, "{}");
    assert_eq!(server.ok("packages.get", json!({"id": own})).await["notes"], "n");
}

#[tokio::test]
async fn all_that_is_wrong_is_named_by_its_path_in_one_answer() {
    let server = Server::start().await;
    define(&server, "of_clients", json!({})).await;
    define_of_packages(&server, "a", json!({})).await;
    let own = id(&package(&server, json!({"a": "kept"})).await);
    let wrong = json!({"period_fee": -1, "custom_fields": {"a": [1], "of_clients": 1, "zzz": null}});
    for (method, more) in [("packages.create", json!({"period": "P1M"})), ("packages.update", json!({"id": own}))] {
        let refusal = server.refused(method, with(with(wrong.clone(), more), json!({"name": ""}))).await;
        let expected = json!({
            "custom_fields.a": "must be a text, a number, true or false",
            "custom_fields.of_clients": "unknown field",
            "custom_fields.zzz": "unknown field",
            "name": "must be a text of 1 to 128 characters",
            "period_fee": "must be at least 0",
        });
        assert_eq!(refusal.data, expected, "{method}");
    }
    for no_object in [json!(null), json!([]), json!("a")] {
        let refusal = server.refused("packages.update", json!({"id": own, "custom_fields": no_object, "notes": "n"})).await;
        assert_eq!(refusal.fields(), ["custom_fields"]);
    }
    let nowhere = json!({"name": "n", "period": "P1M", "companies_id": 99, "custom_fields": {"a": {}}});
    assert_eq!(server.refused("packages.create", nowhere).await.fields(), ["companies_id"], "nobody knows which keys there are");
    let kept = server.ok("packages.get", json!({"id": own})).await;
    assert_eq!((&kept["custom_fields"], &kept["notes"]), (&json!({"a": "kept"}), &json!(null)));
}

#[tokio::test]
async fn a_package_has_the_fields_of_its_reseller_and_of_those_above() {
    let server = Server::start().await;
    let (left, right) = (server.company("Left", 1).await, server.company("Right", 1).await);
    let admin = server.user("left", "operator", json!(left)).await;
    for (key, companies_id) in [("all", json!(null)), ("top", json!(1)), ("left", json!(left)), ("right", json!(right))] {
        define_of_packages(&server, key, json!({"companies_id": companies_id})).await;
    }
    let created = package(&admin, json!({"all": 1, "top": 2, "left": 3})).await;
    assert_eq!(created["companies_id"], json!(left));
    assert_eq!(created["custom_fields"], json!({"all": 1, "top": 2, "left": 3}));
    let beside = json!({"id": created["id"], "custom_fields": {"right": 1}});
    assert_eq!(admin.refused("packages.update", beside).await.fields(), ["custom_fields.right"]);
    let of_top = json!({"name": "Flat", "period": "P1M", "custom_fields": {"left": 1}});
    assert_eq!(server.refused("packages.create", of_top).await.fields(), ["custom_fields.left"]);
}

#[tokio::test]
async fn values_follow_a_renamed_key_and_go_with_their_definition() {
    let mut server = Server::start().await;
    let (one, two) = (define_of_packages(&server, "one", json!({})).await, define_of_packages(&server, "two", json!({})).await);
    let own = id(&package(&server, json!({"one": 1, "two": 2})).await);
    server.ok("custom_fields.update", json!({"id": one, "key": "uno"})).await;
    server.ok("custom_fields.delete", json!({"id": two})).await;
    define_of_packages(&server, "two", json!({})).await;
    server.kill9().await;
    server.start_again().await;
    let shown = server.ok("packages.get", json!({"id": own})).await;
    assert_eq!(shown["custom_fields"], json!({"uno": 1}), "a new definition wakes no old value");
    let again = server.ok("packages.update", json!({"id": own, "custom_fields": {"two": 3}})).await;
    assert_eq!(again["custom_fields"], json!({"uno": 1, "two": 3}));
}

#[tokio::test]
async fn all_values_of_a_package_together_are_bounded_and_can_always_be_taken_away() {
    let server = Server::start().await;
    let long = json!("x".repeat(4_000));
    let mut values = json!({});
    for number in 0..16 {
        let key = format!("k{number}");
        define_of_packages(&server, &key, json!({})).await;
        values[key] = long.clone();
    }
    let own = id(&package(&server, values).await);
    define_of_packages(&server, "more", json!({})).await;
    let more = json!({"id": own, "custom_fields": {"more": long}});
    assert_eq!(server.refused("packages.update", more.clone()).await.fields(), ["custom_fields.more"]);
    server.ok("packages.update", json!({"id": own, "custom_fields": {"k0": null}})).await;
    server.ok("packages.update", more).await;
}
