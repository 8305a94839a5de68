use proptest::prelude::*;
use serde_json::{Number, Value};

use super::*;

fn read(text: &str) -> Result<Money, MoneyError> {
    Money::read(&text.parse::<Number>().unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn micros(text: &str) -> i64 {
    read(text).unwrap_or_else(|error| panic!("{text}: {error}")).micros()
}

#[test]
fn amounts_are_read_exactly() {
    for (text, expected) in [
        ("0", 0),
        ("-0", 0),
        ("-0.0e5", 0),
        ("0e999999999999999999999999", 0),
        ("1", 1_000_000),
        ("-3.2", -3_200_000),
        ("0.1", 100_000),
        ("0.000001", 1),
        ("1e-6", 1),
        ("5e-6", 5),
        ("1.0000000", 1_000_000),
        ("1.2345670000000000000", 1_234_567),
        ("12E2", 1_200_000_000),
        ("1e8", 100_000_000_000_000),
        ("0.000000001e9", 1_000_000),
        ("1000000000000e-6", 1_000_000_000_000),
        ("999999999.999999", 999_999_999_999_999),
        ("-999999999.999999", -999_999_999_999_999),
    ] {
        assert_eq!(micros(text), expected, "{text}");
    }
}

#[test]
fn more_than_six_decimals_are_refused() {
    for text in ["1e-7", "0.0000001", "-1.1234567", "999999999.9999991", "1e-999999999", "5e-9223372036854775808"] {
        assert_eq!(read(text), Err(MoneyError::TooManyDecimals), "{text}");
    }
}

#[test]
fn amounts_beyond_the_range_are_refused() {
    for text in ["1000000000", "-1e9", "1e999999999", "1e9223372036854775807", "-1e99999999999999999999", "12345678901.12345678"]
    {
        assert_eq!(read(text), Err(MoneyError::OutOfRange), "{text}");
    }
}

#[test]
fn an_amount_is_written_the_shortest_way() {
    for (micros, text) in
        [(0, "0"), (1, "0.000001"), (-3_200_000, "-3.2"), (100_000_000, "100"), (-1, "-0.000001"), (10_500_000, "10.5")]
    {
        assert_eq!(Money::from_micros(micros).to_string(), text);
        assert_eq!(Money::from_micros(micros).to_json().to_string(), text);
    }
}

#[test]
fn a_sum_beyond_the_range_is_none() {
    let one = Money::from_micros(1);
    assert_eq!(Money::MAX.checked_add(one), None);
    assert_eq!(Money::MIN.checked_add(Money::from_micros(-1)), None);
    assert_eq!(Money::MAX.checked_add(Money::MIN), Some(Money::ZERO));
    assert_eq!(Money::from_micros(i64::MAX).checked_add(one), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(micros in -Money::MAX.micros()..=Money::MAX.micros()) {
        let money = Money::from_micros(micros);
        let Value::Number(number) = money.to_json() else { panic!("a number") };
        prop_assert_eq!(Money::read(&number), Ok(money));
    }

    #[test]
    fn an_exponent_only_moves_the_point(digits in 0..=99_999_999_i128, decimals in 0_usize..=8, exponent in -6_i32..=6) {
        // The number is digits * 10^(exponent - decimals); in millionths, scaled so that nothing is cut off.
        let text = format!("{digits:09}");
        let (whole, fraction) = text.split_at(text.len() - decimals);
        let whole = whole.trim_start_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        let number = format!("{}{whole}{point}{fraction}e{exponent}", if whole.is_empty() { "0" } else { "" });
        let places = exponent - i32::try_from(decimals).expect("small") + 6 + 14;
        let scaled = digits * 10_i128.pow(places.unsigned_abs());
        let one = 10_i128.pow(14);
        let expected = if scaled / one > i128::from(Money::MAX.micros()) {
            Err(MoneyError::OutOfRange)
        } else if scaled % one != 0 {
            Err(MoneyError::TooManyDecimals)
        } else {
            Ok(scaled / one)
        };
        prop_assert_eq!(read(&number).map(|money| i128::from(money.micros())), expected, "{}", number);
    }

    #[test]
    fn any_number_is_read_or_refused_at_once(text in r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,30})?") {
        let _ = read(&text);
    }
}
