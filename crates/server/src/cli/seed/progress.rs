//! How far it has come, on standard error: one line that is written over on a terminal, a line every few seconds elsewhere.
use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Between two looks at a terminal.
const ON_TERMINAL: Duration = Duration::from_millis(200);
/// Between two lines in a log.
const IN_LOG: Duration = Duration::from_secs(5);

/// Counts what is done.
pub(super) struct Progress {
    all: u64,
    done: u64,
    started: Instant,
    shown: Instant,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn of(all: u64) -> Self {
        let now = Instant::now();
        Self { all, done: 0, started: now, shown: now, is_terminal: std::io::stderr().is_terminal() }
    }

    pub(super) fn done(&self) -> u64 {
        self.done
    }

    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// One more.
    pub(super) fn one_more(&mut self) {
        self.done += 1;
        let every = if self.is_terminal { ON_TERMINAL } else { IN_LOG };
        if self.shown.elapsed() >= every {
            self.shown = Instant::now();
            self.show();
        }
    }

    fn show(&self) {
        let line = line(self.done, self.all, self.seconds());
        // Who does not look is not told.
        let mut err = std::io::stderr().lock();
        let _ = if self.is_terminal { write!(err, "\r\x1b[K{line}") } else { writeln!(err, "{line}") };
        let _ = err.flush();
    }
}

/// What follows on a terminal stands at the beginning of an empty line.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn line(done: u64, all: u64, seconds: f64) -> String {
    let rate = done as f64 / seconds.max(0.001);
    let left = all.saturating_sub(done) as f64 / rate.max(0.001);
    format!("{done} of {all} clients, {rate:.0}/s, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long_yet() {
        assert_eq!(line(2_500, 10_000, 5.0), "2500 of 10000 clients, 500/s, 15 s left");
        assert_eq!(line(0, 10, 0.0), "0 of 10 clients, 0/s, 10000 s left");
    }
}
