//! One call to one handler, whatever its task: what goes out, what comes back, and in how much time.
//!
//! A call never decides anything. It says what came back (a [`Reply`]: any HTTP status, any exit status) or in plain
//! words why nothing did (a [`CallError`]); what that means is [`crate::reply`]'s business for before handlers and
//! [`crate::after`]'s for after handlers. Everything here has a bound: the whole call by its time limit, the reply by
//! [`BODY_BYTES_MAX`], standard error by [`STDERR_BYTES_MAX`].
//!
//! | file | subject |
//! |---|---|
//! | [`caller`](Caller) | which handler is called how; a connection pool for each |
//! | `http` | POST, and its reply read within bounds; `resolver`, `tls`, `words` (errors in plain words) serve it |
//! | [`network`] | in its place: a network that a test has planned |
//! | `configured` | what the ready-made kinds have in common: texts with expressions in them |
//! | [`sql`] | ready made: statements in a database, in one transaction |
//! | `requests` | ready made: REST requests, a chat's webhook, a Kamailio's JSON-RPC |
//! | `mail` | ready made: a message by SMTP |
//! | [`script`] | a process, its pipes and its end; `script/sandbox` is what it is started through |
//! | [`address`], `host` | where a handler may not be |
//! | [`headers`], [`signature`] | what every call carries |
//! | `traced` | the span of a call |
use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use hookswitch_model::{event::Stage, moment::Moment, refusal::FailureReason, trace::Trace};
use hookswitch_traces::Span;
use uuid::Uuid;

pub mod address;
mod caller;
mod configured;
#[cfg(test)]
pub(crate) mod fixture;
pub mod headers;
mod host;
mod http;
pub(crate) mod mail;
pub mod network;
pub(crate) mod requests;
mod resolver;
pub mod script;
pub mod signature;
pub mod sql;
mod tls;
mod traced;
mod words;

pub use caller::{Caller, CallerOptions, HandlerCaller};

/// A reply's body, or a script's standard output, may be this long.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// How much of a script's standard error is kept: its end.
pub const STDERR_BYTES_MAX: usize = 4 << 10;

/// What is sent to one handler, once.
#[derive(Clone)]
pub struct Call {
    /// `event.id`: the same for every handler and every attempt.
    pub event_id: Uuid,
    /// The event's name, as this handler knows it.
    pub events_id: Cow<'static, str>,
    /// Before or after.
    pub stage: Stage,
    /// `event.object_id`.
    pub object_id: i64,
    /// From 1.
    pub attempt: u32,
    /// The payload. Shared: sending it to many handlers does not copy it.
    pub body: Bytes,
    /// The time limit of the whole call: name lookup, connection, sending, the whole reply.
    pub timeout: Duration,
    /// What a before handler is told of its time; `None` = it is not told (after).
    pub deadline_ms: Option<u64>,
    /// `Hookswitch-Cause`, see [`crate::cause`].
    pub cause_header: String,
    /// A new span for each call.
    pub trace: Trace,
    /// Sent again on demand: `Hookswitch-Resend: true`.
    pub resend: bool,
    /// The time of the signature, and of a `Retry-After` that names a date.
    pub now: Moment,
    /// The handler belongs to a reseller: public addresses and `reseller_networks` only.
    pub reseller_bound: bool,
}

/// How a call went, and how long it took.
#[derive(Debug)]
pub struct Called {
    /// What came back, or why nothing did.
    pub result: Result<Reply, CallError>,
    /// From the start of the call to its end.
    pub took: Duration,
    /// It has ended, and is recorded when this is dropped.
    pub(crate) span: Span,
}

/// What a handler answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Decides how `status` is read.
    pub kind: Kind,
    /// The HTTP status, or the exit status; of ready-made kinds that of the last reply, 0 where there is none.
    pub status: i64,
    /// The reply's body, or standard output: at most [`BODY_BYTES_MAX`].
    pub body: Vec<u8>,
    /// The end of a script's standard error: at most [`STDERR_BYTES_MAX`].
    pub stderr: String,
    /// The first line of a script's standard error, which is its message when it forbids. Apart from `stderr`,
    /// because a long standard error loses its beginning.
    pub first_line: String,
    /// When the handler wants to hear from us again (HTTP only).
    pub retry_after: Option<Duration>,
}

/// What kind of handler answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Over HTTP.
    Http,
    /// A script.
    Script,
    /// A ready-made kind: what was to be done is done.
    ReadyMade,
}

/// Why nothing usable came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// The contract's word for it.
    pub reason: FailureReason,
    /// Plain words, without addresses of our own network and without the URL's password.
    pub message: String,
    /// The HTTP status, where one came before it went wrong.
    pub status: Option<i64>,
    /// What had come back until then, for the log.
    pub body: Vec<u8>,
    /// The same for a script's standard error.
    pub stderr: String,
    /// True if it is our own fault: this process has no file descriptor left for a connection. Nothing was sent.
    pub ours: bool,
}

impl CallError {
    /// Nothing came back at all.
    #[must_use]
    pub fn new(reason: FailureReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), status: None, body: Vec::new(), stderr: String::new(), ours: false }
    }
}
