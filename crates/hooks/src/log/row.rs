//! From a call to its row in the log: every secret value of the call masked wherever it occurs, bodies cut.
use std::time::Duration;

use bytes::Bytes;
use hookswitch_model::{
    Object,
    event::{Event, Kind, Stage},
    moment::Moment,
};
use hookswitch_store::tables::executions::Ended;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    call::{Called, STDERR_BYTES_MAX},
    mask::{self, Mask},
    rules::Rule,
};

/// The objects that have passwords.
const ACCOUNTS: &str = "clients.accounts";

/// What the log keeps of each body.
pub(crate) const BODY_KEPT_MAX: usize = 64 << 10;
/// What it keeps of an error's words.
pub(crate) const ERROR_KEPT_MAX: usize = 2 << 10;

/// What a call was about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    /// The event's id.
    pub(crate) event_id: Uuid,
    /// What happens or happened.
    pub(crate) kind: Kind,
    /// Asked, told, or told how it ended.
    pub(crate) stage: Stage,
    /// To what.
    pub(crate) object_id: i64,
    /// Whose.
    pub(crate) clients_id: i64,
    /// The client's reseller.
    pub(crate) companies_id: i64,
    /// From 1.
    pub(crate) attempt: i64,
    /// When the call began.
    pub(crate) dt: Moment,
}

/// How it ended.
pub(crate) struct Ending<'a> {
    /// `success`, `forbidden`, `failed`, `skipped`.
    pub(crate) status: &'static str,
    /// In words.
    pub(crate) error: Option<String>,
    /// What was sent; `None` = nothing, or the very body of the event in the journal.
    pub(crate) request: Option<&'a Bytes>,
    /// The call, if it was made.
    pub(crate) called: Option<&'a Called>,
    /// `{"key": {"old", "new"}}`.
    pub(crate) changes: Option<Object>,
    /// The passwords that went out or came back.
    pub(crate) passwords: &'a [String],
}

/// The row.
pub(crate) fn of(rule: &Rule, about: About, ending: Ending<'_>) -> Ended {
    let with_passwords;
    let mask = if ending.passwords.is_empty() {
        &rule.mask
    } else {
        with_passwords = rule.mask.clone().and(ending.passwords.iter().map(String::as_str));
        &with_passwords
    };
    let took = ending.called.map_or(Duration::ZERO, |called| called.took);
    Ended {
        dt: about.dt,
        event_id: about.event_id,
        events_id: about.kind.events_id,
        stage: about.stage,
        handlers_id: rule.handler.id,
        handlers_name: rule.handler.name.clone(),
        object_id: about.object_id,
        clients_id: about.clients_id,
        companies_id: about.companies_id,
        handlers_companies_id: rule.handler.companies_id,
        attempt: about.attempt,
        status: ending.status,
        duration_us: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
        response_status: ending.called.and_then(response_status),
        error: ending.error.map(|words| mask.head(words.as_bytes(), ERROR_KEPT_MAX)),
        request: ending.request.map(|body| mask.head(body, BODY_KEPT_MAX)),
        response: ending.called.and_then(|called| response(called, mask)),
        changes: ending.changes.map(|changes| mask.head(Value::Object(changes).to_string().as_bytes(), BODY_KEPT_MAX)),
        shadow: about.stage == Stage::Before && rule.handler.is_shadow(),
    }
}

fn response_status(called: &Called) -> Option<i64> {
    match &called.result {
        Ok(reply) => Some(reply.status),
        Err(error) => error.status,
    }
}

/// The body; behind it what a script wrote to standard error.
fn response(called: &Called, mask: &Mask) -> Option<String> {
    let (body, stderr) = match &called.result {
        Ok(reply) => (&reply.body, &reply.stderr),
        Err(error) => (&error.body, &error.stderr),
    };
    let mut text = mask.head(body, BODY_KEPT_MAX);
    if !stderr.is_empty() {
        let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        text = format!("{text}{separator}[standard error]\n{}", mask.tail(stderr, STDERR_BYTES_MAX));
    }
    Some(text).filter(|text| !text.is_empty())
}

/// A handler of accounts may answer with a password of its own making, under whatever verdict.
pub(crate) fn passwords_in_reply(kind: Kind, called: &Called) -> Vec<String> {
    let (ACCOUNTS, Ok(reply)) = (kind.object, &called.result) else { return Vec::new() };
    let parsed: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    mask::passwords(&parsed).into_iter().map(str::to_owned).collect()
}

/// What a before handler changed, key by key; an old value that was not among the data was shown in the object.
pub(crate) fn changes(sent: &Event, changed: &Object) -> Object {
    let old = |name: &String| sent.data.get(name).or_else(|| sent.object.get(name)).cloned().unwrap_or_default();
    let pair = |name: &String, new: &Value| json!({"old": old(name), "new": new});
    changed.iter().map(|(name, new)| (name.clone(), pair(name, new))).collect()
}
