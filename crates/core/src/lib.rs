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
//! | `nodes` | what other nodes tell, and clients that come and go |
//! | [`restored`] | how a database stands that was made from a backup |
//! | [`check`] | is the database what it promises to be: ledger, edges, sequences, queue |
pub mod access;
pub mod check;
mod concerns;
pub mod first_admin;
pub mod methods;
mod nodes;
pub mod perform;
pub mod registry;
pub mod restored;
pub mod resync;
pub mod schedule;
#[cfg(test)]
mod trouble;

use std::{net::IpAddr, sync::Arc, time::Duration};

use hookswitch_cluster::Cluster;
use hookswitch_hooks::Hooks;
use hookswitch_model::refusal::Refusal;
use hookswitch_store::Store;

use access::{Access, Caller};
pub use perform::{Answer, Call, Import};

/// So long a node that stops may take to hand over what it has, once nothing is under way any more.
const LEAVING_MAX: Duration = Duration::from_secs(1);

/// What the core is made of, and how it is set.
pub struct Options {
    /// Where rows live.
    pub store: Store,
    /// How handlers are called, and which node this is among others.
    pub hooks: hookswitch_hooks::Options,
    /// The time that a whole before chain may take.
    pub before_budget: Duration,
}

/// The running core; a cheap handle.
#[derive(Clone)]
pub struct Core {
    pub(crate) store: Store,
    pub(crate) cluster: Cluster,
    pub(crate) hooks: Hooks,
    pub(crate) access: Access,
    pub(crate) turns: access::turns::Turns,
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
        let cluster = options.hooks.cluster.clone();
        // Listens before it reads: nothing is missed in between.
        let notices = cluster.notices();
        let access = Access::load(options.store.clone()).await?;
        tokio::spawn(perform::forget_idempotency_keys(options.store.clone(), cluster.clone()));
        let hooks = Hooks::start(options.store.clone(), options.hooks, Arc::new(access.clone())).await?;
        let core = Self {
            store: options.store,
            hooks,
            access,
            turns: access::turns::Turns::default(),
            before_budget: options.before_budget,
            waiting: perform::Waiting::default(),
            schedule: schedule::Schedule::new(cluster.clone()),
            resyncs: resync::Resyncs::new(cluster.clone()),
            cluster,
        };
        schedule::start(&core);
        resync::start(&core);
        nodes::start(&core, notices);
        Ok(core)
    }

    /// The caller behind a key, called from an address.
    ///
    /// # Errors
    /// `auth-failed`.
    pub async fn authenticate(&self, key: &str, from: IpAddr) -> Result<Arc<Caller>, Refusal> {
        self.access.authenticate_anew(key, from).await
    }

    /// Where a caller's days begin: a time zone's name.
    #[must_use]
    pub fn timezone(&self, caller: &Caller) -> String {
        self.access.now().timezone(caller).to_owned()
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

    /// This node among the others.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How the clock is doing.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn clock_figures(&self) -> Result<schedule::Figures, hookswitch_store::Error> {
        schedule::Figures::of(self).await
    }

    /// Stops delivering: no new attempts, those in flight get `grace` to end. Other nodes go on with each shard as soon as nothing is
    /// under way in it.
    pub async fn stop(&self, grace: Duration) {
        self.schedule.stop();
        self.resyncs.stop();
        self.cluster.begin_to_leave(grace);
        self.hooks.stop(grace).await;
        self.cluster.leave(LEAVING_MAX).await;
    }
}
