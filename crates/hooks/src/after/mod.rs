//! Step 5: after handlers are told, each client's events in order, until they have heard.
//!
//! A delivery is written with the change that it tells of (`outbox`). Right after the flush the store's writer hands it
//! over here, in the order of commits: never the caller, who may be gone. From then on:
//!
//! | file | subject |
//! |---|---|
//! | here | all queues; fresh deliveries; starting, stopping |
//! | `queue` | one handler's: the tasks that try |
//! | `tend` | the task that tends a queue: wakes, reads, probes |
//! | `lanes` | which delivery may be tried next: the order, and what is in memory |
//! | `attempt` | one attempt |
//! | `hold` | calls about one client are held back |
//! | `breaker` | a handler that fails and fails is left alone, and probed |
//! | [`judge`] | what the end of a call means |
//! | [`repair`] | resend, discard |
//! | [`set_back`] | a clock that is put right after it was ahead |
//!
//! Everything in memory can be lost at any time: the database has a row for every delivery that is not done.
mod attempt;
mod breaker;
mod hold;
pub(crate) mod judge;
mod lanes;
mod queue;
pub mod repair;
pub(crate) mod set_back;
mod tend;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hookswitch_cluster::{Cluster, Notice};
use hookswitch_model::{
    event::{Event, Kind, Stage},
    moment::Moment,
    trace::Trace,
};
use hookswitch_store::Store;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    breaker::Breaker, call::Caller, cause::Causes, figures::Calls, journal_hours::JournalHours, log::Log, loops::Loops,
    payload::Payload, rules::Rules, shutdown::Shutdown,
};

use queue::{Delivery, Queue};
pub use repair::{Resent, discard_all};

/// Delivers to after handlers; a cheap handle.
#[derive(Clone)]
pub struct After(Arc<Shared>);

/// Where fresh deliveries come in; a cheap handle for the outbox.
#[derive(Clone)]
pub struct Entrance(Arc<Shared>);

struct Shared {
    store: Store,
    cluster: Cluster,
    caller: Caller,
    causes: Causes,
    log: Log,
    loops: Loops,
    hours: JournalHours,
    calls: Calls,
    breaker: Breaker,
    /// Told when the breaker has saved a handler: everybody must read it anew.
    saved: Arc<Notify>,
    runtime: tokio::runtime::Handle,
    queues: RwLock<HashMap<i64, Arc<Queue>>>,
    /// Held while what waits follows a clock that was set back: half of that must not be done twice for want of a moment.
    following: tokio::sync::Mutex<()>,
    shutdown: Shutdown,
}

/// What [`After`] stands on.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) cluster: Cluster,
    pub(crate) caller: Caller,
    pub(crate) causes: Causes,
    pub(crate) log: Log,
    pub(crate) loops: Loops,
    pub(crate) hours: JournalHours,
    pub(crate) breaker: Breaker,
    /// To be told when a handler was saved that everybody must read anew.
    pub(crate) saved: Arc<Notify>,
}

/// An event that was just committed, and its deliveries.
pub(crate) struct Fresh {
    pub(crate) event: Arc<Told>,
    /// When it was committed: its deliveries are due from then on.
    pub(crate) at: Moment,
    pub(crate) deliveries: Vec<FreshOne>,
}

/// One of its deliveries.
pub(crate) struct FreshOne {
    pub(crate) id: i64,
    pub(crate) handlers_id: i64,
    /// To be noted with the first attempt.
    pub(crate) note: Option<String>,
    /// It stands for what waits of the same object and kind.
    pub(crate) latest: bool,
}

/// An event that is told, shared by all its deliveries in memory.
pub(crate) struct Told {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) object_id: i64,
    pub(crate) clients_id: i64,
    pub(crate) companies_id: i64,
    /// The client's number for it.
    pub(crate) seq: i64,
    /// True if a resync tells it.
    pub(crate) resync: bool,
    /// Its row in the journal.
    pub(crate) events_row: i64,
    /// What its calls are made within.
    pub(crate) trace: Option<Trace>,
    pub(crate) payload: Payload,
}

