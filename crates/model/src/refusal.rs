//! Every way in which a request is refused, in one type.
//!
//! A `Refusal` is what the caller learns: plain words, the field or the handler concerned, and never SQL, a path
//! or a stack. What went wrong inside travels to the log on another way (see `Refusal::internal`).
//! The mapping to HTTP statuses and JSON-RPC codes is the contract's table of errors.
use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What is wrong with each field, by name: collected whole, so that one answer names them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(BTreeMap<String, String>);

impl FieldErrors {
    /// Nothing wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One wrong field.
    #[must_use]
    pub fn one(field: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::new();
        errors.add(field, message);
        errors
    }

    /// Notes what is wrong with `field`; the first word on a field counts.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.entry(field.to_owned()).or_insert_with(|| message.into());
    }

    /// Takes over another's errors.
    pub fn merge(&mut self, other: FieldErrors) {
        for (field, message) in other.0 {
            self.0.entry(field).or_insert(message);
        }
    }

    /// True if nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if this field is among the wrong ones.
    #[must_use]
    pub fn names(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// The wrong fields and what is wrong with them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, message)| (field.as_str(), message.as_str()))
    }

    /// `Ok(value)` if nothing is wrong.
    ///
    /// # Errors
    /// `Refusal::Invalid` with every wrong field.
    pub fn or<T>(self, value: T) -> Result<T, Refusal> {
        if self.is_empty() { Ok(value) } else { Err(Refusal::Invalid(self)) }
    }
}

/// The handler on whose word an action was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerName {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// Why a before handler counts as failed. The words are the contract's (`reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// No reply within the time limit.
    Timeout,
    /// The connection was refused, reset or closed, or the address is not allowed.
    Refused,
    /// An HTTP status that is no decision.
    Status,
    /// A body that is no decision, too large, or not valid for the object.
    BadReply,
    /// No free place among the handler's `concurrency` in time.
    Busy,
    /// Failed too often: not called until a probe succeeds.
    Tripped,
    /// Under 20 ms of the budget were left.
    Skipped,
    /// The script could not be started, ended otherwise than the contract says, or overflowed.
    Script,
}

impl FailureReason {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Timeout, Self::Refused, Self::Status, Self::BadReply, Self::Busy, Self::Tripped, Self::Skipped, Self::Script];

    /// The contract's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Status => "status",
            Self::BadReply => "bad_reply",
            Self::Busy => "busy",
            Self::Tripped => "tripped",
            Self::Skipped => "skipped",
            Self::Script => "script",
        }
    }

    /// True if the handler was due but not called: its log row says `skipped`.
    #[must_use]
    pub fn was_not_called(self) -> bool {
        matches!(self, Self::Busy | Self::Tripped | Self::Skipped)
    }
}

/// What the caller is told of [`Refusal::Again`].
const AGAIN: &str = "others changed the same at that moment; try again";

/// A request refused, as its caller is told.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// 400: wrong fields.
    #[error("Invalid request")]
    Invalid(FieldErrors),
    /// 401: no key, or a wrong one.
    #[error("auth-failed: {0}")]
    AuthFailed(String),
    /// 403: the key's role does not allow this.
    #[error("access-denied: {0}")]
    AccessDenied(String),
    /// 404: no such object, or not within the key's reseller.
    #[error("not_found: {object_name} {object_id} does not exist")]
    NotFound {
        /// The collection, such as `clients.accounts`.
        object_name: &'static str,
        /// What was asked for.
        object_id: Value,
    },
    /// 409: the state does not allow it now.
    #[error("conflict: {message}")]
    Conflict {
        /// Plain words.
        message: String,
        /// Further members of `data`, such as `transactions_id`.
        details: crate::Object,
    },
    /// 409 `conflict`: others changed the same at that moment. Nothing was kept; it may be tried again as it is.
    #[error("conflict: {AGAIN}")]
    Again,
    /// 422: understood, but a rule forbids it.
    #[error("{code}: {message}")]
    Unprocessable {
        /// Such as `low_balance`.
        code: &'static str,
        /// Plain words.
        message: String,
    },
    /// 422 `forbidden_by_handler`: a before handler said no.
    #[error("forbidden_by_handler: {message}")]
    ForbiddenByHandler {
        /// Which one.
        handler: HandlerName,
        /// Its message, at most 500 characters.
        message: String,
        /// Its own code, if it gave one.
        handler_code: Option<String>,
        /// The field that it named, if any.
        field: Option<String>,
    },
    /// 503: a before handler failed and its `on_failure` is `forbid`.
    #[error("handler_failed: {message}")]
    HandlerFailed {
        /// Which one.
        handler: HandlerName,
        /// Why it counts as failed.
        reason: FailureReason,
        /// Plain words.
        message: String,
    },
    /// 413: the request or what it asks for is too large.
    #[error("too_large: {0}")]
    TooLarge(String),
    /// 429: too many at once.
    #[error("too_many: {0}")]
    TooMany(String),
    /// 500: our own fault. The text is for the log only and never reaches the caller.
    #[error("An unexpected error occurred")]
    Internal(String),
}

