//! A call as a command that makes it again: `curl` with the very body and headers, or a script with its environment. What only
//! Hookswitch can make is left out: signature, cause, trace. Masked values stay masked.
//! The log does not keep where a call went: the command goes where the handler is set to go now, and the page says so.
use std::collections::BTreeMap;

use hookswitch_model::{Object, handler::task::Kind};
use serde_json::{Value, json};

use crate::parts::happened::text;

/// A longer body is read from a file.
const INSIDE_BYTES_MAX: usize = 4 << 10;

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// `curl` or `script`.
    pub(super) kind: &'static str,
    pub(super) text: String,
    /// True if it reads the body from `request.json`.
    pub(super) needs_file: bool,
}

impl Command {
    /// Of a call of this handler; `None` if nothing was sent, or by something ready made: what it has made of the event is no command.
    pub(super) fn of(handler: &Object, call: &Object) -> Option<Self> {
        let body = call.get("request")?.as_str()?;
        let task = text(handler, "task");
        if Kind::of(task).is_ready_made() {
            return None;
        }
        let needs_file = body.len() > INSIDE_BYTES_MAX;
        let (kind, text) = match task.strip_prefix("script://") {
            Some(script) if text(handler, "mode") == "worker" => ("script", of_worker(script, handler, call, body)?),
            Some(script) => ("script", of_script(script, handler, call, body, needs_file)),
            None => ("curl", of_curl(task, handler, call, body, needs_file)),
        };
        Some(Self { kind, text, needs_file })
    }
}

fn of_curl(task: &str, handler: &Object, call: &Object, body: &str, needs_file: bool) -> String {
    let mut lines = vec![format!("curl -sS -i -X {} {}", text(handler, "method"), quoted(task))];
    let mut header = |name: &str, value: &str| lines.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
    header("Content-Type", "application/json");
    header("User-Agent", concat!("hookswitch/", env!("CARGO_PKG_VERSION")));
    header("Hookswitch-Event", &event_name(call));
    header("Hookswitch-Stage", text(call, "stage"));
    header("Hookswitch-Attempt", &call["attempt"].to_string());
    header("webhook-id", text(call, "event_id"));
    if let Some(Value::Object(own)) = handler.get("headers") {
        for (name, value) in own {
            header(name, value.as_str().unwrap_or_default());
        }
    }
    lines.push(if needs_file { "--data-binary @request.json".to_owned() } else { format!("--data-raw {}", quoted(body)) });
    lines.join(" \\\n  ")
}

fn of_script(script: &str, handler: &Object, call: &Object, body: &str, needs_file: bool) -> String {
    let before = if needs_file { String::new() } else { format!("printf '%s' {} | ", quoted(body)) };
    let environment: Vec<String> = environment(call).iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    let after = if needs_file { " < request.json" } else { "" };
    let environment = environment.join(" ");
    format!("{before}env -i PATH=\"$PATH\" LANG=C.UTF-8 {environment} \\\n  {}{after}", program(script, handler))
}

/// A worker gets the same in one line; `None` if the body is too long for that, or was cut.
fn of_worker(script: &str, handler: &Object, call: &Object, body: &str) -> Option<String> {
    let payload: Value = serde_json::from_str(body).ok().filter(|_| body.len() <= INSIDE_BYTES_MAX)?;
    let line = json!({"call": 1, "env": environment(call).into_iter().collect::<BTreeMap<_, _>>(), "payload": payload});
    Some(format!(
        "printf '%s\\n' {} | env -i PATH=\"$PATH\" LANG=C.UTF-8 \\\n  {}",
        quoted(&line.to_string()),
        program(script, handler)
    ))
}

fn environment(call: &Object) -> [(&'static str, String); 5] {
    [
        ("HOOKSWITCH_EVENT", event_name(call)),
        ("HOOKSWITCH_STAGE", text(call, "stage").to_owned()),
        ("HOOKSWITCH_EVENT_ID", text(call, "event_id").to_owned()),
        ("HOOKSWITCH_OBJECT_ID", call["object_id"].to_string()),
        ("HOOKSWITCH_ATTEMPT", call["attempt"].to_string()),
    ]
}

/// The script with its arguments, in the scripts folder.
fn program(script: &str, handler: &Object) -> String {
    let args = handler.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let args: String = args.map(|arg| format!(" {}", quoted(arg))).collect();
    format!("{}{args}", quoted(&format!("./{script}")))
}

/// The name under which the handler was told: it may have asked for it by an older one.
fn event_name(call: &Object) -> String {
    let body: Value =
        call.get("request").and_then(Value::as_str).and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    body["event"]["events_id"].as_str().unwrap_or(text(call, "events_id")).to_owned()
}

/// A text as a shell takes it, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        let handler = object(json!({"task": "http://127.0.0.1/a'b", "method": "PUT", "headers": {"X-Own": "********"}}));
        let call = object(json!({"request": "{\"name\":\"it's $(rm) `x`\"}", "stage": "after", "attempt": 2, "event_id": "e",
            "events_id": "clients.create", "object_id": 1}));
        let command = Command::of(&handler, &call).unwrap();
        assert!(
            command.text.starts_with("curl -sS -i -X PUT 'http://127.0.0.1/a'\\''b' \\\n  -H 'Content-Type: application/json'")
        );
        assert!(
            command.text.ends_with("-H 'X-Own: ********' \\\n  --data-raw '{\"name\":\"it'\\''s $(rm) `x`\"}'"),
            "{}",
            command.text
        );
    }

    #[test]
    fn a_long_body_and_a_script_have_their_own_ways() {
        let call = object(
            json!({"request": "x".repeat(5000), "stage": "before", "attempt": 1, "event_id": "e", "events_id": "clients.create",
            "object_id": 1}),
        );
        let handler = object(json!({"task": "script://a.py", "args": ["b c"]}));
        let command = Command::of(&handler, &call).unwrap();
        assert!(command.needs_file && command.text.ends_with("'./a.py' 'b c' < request.json"), "{}", command.text);
        assert_eq!(Command::of(&handler, &object(json!({"request": null}))), None);

        assert_eq!(Command::of(&object(json!({"task": "sql://u@h/d?engine=mysql"})), &call), None);
        let worker = object(json!({"task": "script://a.py", "args": [], "mode": "worker"}));
        assert_eq!(Command::of(&worker, &call), None, "it does not fit into a line");
        let call = object(
            json!({"request": "{\"data\":{}}", "stage": "before", "attempt": 1, "event_id": "e", "events_id": "clients.create",
            "object_id": 1}),
        );
        let command = Command::of(&worker, &call).unwrap();
        assert!(
            command.text.starts_with("printf '%s\\n' '{\"call\":1,\"env\":{\"HOOKSWITCH_ATTEMPT\":\"1\""),
            "{}",
            command.text
        );
        assert!(command.text.contains("\"payload\":{\"data\":{}}}' | env -i"), "{}", command.text);
    }
}
