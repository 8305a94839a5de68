//! What the end of a call means for a delivery (contract sections 5 and 6).
use hookswitch_model::json;
use serde_json::Value;

use crate::{
    call::{CallError, Kind, Reply, script},
    log::row::ERROR_KEPT_MAX,
    mask::Mask,
};

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// The handler has it.
    Delivered,
    /// It is tried again, if the schedule has another attempt.
    Failed {
        /// Why, in plain words.
        words: String,
        /// How long the handler wants to be left alone.
        retry_after_ms: Option<i64>,
    },
    /// The handler says that trying again is of no use.
    Hopeless {
        /// Why, in plain words.
        words: String,
    },
}

impl Judged {
    /// What others have said is repeated without secrets, and not without end.
    #[must_use]
    pub(crate) fn masked(self, mask: impl FnOnce() -> Mask) -> Self {
        let words_of = |words: String| mask().head(words.as_bytes(), ERROR_KEPT_MAX);
        match self {
            Self::Delivered => Self::Delivered,
            Self::Failed { words, retry_after_ms } => Self::Failed { words: words_of(words), retry_after_ms },
            Self::Hopeless { words } => Self::Hopeless { words: words_of(words) },
        }
    }
}

/// Any 2xx or exit status 0 is success; 410, a 4xx with `{"retry": false}` and exit status 3 end it.
pub(crate) fn judge(result: &Result<Reply, CallError>) -> Judged {
    let reply = match result {
        Ok(reply) => reply,
        // It has said so before its body went wrong, which nobody reads.
        Err(error) if error.status.is_some_and(|status| (200..=299).contains(&status)) => return Judged::Delivered,
        Err(error) => {
            return Judged::Failed { words: format!("{}: {}", error.reason.word(), error.message), retry_after_ms: None };
        }
    };
    match (reply.kind, reply.status) {
        (Kind::Http, 200..=299) | (Kind::Script, 0) | (Kind::ReadyMade, _) => Judged::Delivered,
        (Kind::Http, 410) => Judged::Hopeless { words: "status: it answered with the HTTP status 410: gone for good".to_owned() },
        (Kind::Http, status @ 400..=499) if wants_no_retry(&reply.body) => {
            Judged::Hopeless { words: format!("status: it answered with the HTTP status {status} and wants no further attempt") }
        }
        (Kind::Http, status) => Judged::Failed {
            words: format!("status: it answered with the HTTP status {status}"),
            retry_after_ms: reply.retry_after.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
        },
        (Kind::Script, script::FORBID_STATUS) => {
            Judged::Hopeless { words: with_line("script: it ended with the exit status 3", reply) }
        }
        (Kind::Script, status) => Judged::Failed {
            words: with_line(&format!("script: it ended with the exit status {status}"), reply),
            retry_after_ms: None,
        },
    }
}

fn wants_no_retry(body: &[u8]) -> bool {
    json::parse(body).is_ok_and(|reply| reply.get("retry") == Some(&Value::Bool(false)))
}

fn with_line(words: &str, reply: &Reply) -> String {
    if reply.first_line.is_empty() { words.to_owned() } else { format!("{words}: {}", reply.first_line) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hookswitch_model::refusal::FailureReason;

    use super::*;

    fn http(status: i64, body: &str) -> Judged {
        let retry_after = (status == 503).then_some(Duration::from_secs(9));
        let body = body.as_bytes().to_vec();
        judge(&Ok(Reply { kind: Kind::Http, status, body, stderr: String::new(), first_line: String::new(), retry_after }))
    }

    #[test]
    fn any_2xx_is_delivered_whatever_the_body() {
        assert!([200, 201, 204, 299].iter().all(|status| http(*status, "<html>") == Judged::Delivered));
    }

    #[test]
    fn a_2xx_whose_body_breaks_off_or_is_too_long_is_delivered() {
        let broken = |status| judge(&Err(CallError { status, ..CallError::new(FailureReason::BadReply, "longer than 1 MiB") }));
        assert_eq!(broken(Some(200)), Judged::Delivered);
        assert!(matches!(broken(Some(500)), Judged::Failed { .. }) && matches!(broken(None), Judged::Failed { .. }));
    }

    #[test]
    fn a_handler_can_say_that_it_is_hopeless() {
        let hopeless = |judged| matches!(judged, Judged::Hopeless { .. });
        assert!(
            hopeless(http(410, ""))
                && hopeless(http(400, r#"{"retry":false}"#))
                && hopeless(http(422, r#" {"retry": false, "x": 1}"#))
        );
        for (status, body) in [(500, r#"{"retry":false}"#), (400, r#"{"retry":true}"#), (400, "[false]"), (404, ""), (302, "")] {
            assert!(matches!(http(status, body), Judged::Failed { .. }), "{status} {body}");
        }
    }

    #[test]
    fn what_fails_says_why_and_when_it_wants_to_be_tried_again() {
        assert!(matches!(http(503, ""), Judged::Failed { retry_after_ms: Some(9_000), .. }));
        let error = judge(&Err(CallError::new(FailureReason::Timeout, "no reply within 5 ms")));
        assert_eq!(error, Judged::Failed { words: "timeout: no reply within 5 ms".to_owned(), retry_after_ms: None });
    }

    #[test]
    fn a_scripts_exit_status_3_ends_it() {
        let script = |status| {
            let first_line = "no such realm".to_owned();
            judge(&Ok(Reply {
                kind: Kind::Script,
                status,
                body: Vec::new(),
                stderr: String::new(),
                first_line,
                retry_after: None,
            }))
        };
        assert_eq!(script(0), Judged::Delivered);
        assert_eq!(script(3), Judged::Hopeless { words: "script: it ended with the exit status 3: no such realm".to_owned() });
        assert!(matches!(script(1), Judged::Failed { .. }));
    }
}
