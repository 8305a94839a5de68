//! A handler: who is called when an event happens, and how (contract section 3).
//!
//! | file | subject |
//! |---|---|
//! | [`fields`] | its field table |
//! | [`checked`] | from what a caller sent to a handler, and the rules across its fields |
//! | `events` | names and patterns of events |
//! | `headers` | static headers, whose values come back masked |
//! | [`settings`] | what ready-made kinds are configured with; secrets come back masked |
//! | [`offered`] | which settings a form offers for each kind |
//! | [`task`] | URLs and scripts, normalised; the kinds of handlers |
pub mod checked;
mod events;
pub mod fields;
mod headers;
pub mod offered;
pub mod settings;
pub mod task;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    Object,
    event::{Stage, aliases},
    moment::Moment,
    words::words,
};

pub use checked::{check_create, check_update};
pub use events::matches;
pub use fields::FIELDS;

words! {
    /// Whether a handler gets new events.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    Status {
        /// Called.
        Enabled = "enabled",
        /// Before handlers only: asked off the caller's path, and decides nothing.
        Shadow = "shadow",
        /// Gets no new events; what waits stands still.
        Disabled = "disabled",
        /// The same, and out of sight.
        Archived = "archived",
    }
}

words! {
    /// What a before handler's failure means for the action.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    OnFailure {
        /// The action is refused (`handler_failed`).
        Forbid = "forbid",
        /// The action goes on as if it had not been asked.
        Allow = "allow",
    }
}

words! {
    /// How deliveries of one client follow each other.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    Ordering {
        /// One at a time, in the order of `seq`.
        PerClient = "per_client",
        /// The same, and a newer event of the same object and kind stands for those that wait.
        Latest = "latest",
        /// As they come.
        None = "none",
    }
}

words! {
    /// The balance whose edges a handler hears of.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    Basis {
        /// Payments minus charges.
        Live = "live",
        /// Live plus credit.
        Available = "available",
    }
}

words! {
    /// HTTP methods that a handler may be called with.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    Method {
        /// `POST`
        Post = "POST",
        /// `PUT`
        Put = "PUT",
        /// `PATCH`
        Patch = "PATCH",
    }
}

words! {
    /// How long a script's process lives.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    Mode {
        /// One process a call.
        #[default]
        Once = "once",
        /// A pool of processes that stay, and take one call after another.
        Worker = "worker",
    }
}

/// Why nothing is sent to a handler for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// The user's login, or [`Paused::BREAKER`].
    pub by: String,
    /// Since when.
    pub since: Moment,
    /// Plain words.
    pub reason: String,
    /// True if the breaker did it: probes are sent, and one that succeeds ends it. A user may be called what he likes.
    #[serde(default)]
    pub probed: bool,
}

impl Paused {
    /// Who pauses a handler that fails and fails.
    pub const BREAKER: &str = "breaker";

    /// By hand: nothing is sent until it is resumed.
    #[must_use]
    pub fn by_hand(login: &str, since: Moment, reason: &str) -> Self {
        Self { by: login.to_owned(), since, reason: reason.to_owned(), probed: false }
    }

    /// By the breaker.
    #[must_use]
    pub fn by_breaker(since: Moment, reason: String) -> Self {
        Self { by: Self::BREAKER.to_owned(), since, reason, probed: true }
    }
}

