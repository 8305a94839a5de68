use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::json;

fn given(text: &str) -> Object {
    match json::parse(text.as_bytes()) {
        Ok(Value::Object(object)) => object,
        other => panic!("an object, not {other:?}"),
    }
}

#[test]
fn the_sign_of_an_amount_follows_its_type() {
    for (kind, amount, good) in [
        ("payment", "0.000001", true),
        ("payment", "0", false),
        ("payment", "-1", false),
        ("refund", "1e2", true),
        ("refund", "-0.5", false),
        ("charge", "-3.2", true),
        ("charge", "0", false),
        ("charge", "3.2", false),
        ("correction", "-1", true),
        ("correction", "1", true),
        ("correction", "-0.0", false),
    ] {
        let checked = check(&given(&format!(r#"{{"clients_id": 1, "type": "{kind}", "amount": {amount}}}"#)));
        assert_eq!(checked.is_ok(), good, "{kind} {amount}: {checked:?}");
        assert!(good || checked.expect_err("refused").names("amount"));
    }
}

#[test]
fn everything_wrong_is_named_together() {
    let errors =
        check(&given(r#"{"type": "charge", "amount": 5, "c_dt": "now", "balance_after": 1}"#)).expect_err("much is wrong");
    let named: Vec<(&str, &str)> = errors.iter().collect();
    let system = "is given by the system";
    assert_eq!(
        named,
        [("amount", "must be below 0 for a charge"), ("balance_after", system), ("c_dt", system), ("clients_id", "is required")]
    );
}

#[test]
fn a_fee_is_booked_by_the_program_only() {
    let errors = check(&given(r#"{"clients_id": 1, "type": "package_fee", "amount": -1}"#)).expect_err("refused");
    assert_eq!(errors.iter().collect::<Vec<_>>(), [("type", "must be one of payment, refund, charge, correction")]);
}

#[test]
fn a_transaction_is_shown_whole_in_the_contracts_order() {
    let checked = check(&given(r#"{"clients_id": 7, "type": "charge", "amount": -3.20, "external_id": ""}"#)).expect("good");
    let amount = amount(&checked).expect("given");
    let booked = Transaction::from_new(9, &checked, amount, Money::from_micros(1_500_000), Moment::from_millis(0));
    let expected = concat!(
        r#"{"id":9,"clients_id":7,"type":"charge","amount":-3.2,"balance_after":1.5,"notes":null,"#,
        r#""c_dt":"1970-01-01T00:00:00+00:00","external_id":null,"clients_packages_id":null}"#
    );
    assert_eq!(Value::from(booked.shown()).to_string(), expected);
}

proptest! {
    #[test]
    fn an_accepted_amount_is_exactly_what_was_sent(micros in 1..=Money::MAX.micros()) {
        let text = Money::from_micros(micros).to_string();
        let checked = check(&given(&format!(r#"{{"clients_id": 1, "type": "payment", "amount": {text}}}"#)));
        prop_assert_eq!(checked.ok().as_ref().and_then(amount), Some(Money::from_micros(micros)));
    }
}
