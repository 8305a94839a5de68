//! The span of a call: whose it is and what it is about, when it begins; what came back, when it ends; what that meant, once somebody
//! knows.
//!
//! Neither payloads nor headers nor addresses are in it, but for the host: what stands behind that may be as secret as a password.
use hookswitch_model::{
    event::Stage,
    handler::{
        Handler,
        task::{self, Kind as Task},
    },
};
use hookswitch_store::tables::executions;
use hookswitch_traces::{Kind as SpanKind, Span, Traces};
use url::Url;

use super::{Call, CallError, Called, Kind, Reply};

/// Begins it. Its id is the one in the call's `traceparent`.
pub(super) fn begin(traces: &Traces, handler: &Handler, call: &Call) -> Span {
    if !traces.is_on() {
        return Span::none();
    }
    let mut span = traces.begin(call.trace, SpanKind::Client, format!("{} {}", call.stage.word(), call.events_id));
    if span.is_recorded() {
        describe(&mut span, handler, call);
    }
    span
}

fn describe(span: &mut Span, handler: &Handler, call: &Call) {
    span.set("hookswitch.handler.id", handler.id);
    span.set("hookswitch.handler.name", handler.name.clone());
    // What pictures of services call whoever records nothing itself.
    span.set("peer.service", handler.name.clone());
    span.set("hookswitch.event.id", call.event_id.to_string());
    span.set("hookswitch.event.name", call.events_id.to_string());
    span.set("hookswitch.stage", call.stage.word());
    span.set("hookswitch.attempt", i64::from(call.attempt));
    if call.resend {
        span.set("hookswitch.resend", true);
    }
    if call.stage == Stage::Before && handler.is_shadow() {
        span.set("hookswitch.shadow", true);
    }
    if let Some(script) = handler.task.strip_prefix(task::SCRIPT) {
        return span.set("hookswitch.script", script.to_owned());
    }
    let Ok(url) = Url::parse(task::url(&handler.task)) else { return };
    if Task::of(&handler.task) == Task::Sql
        && let Some((_, engine)) = url.query_pairs().find(|(name, _)| name == "engine")
    {
        // As OpenTelemetry calls it.
        span.set("db.system.name", if engine == "postgres" { "postgresql".to_owned() } else { engine.into_owned() });
    }
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        span.set("server.address", host.to_owned());
        if let Some(port) = url.port_or_known_default() {
            span.set("server.port", i64::from(port));
        }
    }
}

/// Ends it.
pub(super) fn stop(span: &mut Span, handler: &Handler, result: &Result<Reply, CallError>) {
    span.stop();
    if !span.is_recorded() {
        return;
    }
    match result {
        Ok(Reply { kind: Kind::Http, status, .. }) => span.set("http.response.status_code", *status),
        Ok(Reply { kind: Kind::Script, status, .. }) => span.set("process.exit.code", *status),
        // Of several requests it is the last one's; 0 where there was none.
        Ok(Reply { kind: Kind::ReadyMade, status, .. }) => {
            if Task::of(&handler.task).is_over_http() && *status != 0 {
                span.set("http.response.status_code", *status);
            }
        }
        Err(error) => {
            if let Some(status) = error.status.filter(|_| Task::of(&handler.task).is_over_http()) {
                span.set("http.response.status_code", status);
            }
            span.set("error.type", error.reason.word());
        }
    }
}

impl Called {
    /// What the log says of it, the span says too: in the same words, as far as they are our own.
    pub(crate) fn ended(&mut self, row: &executions::Ended) {
        self.span.set("hookswitch.status", row.status);
        if row.status == "failed" {
            self.span.failed(|| our_words(row.error.as_deref().unwrap_or_default()).to_owned());
        }
        self.span = Span::none();
    }
}

impl Called {
    /// The same of a trial, which no log tells of.
    pub(crate) fn tried(&mut self, has_failed: bool) {
        self.span.set("hookswitch.status", if has_failed { "failed" } else { "success" });
        self.span = Span::none();
    }
}

/// The contract's word and our sentence. What stands behind a further colon was said by a script, a database or a server, and may repeat
/// the payload: the log, which is in our own database, has it.
fn our_words(words: &str) -> &str {
    let end = words.match_indices(": ").nth(1).map_or(words.len(), |(at, _)| at);
    &words[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_said_is_left_to_the_log() {
        for (words, ours) in [
            ("status: it answered with the HTTP status 503", "status: it answered with the HTTP status 503"),
            ("script: it ended with the exit status 4: no such user: alice", "script: it ended with the exit status 4"),
            ("status: statement 1 of 2: Duplicate entry 'alice'", "status: statement 1 of 2"),
            ("", ""),
        ] {
            assert_eq!(our_words(words), ours);
        }
    }
}
