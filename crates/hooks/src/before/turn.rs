//! One handler's turn: called if its condition holds and there is time, a place, and hope; its reply read; what it changes
//! taken over. Whatever happens leaves a row in the log. A shadow's turn is the same, but for everything that follows from it.
use std::time::Duration;

use bytes::Bytes;
use hookswitch_model::{
    Object,
    event::{Event, Mode, Stage},
    handler::OnFailure,
    json,
    refusal::{FailureReason, FieldErrors, HandlerName, Refusal},
};
use tokio::time::Instant;

use super::{
    Asking, Shared, Subject,
    budget::{SHARE_MIN, limit},
    gate::Gate,
    millis,
};
use crate::{
    call::{Call, Called},
    condition::{self, Outcome as Held},
    log::{
        Record,
        row::{self, About, Ending},
    },
    outcome::{Note, Owed},
    payload::{Payload, masked},
    reply::{self, Decision, Forbidden, NoDecision, Verdict},
    rules::Rule,
};

/// Fields named in one message.
const FIELDS_NAMED_MAX: usize = 3;

/// An event as it goes out, written once for all handlers that see it alike.
pub(super) struct Shown {
    payload: Payload,
    /// For handlers that don't get passwords.
    masked: Option<Event>,
}

impl Shown {
    pub(super) fn new(event: &Event) -> Self {
        let payload = Payload::of(event, Stage::Before, None);
        let masked = payload.clear.as_ref().map(|_| masked(event));
        Self { payload, masked }
    }

    /// The event that this handler is sent.
    fn event<'a>(&'a self, event: &'a Event, passwords: bool) -> &'a Event {
        self.masked.as_ref().filter(|_| !passwords).unwrap_or(event)
    }
}

/// What a turn comes to, if the action may go on.
pub(super) enum Outcome {
    /// The event is as it was.
    Passed { warnings: Vec<String> },
    /// The handler changed it.
    Revised { event: Box<Event>, warnings: Vec<String> },
}

const PASSED: Outcome = Outcome::Passed { warnings: Vec::new() };

pub(super) struct Turn<'a> {
    pub(super) shared: &'a Shared,
    pub(super) rule: &'a Rule,
    pub(super) event: &'a Event,
    pub(super) shown: &'a Shown,
    pub(super) asking: &'a Asking,
    /// What the action owes to those who are asked; a shadow is owed nothing.
    pub(super) owed: Option<&'a Owed>,
    /// The time that it may take.
    pub(super) share: Duration,
}

/// A call that was made, and what it came to.
struct Answer {
    request: Bytes,
    called: Called,
    result: Result<Decision, NoDecision>,
}

