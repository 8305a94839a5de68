//! A handler that is a script: one process, from its start to its end, whatever it does (contract section 6).
//!
//! ```text
//!            start            payload in, output out           first process ends
//! Starter ---------> Running ------------------------> ... ------------------------> kill the group, read what is
//!                       |                                                            in the pipes, exit status
//!                       | time limit, too much output, caller gone
//!                       v
//!                 kill the group
//! ```
//!
//! The group is killed while its first process has ended but has not been waited for: until then its number can't
//! belong to another group. [`starter`] waits for it afterwards.
//!
//! | file | subject |
//! |---|---|
//! | [`folder`] | `script://name` to a file that may be started |
//! | [`sandbox`] | limits and landlock, set by the process that becomes the script |
//! | `starter` | the thread that starts and buries |
//! | `pipes` | standard input, output and error, within bounds |
//! | `worker` | `mode: worker`: processes that take one call after another |
use std::{borrow::Cow, time::Duration};

use hookswitch_model::{
    handler::{Handler, Mode},
    refusal::FailureReason,
};
use nix::{
    errno::Errno,
    sys::{
        signal::Signal,
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::Pid,
};
use tokio::signal::unix::{self, SignalKind};

use super::{BODY_BYTES_MAX, Call, CallError, Kind, Reply};

pub mod folder;
mod pipes;
pub mod sandbox;
mod starter;
mod worker;

pub use sandbox::Limits;
pub(super) use starter::{Place, Starter};
pub(super) use worker::Leaving;

use pipes::{Output, Overflow, Pipes};

/// What the `task` of a script begins with.
pub const SCHEME: &str = "script://";

/// The exit status by which a script forbids (before), or wants no further attempt (after).
pub const FORBID_STATUS: i64 = 3;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LANG: &str = "C.UTF-8";

/// A script, ready to be called.
pub(super) enum Target {
    /// A process for each call.
    Once(Once),
    /// Processes that stay.
    Worker(worker::Pool),
}

/// A script, ready to be started.
pub(super) struct Once {
    name: String,
    args: Vec<String>,
    starter: Starter,
}

/// Why a script that ran has no exit status.
enum Broken {
    Overflow,
    /// Our own trouble, in words.
    Unseen(String),
}

impl From<Overflow> for Broken {
    fn from(Overflow: Overflow) -> Self {
        Self::Overflow
    }
}

impl Target {
    pub(super) fn new(name: &str, handler: &Handler, starter: Starter, leaving: Leaving) -> Self {
        let Handler { args, concurrency, mode, .. } = handler;
        match mode {
            Mode::Once => Self::Once(Once { name: name.to_owned(), args: args.clone(), starter }),
            Mode::Worker => Self::Worker(worker::Pool::new(name, args, *concurrency, starter, leaving)),
        }
    }

    pub(super) async fn call(&self, call: &Call) -> Result<Reply, CallError> {
        match self {
            Self::Once(script) => script.call(call).await,
            Self::Worker(pool) => pool.call(call).await,
        }
    }
}

impl Once {
    async fn call(&self, call: &Call) -> Result<Reply, CallError> {
        let mut output = Output::default();
        let outcome = tokio::time::timeout(call.timeout, self.run(call, &mut output)).await;
        let failed = match outcome {
            Ok(Ok(WaitStatus::Exited(_, status))) => match not_started(status, &output) {
                None => return Ok(reply(status, output)),
                Some(reason) => (FailureReason::Script, format!("the script {}: {reason}", self.name)),
            },
            Ok(Ok(other)) => (FailureReason::Script, format!("the script {}", ended(other))),
            Ok(Err(reason)) => (FailureReason::Script, reason),
            Err(_) => (FailureReason::Timeout, format!("the script did not end within {} ms", call.timeout.as_millis())),
        };
        let (reason, message) = failed;
        Err(CallError { body: output.stdout, stderr: output.stderr.text(), ..CallError::new(reason, message) })
    }

    async fn run(&self, call: &Call, output: &mut Output) -> Result<WaitStatus, String> {
        let script = starter::Script {
            name: self.name.clone(),
            args: self.args.clone(),
            environment: environment(call),
            lives: Duration::ZERO,
        };
        // Dropped at the end of this call, and so killed and buried, whichever way it ends.
        let mut running = self.starter.start(script).await.map_err(|reason| format!("the script {}: {reason}", self.name))?;
        converse(&mut running, call, output).await.map_err(|broken| match broken {
            Broken::Overflow => format!("the script wrote more than {} MiB", BODY_BYTES_MAX >> 20),
            Broken::Unseen(reason) => format!("the script {}: {reason}", self.name),
        })
    }
}

/// From its start to the end of its first process.
async fn converse(running: &mut starter::Running, call: &Call, output: &mut Output) -> Result<WaitStatus, Broken> {
    let unseen = |error: std::io::Error| Broken::Unseen(format!("it can't be followed: {error}"));
    let pipes = running.pipes.take().ok_or_else(|| Broken::Unseen("it can't be followed".to_owned()))?;
    let mut pipes = Pipes::new(pipes).map_err(unseen)?;
    let mut ended = unix::signal(SignalKind::child()).map_err(unseen)?;
    let pumped = async {
        pipes.pump(&call.body, output).await?;
        // All pipes are closed, but it hasn't ended yet.
        std::future::pending::<Result<WaitStatus, Broken>>().await
    };
    let status = tokio::select! {
        status = end_of(running.pid, &mut ended) => status.map_err(|error| unseen(error.into())),
        overflow = pumped => overflow,
    }?;
    starter::kill_group(running.pid);
    pipes.drain(output)?;
    Ok(status)
}

/// Waits until the process has ended, and leaves it to be waited for once more, as the owner of its group's number.
async fn end_of(pid: Pid, children: &mut unix::Signal) -> Result<WaitStatus, Errno> {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    loop {
        match waitid(Id::Pid(pid), look) {
            // Some child has ended: perhaps this one.
            Ok(WaitStatus::StillAlive) => children.recv().await.ok_or(Errno::ECHILD)?,
            Err(Errno::EINTR) => {}
            seen => return seen,
        }
    }
}

fn environment(call: &Call) -> Vec<(&'static str, String)> {
    constant().into_iter().chain(per_call(call).map(|(name, value)| (name, value.into_owned()))).collect()
}

/// The environment that is the same for every call.
fn constant() -> [(&'static str, String); 2] {
    [("PATH", PATH.to_owned()), ("LANG", LANG.to_owned())]
}

fn per_call(call: &Call) -> [(&'static str, Cow<'_, str>); 7] {
    let timeout_ms = || u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
    [
        ("HOOKSWITCH_EVENT", call.events_id.as_ref().into()),
        ("HOOKSWITCH_STAGE", call.stage.word().into()),
        ("HOOKSWITCH_EVENT_ID", call.event_id.to_string().into()),
        ("HOOKSWITCH_OBJECT_ID", call.object_id.to_string().into()),
        ("HOOKSWITCH_ATTEMPT", call.attempt.to_string().into()),
        ("HOOKSWITCH_DEADLINE_MS", call.deadline_ms.unwrap_or_else(timeout_ms).to_string().into()),
        ("HOOKSWITCH_CAUSE", call.cause_header.as_str().into()),
    ]
}

fn reply(status: i32, output: Output) -> Reply {
    Reply {
        kind: Kind::Script,
        status: i64::from(status),
        stderr: output.stderr.text(),
        first_line: output.stderr.first_line(),
        body: output.stdout,
        retry_after: None,
    }
}

/// The sandbox's word on why the script never ran.
fn not_started(status: i32, output: &Output) -> Option<String> {
    if status != i32::from(sandbox::FAILED_STATUS) {
        return None;
    }
    output.stderr.first_line().strip_prefix(sandbox::FAILED_PREFIX).map(str::to_owned)
}

fn ended(status: WaitStatus) -> String {
    match status {
        WaitStatus::Signaled(_, Signal::SIGXCPU, _) => "used more processor time than it may".to_owned(),
        WaitStatus::Signaled(_, Signal::SIGXFSZ, _) => "wrote a larger file than it may".to_owned(),
        WaitStatus::Exited(_, status) => format!("ended with the exit status {status}"),
        WaitStatus::Signaled(_, signal, _) => format!("was ended by {signal}"),
        other => format!("ended in an unknown way: {other:?}"),
    }
}

#[cfg(test)]
mod tests;
