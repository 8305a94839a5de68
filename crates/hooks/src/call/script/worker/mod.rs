//! A handler that is a script with `mode: worker`: processes that stay, and take one call after another, a line of JSON in and
//! a line of JSON out. Starting an interpreter costs a hundred times what a call does.
//!
//! ```text
//!                  start                    answered, in time and in order
//!   (none) ---------------------> calling -------------------------------> idle -----.
//!                                  |   ^                                    |        | file changed, handler saved,
//!                                  |   '------------------------------------'        | old, or idle for long
//!                     ended, no    |                next call                        v
//!                     answer, late v                                           standard input closed; then,
//!                           group killed: the call failed                      within half a second, group killed
//! ```
//!
//! A process has one call at a time, so whatever it does wrong is about that call, which fails; nobody else's does. A call
//! that finds a process which has ended meanwhile, without having read a byte of it, is given to the next one: so a worker
//! may end after an answer whenever it likes.
//!
//! | file | subject |
//! |---|---|
//! | here | one call, whatever comes |
//! | [`pool`] | which process takes a call; starting, recycling, ending them |
//! | [`process`] | one process: a line in, a line out, its end |
//! | [`protocol`] | the two lines |
mod pool;
mod process;
mod protocol;

use std::time::{Duration, Instant};

use hookswitch_model::refusal::FailureReason;
use nix::sys::wait::WaitStatus;

use super::{BODY_BYTES_MAX, pipes::Output};
use crate::call::{Call, CallError, Kind, Reply};

pub(super) use pool::Pool;
pub(in crate::call) use process::Leaving;
use process::{Broken, Taken};
use protocol::Answer;

/// How long processes are kept.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Without a call for so long, all but one are ended.
    idle: Duration,
    /// Older ones are ended between two calls. It bounds what one may leak, and with it the limit on processor time grows.
    lifetime: Duration,
    /// The same after so many calls.
    calls_max: u64,
}

const PACE: Pace = Pace { idle: Duration::from_secs(60), lifetime: Duration::from_secs(3_600), calls_max: 100_000 };

/// What is known of a call when it is broken off.
#[derive(Default)]
struct Course {
    output: Output,
    /// Its process has not answered anything yet.
    fresh: bool,
}

impl Pool {
    /// One call, within its time limit: waiting for a place, and starting a process, count.
    pub(in crate::call::script) async fn call(&self, call: &Call) -> Result<Reply, CallError> {
        let began = Instant::now();
        let Ok(_place) = tokio::time::timeout(call.timeout, self.place()).await else {
            return Err(CallError::new(FailureReason::Busy, "all its processes were busy for too long"));
        };
        let mut course = Course::default();
        let left = call.timeout.saturating_sub(began.elapsed());
        let failed = match tokio::time::timeout(left, self.converse(call, &mut course)).await {
            Ok(Ok(answer)) => return Ok(reply(answer, course.output)),
            Ok(Err(words)) => (FailureReason::Script, words),
            Err(_) => (FailureReason::Timeout, format!("the worker did not answer within {} ms", call.timeout.as_millis())),
        };
        let (reason, message) = failed;
        if course.fresh {
            self.failed_to_start(&message);
        }
        let Output { stdout, stderr } = course.output;
        Err(CallError { body: stdout, stderr: stderr.text(), ..CallError::new(reason, message) })
    }

    /// Ends after one process for each that ended idle, at most.
    async fn converse(&self, call: &Call, course: &mut Course) -> Result<Answer, String> {
        loop {
            let (worker, fresh) = match self.idle() {
                Some(worker) => (worker, false),
                None => (self.start().await?, true),
            };
            *course = Course { output: Output::default(), fresh };
            let Taken { result, worker } = worker.take(call, &mut course.output).await;
            match result {
                Ok(answer) => {
                    self.answered(fresh, worker);
                    return Ok(answer);
                }
                Err(Broken::Unread(_)) if !fresh => {}
                Err(broken) => return Err(self.words(&broken, &course.output)),
            }
        }
    }

    fn words(&self, broken: &Broken, output: &Output) -> String {
        match broken {
            Broken::Ended(status) | Broken::Unread(status) => match not_started(*status, output) {
                Some(reason) => format!("the script {}: {reason}", self.name()),
                None => with_line(&format!("the worker {} before it answered", super::ended(*status)), output),
            },
            Broken::Closed => "the worker closed its standard output before it answered".to_owned(),
            Broken::Overflow => format!("the worker's answer is longer than {} MiB", BODY_BYTES_MAX >> 20),
            Broken::Garbage(words) => format!("the worker {words}"),
            Broken::Unseen(error) => format!("the script {}: it can't be followed: {error}", self.name()),
        }
    }
}

fn not_started(status: WaitStatus, output: &Output) -> Option<String> {
    match status {
        WaitStatus::Exited(_, status) => super::not_started(status, output),
        _ => None,
    }
}

fn with_line(words: &str, output: &Output) -> String {
    let line = output.stderr.first_line();
    if line.is_empty() { words.to_owned() } else { format!("{words}: {line}") }
}

/// As a one-shot script's, with `error` for the beginning of standard error.
fn reply(answer: Answer, output: Output) -> Reply {
    let (heard, first_heard) = (output.stderr.text(), output.stderr.first_line());
    let Answer { status, body, error } = answer;
    let first_line = error.as_deref().and_then(|error| error.lines().next()).map_or(first_heard, |line| line.trim().to_owned());
    let stderr = match error {
        Some(error) if heard.is_empty() => error,
        Some(error) => format!("{error}\n{heard}"),
        None => heard,
    };
    Reply { kind: Kind::Script, status, body, stderr, first_line, retry_after: None }
}

#[cfg(test)]
mod tests;
