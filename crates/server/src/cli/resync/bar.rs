//! How far a resync has come, on standard error: a bar that is written over on a terminal, a line every few seconds elsewhere.
use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use serde_json::Value;

/// Characters of the bar.
const WIDTH: i64 = 30;
/// Between two lines in a log.
const IN_LOG: Duration = Duration::from_secs(5);

/// The bar.
pub(super) struct Bar {
    is_terminal: bool,
    shown: Option<Instant>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), shown: None }
    }

    /// Shows a resync as it stands.
    pub(super) fn show(&mut self, resync: &Value) {
        if !self.is_terminal && self.shown.is_some_and(|shown| shown.elapsed() < IN_LOG) {
            return;
        }
        self.shown = Some(Instant::now());
        let mut err = std::io::stderr().lock();
        // Who does not look is not told.
        let _ = match self.is_terminal {
            true => write!(err, "\r\x1b[K{} {}", bar(resync), line(resync)),
            false => writeln!(err, "{}", line(resync)),
        };
        let _ = err.flush();
    }
}

/// What follows on a terminal stands at the beginning of an empty line.
impl Drop for Bar {
    fn drop(&mut self) {
        if self.is_terminal && self.shown.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn number(resync: &Value, name: &str) -> i64 {
    resync[name].as_i64().unwrap_or(0)
}

/// What the handler has, and what is on its way to it.
fn bar(resync: &Value) -> String {
    let of_width = |count: i64| (count * WIDTH / number(resync, "total").max(1)).clamp(0, WIDTH);
    let has = of_width(number(resync, "delivered"));
    let sent = of_width(number(resync, "sent")).max(has);
    let times = |character: &str, count: i64| character.repeat(usize::try_from(count).unwrap_or(0));
    format!("[{}{}{}]", times("=", has), times("-", sent - has), times(" ", WIDTH - sent))
}

/// Where it stands, in words.
fn line(resync: &Value) -> String {
    let state = resync["state"].as_str().unwrap_or_default();
    let left = resync["eta_s"].as_i64().map_or_else(String::new, |seconds| format!(", {seconds} s left"));
    let why = resync["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}{left}, {state}{why}", figures(resync))
}

/// The figures.
pub(super) fn figures(resync: &Value) -> String {
    let total = resync["total"].as_i64().map_or_else(|| "an uncounted number".to_owned(), |total| total.to_string());
    let mut figures = format!("{} of {total} sent, {} delivered", number(resync, "sent"), number(resync, "delivered"));
    for name in ["retrying", "dead", "discarded"] {
        match number(resync, name) {
            0 => {}
            count => figures.push_str(&format!(", {count} {name}")),
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_tells_how_far_it_has_come_and_why_it_waits() {
        let resync =
            json!({"state": "running", "reason": null, "total": 100, "sent": 50, "delivered": 40, "retrying": 0, "eta_s": 3});
        assert_eq!(line(&resync), "50 of 100 sent, 40 delivered, 3 s left, running");
        assert_eq!(bar(&resync), "[============---               ]");
        let waits = json!({"state": "waiting", "reason": "the handler is disabled", "total": null, "sent": 0, "dead": 2});
        assert_eq!(line(&waits), "0 of an uncounted number sent, 0 delivered, 2 dead, waiting: the handler is disabled");
        assert_eq!(bar(&waits).len(), 32);
    }

    #[test]
    fn more_than_was_counted_fills_the_bar_and_no_more() {
        let resync = json!({"total": 10, "sent": 30, "delivered": 20});
        assert_eq!(bar(&resync), format!("[{}]", "=".repeat(30)));
    }
}