/// A handler, whole, its secrets in clear: never shown or stored as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// Given by the system.
    pub id: i64,
    /// 1-128 characters.
    pub name: String,
    /// Whether it is called.
    pub status: Status,
    /// Names from the catalogue, or patterns such as `clients.accounts.*`, as saved.
    pub event: Vec<String>,
    /// True if `event` was saved as a single text: it is given back so.
    pub event_is_single: bool,
    /// Asked before or told after.
    #[serde(rename = "type")]
    pub stage: Stage,
    /// 1 is called first.
    pub order: i64,
    /// Such as `http://...` or `script://...`, normalised; its scheme says the [`task::Kind`].
    pub task: String,
    /// Arguments of a script.
    pub args: Vec<String>,
    /// Scripts only.
    #[serde(default)]
    pub mode: Mode,
    /// HTTP method.
    pub method: Method,
    /// Static headers.
    pub headers: Vec<(String, String)>,
    /// What a ready-made kind is configured with; secrets among it are in clear here.
    #[serde(default)]
    pub settings: Object,
    /// The present signing secret (`whsec_...`).
    pub secret: String,
    /// The one before, and until when it still signs.
    pub old_secret: Option<(String, Moment)>,
    /// Time limit of one call.
    pub timeout_ms: u32,
    /// Before only.
    pub on_failure: OnFailure,
    /// After only: waiting times in seconds; `None` = the default schedule.
    pub retries: Option<Vec<u32>>,
    /// Calls in flight at once.
    pub concurrency: u32,
    /// After only.
    pub ordering: Ordering,
    /// Only events of this reseller and those below it; `None` = all.
    pub companies_id: Option<i64>,
    /// A CEL expression; empty = always.
    pub condition: String,
    /// Before only: the keys of `data` that it may change; `None` = all that the caller could set.
    pub writable: Option<Vec<String>>,
    /// Before only: may be asked in dry runs.
    pub dry_run: bool,
    /// Before only: hears how each action ended that it was asked about.
    #[serde(default)]
    pub notify_outcome: bool,
    /// False: account passwords are masked in its payload.
    pub passwords: bool,
    /// Which balance's edges it hears of.
    pub balance_basis: Basis,
    /// Free text.
    pub notes: String,
    /// Counts changes; a stale one is a 409.
    pub version: i64,
    /// Set while nothing is sent.
    pub paused: Option<Paused>,
    /// Since when it is disabled, archived or paused: its deliveries' clocks stand still too. Never shown.
    #[serde(default)]
    pub still_since: Option<Moment>,
}

impl Handler {
    /// True if this handler wants events of this name, by exact name or pattern.
    #[must_use]
    pub fn wants(&self, events_id: &str) -> bool {
        self.event.iter().any(|pattern| matches(pattern, events_id))
    }

    /// The name under which this handler knows an event that it wants: that of the first pattern that matches, which may be
    /// one of the first API generation.
    #[must_use]
    pub fn name_of(&self, events_id: &'static str) -> Cow<'static, str> {
        let asked = self.event.iter().find(|pattern| matches(pattern, events_id));
        asked.map_or(Cow::Borrowed(events_id), |pattern| aliases::as_asked(pattern, events_id))
    }

    /// True if it is a script rather than an HTTP handler.
    #[must_use]
    pub fn is_script(&self) -> bool {
        self.task.starts_with("script://")
    }

    /// What is called.
    #[must_use]
    pub fn kind(&self) -> task::Kind {
        task::Kind::of(&self.task)
    }

    /// True if its status lets it be called: enabled or a shadow. It may be paused.
    #[must_use]
    pub fn is_called(&self) -> bool {
        matches!(self.status, Status::Enabled | Status::Shadow)
    }

    /// True if it is called now, too: not paused.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.is_called() && self.paused.is_none()
    }

    /// How long it has stood still, in microseconds: nothing by a clock that shows less than when that began.
    #[must_use]
    pub fn stood_still(&self, now: Moment) -> i64 {
        self.still_since.map_or(0, |since| now.0.saturating_sub(since.0).max(0))
    }

    /// True if it is asked off the caller's path, and decides nothing.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.status == Status::Shadow
    }

    /// True if it is enabled and paused by the breaker: it is probed.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        self.status == Status::Enabled && self.paused.as_ref().is_some_and(|paused| paused.probed)
    }

    /// The handler as the Core API shows it: secrets left out, header values masked.
    #[must_use]
    pub fn shown(&self) -> Object {
        shown(self)
    }
}

fn shown(handler: &Handler) -> Object {
    use serde_json::{Value, json};
    let mut object = match serde_json::to_value(handler) {
        Ok(Value::Object(object)) => object,
        _ => Object::new(),
    };
    for hidden in ["secret", "old_secret", "event_is_single", "still_since"] {
        object.shift_remove(hidden);
    }
    if handler.event_is_single {
        object.insert("event".into(), handler.event.first().cloned().into());
    }
    let headers = handler.headers.iter().map(|(name, _)| (name.clone(), Value::from(crate::json::MASK))).collect::<Object>();
    object.insert("headers".into(), headers.into());
    object.insert("settings".into(), settings::shown(&handler.settings).into());
    object.insert(
        "paused".into(),
        handler.paused.as_ref().map_or(Value::Null, |p| json!({"by": p.by, "since": p.since.iso(), "reason": p.reason})),
    );
    object
}
