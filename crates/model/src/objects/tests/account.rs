use serde_json::{Value, json};

use super::*;
use crate::{field::check_update, json};

fn given(text: &str) -> Object {
    match json::parse(text.as_bytes()) {
        Ok(Value::Object(object)) => object,
        other => panic!("an object, not {other:?}"),
    }
}

fn account(text: &str) -> Account {
    Account::from_new(3, "Acme".to_owned(), &check_create(&given(text)).expect("good fields"))
}

fn wrong(text: &str) -> Vec<(String, String)> {
    let errors = check_create(&given(text)).expect_err(text);
    errors.iter().map(|(name, words)| (name.to_owned(), words.to_owned())).collect()
}

#[test]
fn a_new_account_is_shown_whole_in_the_contracts_order() {
    let shown = account(r#"{"clients_id": 7, "accname": "100", "password": "p", "ips": ["192.0.2.7/24"]}"#).shown();
    let expected = concat!(
        r#"{"id":3,"clients_id":7,"name":null,"auth_type":"name","accname":"100","password":"p","ani":null,"ips":["192.0.2.0/24"],"#,
        r#""tech_prefix":null,"orig_enabled":true,"term_enabled":true,"orig_capacity":null,"term_capacity":null,"#,
        r#""orig_rate_tables_ids":[],"term_rate_tables_ids":[],"orig_tags":[],"term_tags":[],"protocol":null,"port":null,"#,
        r#""routing_plans_id":null,"notes":null,"clients_name":"Acme","orig_rate_table":null,"term_rate_table":null,"#,
        r#""low_balance_threshold":null,"low_balance_capacity":null,"autoinvoice_enabled":null,"invoice_no_tpl":null,"#,
        r#""owner_users_id":null,"manager_id":null,"groups":null,"type":null,"dr_plans_id":null}"#,
    );
    assert_eq!(Value::from(shown).to_string(), expected);
}

#[test]
fn each_way_of_recognising_calls_needs_its_own() {
    let needs = |text, name: &str, words: &str| assert_eq!(wrong(text), [(name.to_owned(), words.to_owned())]);
    needs(r#"{"clients_id": 1}"#, "accname", "is required for auth_type name");
    needs(r#"{"clients_id": 1, "accname": ""}"#, "accname", "is required for auth_type name");
    needs(r#"{"clients_id": 1, "accname": "  "}"#, "accname", "is required for auth_type name");
    needs(r#"{"clients_id": 1, "auth_type": "ani"}"#, "ani", "is required for auth_type ani");
    needs(r#"{"clients_id": 1, "auth_type": "ip", "ips": []}"#, "ips", "is required for auth_type ip");
    assert!(account(r#"{"clients_id": 1, "auth_type": "ip", "ips": ["::1"]}"#).rules().is_empty());
    assert!(account(r#"{"clients_id": 1, "auth_type": "ani", "ani": "4973112345"}"#).rules().is_empty());
}

#[test]
fn what_is_missing_and_what_is_wrong_are_named_together() {
    let names: Vec<String> = wrong(r#"{"auth_type": "ip", "port": 0, "x": 1}"#).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["clients_id", "ips", "port", "x"]);
    let names: Vec<String> = wrong(r#"{"clients_id": 1, "auth_type": "sip"}"#).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["auth_type"], "while the type is wrong nobody knows what it needs");
}

#[test]
fn an_empty_text_is_null() {
    let account = account(r#"{"clients_id": 1, "accname": "a", "name": "", "password": "", "ani": "", "tech_prefix": ""}"#);
    assert_eq!((account.name, account.password, account.ani, account.tech_prefix), (None, None, None, None));
}

#[test]
fn an_update_changes_what_it_names() {
    let mut account =
        account(r#"{"clients_id": 1, "accname": "a", "password": "p", "ips": ["10.0.0.1"], "orig_enabled": false}"#);
    account.apply(&check_update(FIELDS, &given(r#"{"password": null, "ips": null, "term_enabled": false}"#)).expect("good"));
    let shown = account.shown();
    assert_eq!((shown["accname"].clone(), shown["password"].clone(), shown["ips"].clone()), (json!("a"), json!(null), json!([])));
    assert_eq!((shown["orig_enabled"].clone(), shown["term_enabled"].clone()), (json!(false), json!(false)));
    account.apply(&check_update(FIELDS, &given(r#"{"accname": null}"#)).expect("good"));
    assert!(account.rules().names("accname"));
    assert!(check_update(FIELDS, &given(r#"{"clients_id": 2}"#)).expect_err("fixed").names("clients_id"));
}

#[test]
fn a_key_that_is_legacy_and_regular_is_regular() {
    assert!(
        check_create(&given(r#"{"clients_id": 1, "accname": "a", "term_capacity": "many"}"#))
            .expect_err("typed")
            .names("term_capacity")
    );
    assert_eq!(account(r#"{"clients_id": 1, "accname": "a", "term_capacity": 30}"#).shown()["term_capacity"], json!(30));
}
