//! SQL handlers: statements in real databases. PostgreSQL, MariaDB and a SQLite file are asked what the handler has made of them.
//!
//! | file | what |
//! |---|---|
//! | `life` | every template: an account's life, funds, status, resync |
//! | `names` | one name, several accounts |
//! | `newest` | the newest state wins: repeats, crashes |
//! | `statements` | own statements: values, refusals, trials, what the log says |
//! | `target` | the databases |
//! | `schemas` | tables as the products have them |
mod life;
mod names;
mod newest;
pub(crate) mod schemas;
mod statements;
pub(crate) mod target;

use std::process::Command;

use hookswitch_testkit::{Value, json, with};
use target::Target;

/// The realm of every handler here.
pub(crate) const DOMAIN: &str = "sip.example.net";

/// A handler in a database.
pub(crate) fn handler(target: &Target, event: Value, settings: Value) -> Value {
    let settings = match target.password() {
        Some(password) => with(settings, json!({"password": password})),
        None => settings,
    };
    json!({"name": "switch", "event": event, "task": target.task(), "settings": settings, "retries": [1, 1, 1, 1], "timeout_ms": 10_000})
}

/// In hexadecimal digits, by a program that is not ours.
pub(crate) fn md5(text: &str) -> String {
    let output = Command::new("sh").args(["-c", "printf %s \"$1\" | md5sum", "md5", text]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..32].to_owned()
}
