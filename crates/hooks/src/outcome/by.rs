//! What ended an action that was not committed, as its handlers hear it.
use hookswitch_model::refusal::{FailureReason, FieldErrors, HandlerName, Refusal};
use serde_json::{Value, json};

/// Characters of a message at most.
const MESSAGE_MAX: usize = 500;

/// What ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A handler forbade it, or failed (for that reason) where its failure forbids: another one, or the very one that hears this.
    Handler(HandlerName, Option<FailureReason>),
    /// The object, or a part of the action, was changed or went away while handlers were asked.
    Conflict,
    /// The request can't be carried out: a rule, a wrong field, too many at once.
    Request,
    /// Nothing was left to do.
    Unchanged,
    /// The same request, with the same idempotency key, was committed by another.
    Replay,
    /// Our own fault.
    Failure,
    /// The program ended before it was decided.
    Crash,
}

impl By {
    /// As handlers and the Core API see it.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::Handler(HandlerName { id, name }, None) => json!({"type": "handler", "id": id, "name": name}),
            Self::Handler(HandlerName { id, name }, Some(reason)) => {
                json!({"type": "handler", "id": id, "name": name, "reason": reason.word()})
            }
            Self::Conflict => json!({"type": "conflict"}),
            Self::Request => json!({"type": "request"}),
            Self::Unchanged => json!({"type": "unchanged"}),
            Self::Replay => json!({"type": "replay"}),
            Self::Failure => json!({"type": "failure"}),
            Self::Crash => json!({"type": "crash"}),
        }
    }
}

/// What ended it, and in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What.
    pub by: By,
    /// In words.
    pub message: Option<String>,
}

impl Ending {
    fn new(by: By, message: &str) -> Self {
        let cut = message.char_indices().nth(MESSAGE_MAX).map_or(message, |(at, _)| &message[..at]);
        Self { by, message: Some(cut.to_owned()) }
    }

    /// By the refusal that the caller got.
    #[must_use]
    pub fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::ForbiddenByHandler { handler, message, .. } => Self::new(By::Handler(handler.clone(), None), message),
            Refusal::HandlerFailed { handler, reason, message } => {
                Self::new(By::Handler(handler.clone(), Some(*reason)), message)
            }
            Refusal::Conflict { message, .. } => Self::new(By::Conflict, message),
            Refusal::NotFound { .. } | Refusal::Again => Self::new(By::Conflict, &refusal.to_string()),
            Refusal::Invalid(errors) => Self::new(By::Request, &named(errors)),
            Refusal::Internal(_) => Self::failure(),
            Refusal::AuthFailed(_)
            | Refusal::AccessDenied(_)
            | Refusal::Unprocessable { .. }
            | Refusal::TooLarge(_)
            | Refusal::TooMany(_) => Self::new(By::Request, &refusal.to_string()),
        }
    }

    pub(super) fn left_out() -> Self {
        Self::new(By::Conflict, "it was no part of the action any more")
    }

    pub(super) fn unchanged() -> Self {
        Self::new(By::Unchanged, "nothing was left to do")
    }

    pub(super) fn replay() -> Self {
        Self::new(By::Replay, "the same request was committed by another call")
    }

    pub(super) fn failure() -> Self {
        Self::new(By::Failure, "an unexpected error occurred")
    }

    pub(super) fn crash() -> Self {
        Self::new(By::Crash, "the program ended before it was decided")
    }
}

fn named(errors: &FieldErrors) -> String {
    errors.iter().map(|(name, words)| format!("{name} {words}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_word_and_our_own_faults_tell_nothing() {
        let handler = HandlerName { id: 7, name: "fraud".to_owned() };
        let forbidden =
            Refusal::ForbiddenByHandler { handler: handler.clone(), message: "no".to_owned(), handler_code: None, field: None };
        let failed = Refusal::HandlerFailed { handler, reason: FailureReason::Timeout, message: "no reply".to_owned() };
        let internal = Refusal::internal("SELECT * FROM secrets");
        for (refusal, by, message) in [
            (&forbidden, json!({"type": "handler", "id": 7, "name": "fraud"}), "no"),
            (&failed, json!({"type": "handler", "id": 7, "name": "fraud", "reason": "timeout"}), "no reply"),
            (&Refusal::conflict("changed"), json!({"type": "conflict"}), "changed"),
            (&Refusal::field("name", "is already in use"), json!({"type": "request"}), "name is already in use"),
            (&Refusal::rule("low_balance", "too poor"), json!({"type": "request"}), "low_balance: too poor"),
            (&internal, json!({"type": "failure"}), "an unexpected error occurred"),
        ] {
            let ending = Ending::of(refusal);
            assert_eq!((ending.by.shown(), ending.message.as_deref()), (by, Some(message)));
        }
    }

    #[test]
    fn a_message_is_cut() {
        let message = Ending::of(&Refusal::conflict("ż".repeat(2_000))).message.unwrap();
        assert_eq!(message.chars().count(), MESSAGE_MAX);
    }
}
