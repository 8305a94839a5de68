//! Why a call has no result: JSON-RPC's own errors, a key that does not do, or a refusal of the core.
use std::borrow::Cow;

use hookswitch_model::refusal::Refusal;
use serde_json::{Value, json};

use crate::keys::Rejected;

/// A method's name is shown up to here: callers may send anything as one.
const SHOWN_CHARS_MAX: usize = 100;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Fault {
    /// -32700: not JSON.
    Parse(String),
    /// -32600: JSON, but no call.
    Invalid(String),
    /// -32601: no method of this name.
    NoMethod(String),
    /// Nobody knows who calls.
    Rejected(Rejected),
    /// Anything that the core says.
    Refused(Refusal),
}

impl Fault {
    /// No method of this name.
    pub(super) fn no_method(name: &str) -> Self {
        let shown: String = name.chars().take(SHOWN_CHARS_MAX).collect();
        Self::NoMethod(format!("there is no method {shown:?}"))
    }

    /// The `code` of the error object.
    pub(super) fn code(&self) -> i32 {
        match self {
            Self::Parse(_) => -32700,
            Self::Invalid(_) => -32600,
            Self::NoMethod(_) => -32601,
            Self::Rejected(Rejected { refusal, .. }) | Self::Refused(refusal) => refusal.rpc_code(),
        }
    }

    /// The `message` of the error object.
    pub(super) fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Parse(_) => "Parse error".into(),
            Self::Invalid(_) => "Invalid Request".into(),
            Self::NoMethod(_) => "Method not found".into(),
            Self::Rejected(Rejected { refusal, .. }) | Self::Refused(refusal) => refusal.to_string().into(),
        }
    }

    /// The `data` of the error object.
    pub(super) fn data(&self, request_id: &str) -> Value {
        match self {
            Self::Parse(words) | Self::Invalid(words) | Self::NoMethod(words) => json!({"message": words}),
            Self::Rejected(Rejected { refusal, .. }) | Self::Refused(refusal) => refusal.data(request_id),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Rejected> for Fault {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}
