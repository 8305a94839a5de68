use serde_json::{Value, json};

use super::*;
use crate::{field::check_create, field::check_update, json};

fn given(text: &str) -> Object {
    match json::parse(text.as_bytes()) {
        Ok(Value::Object(object)) => object,
        other => panic!("an object, not {other:?}"),
    }
}

fn client(text: &str) -> Client {
    let checked = check_create(FIELDS, &given(text)).expect("good fields");
    Client::from_new(7, 1, 2, Moment::from_millis(1_795_468_447_123), &checked)
}

#[test]
fn a_new_client_is_shown_whole_in_the_contracts_order() {
    let shown = Value::from(client(r#"{"name": "Acme Telecom", "credit": 100}"#).shown());
    let expected = concat!(
        r#"{"id":7,"name":"Acme Telecom","companies_id":1,"currencies_id":2,"status":"active","credit":100,"balance":0,"#,
        r#""available":100,"balance_accountant":0,"tags":[],"c_company":null,"c_email":null,"c_email_billing":null,"#,
        r#""c_email_tech":null,"c_email_rates":null,"c_phone":null,"c_address":null,"c_city":null,"c_state":null,"#,
        r#""c_country":null,"c_zip_code":null,"tax_id":null,"payment_terms_id":null,"orig_rate_tables_ids":[],"#,
        r#""low_balance_athreshold":null,"bill_by_time":null,"orig_capacity":null,"notes":null,"#,
        r#""c_dt":"2026-11-23T21:14:07+00:00","custom_fields":{},"orig_rate_table":null,"term_rate_table":null,"#,
        r#""term_capacity":null,"low_balance_threshold":null,"low_balance_capacity":null,"autoinvoice_enabled":null,"#,
        r#""invoice_no_tpl":null,"owner_users_id":null,"manager_id":null,"groups":null,"type":null,"dr_plans_id":null}"#,
    );
    assert_eq!(shown.to_string(), expected);
}

#[test]
fn a_client_without_limit_has_null_available() {
    let mut client = client(r#"{"name": "A", "credit": null}"#);
    client.balance = Money::from_micros(-3_200_000);
    let shown = client.shown();
    assert_eq!((shown["credit"].clone(), shown["available"].clone()), (json!(null), json!(null)));
    assert_eq!((shown["balance"].to_string(), shown["balance_accountant"].to_string()), ("-3.2".to_owned(), "-3.2".to_owned()));
}

#[test]
fn an_update_changes_what_it_names_and_null_takes_away() {
    let mut client =
        client(r#"{"name": "A", "credit": 5, "c_city": "Ulm", "tags": ["x"], "groups": [1, {"a": 2.50}], "notes": "n"}"#);
    assert_eq!(client.shown()["groups"].to_string(), r#"[1,{"a":2.50}]"#, "legacy keys are stored as given");
    let before = client.shown();
    client.apply(&check_update(FIELDS, &given(r#"{"c_city": null, "tags": [], "status": "stopped", "type": 0}"#)).expect("good"));
    let after = client.shown();
    let changed: Vec<&String> = before.keys().filter(|name| before[*name] != after[*name]).collect();
    assert_eq!(changed, ["status", "tags", "c_city", "type"]);
    assert_eq!(client.details.keys().collect::<Vec<_>>(), ["notes", "groups", "type"], "only what is set is kept");
}

#[test]
fn an_empty_change_changes_nothing() {
    let mut client = client(r#"{"name": "A", "c_city": "Ulm"}"#);
    let before = client.clone();
    client.apply(&Object::new());
    assert_eq!(client, before);
}

#[test]
fn what_a_caller_may_not_set_is_refused() {
    let refused = |text: &str| check_update(FIELDS, &given(text)).expect_err(text);
    assert!(refused(r#"{"status": "archived"}"#).names("status"));
    assert!(refused(r#"{"balance": 5}"#).names("balance"));
    assert!(refused(r#"{"companies_id": 5}"#).names("companies_id"));
    assert!(refused(r#"{"custom_fields": {}}"#).names("custom_fields"));
    assert!(refused(r#"{"credit": -1}"#).names("credit"));
    assert!(refused(r#"{"name": "  "}"#).names("name"));
    assert!(refused(&format!(r#"{{"groups": "{}"}}"#, "x".repeat(5000))).names("groups"));
    assert!(check_create(FIELDS, &given("{}")).expect_err("no name").names("name"));
}

#[test]
fn what_is_available_may_be_beyond_the_range_of_amounts() {
    let mut client = client(r#"{"name": "A", "credit": 999999999.999999}"#);
    client.balance = Money::MAX;
    assert_eq!(client.shown()["available"].to_string(), "1999999999.999998");
}

#[test]
fn words_are_read_back() {
    for word in ClientStatus::WORDS {
        assert_eq!(ClientStatus::from_word(word).map(ClientStatus::word), Some(*word));
    }
    assert_eq!(ClientStatus::from_word("gone"), None);
}
