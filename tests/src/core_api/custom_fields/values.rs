//! `clients.custom_fields.*`: the values of a client.
use hookswitch_testkit::{Server, Value, json};

use super::define;

#[tokio::test]
async fn get_gives_every_key_and_a_client_shows_those_that_are_set() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    define(&server, "last", json!({"order": 300})).await;
    define(&server, "first", json!({"order": 1, "companies_id": null})).await;
    define(&server, "of_packages", json!({"object_type": "packages"})).await;
    let unset = server.ok("clients.custom_fields.get", json!({"id": client})).await;
    assert_eq!(unset.to_string(), r#"{"first":null,"last":null}"#);
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["custom_fields"], json!({}));
    assert_eq!(server.ok("clients.custom_fields.update", json!({"id": client, "last": "x", "first": true})).await, json!(1));
    let set = server.ok("clients.custom_fields.get", json!({"id": client})).await;
    assert_eq!(set.to_string(), r#"{"first":true,"last":"x"}"#);
    server.ok("clients.custom_fields.update", json!({"id": client, "first": null})).await;
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["custom_fields"], json!({"last": "x"}));
    let rows = server.ok("clients.search", json!({})).await;
    assert_eq!(rows[0]["custom_fields"], json!({"last": "x"}));
    assert_eq!(server.ok("clients.update", json!({"id": client, "notes": "n"})).await["custom_fields"], json!({"last": "x"}));
}

#[tokio::test]
async fn a_value_is_a_text_a_number_or_a_boolean_and_keeps_its_digits() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    for key in ["a", "b", "c", "d"] {
        define(&server, key, json!({})).await;
    }
    let values: Value = r#"{"a": "Zürich\n2nd line", "b": 12345678901234567890.1200, "c": false, "d": ""}"#.parse().unwrap();
    server.ok("clients.custom_fields.update", hookswitch_testkit::with(json!({"id": client}), values.clone())).await;
    assert_eq!(server.ok("clients.custom_fields.get", json!({"id": client})).await.to_string(), values.to_string());
    let wrong = json!({"id": client, "a": [1], "b": {}, "c": "x".repeat(5_000), "unknown": 1, "name": "x"});
    let refusal = server.refused("clients.custom_fields.update", wrong).await;
    assert_eq!(refusal.fields(), ["a", "b", "c", "name", "unknown"]);
    assert_eq!(server.refused("clients.custom_fields.update", json!({"a": 1})).await.fields(), ["id"]);
    assert_eq!(server.refused("clients.custom_fields.update", json!({"id": 999, "a": 1})).await.word(), "not_found");
    assert_eq!(server.ok("clients.custom_fields.get", json!({"id": client})).await.to_string(), values.to_string());
}

#[tokio::test]
async fn an_update_that_changes_nothing_affects_no_row_and_raises_nothing() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    define(&server, "k", json!({})).await;
    for nothing in [json!({"id": client}), json!({"id": client, "k": null})] {
        assert_eq!(server.ok("clients.custom_fields.update", nothing).await, json!(0));
    }
    server.ok("clients.custom_fields.update", json!({"id": client, "k": 1})).await;
    assert_eq!(server.ok("clients.custom_fields.update", json!({"id": client, "k": 1.0})).await, json!(0));
    assert_eq!(server.journal(client).await.len(), 2);
}

#[tokio::test]
async fn values_follow_a_renamed_key_and_go_with_their_definition() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let (one, two) = (define(&server, "one", json!({})).await, define(&server, "two", json!({})).await);
    server.ok("clients.custom_fields.update", json!({"id": client, "one": 1, "two": 2})).await;
    server.ok("custom_fields.update", json!({"id": one, "key": "uno"})).await;
    let shown = async || server.ok("clients.get", json!({"id": client})).await["custom_fields"].clone();
    assert_eq!(shown().await, json!({"uno": 1, "two": 2}));
    server.ok("custom_fields.delete", json!({"id": two})).await;
    assert_eq!(shown().await, json!({"uno": 1}));
    assert_eq!(server.refused("clients.custom_fields.update", json!({"id": client, "two": 3})).await.fields(), ["two"]);
    define(&server, "two", json!({})).await;
    assert_eq!(shown().await, json!({"uno": 1}), "a new definition wakes no old value");
    assert_eq!(server.journal(client).await.len(), 2, "definitions raise no events");
}

#[tokio::test]
async fn a_client_has_the_fields_of_its_reseller_and_of_those_above() {
    let server = Server::start().await;
    let (left, right) = (server.company("Left", 1).await, server.company("Right", 1).await);
    let admin = server.user("left", "operator", json!(left)).await;
    for (key, companies_id) in [("all", json!(null)), ("top", json!(1)), ("left", json!(left)), ("right", json!(right))] {
        define(&server, key, json!({"companies_id": companies_id})).await;
    }
    let client = admin.client("His").await;
    let keys = admin.ok("clients.custom_fields.get", json!({"id": client})).await;
    assert_eq!(keys, json!({"all": null, "top": null, "left": null}));
    assert_eq!(admin.refused("clients.custom_fields.update", json!({"id": client, "right": 1})).await.fields(), ["right"]);
    admin.ok("clients.custom_fields.update", json!({"id": client, "all": 1, "left": 2})).await;
    let of_top = server.client("Top").await;
    assert_eq!(server.ok("clients.custom_fields.get", json!({"id": of_top})).await, json!({"all": null, "top": null}));
    assert_eq!(admin.refused("clients.custom_fields.get", json!({"id": of_top})).await.word(), "not_found");
    assert_eq!(admin.refused("clients.custom_fields.update", json!({"id": of_top, "all": 1})).await.word(), "not_found");
}

#[tokio::test]
async fn all_values_of_a_client_together_are_bounded_and_can_always_be_taken_away() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let mut values = json!({"id": client});
    for number in 0..16 {
        let key = format!("k{number}");
        define(&server, &key, json!({})).await;
        values[key] = json!("x".repeat(4_000));
    }
    server.ok("clients.custom_fields.update", values).await;
    define(&server, "more", json!({})).await;
    let more = json!({"id": client, "more": "x".repeat(4_000)});
    assert_eq!(server.refused("clients.custom_fields.update", more.clone()).await.fields(), ["more"]);
    server.ok("clients.custom_fields.update", json!({"id": client, "k0": null})).await;
    server.ok("clients.custom_fields.update", more).await;
}

#[tokio::test]
async fn custom_fields_survive_a_crash_and_the_database_is_still_what_it_promises_to_be() {
    let mut server = Server::start().await;
    let client = server.client("Acme").await;
    define(&server, "k", json!({})).await;
    server.ok("clients.custom_fields.update", json!({"id": client, "k": "kept"})).await;
    server.kill9().await;
    server.start_again().await;
    assert_eq!(server.ok("clients.custom_fields.get", json!({"id": client})).await, json!({"k": "kept"}));
    server.terminate().await;
    let checked = hookswitch_testkit::program::run(server.home(), &["check", "--data", "data"], &[]).await;
    assert!(checked.status.success(), "{checked:?}");
}
