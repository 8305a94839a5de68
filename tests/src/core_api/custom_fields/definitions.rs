//! `custom_fields.*`: which keys there are, and whom they concern.
use hookswitch_testkit::{Server, assert_has, ids, json};

use super::define;

#[tokio::test]
async fn a_definition_is_created_read_found_changed_and_deleted() {
    let server = Server::start().await;
    let fields = json!({"object_type": "clients", "key": "contract_no", "title": "Contract number"});
    let definition = server.ok("custom_fields.create", fields.clone()).await;
    assert_has(&definition, &fields);
    assert_has(&definition, &json!({"companies_id": 1, "order": 100}));
    let id = &definition["id"];
    assert_eq!(server.ok("custom_fields.get", json!({"id": id})).await, definition);
    let changed = server.ok("custom_fields.update", json!({"id": id, "title": "No.", "order": 5, "key": "contract"})).await;
    assert_has(&changed, &json!({"id": id, "title": "No.", "order": 5, "key": "contract"}));
    let second = define(&server, "first", json!({"order": 1, "companies_id": null})).await;
    assert_eq!(ids(&server.ok("custom_fields.search", json!({"order": ["order"]})).await), [second, id.as_i64().unwrap()]);
    assert_eq!(
        ids(&server.ok("custom_fields.search", json!({"key": "contract", "object_type": ["clients"]})).await),
        [id.as_i64().unwrap()]
    );
    assert_eq!(ids(&server.ok("custom_fields.search", json!({"companies_id": null})).await), [second]);
    assert_eq!(server.ok("custom_fields.delete", json!({"id": id})).await, json!(1));
    assert_eq!(server.refused("custom_fields.get", json!({"id": id})).await.word(), "not_found");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_definition_is_named_at_once() {
    let server = Server::start().await;
    define(&server, "taken", json!({})).await;
    let wrong = json!({"object_type": "accounts", "key": "dry_run", "companies_id": 99, "order": 0, "zzz": 1});
    let fields = server.refused("custom_fields.create", wrong).await.fields();
    assert_eq!(fields, ["companies_id", "key", "object_type", "order", "title", "zzz"]);
    let taken = json!({"object_type": "clients", "key": "taken", "title": ""});
    let refusal = server.refused("custom_fields.create", taken).await;
    assert_eq!(refusal.fields(), ["key", "title"]);
    assert_eq!(refusal.data["key"], "is already in use");
    let other = define(&server, "other", json!({})).await;
    assert_eq!(server.refused("custom_fields.update", json!({"id": other, "key": "taken"})).await.fields(), ["key"]);
    for fixed in [json!({"object_type": "packages"}), json!({"companies_id": null})] {
        let name = fixed.as_object().unwrap().keys().next().unwrap().clone();
        let params = hookswitch_testkit::with(json!({"id": other}), fixed);
        assert_eq!(server.refused("custom_fields.update", params).await.fields(), [name]);
    }
}

#[tokio::test]
async fn a_key_is_unique_above_and_below_but_not_beside() {
    let server = Server::start().await;
    let (left, right) = (server.company("Left", 1).await, server.company("Right", 1).await);
    let below = server.company("Below", left).await;
    let (upper, lower) = (server.user("upper", "operator", json!(left)).await, server.user("lower", "admin", json!(below)).await);
    define(&lower, "k", json!({})).await;
    define(&server, "k", json!({"companies_id": right})).await;
    let again = json!({"object_type": "clients", "key": "k", "title": "T"});
    for api in [&lower, &upper] {
        assert_eq!(api.refused("custom_fields.create", again.clone()).await.data, json!({"key": "is already in use"}));
    }
    for companies_id in [json!(null), json!(1), json!(left)] {
        let fields = hookswitch_testkit::with(again.clone(), json!({"companies_id": companies_id}));
        assert_eq!(server.refused("custom_fields.create", fields).await.fields(), ["key"]);
    }
    define(&server, "k", json!({"companies_id": right, "object_type": "packages"})).await;
}

#[tokio::test]
async fn a_reseller_is_not_moved_to_where_two_fields_of_one_key_would_meet() {
    let server = Server::start().await;
    let (left, right) = (server.company("Left", 1).await, server.company("Right", 1).await);
    let below = server.company("Below", left).await;
    define(&server, "k", json!({"companies_id": below})).await;
    let clash = define(&server, "k", json!({"companies_id": right})).await;
    let moved = json!({"id": left, "parent_id": right});
    assert_eq!(server.refused("companies.update", moved.clone()).await.fields(), ["parent_id"]);
    server.ok("custom_fields.delete", json!({"id": clash})).await;
    server.ok("companies.update", moved).await;
}

#[tokio::test]
async fn a_reseller_defines_fields_for_himself_and_those_below_him() {
    let server = Server::start().await;
    let (left, right) = (server.company("Left", 1).await, server.company("Right", 1).await);
    let below = server.company("Below", left).await;
    let admin = server.user("left", "operator", json!(left)).await;
    let own = define(&admin, "own", json!({})).await;
    assert_eq!(server.ok("custom_fields.get", json!({"id": own})).await["companies_id"], json!(left));
    define(&admin, "deeper", json!({"companies_id": below})).await;
    for (companies_id, words) in [(json!(right), "does not exist"), (json!(1), "does not exist"), (json!(99), "does not exist")] {
        let fields = json!({"object_type": "clients", "key": "x", "title": "X", "companies_id": companies_id});
        assert_eq!(admin.refused("custom_fields.create", fields).await.data, json!({"companies_id": words}));
    }
    let whole = json!({"object_type": "clients", "key": "x", "title": "X", "companies_id": null});
    assert_eq!(admin.refused("custom_fields.create", whole).await.fields(), ["companies_id"]);
    let of_all = define(&server, "of_all", json!({"companies_id": null})).await;
    assert_eq!(admin.refused("custom_fields.get", json!({"id": of_all})).await.word(), "not_found");
    assert_eq!(admin.ok("custom_fields.search", json!({"with_total": true})).await["total"], json!(2));
}

#[tokio::test]
async fn at_most_200_definitions_come_together() {
    let server = Server::start().await;
    let below = server.company("Below", 1).await;
    let call = |key: usize, companies_id: i64| {
        let fields = json!({"object_type": "clients", "key": format!("k{key}"), "title": "T", "companies_id": companies_id});
        hookswitch_testkit::api::request("custom_fields.create", fields)
    };
    for half in 0..2 {
        let batch: Vec<_> = (0..100).map(|key| call(half * 100 + key, if half == 0 { 1 } else { below })).collect();
        let answers = server.post("/api/", &[], json!(batch).to_string()).await.json();
        assert!(answers.as_array().unwrap().iter().all(|answer| answer.get("result").is_some()), "{answers}");
    }
    for companies_id in [json!(null), json!(1), json!(below)] {
        let fields = json!({"object_type": "clients", "key": "more", "title": "T", "companies_id": companies_id});
        assert_eq!(server.refused("custom_fields.create", fields).await.fields(), ["companies_id"]);
    }
    define(&server, "more", json!({"companies_id": server.company("Beside", 1).await})).await;
    let packages = json!({"object_type": "packages", "key": "more", "title": "T", "companies_id": below});
    server.ok("custom_fields.create", packages).await;
}