impl Turn<'_> {
    /// # Errors
    /// `forbidden_by_handler`, or `handler_failed` where the handler's failure forbids.
    pub(super) async fn take(self, subject: &impl Subject) -> Result<Outcome, Refusal> {
        let note = match self.condition().await {
            Held::Holds => None,
            Held::Fails => return Ok(PASSED),
            Held::CallAnyway(words) => Some(condition::note(&words)),
        };
        let gate = self.shared.gates.of(&self.rule.handler);
        let answer = match self.call(&gate).await {
            Ok(answer) => answer,
            Err(not_called) => return self.skip(not_called).await,
        };
        let Answer { request, mut called, result } = answer;
        let (result, changed) = self.weigh(result, subject).await;
        match &result {
            // Too little time is the chain's fault, not the handler's.
            Err(Ended::Failed(NoDecision(FailureReason::Timeout, _))) if self.share < limit(&self.rule.handler) => {}
            result => gate.note(!matches!(result, Err(Ended::Failed(_))), self.shared.clock.now()),
        }
        self.record(&request, &mut called, &result, changed, note).await;
        match result {
            Ok(outcome) => Ok(outcome),
            Err(Ended::Forbidden(said)) => Err(self.forbidden(said)),
            Err(Ended::Failed(no_decision)) => self.failed(no_decision),
        }
    }

    /// As a shadow: what its reply means is written down, and nothing follows from it.
    pub(super) async fn shadow(self, gate: &Gate) {
        let note = match self.condition().await {
            Held::Holds => None,
            Held::Fails => return,
            Held::CallAnyway(words) => Some(condition::note(&words)),
        };
        let Some(_place) = gate.place_in_time().await else { return };
        let Answer { request, mut called, result } = self.call_within(self.share).await;
        let (result, changed) = self.weigh(result, &AsItStands).await;
        self.record(&request, &mut called, &result, changed, note).await;
    }

    async fn weigh(&self, result: Result<Decision, NoDecision>, subject: &impl Subject) -> (Result<Outcome, Ended>, Object) {
        match result {
            Ok(Decision { verdict: Verdict::Modify(data), warnings }) => self.modify(subject, data, warnings).await,
            Ok(Decision { verdict: Verdict::Allow, warnings }) => (Ok(Outcome::Passed { warnings }), Object::new()),
            Ok(Decision { verdict: Verdict::Forbid(said), .. }) => (Err(Ended::Forbidden(said)), Object::new()),
            Err(no_decision) => (Err(Ended::Failed(no_decision)), Object::new()),
        }
    }

    async fn condition(&self) -> Held {
        match &self.rule.condition {
            None => Held::Holds,
            Some(condition) => {
                let payload = self.event.payload(Stage::Before, None);
                condition.evaluate(&self.rule.names.payload(self.event.kind, &payload)).await
            }
        }
    }

    /// Calls, or says why not.
    async fn call(&self, gate: &Gate) -> Result<Answer, NoDecision> {
        if self.share < SHARE_MIN {
            return Err(NoDecision(FailureReason::Skipped, "too little of the time for the whole chain was left".to_owned()));
        }
        // By a restore: nobody knows yet what may be said to whom, so it counts as failed, and its `on_failure` says what that means.
        if let Some(paused) = &self.rule.handler.paused {
            return Err(NoDecision(FailureReason::Tripped, format!("it is paused: {}", paused.reason)));
        }
        if !gate.lets_through(self.shared.clock.now()) {
            let words = "it has failed too often and is tried again every 10 s only".to_owned();
            return Err(NoDecision(FailureReason::Tripped, words));
        }
        let began = Instant::now();
        let busy = || NoDecision(FailureReason::Busy, "all its places were taken for too long".to_owned());
        let left = || self.share.saturating_sub(began.elapsed());
        let _place = gate.place(self.share).await.ok_or_else(busy)?;
        let note = self.note_owed(left()).await?;
        if left() < SHARE_MIN {
            if let (Some(Note::New), Some(owed)) = (note, self.owed) {
                owed.withdraw(self.rule, self.event);
            }
            return Err(busy());
        }
        Ok(self.call_within(left()).await)
    }

    /// Whoever hears how it ends is written down before he is asked.
    async fn note_owed(&self, within: Duration) -> Result<Option<Note>, NoDecision> {
        let is_live = self.event.mode == Mode::Live;
        let Some(owed) = self.owed.filter(|_| is_live && self.rule.handler.notify_outcome) else { return Ok(None) };
        owed.note(self.rule, self.event, within).await.map(Some).map_err(|error| {
            tracing::error!(%error, handler = self.rule.handler.id, "a handler is not asked: that it is could not be written down");
            NoDecision(FailureReason::Skipped, "that it is asked could not be written down".to_owned())
        })
    }

    async fn call_within(&self, left: Duration) -> Answer {
        let shared = self.shown.payload.for_handler(self.rule.handler.passwords);
        let request = self.rule.names.body(self.event.kind, shared);
        let called = self.shared.caller.call(&self.rule.handler, &self.request(request.clone(), left)).await;
        let result = match &called.result {
            Ok(reply) => reply::read(reply),
            Err(error) => Err(NoDecision(error.reason, error.message.clone())),
        };
        Answer { request, called, result }
    }

    fn request(&self, body: Bytes, timeout: Duration) -> Call {
        let Event { id, kind, object_id, trace, .. } = self.event;
        Call {
            event_id: *id,
            events_id: self.rule.names.name(kind),
            stage: Stage::Before,
            object_id: *object_id,
            attempt: self.asking.attempt,
            body,
            timeout,
            deadline_ms: Some(millis(timeout)),
            cause_header: self.shared.causes.header(*id, self.rule.handler.id),
            trace: self.shared.caller.traces().of_event(*trace, *id).child(),
            resend: false,
            now: self.shared.clock.now(),
            reseller_bound: self.rule.handler.companies_id.is_some(),
        }
    }

    /// Takes over what the handler changed; what comes back as it was sent is no change.
    async fn modify(&self, subject: &impl Subject, data: Object, warnings: Vec<String>) -> (Result<Outcome, Ended>, Object) {
        let handler = &self.rule.handler;
        let changed = changed(self.shown.event(self.event, handler.passwords), data);
        if changed.is_empty() || !self.event.kind.changeable {
            return (Ok(Outcome::Passed { warnings }), Object::new());
        }
        let forbidden = handler.writable.as_ref().and_then(|writable| changed.keys().find(|name| !writable.contains(name)));
        if let Some(name) = forbidden {
            let words = format!("it changed {name}, which is not among its writable fields");
            return (Err(Ended::Failed(NoDecision(FailureReason::BadReply, words))), changed);
        }
        match subject.revise(self.event, changed.clone()).await {
            Ok(event) => (Ok(Outcome::Revised { event: Box::new(event), warnings }), changed),
            Err(errors) => (Err(Ended::Failed(NoDecision(FailureReason::BadReply, not_valid(&errors)))), changed),
        }
    }

    /// The row of a call that was not made, and what that means for the action.
    async fn skip(&self, reason: NoDecision) -> Result<Outcome, Refusal> {
        self.shared.calls.count("skipped", None);
        self.shared.log.record(skipped(self.rule, self.about(), words(&reason))).await;
        self.failed(reason)
    }

    async fn record(
        &self,
        request: &Bytes,
        called: &mut Called,
        result: &Result<Outcome, Ended>,
        changed: Object,
        note: Option<String>,
    ) {
        let handler = &self.rule.handler;
        let (status, error) = match result {
            Ok(_) => ("success", None),
            Err(Ended::Forbidden(said)) => ("forbidden", said.message.clone()),
            Err(Ended::Failed(no_decision)) => ("failed", Some(words(no_decision))),
        };
        if !handler.is_shadow() {
            self.shared.calls.count(status, Some(called.took));
        }
        let told = self.shown.payload.passwords_told(handler.passwords);
        let passwords: Vec<String> = told.iter().cloned().chain(row::passwords_in_reply(self.event.kind, called)).collect();
        let sent = self.shown.event(self.event, handler.passwords);
        let changes = (!changed.is_empty()).then(|| row::changes(sent, &changed));
        let error = [note, error].into_iter().flatten().reduce(|note, error| format!("{note}; {error}"));
        let ending = Ending { status, error, request: Some(request), called: Some(called), changes, passwords: &passwords };
        let row = row::of(self.rule, self.about(), ending);
        called.ended(&row);
        self.shared.log.record(Record::of_call(row)).await;
    }

    fn about(&self) -> About {
        about(self.shared, self.event, self.asking.attempt)
    }

    fn name(&self) -> HandlerName {
        HandlerName { id: self.rule.handler.id, name: self.rule.handler.name.clone() }
    }

    fn forbidden(&self, said: Forbidden) -> Refusal {
        let message = said.message.unwrap_or_else(|| format!("the handler {} does not allow this", self.rule.handler.name));
        Refusal::ForbiddenByHandler { handler: self.name(), message, handler_code: said.code, field: said.field }
    }

    fn failed(&self, NoDecision(reason, words): NoDecision) -> Result<Outcome, Refusal> {
        match self.rule.handler.on_failure {
            OnFailure::Allow => Ok(PASSED),
            OnFailure::Forbid => {
                let message = format!("the handler {} must be asked and failed: {words}", self.rule.handler.name);
                Err(Refusal::HandlerFailed { handler: self.name(), reason, message })
            }
        }
    }
}

