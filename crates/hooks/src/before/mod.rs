//! Step 2: before handlers are asked, one after another, under one deadline, with nothing held.
//!
//! ```text
//!   for each event of the action, for each handler that it concerns, in order (one turn):
//!     its condition holds? -> is there time? -> is it tripped? -> is a place free? -> call -> what does the reply mean?
//!                                                                                    |
//!        allow: the next one's turn            forbid: it ends here         modify: the subject takes it or the handler failed
//! ```
//!
//! A shadow's turn takes no time and decides nothing: it is asked by a task of its own about the data as it stands then.
//!
//! Knows nothing of clients and accounts: whoever asks gives a [`Subject`] that checks changed data like the caller's own
//! and says what the event is then.
//!
//! | file | subject |
//! |---|---|
//! | here | the chain |
//! | [`turn`] | one handler's turn |
//! | `budget` | how much time each has |
//! | `gate` | places, and handlers that are tripped |
//! | `shadow` | who is asked off the caller's path |
//! | [`trial`] | `provisioning.handlers.test` |
//! | [`backtest`] | past events against a handler |
//! | [`summary`] | what a handler would have decided |
pub mod backtest;
mod budget;
mod gate;
mod shadow;
pub mod summary;
pub mod trial;
mod turn;

use std::{future::Future, sync::Arc, time::Duration};

use hookswitch_cluster::Cluster;
use hookswitch_model::{
    Object,
    event::{Event, Mode},
    handler::Handler,
    moment::Moment,
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::Clock;
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    breaker::Breaker,
    call::Caller,
    cause::Causes,
    figures::Calls,
    log::Log,
    outcome::Owed,
    rules::{Resellers, Rule, Rules},
};

use budget::Budget;
use gate::Gates;
use turn::{Outcome, Shown, Turn};

/// What an asking is about: checks what a handler changes, and says what the event is with it.
pub trait Subject: Sync {
    /// The event with these keys of `data` changed.
    ///
    /// # Errors
    /// What is wrong with them, by field.
    fn revise(&self, event: &Event, changed: Object) -> impl Future<Output = Result<Event, FieldErrors>> + Send;
}

/// The circumstances of one asking.
#[derive(Debug, Clone)]
pub struct Asking {
    /// 1, or 2 if what the chain was shown has changed.
    pub attempt: u32,
    /// When the action's whole budget ends.
    pub deadline: Instant,
}

/// A chain that has allowed the action.
#[derive(Debug)]
pub struct Allowed {
    /// The events as the handlers left them.
    pub events: Vec<Event>,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// Asks before handlers; a cheap handle.
#[derive(Clone)]
pub struct Before(Arc<Shared>);

struct Shared {
    caller: Caller,
    causes: Causes,
    clock: Clock,
    log: Log,
    resellers: Arc<dyn Resellers>,
    gates: Gates,
    calls: Calls,
    runtime: tokio::runtime::Handle,
    backtests: Arc<Semaphore>,
}

/// What [`Before`] stands on.
pub(crate) struct Parts {
    pub(crate) caller: Caller,
    pub(crate) causes: Causes,
    pub(crate) clock: Clock,
    pub(crate) cluster: Cluster,
    pub(crate) log: Log,
    pub(crate) resellers: Arc<dyn Resellers>,
    pub(crate) breaker: Breaker,
}

impl Before {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { caller, causes, clock, cluster, log, resellers, breaker } = parts;
        Self(Arc::new(Shared {
            caller,
            causes,
            clock,
            log,
            resellers,
            gates: Gates::new(breaker, cluster),
            calls: Calls::default(),
            runtime: tokio::runtime::Handle::current(),
            backtests: Arc::new(Semaphore::new(backtest::AT_ONCE_MAX)),
        }))
    }

