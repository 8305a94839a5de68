use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Object, handler, json, objects, refusal::FieldErrors};

/// A value as it comes from outside: `json!` would pass numbers through a float.
fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn object(text: &str) -> Object {
    match value(text) {
        Value::Object(object) => object,
        other => panic!("an object, not {other}"),
    }
}

fn read(kind: Kind, text: &str) -> Result<String, String> {
    kind.read(&value(text)).map(|value| value.to_string())
}

fn words(errors: FieldErrors) -> Vec<(String, String)> {
    errors.iter().map(|(name, words)| (name.to_owned(), words.to_owned())).collect()
}

fn wrong(result: Result<Object, FieldErrors>) -> Vec<(String, String)> {
    words(result.expect_err("something is wrong"))
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, words)| ((*name).to_owned(), (*words).to_owned())).collect()
}

const TABLE: &[Field] = &[
    Field::id("id", "").read_only(),
    Field::new("name", Kind::Line { min: 1, max: 5 }, "").required(),
    Field::id("parent_id", "").fixed().or_null(),
    Field::new("on", Kind::Boolean, ""),
    Field::line("notes", 3, ""),
    Field::new("version", Kind::Integer { min: 1, max: 9 }, "").update_only(),
    Field::new("secret", Kind::Line { min: 3, max: 9 }, "").write_only(),
];