/// The row of a handler that is not asked any more.
pub(super) async fn overrule(shared: &Shared, rule: &Rule, event: &Event, why: &str) {
    if let Some(condition) = &rule.condition
        && condition.evaluate(&event.payload(Stage::Before, None)).await == Held::Fails
    {
        return;
    }
    shared.calls.count("skipped", None);
    shared.log.record(skipped(rule, about(shared, event, 1), why.to_owned())).await;
}

/// The record of a call that was not made.
pub(super) fn skipped(rule: &Rule, about: About, words: String) -> Record {
    let ending = Ending { status: "skipped", error: Some(words), request: None, called: None, changes: None, passwords: &[] };
    Record::of_call(row::of(rule, about, ending))
}

/// What a call is about that is made now.
pub(super) fn about(shared: &Shared, event: &Event, attempt: u32) -> About {
    let Event { id, kind, object_id, clients_id, companies_id, .. } = event;
    About {
        event_id: *id,
        kind,
        stage: Stage::Before,
        object_id: *object_id,
        clients_id: *clients_id,
        companies_id: *companies_id,
        attempt: i64::from(attempt),
        dt: shared.clock.now(),
    }
}

/// Takes whatever a shadow would change, and stays as it is.
struct AsItStands;

impl Subject for AsItStands {
    async fn revise(&self, event: &Event, _changed: Object) -> Result<Event, FieldErrors> {
        Ok(event.clone())
    }
}

/// Why a turn ends the chain, unless its failure is allowed.
enum Ended {
    Forbidden(Forbidden),
    Failed(NoDecision),
}

/// The log's words for a failure begin with the contract's word for it.
fn words(NoDecision(reason, words): &NoDecision) -> String {
    format!("{}: {words}", reason.word())
}

/// What differs from what was sent, compared by value: from `data`, or for a key that is not in it, from the object.
pub(super) fn changed(sent: &Event, data: Object) -> Object {
    data.into_iter().filter(|(name, value)| sent.present(name).is_none_or(|old| !json::same(old, value))).collect()
}

fn not_valid(errors: &FieldErrors) -> String {
    let fields: Vec<String> = errors.iter().take(FIELDS_NAMED_MAX).map(|(name, words)| format!("{name} {words}")).collect();
    format!("the data of its reply is not valid: {}", fields.join("; "))
}
