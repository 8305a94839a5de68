//! `provisioning.handlers.test`: one call to a handler, saved or not, with an event that is not meant. Nothing is stored
//! and nothing logged; places and breaker are not touched.
use std::{borrow::Cow, time::Duration};

use hookswitch_model::{
    Object,
    event::{Event, Stage},
    handler::Handler,
};
use serde_json::{Value, json};

use super::{Before, Shared, budget::limit, millis, turn::changed};
use crate::{
    after::judge::{self, Judged},
    call::{Call, Called},
    condition::Outcome as Held,
    log::row::{BODY_KEPT_MAX, changes},
    mask::Mask,
    payload::Payload,
    reply::{self, Verdict},
    rules::Rule,
};

/// The number of an event that did not happen: lower than any that a receiver may have seen.
const NO_SEQ: i64 = 0;

/// What a trial came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried(Object);

impl Tried {
    /// As `provisioning.handlers.test` answers.
    #[must_use]
    pub fn shown(self) -> Value {
        Value::Object(self.0)
    }
}

impl Before {
    /// Calls a handler with an event, and says what that would have come to.
    pub async fn test(&self, handler: &Handler, event: Event) -> Tried {
        let rule = Rule::new(handler.clone());
        let payload = Payload::of(&event, handler.stage, (handler.stage == Stage::After).then_some(NO_SEQ));
        let call = call(&self.0, &rule, &event, &payload, limit(handler));
        let condition = condition(&rule, &event).await;
        let mut called = self.0.caller.for_trial(handler, call.reseller_bound).call(&call).await;
        let mut shown = match handler.stage {
            Stage::Before => asked(handler, &event, &called),
            Stage::After | Stage::Outcome => told(&called, &mask(&rule, &payload)),
        };
        called.tried(shown.get("verdict").and_then(Value::as_str) == Some("failed"));
        shown.insert("condition".into(), condition);
        shown.extend(what_went_over(&rule, &payload, &call, &called));
        Tried(shown)
    }
}

/// The call that tries a handler with an event.
pub(super) fn call(shared: &Shared, rule: &Rule, event: &Event, payload: &Payload, timeout: Duration) -> Call {
    let handler = &rule.handler;
    Call {
        event_id: event.id,
        events_id: rule.names.name(event.kind),
        stage: handler.stage,
        object_id: event.object_id,
        attempt: 1,
        body: rule.names.body(event.kind, payload.for_handler(handler.passwords)),
        timeout,
        deadline_ms: (handler.stage == Stage::Before).then(|| millis(timeout)),
        cause_header: shared.causes.header(event.id, handler.id),
        trace: shared.caller.traces().of_event(event.trace, event.id).child(),
        resend: false,
        now: shared.clock.now(),
        reseller_bound: handler.companies_id.is_some(),
    }
}

/// True or false, or why it could not be found out.
pub(super) async fn condition(rule: &Rule, event: &Event) -> Value {
    let Some(condition) = &rule.condition else { return true.into() };
    let payload = event.payload(rule.handler.stage, None);
    match condition.evaluate(&rule.names.payload(event.kind, &payload)).await {
        Held::Holds => true.into(),
        Held::Fails => false.into(),
        Held::CallAnyway(words) => words.into(),
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// What its answer comes to.
pub(super) fn asked(handler: &Handler, event: &Event, called: &Called) -> Object {
    let failed = |reason: &str, words: &str| json!({"verdict": "failed", "reason": reason, "message": words});
    let read = match &called.result {
        Ok(reply) => reply::read(reply),
        Err(error) => return object(failed(error.reason.word(), &error.message)),
    };
    let sent = if handler.passwords { Cow::Borrowed(event) } else { Cow::Owned(crate::payload::masked(event)) };
    object(match read {
        Err(reply::NoDecision(reason, words)) => failed(reason.word(), &words),
        Ok(reply::Decision { verdict, warnings }) => match verdict {
            Verdict::Allow => json!({"verdict": "allow", "changes": {}, "warnings": warnings}),
            Verdict::Modify(data) => {
                let changed = if event.kind.changeable { changed(&sent, data) } else { Object::new() };
                json!({"verdict": "allow", "changes": changes(&sent, &changed), "warnings": warnings})
            }
            Verdict::Forbid(said) => {
                json!({"verdict": "forbid", "message": said.message, "handler_code": said.code, "field": said.field})
            }
        },
    })
}

fn told(called: &Called, mask: &Mask) -> Object {
    object(match judge::judge(&called.result).masked(|| mask.clone()) {
        Judged::Delivered => json!({"verdict": "delivered"}),
        Judged::Failed { words, .. } => json!({"verdict": "failed", "message": words, "retry": true}),
        Judged::Hopeless { words } => json!({"verdict": "failed", "message": words, "retry": false}),
    })
}

fn mask(rule: &Rule, payload: &Payload) -> Mask {
    let passwords = payload.passwords_told(rule.handler.passwords);
    rule.mask.clone().and(passwords.iter().map(String::as_str))
}

fn what_went_over(rule: &Rule, payload: &Payload, call: &Call, called: &Called) -> Object {
    let mask = mask(rule, payload);
    let (status, body, stderr) = match &called.result {
        Ok(reply) => (Some(reply.status), &reply.body, &reply.stderr),
        Err(error) => (error.status, &error.body, &error.stderr),
    };
    object(json!({
        "events_id": call.events_id,
        "response_status": status,
        "duration_ms": millis(called.took),
        "request": mask.head(&call.body, BODY_KEPT_MAX),
        "response": mask.head(body, BODY_KEPT_MAX),
        "stderr": mask.text(stderr),
    }))
}
