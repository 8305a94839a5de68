//! Who is asked before, who is told after; knows no billing. Events come in as data, verdicts go out.
//!
//! | place | subject |
//! |---|---|
//! | [`rules`] | which handlers an event concerns: name, reseller, cause, balance |
//! | [`condition`] | a handler's own expression |
//! | [`before`] | asks in order under one deadline: modify, allow, forbid; failure policy |
//! | [`reply`] | what a before handler's reply means |
//! | [`outbox`] | inside the commit: the client's next number, the journal, one delivery per handler |
//! | [`outcome`] | before handlers that are told how it ended: committed, or aborted and by whom |
//! | [`after`] | lanes: one per handler and client; in order, retried, dead; resend and discard |
//! | `discard` | what the log says of what was discarded: by whom, and why |
//! | [`retry`], `breaker` | when a failed delivery is tried again, and when a handler is taken for dead |
//! | [`call`] | one call to one handler: HTTP, scripts, signatures, addresses |
//! | [`payload`] | what is sent, with passwords, masked, and sealed for the journal |
//! | `nodes` | what other nodes tell, and clients that come and go |
//! | `names` | what a handler of the first API generation calls the events |
//! | [`cause`], `asked` | what a handler does in reaction |
//! | [`loops`] | handlers that answer each other |
//! | [`log`], [`mask`] | every call leaves a row, without secrets |
//! | [`validate`] | what can be found out about a handler when it is saved |
//! | [`figures`], [`standing`] | how calls went, for metrics; where each handler stands |
//! | `journal_hours` | how many events there were, hour by hour, for pictures |
//!
//! **Invariant:** no handler is ever called with a transaction, a lock or a pooled connection held.
pub mod after;
mod asked;
pub mod before;
mod breaker;
pub mod call;
pub mod cause;
pub mod condition;
mod discard;
pub mod figures;
mod journal_hours;
pub mod log;
pub mod loops;
pub mod mask;
mod names;
mod nodes;
pub mod outbox;
pub mod outcome;
pub mod payload;
pub mod reply;
pub mod retry;
pub mod rules;
mod shutdown;
pub mod standing;
pub mod validate;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use hookswitch_cluster::{Cluster, Notice};
use hookswitch_model::event::{Cause, Event, Stage};
use hookswitch_store::{Error, Store, tables};
use hookswitch_traces::Traces;
use tokio::sync::Notify;
use uuid::Uuid;

use after::{After, Entrance};
pub use asked::BeingAsked;
use before::Before;
pub use breaker::Breaker;
use call::{Caller, CallerOptions};
use cause::Causes;
use condition::Outcome;
pub use figures::{Figures, Times};
use journal_hours::JournalHours;
use log::Log;
pub use log::retention::Retention;
use loops::Loops;
use outcome::Outcomes;
use rules::{Resellers, Rules};
use validate::Checks;

/// How handlers are called, and what is kept of it.
#[derive(Debug, Clone)]
pub struct Options {
    /// This node among the others.
    pub cluster: Cluster,
    /// How calls are made.
    pub caller: CallerOptions,
    /// When a handler is taken for dead: then a before handler is not asked, and an after handler's queue stands still.
    pub breaker: Breaker,
    /// What is kept, and for how long.
    pub retention: Retention,
}

/// The running engine; a cheap handle.
#[derive(Clone)]
pub struct Hooks {
    /// Asks.
    pub before: Before,
    /// Tells.
    pub after: After,
    /// Tells before handlers how it ended.
    pub outcomes: Outcomes,
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    cluster: Cluster,
    rules: ArcSwap<Rules>,
    /// Held while the handlers are read and everybody is told of them: the last one told must be the newest.
    reloading: tokio::sync::Mutex<()>,
    caller: Caller,
    causes: Causes,
    asked: asked::Asked,
    log: Log,
    loops: Loops,
    checks: Checks,
    /// Ends the task that cuts what is old: else it would complain of a store that is closed.
    retention: tokio::task::AbortHandle,
    /// The same of the task that writes down how many events there were.
    counting: tokio::task::AbortHandle,
}

/// Which after handlers a condition leaves out, by the index of the event, and what is to be noted about the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weighed {
    /// Their condition is false.
    pub unwanted: HashSet<(usize, i64)>,
    /// Their condition could not be evaluated: they are told, and the log says why.
    pub notes: HashMap<(usize, i64), String>,
}

