use serde_json::{Value, json};

use super::*;
use crate::field::{check_create, check_update};

fn given(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("an object, not {other}"),
    }
}

#[test]
fn a_user_is_shown_without_its_password() {
    let fields =
        json!({"login": "crm", "role": "operator", "password": "correct horse", "allowed_ips": ["10.0.0.1", "10.0.0.0/8"]});
    let checked = check_create(FIELDS, &given(fields)).expect("good");
    let shown = Value::from(User::from_new(4, Some(1), Moment::default(), &checked).shown());
    let expected =
        r#"{"id":4,"login":"crm","companies_id":1,"role":"operator","allowed_ips":["10.0.0.1","10.0.0.0/8"],"status":"active"}"#;
    assert_eq!(shown.to_string(), expected);
}

#[test]
fn a_login_is_one_word_and_a_password_is_long() {
    let wrong = json!({"login": "two words", "role": "root", "password": "short", "allowed_ips": ["here"]});
    let errors = check_create(FIELDS, &given(wrong)).expect_err("all of it is wrong");
    assert_eq!(errors.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["allowed_ips", "login", "password", "role"]);
    let errors = check_create(FIELDS, &Object::new()).expect_err("nothing is there");
    assert_eq!(errors.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["login", "role"]);
}

#[test]
fn only_an_active_admin_of_the_whole_system_counts_as_one() {
    let admin = User::system_admin(1, "admin", Moment::default());
    assert!(admin.is_system_admin());
    for change in [json!({"status": "disabled"}), json!({"role": "operator"}), json!({"companies_id": 1})] {
        let mut user = admin.clone();
        user.apply(&check_update(FIELDS, &given(change.clone())).expect("good"));
        assert!(!user.is_system_admin(), "{change}");
    }
}
