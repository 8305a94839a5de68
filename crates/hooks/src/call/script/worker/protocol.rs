//! The two lines: a request in, an answer out, each one JSON object.
//!
//! ```text
//! {"call":1,"env":{"HOOKSWITCH_EVENT":"clients.update",...},"payload":{"event":{...},"data":{...},...}}
//! {"call":1,"exit":0,"reply":{"data":{"name":"Acme"}},"error":"a line for the log"}
//! ```
//!
//! Nothing is guessed: a member that is not one of these four, or `call` of another number, and the process can't be
//! trusted to be where we are.
use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::call::{Call, script::per_call};

/// What `error` may hold; the log keeps less.
const ERROR_CHARACTERS_MAX: usize = 8 << 10;

/// What a worker answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// As the exit status of a one-shot script.
    pub(super) status: i64,
    /// What such a script writes to its standard output.
    pub(super) body: Vec<u8>,
    /// As the beginning of its standard error.
    pub(super) error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    call: u64,
    #[serde(default)]
    exit: Option<u8>,
    #[serde(borrow, default)]
    reply: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
}

/// Writes the request to `line`, in place of what is there.
pub(super) fn write_request(line: &mut Vec<u8>, number: u64, call: &Call) {
    line.clear();
    line.extend_from_slice(br#"{"call":"#);
    line.extend_from_slice(number.to_string().as_bytes());
    line.extend_from_slice(br#","env":{"#);
    for (index, (name, value)) in per_call(call).iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        line.push(b'"');
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(br#"":"#);
        line.extend_from_slice(serde_json::Value::from(value.as_ref()).to_string().as_bytes());
    }
    line.extend_from_slice(br#"},"payload":"#);
    let from = line.len();
    line.extend_from_slice(&call.body);
    // Within JSON a line break stands between tokens only, where a blank means the same.
    for byte in line.iter_mut().skip(from).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    line.extend_from_slice(b"}\n");
}

/// Reads an answer, its line break left out.
///
/// # Errors
/// Why it is none, as what the worker did.
pub(super) fn read_answer(line: &[u8], number: u64) -> Result<Answer, String> {
    // A list would be taken for the members in their order.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err("wrote a line that is no answer: it is not a JSON object".to_owned());
    }
    let Line { call, exit, reply, error } =
        serde_json::from_slice(line).map_err(|error| format!("wrote a line that is no answer: {error}"))?;
    if call != number {
        return Err(format!("answered call {call} when it was asked call {number}"));
    }
    Ok(Answer {
        status: exit.unwrap_or(0).into(),
        body: reply.map(|reply| reply.get().as_bytes().to_vec()).unwrap_or_default(),
        error: error.map(|error| error.chars().take(ERROR_CHARACTERS_MAX).collect()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::call::fixture::call;

    #[test]
    fn a_request_is_one_line_whatever_the_payload_looks_like() {
        let mut line = b"what was there".to_vec();
        write_request(&mut line, 41, &Call { body: "{\r\n \"data\": {\"notes\": \"a\\nb\"}\n}".into(), ..call() });
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(line.last(), Some(&b'\n'));
        let read: Value = serde_json::from_slice(&line).unwrap();
        let env = json!({
            "HOOKSWITCH_EVENT": "clients.update",
            "HOOKSWITCH_STAGE": "before",
            "HOOKSWITCH_EVENT_ID": "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11",
            "HOOKSWITCH_OBJECT_ID": "12",
            "HOOKSWITCH_ATTEMPT": "2",
            "HOOKSWITCH_DEADLINE_MS": "2900",
            "HOOKSWITCH_CAUSE": "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11.7.abc",
        });
        assert_eq!(read, json!({"call": 41, "env": env, "payload": {"data": {"notes": "a\nb"}}}));
    }

    #[test]
    fn an_answer_says_no_more_than_it_must() {
        let read = |line: &str| read_answer(line.as_bytes(), 7).unwrap();
        assert_eq!(read(r#"{"call":7}"#), Answer { status: 0, body: Vec::new(), error: None });
        assert_eq!(read("{\"call\":7,\"reply\":null,\"exit\":null,\"error\":null}\r"), read(r#"{"call":7}"#));
        let whole = read(r#"{"error":"no \"credit\"","exit":3,"reply":{"data": {"x":1.50}},"call":7}"#);
        let body = br#"{"data": {"x":1.50}}"#.to_vec();
        assert_eq!(whole, Answer { status: 3, body, error: Some("no \"credit\"".to_owned()) });
        assert_eq!(read(r#"{"call":7,"reply":"OK"}"#).body, br#""OK""#, "whether that is a decision is not for here");
    }

    #[test]
    fn whatever_else_is_no_answer() {
        for line in [
            "",
            "ready",
            "{}",
            r#"{"call":8}"#,
            r#"{"call":"7"}"#,
            r#"{"call":7,"call":7}"#,
            r#"{"call":7,"verdict":"forbid"}"#,
            r#"{"call":7,"exit":256}"#,
            r#"{"call":7,"exit":-1}"#,
            r#"{"call":7,"exit":"0"}"#,
            r#"{"call":7,"error":5}"#,
            r#"{"call":7} {"call":8}"#,
            "[7]",
            "{\"call\":7,\"error\":\"\u{0}\"}",
        ] {
            assert!(read_answer(line.as_bytes(), 7).is_err(), "{line}");
        }
        assert!(read_answer(b"{\"call\":7,\"error\":\"\xff\"}", 7).is_err());
        assert_eq!(read_answer(br#"{"call":8}"#, 7), Err("answered call 8 when it was asked call 7".to_owned()));
    }
}