impl After {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { store, cluster, caller, causes, log, loops, hours, breaker, saved } = parts;
        Self(Arc::new(Shared {
            store,
            cluster,
            caller,
            causes,
            log,
            loops,
            hours,
            calls: Calls::default(),
            breaker,
            saved,
            runtime: tokio::runtime::Handle::current(),
            queues: RwLock::default(),
            following: tokio::sync::Mutex::default(),
            shutdown: Shutdown::not_yet(),
        }))
    }

    /// Where fresh deliveries come in.
    pub(crate) fn entrance(&self) -> Entrance {
        Entrance(Arc::clone(&self.0))
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// Takes over the handlers as they are now: new ones get a queue, saved ones their settings, gone ones are forgotten.
    pub(crate) fn retune(&self, rules: &Rules) {
        let mut queues = self.0.queues.write().unwrap_or_else(PoisonError::into_inner);
        let is_after = |id: &i64| rules.get(*id).is_some_and(|rule| rule.handler.stage == Stage::After);
        queues.retain(|id, queue| {
            let keep = is_after(id);
            if !keep {
                queue.close();
            }
            keep
        });
        for rule in rules.all().filter(|rule| rule.handler.stage == Stage::After) {
            match queues.get(&rule.handler.id) {
                Some(queue) => queue.retune(Arc::clone(rule)),
                None => drop(queues.insert(rule.handler.id, Queue::start(&self.0, Arc::clone(rule)))),
            }
        }
    }

    /// Looks at everything anew: clients have come or gone.
    pub(crate) fn start_over(&self) {
        self.0.all().iter().for_each(Queue::start_over);
    }

    /// Goes over everything once more, because some may never have been heard of.
    pub(crate) fn look_again(&self) {
        self.0.all().iter().for_each(|queue| queue.look_again());
    }

    /// Another node has changed the rows of this handler.
    pub(crate) fn changed_elsewhere(&self, handlers_id: i64) {
        self.0.queue(handlers_id).inspect(Queue::start_over);
    }

    /// The database has these deliveries of a client, each with its handler, and they may be new.
    pub(crate) fn there_are(&self, clients_id: i64, companies_id: i64, deliveries: &[(i64, i64)]) {
        self.0.there_are(clients_id, companies_id, deliveries);
    }

    /// No new attempts; those in flight get `grace` to end, and are broken off then: they will be made again.
    pub(crate) async fn stop(&self, grace: Duration) {
        let end = tokio::time::Instant::now() + grace;
        self.0.shutdown.begin();
        self.0.shutdown.within(grace).await;
        self.0.log.flush().await;
        let _followed = tokio::time::timeout_at(end, self.0.following.lock()).await;
        if let Err(error) = self.0.hours.write(&self.0.store).await {
            tracing::debug!(%error, "the last events were not counted");
        }
        set_back::note(&self.0.store, self.0.cluster.id()).await;
    }
}

impl Shared {
    fn all(&self) -> Vec<Arc<Queue>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Told to the queues, if the client is this node's.
    fn there_are(&self, clients_id: i64, companies_id: i64, deliveries: &[(i64, i64)]) {
        if self.cluster.owns(clients_id) {
            for (handlers_id, id) in deliveries {
                if let Some(queue) = self.queue(*handlers_id) {
                    queue.there_is(companies_id, clients_id, *id);
                }
            }
        }
    }

    fn queue(&self, handlers_id: i64) -> Option<Arc<Queue>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner).get(&handlers_id).cloned()
    }
}

impl Entrance {
    /// Up to which delivery of an event's client this handler is being tried, or was a moment ago: what becomes of those is not
    /// written down yet. 0 = none is.
    pub(crate) fn taken(&self, handlers_id: i64, event: &Event) -> i64 {
        self.0.queue(handlers_id).map_or(0, |queue| queue.lanes().taken(event.companies_id, event.clients_id))
    }

    /// Counts an event that is committed, for pictures.
    pub(crate) fn count(&self, companies_id: i64, at: Moment) {
        self.0.hours.count(companies_id, at);
    }

    /// Takes in what was just committed; called by the thread that committed, in the order of commits where there is one writer.
    /// Of several writers commits may come here in any order, so that no more is said than that there are deliveries.
    pub(crate) fn enter(&self, fresh: Fresh) {
        let Fresh { event, at, deliveries } = fresh;
        let Shared { cluster, store, .. } = &*self.0;
        if store.has_several_writers() {
            let (clients_id, companies_id) = (event.clients_id, event.companies_id);
            let deliveries: Vec<(i64, i64)> = deliveries.iter().map(|one| (one.handlers_id, one.id)).collect();
            return if cluster.owns(clients_id) {
                self.0.there_are(clients_id, companies_id, &deliveries);
            } else {
                cluster.tell(Notice::Deliveries { clients_id, companies_id, deliveries });
            };
        }
        for FreshOne { id, handlers_id, note, latest } in deliveries {
            // Without a queue the handler was saved this very moment: its queue will look at everything.
            if let Some(queue) = self.0.queue(handlers_id) {
                let event = Arc::clone(&event);
                queue.fresh(Delivery {
                    id,
                    event,
                    attempt: 0,
                    next_at: at,
                    first_at: None,
                    resend: false,
                    note,
                    latest,
                    turn: 0,
                });
            }
        }
    }
}
