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
fn a_new_reseller_has_its_defaults() {
    let checked = check_create(FIELDS, &given(json!({"name": "North"}))).expect("good");
    let shown = Value::from(Company::from_new(2, Some(1), Moment::default(), &checked).shown());
    assert_eq!(
        shown.to_string(),
        r#"{"id":2,"name":"North","parent_id":1,"currencies_id":1,"timezone":"UTC","status":"active"}"#
    );
}

#[test]
fn an_update_changes_what_it_names() {
    let checked = check_create(FIELDS, &given(json!({"name": "North", "timezone": "Europe/Berlin"}))).expect("good");
    let mut company = Company::from_new(2, Some(1), Moment::default(), &checked);
    assert!(company.is_active());
    company.apply(&check_update(FIELDS, &given(json!({"parent_id": null, "status": "disabled"}))).expect("good"));
    assert_eq!((company.parent_id, company.is_active(), company.timezone.as_str()), (None, false, "Europe/Berlin"));
    assert!(check_update(FIELDS, &given(json!({"timezone": "Berlin"}))).expect_err("no zone").names("timezone"));
}