    /// Asks about the events of one action, in order: the first that forbids, or fails where its failure forbids, ends it.
    /// Whoever is to hear how it ends is noted in `owed` before he is asked.
    ///
    /// # Errors
    /// `forbidden_by_handler`, `handler_failed`.
    pub async fn ask(
        &self,
        rules: &Rules,
        mut events: Vec<Event>,
        asking: &Asking,
        owed: &Owed,
        subject: &impl Subject,
    ) -> Result<Allowed, Refusal> {
        let (turns, mut warnings) = self.turns(rules, &events);
        let deciding = turns.iter().map(|(_, rule)| &rule.handler).filter(|handler| !handler.is_shadow());
        let budget = Budget::plan(asking.deadline, Instant::now().min(asking.deadline), deciding);
        let (mut number, mut shown): (_, Option<(usize, Shown)>) = (0, None);
        for (index, rule) in &turns {
            let event = &events[*index];
            if rule.handler.is_shadow() {
                shadow::ask(&self.0, rule, (Arc::from([event.clone()]), 0), asking);
                continue;
            }
            let seen = match shown.take() {
                Some((of, seen)) if of == *index => seen,
                _ => Shown::new(event),
            };
            let share = budget.share(number, &rule.handler, Instant::now());
            number += 1;
            let turn = Turn { shared: &self.0, rule, event, shown: &seen, asking, owed: Some(owed), share };
            match turn.take(subject).await? {
                Outcome::Passed { warnings: more } => {
                    warnings.extend(more);
                    shown = Some((*index, seen));
                }
                Outcome::Revised { event, warnings: more } => {
                    warnings.extend(more);
                    events[*index] = *event;
                }
            }
        }
        Ok(Allowed { events, warnings })
    }

    /// Notes of each handler that would have been asked that it was not, and why.
    pub async fn overrule(&self, rules: &Rules, events: &[Event], why: &str) {
        let (turns, _) = self.turns(rules, events);
        for (index, rule) in turns.iter().filter(|(_, rule)| !rule.handler.is_shadow()) {
            turn::overrule(&self.0, rule, &events[*index], why).await;
        }
    }

    /// Asks shadows alone, about events that nobody had to decide on. Called by the thread that writes: which shadows these are
    /// is found by a task.
    pub fn shadow(&self, rules: Arc<Rules>, events: Arc<[Event]>, asking: Asking) {
        let shared = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            for (index, event) in events.iter().enumerate() {
                for rule in rules.before(event, &*shared.resellers).iter().filter(|rule| rule.handler.is_shadow()) {
                    shadow::ask(&shared, rule, (Arc::clone(&events), index), &asking);
                }
            }
        });
    }

    /// Whose turns they are, by the index of the event; and of a dry run those who take no part in it.
    fn turns(&self, rules: &Rules, events: &[Event]) -> (Vec<(usize, Arc<Rule>)>, Vec<String>) {
        let (mut turns, mut warnings) = (Vec::new(), Vec::new());
        for (index, event) in events.iter().enumerate() {
            for rule in rules.before(event, &*self.0.resellers) {
                if event.mode == Mode::DryRun && rule.handler.is_shadow() {
                    continue;
                }
                if event.mode == Mode::DryRun && !rule.handler.dry_run {
                    warnings.push(not_rehearsed(&rule));
                } else {
                    turns.push((index, rule));
                }
            }
        }
        (turns, warnings)
    }

    /// Forgets what is kept for handlers that are gone.
    pub(crate) fn keep_only(&self, wanted: impl Fn(i64) -> bool) {
        self.0.gates.keep_only(wanted);
    }

    /// Another node has found that a handler fails, since then, or that it is back.
    pub(crate) fn heard(&self, handler: &Handler, failing_since: Option<Moment>) {
        self.0.gates.heard(handler, failing_since, self.0.clock.now());
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.0.calls
    }

    pub(crate) fn tripped_since(&self, handler: &Handler) -> Option<Moment> {
        self.0.gates.tripped_since(handler)
    }

    pub(crate) fn tripped(&self) -> u64 {
        self.0.gates.tripped()
    }
}

fn not_rehearsed(rule: &Rule) -> String {
    format!("handler {} ({}) was not asked: it does not take part in dry runs", rule.handler.id, rule.handler.name)
}

/// As a duration of the contract: milliseconds.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
