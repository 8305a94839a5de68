//! `provisioning.handlers.backtest`: past events against a handler, saved or not, as if they were asked about now. Nothing is
//! stored and nothing logged; places and breaker are not touched, and `event.mode` is `test`.
//!
//! What bounds it: so many calls at once, so much time in all, and few back-tests at once. Events are loaded one by one, so that
//! a thousand of them take no memory.
use std::{future::Future, sync::Arc, time::Duration};

use hookswitch_model::{
    Object,
    event::{Event, Mode},
    handler::Handler,
    refusal::{FailureReason, Refusal},
};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::{
    Before, Shared,
    budget::limit,
    summary::{Said, Summary},
    trial,
};
use crate::{call::HandlerCaller, payload::Payload, rules::Rule};

/// Back-tests at once.
pub(super) const AT_ONCE_MAX: usize = 2;
/// Calls in flight at once, if the handler's own `concurrency` is not less.
const IN_FLIGHT_MAX: usize = 8;
/// After this no further call is waited for: whoever asked waits for an answer.
const WITHIN: Duration = Duration::from_secs(50);

/// One asking: how it ended, and how long it took; `None` = the handler's condition does not want the event.
type Tried = Option<(Said, i64)>;

impl Before {
    /// Asks a handler about these events; `load` gives each, if it is still there. Gives the summary, how many there were to ask
    /// about (`planned`), and how many of these its condition left out (`unwanted`).
    ///
    /// # Errors
    /// `TooMany` if others are at it.
    pub async fn backtest<F>(
        &self,
        handler: &Handler,
        events: Vec<Uuid>,
        load: impl Fn(Uuid) -> F + Sync,
    ) -> Result<Object, Refusal>
    where
        F: Future<Output = Result<Option<Event>, Refusal>> + Send,
    {
        let place = self.0.backtests.try_acquire();
        let _place = place.map_err(|_| Refusal::TooMany(format!("{AT_ONCE_MAX} back-tests are running; try again later")))?;
        let caller = self.0.caller.for_trial(handler, handler.companies_id.is_some());
        let (rule, deadline) = (Arc::new(Rule::new(handler.clone())), Instant::now() + WITHIN);
        let most = IN_FLIGHT_MAX.min(handler.concurrency as usize);
        let (planned, mut unwanted, mut summary) = (events.len(), 0, Summary::default());
        let (mut events, mut calls) = (events.into_iter(), JoinSet::new());
        loop {
            while calls.len() < most
                && Instant::now() < deadline
                && let Some(id) = events.next()
            {
                if let Some(event) = load(id).await? {
                    let (shared, rule, caller) = (Arc::clone(&self.0), Arc::clone(&rule), caller.clone());
                    calls.spawn(async move { ask(&shared, &rule, &caller, event, deadline).await });
                }
            }
            match timeout_at(deadline, calls.join_next()).await {
                Ok(Some(Ok(Some((said, took_us))))) => summary.add(said, took_us),
                Ok(Some(Ok(None))) => unwanted += 1,
                Ok(Some(Err(error))) => return Err(Refusal::internal(error)),
                Ok(None) | Err(_) => break,
            }
        }
        let mut shown = summary.shown();
        shown.insert("planned".into(), planned.into());
        shown.insert("unwanted".into(), unwanted.into());
        Ok(shown)
    }
}

async fn ask(shared: &Shared, rule: &Rule, caller: &HandlerCaller, mut event: Event, deadline: Instant) -> Tried {
    event.mode = Mode::Test;
    if trial::condition(rule, &event).await == Value::Bool(false) {
        return None;
    }
    let time = limit(&rule.handler).min(deadline.saturating_duration_since(Instant::now()));
    let call = trial::call(shared, rule, &event, &Payload::of(&event, rule.handler.stage, None), time);
    let called = caller.call(&call).await;
    let took_us = i64::try_from(called.took.as_micros()).unwrap_or(i64::MAX);
    Some((said(&rule.handler, &event, trial::asked(&rule.handler, &event, &called)), took_us))
}

/// What the answer to a test means for the summary.
fn said(handler: &Handler, event: &Event, mut answer: Object) -> Said {
    let word = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match word("verdict").as_str() {
        "failed" => Said::Failed(word("reason")),
        "forbid" => Said::Forbid(json!({
            "dt": event.dt.iso(),
            "event_id": event.id.to_string(),
            "events_id": event.kind.events_id,
            "object_id": event.object_id,
            "clients_id": event.clients_id,
            "message": answer.remove("message"),
        })),
        _ => {
            let keys: Vec<String> = match answer.remove("changes") {
                Some(Value::Object(changes)) => changes.into_iter().map(|(key, _)| key).collect(),
                _ => Vec::new(),
            };
            let is_writable = |key: &String| handler.writable.as_ref().is_none_or(|writable| writable.contains(key));
            match keys.is_empty() {
                true => Said::Allow,
                false if keys.iter().all(is_writable) => Said::Change(keys),
                false => Said::Failed(FailureReason::BadReply.word().to_owned()),
            }
        }
    }
}