#[test]
fn every_wrong_field_is_named_in_one_answer() {
    let given = object(r#"{"id": 1, "nmae": "x", "on": "yes", "notes": "long", "version": 1, "parent_id": 0}"#);
    let expected = [
        ("id", "is given by the system"),
        ("name", "is required"),
        ("nmae", "unknown field"),
        ("notes", "must be a text of at most 3 characters"),
        ("on", "must be true or false"),
        ("parent_id", "must be an integer of at least 1"),
        ("version", "is given by the system"),
    ];
    assert_eq!(wrong(check_create(TABLE, &given)), pairs(&expected));
}

#[test]
fn an_update_names_what_cannot_be_changed() {
    let given = object(r#"{"id": 1, "parent_id": 2, "name": null, "version": 10, "secret": "ab"}"#);
    let expected = [
        ("id", "is given by the system and cannot be changed"),
        ("name", "must not be null"),
        ("parent_id", "cannot be changed"),
        ("secret", "must be a text of 3 to 9 characters"),
        ("version", "must be an integer from 1 to 9"),
    ];
    assert_eq!(wrong(check_update(TABLE, &given)), pairs(&expected));
}

#[test]
fn only_what_was_sent_comes_back_in_the_order_of_the_table() {
    let checked = check_create(TABLE, &object(r#"{"on": false, "parent_id": null, "name": "a"}"#)).expect("all good");
    assert_eq!(Value::from(checked).to_string(), r#"{"name":"a","parent_id":null,"on":false}"#);
    assert_eq!(check_update(TABLE, &Object::new()), Ok(Object::new()));
    assert!(check_update(TABLE, &object(r#"{"version": 3, "secret": "abc"}"#)).is_ok());
}

#[test]
fn integers_are_taken_in_any_spelling_and_kept_in_one() {
    let kind = Kind::Integer { min: 1, max: i64::MAX };
    for (given, kept) in [
        ("5", "5"),
        ("5.0", "5"),
        ("50e-1", "5"),
        ("9223372036854775807", "9223372036854775807"),
        ("1e18", "1000000000000000000"),
    ] {
        assert_eq!(read(kind, given).as_deref(), Ok(kept), "{given}");
    }
    for given in ["0", "-1", "1.5", "9223372036854775808", "1e999999999", "1e-999999999", "\"5\"", "true", "[5]"] {
        assert_eq!(read(kind, given), Err("must be an integer of at least 1".to_owned()), "{given}");
    }
}

#[test]
fn booleans_are_only_true_and_false() {
    assert_eq!(read(Kind::Boolean, "true").as_deref(), Ok("true"));
    for given in ["0", "1", "\"true\"", "\"\""] {
        assert!(read(Kind::Boolean, given).is_err(), "{given}");
    }
}

#[test]
fn texts_are_counted_in_characters_and_notes_in_bytes() {
    assert!(read(Kind::Text { max: 3 }, "\"äöü\"").is_ok());
    assert_eq!(read(Kind::Text { max: 2 }, "\"äöü\""), Err("must be a text of at most 2 characters".to_owned()));
    assert!(read(Kind::LongText { bytes: 6 }, "\"äöü\"").is_ok());
    assert_eq!(read(Kind::LongText { bytes: 5 }, "\"äöü\""), Err("must be a text of at most 5 bytes".to_owned()));
    assert!(read(Kind::Line { min: 3, max: 3 }, "\"äöü\"").is_ok());
}

#[test]
fn control_characters_are_refused() {
    let lines = "\"a\\n\\tb\\r\\n\"";
    assert!(read(Kind::Text { max: 9 }, lines).is_ok());
    assert!(read(Kind::LongText { bytes: 9 }, lines).is_ok());
    assert!(read(Kind::Line { min: 0, max: 9 }, lines).is_err());
    for control in ["\"\\u0000\"", "\"a\\u0007\"", "\"\\u001b[0m\"", "\"\\u0085\"", "\"\\u007f\""] {
        for kind in [Kind::Text { max: 9 }, Kind::LongText { bytes: 9 }, Kind::Line { min: 0, max: 9 }] {
            let refused = read(kind, control).expect_err(control);
            assert!(refused.starts_with("must not contain control characters"), "{refused}");
        }
    }
}

#[test]
fn a_name_must_not_be_blank_and_a_word_has_no_spaces() {
    let name = Kind::Line { min: 1, max: 9 };
    assert_eq!(read(name, "\"\""), Err("must be a text of 1 to 9 characters".to_owned()));
    assert_eq!(read(name, "\" \\u00a0 \""), Err("must not be blank".to_owned()));
    assert_eq!(read(name, "\" a b \"").as_deref(), Ok("\" a b \""));
    let word = Kind::Word { min: 1, max: 9 };
    assert_eq!(read(word, "\"a b\""), Err("must not contain spaces".to_owned()));
    assert_eq!(read(word, "\"ab@c.de\"").as_deref(), Ok("\"ab@c.de\""));
}

#[test]
fn amounts_are_numbers_within_their_bounds() {
    let credit = Kind::Money { min: Money::ZERO, max: Money::MAX };
    assert_eq!(read(credit, "1e2").as_deref(), Ok("100"));
    assert_eq!(read(credit, "2.500").as_deref(), Ok("2.5"));
    for (given, refused) in [
        ("-0.000001", "must be at least 0"),
        ("1e9", "must be within ±999999999.999999"),
        ("1e-7", "must have at most 6 decimals"),
        ("\"5\"", "must be a number"),
        ("true", "must be a number"),
    ] {
        assert_eq!(read(credit, given), Err(refused.to_owned()), "{given}");
    }
}

#[test]
fn a_wrong_item_of_a_list_is_named_by_its_place() {
    let tags = Kind::LineList { items: 2, min: 1, max: 3 };
    assert_eq!(read(tags, r#"["a", "b"]"#).as_deref(), Ok(r#"["a","b"]"#));
    assert_eq!(read(tags, r#"["a", "long"]"#), Err("item 2 must be a text of 1 to 3 characters".to_owned()));
    assert_eq!(read(tags, r#"["a", "b", "c"]"#), Err("must be a list of at most 2 texts".to_owned()));
    assert_eq!(read(tags, r#""a""#), Err("must be a list of texts".to_owned()));
    let ids = Kind::IntegerList { items: 2, min: 1, max: i64::MAX };
    assert_eq!(read(ids, "[1, 2.0]").as_deref(), Ok("[1,2]"));
    assert_eq!(read(ids, "[1, null]"), Err("item 2 must be an integer of at least 1".to_owned()));
}

#[test]
fn one_text_or_a_list_of_them_comes_back_as_it_came() {
    let kind = Kind::LineOrList { items: 2, max: 5 };
    assert_eq!(read(kind, r#""a""#).as_deref(), Ok(r#""a""#));
    assert_eq!(read(kind, r#"["a"]"#).as_deref(), Ok(r#"["a"]"#));
    assert_eq!(read(kind, "1"), Err("must be a text of 1 to 5 characters, or a list of them".to_owned()));
    assert_eq!(read(kind, "[1]"), Err("item 1 must be a text of 1 to 5 characters".to_owned()));
}

#[test]
fn addresses_of_one_list_are_apart() {
    let kind = Kind::NetList { items: 3, apart: true };
    assert_eq!(read(kind, r#"["10.0.0.1/24", "10.0.1.0"]"#).as_deref(), Ok(r#"["10.0.0.0/24","10.0.1.0"]"#));
    for (given, refused) in [
        (r#"["10.0.0.1", "10.0.0.0/8"]"#, "names 10.0.0.1, which is part of 10.0.0.0/8"),
        (r#"["10.0.0.1", "::ffff:10.0.0.1"]"#, "names 10.0.0.1 twice"),
        (r#"["10.0.0.1", "nowhere"]"#, "item 2 must be an IPv4 or IPv6 address or subnet"),
        (r#"["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]"#, "must be a list of at most 3 addresses or subnets"),
        (r#""10.0.0.1""#, "must be a list of addresses or subnets"),
    ] {
        assert_eq!(read(kind, given), Err(refused.to_owned()), "{given}");
    }
    assert!(read(Kind::NetList { items: 3, apart: false }, r#"["10.0.0.1", "10.0.0.0/8"]"#).is_ok());
}

#[test]
fn time_zones_are_iana_names() {
    assert_eq!(read(Kind::TimeZone, "\"europe/berlin\"").as_deref(), Ok("\"Europe/Berlin\""));
    assert_eq!(read(Kind::TimeZone, "\"UTC\"").as_deref(), Ok("\"UTC\""));
    for given in ["\"Mars/Olympus\"", "\"+02:00\"", "\"\"", "1", "\"../../etc/passwd\""] {
        assert!(read(Kind::TimeZone, given).is_err(), "{given}");
    }
}

#[test]
fn ids_of_events_and_times_are_what_they_say() {
    let uuid = "\"019AA9B2-7C1E-7D33-9D0A-3B1F5C0E8A11\"";
    assert_eq!(read(Kind::Uuid, uuid).as_deref(), Ok("\"019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11\""));
    assert!(read(Kind::Uuid, "\"42\"").is_err());
    assert!(read(Kind::Time, "\"2026-11-23T21:14:07+01:00\"").is_ok());
    assert!(read(Kind::Time, "\"2026-11-23\"").is_err());
}

#[test]
fn free_values_are_bounded_in_bytes() {
    let kind = Kind::Any { bytes: 8 };
    for given in ["1.50", "\"sixsix\"", "{\"a\":1}", "[1,2,3]", "false"] {
        assert_eq!(read(kind, given).as_deref(), Ok(given), "{given}");
    }
    assert_eq!(read(kind, "\"1234567\""), Err("must not be larger than 8 bytes as JSON".to_owned()));
    assert_eq!(read(Kind::Object { bytes: 8 }, "[]"), Err("must be an object".to_owned()));
}

const TABLES: &[(&str, &[Field])] = &[
    ("clients", objects::client::FIELDS),
    ("clients.accounts", objects::account::FIELDS),
    ("accounting.transactions", objects::transaction::FIELDS),
    ("companies", objects::company::FIELDS),
    ("users", objects::user::FIELDS),
    ("provisioning.handlers", handler::FIELDS),
];

#[test]
fn every_table_begins_with_the_id_and_names_a_field_once() {
    for (table, fields) in TABLES {
        assert_eq!((fields[0].name, fields[0].access), ("id", Access::ReadOnly), "{table}");
        for (index, field) in fields.iter().enumerate() {
            assert!(!field.about.is_empty(), "{table}.{} says nothing about itself", field.name);
            assert!(fields[..index].iter().all(|earlier| earlier.name != field.name), "{table}.{} is there twice", field.name);
        }
    }
}

#[test]
fn a_table_is_described_as_it_is_checked() {
    let schema = schema::object(TABLE, &["name"]);
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    let parent_id = json!({"type": ["integer", "null"], "minimum": 1, "format": "int64", "description": ""});
    assert_eq!(schema["properties"]["parent_id"], parent_id);
    let name = &schema["properties"]["name"];
    assert_eq!((&name["minLength"], &name["maxLength"]), (&json!(1), &json!(5)));
    assert!(name["pattern"].is_string(), "control characters are refused");
    let choice = schema::property(&Field::new("c", Kind::Choice(&["a"]), "").or_null());
    assert_eq!((&choice["enum"], &choice["type"]), (&json!(["a", null]), &json!(["string", "null"])));
    assert!(schema::property(&Field::legacy("l")).get("type").is_none(), "anything goes");
}

#[test]
fn values_of_custom_fields_are_described_as_far_as_anybody_knows_them() {
    let values = &schema::property(&Field::new("custom_fields", objects::custom_field::VALUES, ""))["additionalProperties"];
    assert_eq!(values["type"], json!(["string", "number", "boolean", "null"]), "null takes a value away");
    assert!(values["pattern"].is_string(), "control characters are refused");
    let shown = schema::shown(&Field::new("custom_fields", objects::custom_field::VALUES, ""));
    assert_eq!(shown["additionalProperties"], json!({"type": ["string", "number", "boolean"]}), "only what is set is shown");
}

#[test]
fn what_is_shown_may_be_more_than_what_may_be_given() {
    let status = super::find(objects::client::FIELDS, "status").unwrap();
    assert!(status.read(&json!("archived")).is_err());
    assert_eq!(schema::property(status)["enum"], json!(["active", "stopped"]));
    assert_eq!(schema::shown(status)["enum"], json!(["active", "stopped", "archived"]));
    assert_eq!(schema::shown(&Field::ID)["minimum"], json!(0), "in a dry run");
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<Option<bool>>().prop_map(|value| value.map_or_else(|| "null".to_owned(), |value| value.to_string())),
        r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?(e[+-]?[0-9]{1,10})?",
        ".{0,8}".prop_map(|text| Value::from(text).to_string()),
        r#"\[(1|"a"|"10\.0\.0\.1"|null|\{\})?\]"#,
        Just(r#"{"x": "y"}"#.to_owned()),
    ];
    text.prop_map(|text| value(&text))
}

proptest! {
    #[test]
    fn no_value_makes_a_check_panic_and_what_passed_passes_again(
        table in 0..TABLES.len(), picks in proptest::collection::vec((any::<prop::sample::Index>(), any_value()), 0..8),
    ) {
        let fields = TABLES[table].1;
        let given: Object = picks.into_iter().map(|(pick, value)| (fields[pick.index(fields.len())].name.to_owned(), value)).collect();
        if let Ok(checked) = check_update(fields, &given) {
            prop_assert_eq!(check_update(fields, &checked), Ok(checked.clone()), "normalising twice changes something");
            prop_assert_eq!(checked.len(), given.len());
        }
        let _ = check_create(fields, &given);
    }

    #[test]
    fn every_field_is_either_good_or_named(picks in proptest::collection::vec((any::<prop::sample::Index>(), any_value()), 0..8)) {
        let fields = objects::client::FIELDS;
        let given: Object = picks.into_iter().map(|(pick, value)| (fields[pick.index(fields.len())].name.to_owned(), value)).collect();
        let alone = |name: &String, value: &Value| check_update(fields, &Object::from_iter([(name.clone(), value.clone())])).is_err();
        let expected: Vec<&str> = fields.iter().map(|field| field.name).filter(|name| given.get_key_value(*name).is_some_and(|(name, value)| alone(name, value))).collect();
        let mut named: Vec<String> = check_update(fields, &given).err().map(|errors| words(errors).into_iter().map(|(name, _)| name).collect()).unwrap_or_default();
        named.sort_by_key(|name| fields.iter().position(|field| field.name == name.as_str()));
        prop_assert_eq!(named, expected);
    }
}
