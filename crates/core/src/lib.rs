//! What the product can do: one door, one table of methods.
//!
//! | place | subject |
//! |---|---|
//! | [`perform`] | the one door: prepare, ask, commit, answer (its head is the map of the whole program) |
//! | [`schedule`] | the steps that the clock takes |
//! | [`resync`] | handlers that are told how things stand |
//! | [`registry`] | one table of methods: name, parameters, right, events |
//! | [`methods`] | one file an object: plain functions over a transaction |
//! | [`access`] | who may call what, and whose objects it sees |
//! | [`first_admin`] | the first user of a new database |
//! | [`restored`] | how a database stands that was made from a backup |
//! | [`check`] | is the database what it promises to be: ledger, edges, sequences, queue |
pub mod access;
pub mod check;
mod concerns;
pub mod first_admin;
pub mod methods;
pub mod perform;
pub mod registry;
pub mod restored;
pub mod resync;
pub mod schedule;
#[cfg(test)]
mod trouble;

use std::{net::IpAddr, sync::Arc, time::Duration};

use hookswitch_hooks::Hooks;
use hookswitch_model::refusal::Refusal;
use hookswitch_store::Store;

use access::{Access, Caller};
pub use perform::{Answer, Call};

/// What the core is made of, and how it is set.
pub struct Options {
    /// Where rows live.
    pub store: Store,
    /// How handlers are called.
    pub hooks: hookswitch_hooks::Options,
    /// The time that a whole before chain may take.
    pub before_budget: Duration,
}

/// The running core; a cheap handle.
#[derive(Clone)]
pub struct Core {
    pub(crate) store: Store,
    pub(crate) hooks: Hooks,
    pub(crate) access: Access,
    pub(crate) before_budget: Duration,
    pub(crate) waiting: perform::Waiting,
    pub(crate) schedule: schedule::Schedule,
    pub(crate) resyncs: resync::Resyncs,
}

impl Core {
    /// Loads what is kept in memory and starts delivering what waits.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn open(options: Options) -> Result<Self, hookswitch_store::Error> {
        let access = Access::load(options.store.clone()).await?;
        tokio::spawn(perform::forget_idempotency_keys(options.store.clone()));
        let hooks = Hooks::start(options.store.clone(), options.hooks, Arc::new(access.clone())).await?;
        let core = Self {
            store: options.store,
            hooks,
            access,
            before_budget: options.before_budget,
            waiting: perform::Waiting::default(),
            schedule: schedule::Schedule::default(),
            resyncs: resync::Resyncs::default(),
        };
        schedule::start(&core);
        resync::start(&core);
        Ok(core)
    }

    /// The caller behind a key, called from an address.
    ///
    /// # Errors
    /// `auth-failed`.
    pub fn authenticate(&self, key: &str, from: IpAddr) -> Result<Arc<Caller>, Refusal> {
        self.access.authenticate(key, from)
    }

    /// Runs one request through the one door.
    ///
    /// # Errors
    /// Every refusal of the contract.
    pub async fn perform(&self, call: Call) -> Result<Answer, Refusal> {
        perform::perform(self, call).await
    }

    /// Where handlers and deliveries stand.
    #[must_use]
    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// Where rows live.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How the clock is doing.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn clock_figures(&self) -> Result<schedule::Figures, hookswitch_store::Error> {
        schedule::Figures::of(self).await
    }

    /// Stops delivering: no new attempts, those in flight get `grace` to end.
    pub async fn stop(&self, grace: Duration) {
        self.schedule.stop();
        self.resyncs.stop();
        self.hooks.stop(grace).await;
    }
}
