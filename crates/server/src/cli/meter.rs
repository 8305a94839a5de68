//! How far a long command has come, on standard error: a bar that is written over on a terminal, a line every few seconds
//! elsewhere.
use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Characters of the bar.
const WIDTH: i64 = 30;
/// Between two looks at a terminal.
const ON_TERMINAL: Duration = Duration::from_millis(100);
/// Between two lines in a log.
const IN_LOG: Duration = Duration::from_secs(5);

/// The bar.
pub(super) struct Meter {
    /// What is counted.
    what: &'static str,
    is_terminal: bool,
    began: Instant,
    /// What was there when it began.
    at_first: Option<i64>,
    shown: Option<Instant>,
}

impl Meter {
    pub(super) fn of(what: &'static str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { what, is_terminal, began: Instant::now(), at_first: None, shown: None }
    }

    pub(super) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Shows how far it has come, if it is time to; `at` says where that is.
    pub(super) fn show(&mut self, done: i64, all: i64, at: &str) {
        let at_first = *self.at_first.get_or_insert(done);
        let every = if self.is_terminal { ON_TERMINAL } else { IN_LOG };
        // What is over soon needs no line in a log.
        let since = self.shown.unwrap_or(self.began);
        if since.elapsed() < every {
            return;
        }
        self.shown = Some(Instant::now());
        let line = line((done, all), done - at_first, self.seconds(), self.what, at);
        let mut err = std::io::stderr().lock();
        // Who does not look is not told.
        let _ = match self.is_terminal {
            true => write!(err, "\r\x1b[K{} {line}", bar(done, all)),
            false => writeln!(err, "{line}"),
        };
        let _ = err.flush();
    }
}

/// What follows on a terminal stands at the beginning of an empty line.
impl Drop for Meter {
    fn drop(&mut self) {
        if self.is_terminal && self.shown.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn bar(done: i64, all: i64) -> String {
    let full = (done.saturating_mul(WIDTH) / all.max(1)).clamp(0, WIDTH);
    let times = |character: &str, count: i64| character.repeat(usize::try_from(count).unwrap_or(0));
    format!("[{}{}]", times("=", full), times(" ", WIDTH - full))
}

/// `new` of what is done was done in these seconds: the rest may have been there before.
fn line((done, all): (i64, i64), new: i64, seconds: f64, what: &str, at: &str) -> String {
    let percent = done.saturating_mul(100) / all.max(1);
    let rate = new as f64 / seconds.max(0.001);
    let left = match rate > 0.0 {
        true => format!(", {rate:.0}/s, {:.0} s left", all.saturating_sub(done).max(0) as f64 / rate),
        false => String::new(),
    };
    format!("{percent} %, {done} of {all} {what}{at}{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long_yet() {
        assert_eq!(line((400, 1_000), 300, 3.0, "rows", ", events"), "40 %, 400 of 1000 rows, events, 100/s, 6 s left");
        assert_eq!(line((400, 1_000), 0, 3.0, "rows", ""), "40 %, 400 of 1000 rows");
        assert_eq!(line((0, 0), 0, 0.0, "pages", ""), "0 %, 0 of 0 pages");
        assert_eq!(bar(1, 3), format!("[{}{}]", "=".repeat(10), " ".repeat(20)));
        assert_eq!(bar(9, 3), format!("[{}]", "=".repeat(30)));
    }
}
