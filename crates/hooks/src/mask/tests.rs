use hookswitch_model::json::MASK;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const SECRET: &str = "s3\"cr\\et/<Zoë😀>";

fn masked(text: &str) -> String {
    Mask::new([SECRET, "hunter22", "hunter"]).text(text).into_owned()
}

#[test]
fn a_text_without_secrets_is_left_where_it_is() {
    assert!(matches!(Mask::new(["hunter2"]).text(r#"{"name":"a\nb","url":"x%20y"}"#), Cow::Borrowed(_)));
    assert!(matches!(Mask::new([""]).text("anything"), Cow::Borrowed(_)));
}

#[test]
fn every_occurrence_is_masked_and_the_longest_wins() {
    assert_eq!(masked("hunter22, hunter, xhunterx"), "********, ********, x********x");
    assert_eq!(masked(SECRET), MASK);
}

#[test]
fn values_that_overlap_leave_nothing_over() {
    assert_eq!(Mask::new(["abcd", "cdef"]).text("-abcdef-"), "-********-");
    assert_eq!(Mask::new(["aaaa"]).text("aaaaaa."), "********.");
}

#[test]
fn a_secret_is_found_however_json_writes_it() {
    let plain = json!({"password": SECRET, "n": 1}).to_string();
    let ascii_only = r#"{"password": "s3\"cr\\et/<Zo\u00eb\ud83d\ude00>"}"#;
    let php = r#"{"password": "s3\"cr\\et\/<Zo\u00EB\uD83D\uDE00>"}"#;
    let go_and_dotnet = r#"{"password": "s3\u0022cr\u005cet\u002f\u003cZoë😀\u003E"}"#;
    let within_json = json!({"echo": plain}).to_string();
    let twice_within = json!({"echo": within_json}).to_string();
    for text in [plain.as_str(), ascii_only, php, go_and_dotnet, &within_json, &twice_within] {
        let masked = masked(text);
        assert!(masked.contains(MASK) && !masked.contains("s3") && !masked.contains("Zo"), "{masked}");
    }
    assert_eq!(masked(&plain), r#"{"password":"********","n":1}"#);
}

#[test]
fn a_secret_is_found_in_a_url() {
    assert_eq!(Mask::new(["p@ss word"]).text("http://crm:p%40ss%20word@host/"), "http://crm:********@host/");
    assert_eq!(
        Mask::new(["p@ss word"]).text(r#"{"u":"http:\/\/crm:p%40ss%20word@host"}"#),
        r#"{"u":"http:\/\/crm:********@host"}"#
    );
}

#[test]
fn a_short_secret_is_masked_as_a_word_of_its_own_only() {
    assert_eq!(Mask::new(["1"]).text(r#"{"id":12,"password":"1"}"#), r#"{"id":12,"password":"********"}"#);
    assert_eq!(Mask::new(["ab"]).text("ab, cab, (ab)"), "********, cab, (********)");
    assert_eq!(Mask::new(["ab"]).text(r#""\nab""#), r#""\n********""#);
}

#[test]
fn broken_escapes_hide_nothing_and_break_nothing() {
    for text in ["\\", "\\u", "\\u12", "\\ud800", "\\ud800\\u0041", "\\x", "%", "%4", "%zz"] {
        let with_secret = format!("{text}hunter22{text}");
        let masked = masked(&with_secret);
        assert_eq!(masked, format!("{text}{MASK}{text}"));
    }
}

#[test]
fn a_cut_never_shows_the_beginning_of_a_secret() {
    let mask = Mask::new(["hunter2222"]);
    assert_eq!(mask.head(b"0123 hunter2222 rest", 9), "0123 ****");
    assert_eq!(mask.head("0123é".as_bytes(), 5), "0123");
    assert_eq!(mask.head(b"\xff", 5), "\u{fffd}");
    assert_eq!(mask.tail("begin hunter2222 end", 8), "**** end");
    assert_eq!(mask.tail("é1", 2), "1");
}

#[test]
fn passwords_are_found_however_deep_and_masked_ones_are_none() {
    let payload = json!({
        "data": {"id": 1, "password": "one", "nested": [{"password": "two"}]},
        "object": {"password": null, "x": {"password": MASK}},
    });
    assert_eq!(passwords(&payload), ["one", "two"]);
}

#[test]
fn url_and_authorization_spell_the_same_secret() {
    let url = "http://crm:p%40ss@host/".parse().unwrap();
    assert_eq!(basic(&url).as_deref(), Some("Basic Y3JtOnBAc3M="));
    assert_eq!(secrets_of_url(&url), ["p%40ss", "p@ss", "Y3JtOnBAc3M="]);
    assert_eq!(secrets_of_url(&"http://token@host/".parse().unwrap())[0], "token");
    assert!(basic(&"http://host/".parse().unwrap()).is_none());
    assert_eq!(secrets_of_url(&"http://host/".parse().unwrap()), ["", ""]);
}

proptest! {
    #[test]
    fn no_secret_is_left_in_any_json_text(secret in "\\PC{4,12}", around in "\\PC{0,12}") {
        let text = json!({"a": format!("{around}{secret}{around}"), "b": [&secret, 1]}).to_string();
        let nested = json!({"text": text}).to_string();
        for text in [text, nested] {
            let masked = Mask::new([secret.as_str()]).text(&text).into_owned();
            prop_assert!(masked.contains(MASK));
            if let Ok(value) = serde_json::from_str::<Value>(&masked) {
                // A secret that has asterisks may be in the mask's own.
                prop_assert!(secret.contains('*') || !value.to_string().contains(&secret));
            }
        }
    }

    #[test]
    fn any_text_can_be_masked(text in "[\\\\u%0-9a-f\"é]{0,40}", secret in "[\\\\u%0-9a-f\"é]{1,6}", cut in 0usize..50) {
        let mask = Mask::new([secret.as_str()]);
        let _masked = mask.text(&text);
        prop_assert!(mask.head(text.as_bytes(), cut).len() <= cut);
        prop_assert!(mask.tail(&text, cut).len() <= cut);
    }
}
