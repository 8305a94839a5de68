use serde_json::json;

use super::*;

fn given(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("an object, not {other}"),
    }
}

fn with_key(key: &str) -> Object {
    given(json!({"object_type": "clients", "key": key, "title": "T"}))
}

#[test]
fn a_new_definition_has_its_defaults() {
    let checked = check_create(&with_key("contract_no")).expect("good");
    let shown = Value::from(CustomField::from_new(3, Some(1), &checked).shown());
    assert_eq!(
        shown.to_string(),
        r#"{"id":3,"companies_id":1,"object_type":"clients","key":"contract_no","title":"T","order":100}"#
    );
}

#[test]
fn a_key_can_be_written_in_any_program_and_means_nothing_else() {
    for good in ["a", "Z9", "contract_no", &"k".repeat(64)] {
        assert!(check_create(&with_key(good)).is_ok(), "{good}");
    }
    let too_long = "k".repeat(65);
    for bad in
        ["", "1a", "_a", "a-b", "a.b", "a b", "é", "id", "AUTH", "dry_run", "idempotency_key", "force", "password", &too_long]
    {
        assert!(check_create(&with_key(bad)).expect_err("no key").names("key"), "{bad}");
        let update = given(json!({"id": 1, "key": bad}));
        assert!(check_update(&update).expect_err("no key").names("key"), "{bad}");
    }
}

#[test]
fn all_that_is_wrong_is_named_at_once() {
    let wrong = given(json!({"id": 5, "companies_id": "x", "object_type": "accounts", "key": "1", "order": 0, "zzz": 1}));
    let errors = check_create(&wrong).expect_err("wrong");
    let names: Vec<&str> = errors.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["companies_id", "id", "key", "object_type", "order", "title", "zzz"]);
    let errors = check_update(&given(json!({"companies_id": 1, "object_type": "clients", "title": null}))).expect_err("wrong");
    let names: Vec<&str> = errors.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["companies_id", "id", "object_type", "title"]);
}

#[test]
fn a_value_is_a_text_a_number_a_boolean_or_null_and_keeps_its_digits() {
    let good: Value =
        serde_json::from_str(r#"{"a": "x\ny", "b": 1.10, "c": 12345678901234567890123, "d": true, "e": null}"#).expect("JSON");
    let good = given(good);
    assert_eq!(Value::from(check_values(&good).expect("good")).to_string(), Value::from(good).to_string());
    let wrong = given(json!({"list": [1], "object": {}, "control": "\u{7}", "long": "x".repeat(4 * 1024 - 1), "good": 1}));
    let errors = check_values(&wrong).expect_err("wrong");
    let names: Vec<&str> = errors.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["control", "list", "long", "object"]);
    assert!(check_values(&given(json!({"long": "x".repeat(4 * 1024 - 2)}))).is_ok(), "quotes count");
}
