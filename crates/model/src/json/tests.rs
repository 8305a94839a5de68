use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn number(text: &str) -> Value {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn plain_json_is_read() {
    let text = r#" {"a": [1, -2.50, true, null, "é\u00e9\ud83d\ude00\n"], "b": {}, "c": []} "#;
    let value = parse(text.as_bytes()).expect("good JSON");
    assert_eq!(value, serde_json::from_str::<Value>(text).expect("good JSON"));
    assert_eq!(value.to_string(), r#"{"a":[1,-2.50,true,null,"éé😀\n"],"b":{},"c":[]}"#);
}

#[test]
fn a_duplicate_key_is_named() {
    assert_eq!(parse(br#"{"a": 1, "b": {"name": 1, "na\u006de": 2}}"#), Err(JsonError::DuplicateKey("name".to_owned())));
    assert_eq!(parse(br#"[{"": 1, "": 2}]"#), Err(JsonError::DuplicateKey(String::new())));
    assert!(parse(br#"[{"a": 1}, {"a": 1}]"#).is_ok());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(parse(nested(DEPTH_MAX + 1).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(parse("[".repeat(1_000_000).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(parse(r#"{"a":"#.repeat(100_000).as_bytes()), Err(JsonError::TooDeep));
    let with_number = ["[".repeat(DEPTH_MAX), "1.5".to_owned(), "]".repeat(DEPTH_MAX)].concat();
    assert!(parse(with_number.as_bytes()).is_ok(), "a number is no level");
    let with_object = ["[".repeat(DEPTH_MAX), "{}".to_owned(), "]".repeat(DEPTH_MAX)].concat();
    assert_eq!(parse(with_object.as_bytes()), Err(JsonError::TooDeep));
}

#[test]
fn broken_utf8_is_refused() {
    assert_eq!(parse(b"\"ab\xff\""), Err(JsonError::NotUtf8(3)));
    assert_eq!(parse(b"{\"a\xc3\": 1}"), Err(JsonError::NotUtf8(3)));
}

#[test]
fn bad_syntax_and_trailing_data_are_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":}",
        "{\"a\" 1}",
        "nul",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "NaN",
        "'a'",
        "{} {}",
        "1 2",
        "[1]x",
        "\"a",
        "\"\\ud800\"",
        "\"\u{1}\"",
        "{1: 2}",
        "\u{feff}{}",
        "\"a\0b\"",
    ] {
        assert!(matches!(parse(text.as_bytes()), Err(JsonError::Syntax(_))), "{text:?}: {:?}", parse(text.as_bytes()));
    }
}

#[test]
fn the_parsers_own_keys_are_refused() {
    for text in [
        r#"{"$serde_json::private::Number": "12"}"#,
        r#"{"$serde_json::private::Number": 12}"#,
        r#"{"$serde_json::private::Number": "\u0031"}"#,
        r#"{"$serde_json::private::Number": {}}"#,
        r#"{"$serde_json::private::Number": []}"#,
        r#"{"$serde_json::private::Number": null}"#,
        r#"{"$serde_json::private::Number": true}"#,
        r#"{"\u0024serde_json::private::Number": "x"}"#,
        r#"{"a": 1, "$serde_json::private::Number": "12"}"#,
        r#"{"$serde_json::private::RawValue": "12"}"#,
        r#"[[{"a": {"$serde_json::private::RawValue": "12"}}]]"#,
    ] {
        assert!(matches!(parse(text.as_bytes()), Err(JsonError::ReservedKey(_))), "{text}: {:?}", parse(text.as_bytes()));
    }
    assert_eq!(parse(br#"["$serde_json::private::Number"]"#), Ok(json!(["$serde_json::private::Number"])));
}

#[test]
fn numbers_keep_their_digits() {
    let digits = "123456789012345678901234567890.000000000000000000000001";
    assert_eq!(number(digits).to_string(), digits);
    let huge = number("1e999999999");
    assert!(huge.is_number());
    assert_eq!(huge.to_string(), "1e+999999999");
}

#[test]
fn numbers_are_compared_by_value() {
    for (left, right) in
        [("1", "1.0"), ("1", "1e0"), ("100", "1E2"), ("0", "-0.0"), ("0.5", "5e-1"), ("1e999999999", "10e999999998")]
    {
        assert!(same(&number(left), &number(right)), "{left} {right}");
    }
    for (left, right) in
        [("1", "-1"), ("1", "1.0000000000000000000001"), ("9007199254740993", "9007199254740992"), ("1e1", "1e2")]
    {
        assert!(!same(&number(left), &number(right)), "{left} {right}");
    }
    let beyond = "1e99999999999999999999999";
    assert!(same(&number(beyond), &number(beyond)));
    assert!(!same(&number(beyond), &number("1e99999999999999999999998")));
}

#[test]
fn values_are_compared_whatever_the_order_of_keys() {
    let same = |left: &str, right: &str| super::same(&number(left), &number(right));
    assert!(same(r#"{"a": 1, "b": [1, {"c": 2}]}"#, r#"{"b": [1.0, {"c": 2e0}], "a": 1}"#));
    assert!(!same(r#"{"a": 1}"#, r#"{"a": 1, "b": null}"#));
    assert!(!same(r#"{"a": null}"#, r#"{"b": null}"#));
    assert!(!same("[1, 2]", "[2, 1]"));
    assert!(!same("[1]", "[1, 1]"));
    assert!(!same("1", r#""1""#));
    assert!(!same("null", "false"));
}

/// Any JSON value, its numbers in all their spellings.
fn any_json() -> impl Strategy<Value = Value> {
    let numbers = r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?(e[+-]?[0-9]{1,6})?".prop_map(|text| number(&text));
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), numbers, ".{0,12}".prop_map(Value::from)];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((".{0,6}", inner), 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(value in any_json()) {
        let read = parse(value.to_string().as_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&value));
        prop_assert!(same(&value, &value));
    }

    #[test]
    fn it_never_panics_and_agrees_with_serde_json_on_what_is_json(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = parse(&body) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&body).ok(), Some(value));
        }
    }

    #[test]
    fn texts_that_look_like_json_never_make_it_panic(text in r#"[\[\]{}:,"0-9eE+.\-\\u a-f$truenls]{0,48}"#) {
        match (parse(text.as_bytes()), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(JsonError::DuplicateKey(_) | JsonError::TooDeep | JsonError::ReservedKey(_)), _) | (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{text}: {ours:?} but {theirs:?}"),
        }
    }

    #[test]
    fn a_damaged_text_is_read_or_refused(value in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = value.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = parse(&body);
        body.truncate(at);
        let _ = parse(&body);
    }
}