impl Hooks {
    /// Loads the handlers and starts delivering what waits. Called within a runtime.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn start(store: Store, options: Options, resellers: Arc<dyn Resellers>) -> Result<Self, Error> {
        let Options { cluster, caller, breaker, retention } = options;
        let checks = Checks::new(caller.scripts_dir.clone(), caller.data_dir.clone(), caller.reseller_networks.clone());
        let (caller, causes) = (Caller::new(caller), Causes::new(&store.vault().derive("cause")));
        let log = Log::start(store.clone(), &cluster);
        let before = Before::new(before::Parts {
            caller: caller.clone(),
            causes: causes.clone(),
            clock: store.clock().clone(),
            cluster: cluster.clone(),
            log: log.clone(),
            resellers,
            breaker,
        });
        let loops = Loops::new(store.clone());
        let hours = JournalHours::default();
        let counting = tokio::spawn(hours.clone().run(store.clone())).abort_handle();
        let saved = Arc::new(Notify::new());
        let after = After::new(after::Parts {
            store: store.clone(),
            cluster: cluster.clone(),
            caller: caller.clone(),
            causes: causes.clone(),
            log: log.clone(),
            loops: loops.clone(),
            hours,
            breaker,
            saved: Arc::clone(&saved),
        });
        let outcomes = Outcomes::new(store.clone(), cluster.clone(), caller.clone(), causes.clone(), log.clone());
        let retention = tokio::spawn(log::retention::run(store.clone(), cluster.clone(), log.clone(), retention)).abort_handle();
        let rules = ArcSwap::from_pointee(Rules::default());
        let reloading = tokio::sync::Mutex::default();
        let asked = asked::Asked::default();
        let shared = Shared {
            store,
            cluster: cluster.clone(),
            rules,
            reloading,
            caller,
            causes,
            asked,
            log,
            loops,
            checks,
            retention,
            counting,
        };
        let hooks = Self { before, after, outcomes, shared: Arc::new(shared) };
        // Listens before it reads: nothing is missed in between.
        nodes::start(&hooks, &cluster);
        hooks.reload().await?;
        hooks.outcomes.recover().await?;
        tokio::spawn(reload_when(saved, hooks.clone()));
        tokio::spawn(after::set_back::watch(hooks.after.clone(), hooks.outcomes.clone(), hooks.shared.store.clock().now()));
        Ok(hooks)
    }

    /// The handlers in force.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        self.shared.rules.load_full()
    }

    /// Reads the handlers anew after one was saved.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn reload(&self) -> Result<(), Error> {
        let _one_at_a_time = self.shared.reloading.lock().await;
        self.read_rules().await
    }

    /// True if handlers were saved on another node since this version was read.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn is_outdated(&self, seen: i64) -> Result<bool, Error> {
        if !self.shared.store.has_several_writers() {
            return Ok(false);
        }
        let newest = self.shared.store.read(|tx| tables::versions::read(tx, tables::versions::HANDLERS)).await?;
        Ok(newest != seen)
    }

    /// The same, unless somebody has done so since `seen`, which turned out to be out of date.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn reload_since(&self, seen: i64) -> Result<(), Error> {
        let _one_at_a_time = self.shared.reloading.lock().await;
        if self.rules().version == seen { self.read_rules().await } else { Ok(()) }
    }

    async fn read_rules(&self) -> Result<(), Error> {
        let vault = self.shared.store.vault().clone();
        let rules = Arc::new(self.shared.store.read(move |tx| Rules::load(tx, &vault)).await?);
        self.shared.rules.store(Arc::clone(&rules));
        let wanted = |id| rules.get(id).is_some();
        self.shared.caller.keep_only(|id| rules.get(id).map(|rule| &rule.handler));
        self.before.keep_only(wanted);
        self.after.retune(&rules);
        self.outcomes.retune(&rules);
        Ok(())
    }

    /// Weighs the conditions of after handlers on decided events. Balance events' are weighed in the lane.
    pub async fn weigh(&self, rules: &Rules, events: &[Event], resellers: &dyn Resellers) -> Weighed {
        let mut weighed = Weighed::default();
        for (index, event) in events.iter().enumerate() {
            if !rules.conditional_after(event.kind) {
                continue;
            }
            let payload = event.payload(Stage::After, None);
            for rule in rules.after(event, resellers) {
                let Some(condition) = &rule.condition else { continue };
                match condition.evaluate(&rule.names.payload(event.kind, &payload)).await {
                    Outcome::Holds => {}
                    Outcome::Fails => drop(weighed.unwanted.insert((index, rule.handler.id))),
                    Outcome::CallAnyway(words) => {
                        weighed.notes.insert((index, rule.handler.id), condition::note(&words));
                    }
                }
            }
        }
        weighed
    }

    /// Notes that handlers are being asked about these events, until the answer is dropped.
    #[must_use]
    pub fn being_asked(&self, events: &[Event]) -> BeingAsked {
        self.shared.asked.note(events)
    }

    /// What a `Hookswitch-Cause` names: the event, and the handler that reacts to it. `None` if it is false or too old.
    #[must_use]
    pub fn read_cause(&self, header: &str) -> Option<(Uuid, i64)> {
        self.shared.causes.read(header, self.shared.store.clock().now())
    }

    /// What an event was itself a reaction to.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn cause_behind(&self, event_id: Uuid) -> Result<Option<Cause>, Error> {
        match self.shared.asked.cause(event_id) {
            Some(cause) => Ok(Some(cause)),
            None => self.shared.store.read(move |tx| tables::events::cause(tx, &event_id)).await,
        }
    }

    /// Writes down that a chain of causes was cut: this handler's reaction to this event.
    pub fn too_deep(&self, event_id: Uuid, handlers_id: i64) {
        self.shared.loops.too_deep(event_id, handlers_id, self.shared.asked.chain(event_id));
    }

    /// Finds handlers that answer each other.
    #[must_use]
    pub fn loops(&self) -> &Loops {
        &self.shared.loops
    }

    /// Where the outbox hands over.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        self.after.entrance()
    }

    /// Where spans are recorded.
    #[must_use]
    pub fn traces(&self) -> &Traces {
        self.shared.caller.traces()
    }

    /// Checks handlers and makes their secrets.
    #[must_use]
    pub fn checks(&self) -> Checks {
        self.shared.checks.clone()
    }

    /// Stops delivering: no new attempts, those in flight get `grace` to end. What has ended is written down.
    pub async fn stop(&self, grace: Duration) {
        self.shared.retention.abort();
        self.shared.counting.abort();
        tokio::join!(self.after.stop(grace), self.outcomes.stop(grace));
        self.shared.caller.stop().await;
    }
}

/// Reads the handlers anew whenever the engine itself has saved one. Ends with the runtime.
async fn reload_when(saved: Arc<Notify>, hooks: Hooks) {
    loop {
        saved.notified().await;
        hooks.shared.cluster.tell(Notice::Handlers);
        nodes::reload(&hooks).await;
    }
}