impl Refusal {
    /// One wrong field.
    #[must_use]
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::one(name, message))
    }

    /// No such object, or one that the caller must not know of.
    #[must_use]
    pub fn not_found(object_name: &'static str, object_id: impl Into<Value>) -> Self {
        Self::NotFound { object_name, object_id: object_id.into() }
    }

    /// The state does not allow it now.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into(), details: crate::Object::new() }
    }

    /// A rule forbids it.
    #[must_use]
    pub fn rule(code: &'static str, message: impl Into<String>) -> Self {
        Self::Unprocessable { code, message: message.into() }
    }

    /// Our own fault: `detail` goes to the log, the caller gets a request id.
    #[must_use]
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }

    /// The HTTP status in REST.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::AuthFailed(_) => 401,
            Self::AccessDenied(_) => 403,
            Self::NotFound { .. } => 404,
            Self::Conflict { .. } | Self::Again => 409,
            Self::Unprocessable { .. } | Self::ForbiddenByHandler { .. } => 422,
            Self::HandlerFailed { .. } => 503,
            Self::TooLarge(_) => 413,
            Self::TooMany(_) => 429,
            Self::Internal(_) => 500,
        }
    }

    /// The code of the JSON-RPC error object.
    #[must_use]
    pub fn rpc_code(&self) -> i32 {
        match self {
            Self::Invalid(_) => -32602,
            Self::AuthFailed(_) => -32001,
            Self::AccessDenied(_) => -32003,
            Self::NotFound { .. } => -32004,
            Self::Conflict { .. } | Self::Again => -32009,
            Self::Unprocessable { .. } | Self::ForbiddenByHandler { .. } => -32022,
            Self::HandlerFailed { .. } => -32053,
            Self::TooLarge(_) => -32013,
            Self::TooMany(_) => -32029,
            Self::Internal(_) => -32603,
        }
    }

    /// The `data` member of the error, in REST and JSON-RPC alike. `request_id` is told for our own faults only.
    #[must_use]
    pub fn data(&self, request_id: &str) -> Value {
        match self {
            Self::Invalid(errors) => {
                errors.iter().map(|(field, message)| (field.to_owned(), Value::from(message))).collect::<crate::Object>().into()
            }
            Self::AuthFailed(message) => json!({"code": "auth-failed", "message": message}),
            Self::AccessDenied(message) => json!({"code": "access-denied", "message": message}),
            Self::NotFound { object_name, object_id } => json!({
                "code": "not_found",
                "message": format!("{object_name} {object_id} does not exist"),
                "object_name": object_name,
                "object_id": object_id,
            }),
            Self::Conflict { message, details } => {
                let mut data = json!({"code": "conflict", "message": message});
                if let Value::Object(map) = &mut data {
                    map.extend(details.clone());
                }
                data
            }
            Self::Again => json!({"code": "conflict", "message": AGAIN}),
            Self::Unprocessable { code, message } => json!({"code": code, "message": message}),
            Self::ForbiddenByHandler { handler, message, handler_code, field } => json!({
                "code": "forbidden_by_handler",
                "message": message,
                "handler": {"id": handler.id, "name": handler.name},
                "field": field,
                "handler_code": handler_code,
            }),
            Self::HandlerFailed { handler, reason, message } => json!({
                "code": "handler_failed",
                "message": message,
                "reason": reason.word(),
                "handler": {"id": handler.id, "name": handler.name},
            }),
            Self::TooLarge(message) => json!({"code": "too_large", "message": message}),
            Self::TooMany(message) => json!({"code": "too_many", "message": message}),
            Self::Internal(_) => json!({"code": "internal", "request_id": request_id}),
        }
    }
}

impl From<FieldErrors> for Refusal {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}
