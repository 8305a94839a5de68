use proptest::prelude::*;
use serde_json::json;

use super::*;

fn http(status: i64, body: impl Into<Vec<u8>>) -> Result<Decision, NoDecision> {
    let body = body.into();
    read(&Reply { kind: Kind::Http, status, body, stderr: String::new(), first_line: String::new(), retry_after: None })
}

fn script(status: i64, stdout: &str, first_line: &str) -> Result<Decision, NoDecision> {
    let (body, first_line) = (stdout.as_bytes().to_vec(), first_line.to_owned());
    read(&Reply { kind: Kind::Script, status, body, stderr: String::new(), first_line, retry_after: None })
}

fn verdict(reply: Result<Decision, NoDecision>) -> Verdict {
    reply.expect("a decision").verdict
}

fn reason(reply: Result<Decision, NoDecision>) -> FailureReason {
    reply.expect_err("no decision").0
}

#[test]
fn what_allows() {
    for body in ["", " \n", "{}", r#"{"verdict":"allow"}"#, r#"{"event":{}}"#, r#"{"warnings":[]}"#] {
        assert_eq!(verdict(http(200, body)), Verdict::Allow, "{body:?}");
    }
    assert_eq!(verdict(http(204, "anything")), Verdict::Allow);
    assert_eq!(verdict(script(0, "", "a warning of its interpreter")), Verdict::Allow);
}

#[test]
fn data_modifies_also_within_the_whole_payload_or_beside_an_allow() {
    let Value::Object(data) = json!({"credit": 5}) else { unreachable!() };
    for body in [
        json!({"data": {"credit": 5}}),
        json!({"event": {}, "data": {"credit": 5}}),
        json!({"verdict": "allow", "data": {"credit": 5}}),
    ] {
        assert_eq!(verdict(http(201, body.to_string())), Verdict::Modify(data.clone()), "{body}");
    }
}

#[test]
fn a_verdict_of_forbid_wins_over_data() {
    let forbidden = |body: Value| match verdict(http(200, body.to_string())) {
        Verdict::Forbid(forbidden) => forbidden,
        other => panic!("{other:?}"),
    };
    assert_eq!(forbidden(json!({"verdict": "forbid", "data": {"credit": 5}})), Forbidden::default());
    let whole = forbidden(json!({"verdict": "forbid", "message": "no", "code": 7, "field": "name"}));
    assert_eq!((whole.message.as_deref(), whole.code.as_deref(), whole.field.as_deref()), (Some("no"), Some("7"), Some("name")));
}

#[test]
fn forbidding_statuses_take_words_from_json_or_text() {
    let message = |status, body: &str| match verdict(http(status, body)) {
        Verdict::Forbid(forbidden) => forbidden.message,
        other => panic!("{other:?}"),
    };
    assert_eq!(message(403, r#"{"message":"no"}"#).as_deref(), Some("no"));
    assert_eq!(message(400, " plain words\n").as_deref(), Some("plain words"));
    assert_eq!(message(409, "[1]").as_deref(), Some("[1]"));
    assert_eq!(message(422, ""), None);
    assert_eq!(message(403, &"x".repeat(2_000)).map(|text| text.len()), Some(MESSAGE_CHARACTERS_MAX));
    let Verdict::Forbid(said) = verdict(script(3, "ignored", "no credit")) else { panic!("forbids") };
    assert_eq!(said.message.as_deref(), Some("no credit"));
}

#[test]
fn everything_else_is_no_decision() {
    for body in [
        "OK",
        "[]",
        "null",
        "1",
        "{} {}",
        r#"{"result":1}"#,
        r#"{"verdict":"maybe"}"#,
        r#"{"verdict":1}"#,
        r#"{"data":[]}"#,
        r#"{"warnings":"w"}"#,
        r#"{"warnings":[1]}"#,
        r#"{"verdict":"allow","verdict":"forbid"}"#,
    ] {
        assert_eq!(reason(http(200, body)), FailureReason::BadReply, "{body}");
    }
    for status in [100, 203, 206, 301, 302, 401, 404, 410, 429, 500, 503] {
        assert_eq!(reason(http(status, "{}")), FailureReason::Status, "{status}");
    }
    assert_eq!(reason(script(1, "{}", "")), FailureReason::Script);
}

proptest! {
    #[test]
    fn no_reply_is_a_panic_and_only_a_decision_decides(status in 100i64..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(decision) = http(status, body) {
            let forbids = matches!(decision.verdict, Verdict::Forbid(_));
            prop_assert!([200, 201, 202, 204].contains(&status) || forbids);
        }
    }

    #[test]
    fn whatever_json_comes_back_is_read_or_refused(text in r#"\{("(verdict|data|warnings|event|x)":(null|1|"allow"|"forbid"|\{\}|\[\]|\["w"\]),?){0,3}\}"#) {
        let _read = http(200, text);
    }
}
