//! The queue of one handler: its lanes, the tasks that try deliveries, and the task that tends it (`tend`).
//!
//! At most `concurrency` deliveries are in flight. Each is tried by a task that goes on with the next one as long as there
//! is one; so handlers never wait for each other, and a burst does not start a task for each delivery.
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;
use hookswitch_model::{
    handler::{self, Handler},
    moment::Moment,
};
use tokio::sync::Notify;

use super::{
    Shared, Told,
    breaker::Health,
    lanes::{Ended, Entry, Place, Source, Turns},
};
use crate::rules::Rule;

/// A delivery in memory.
pub(super) struct Delivery {
    pub(super) id: i64,
    pub(super) event: Arc<Told>,
    pub(super) attempt: i64,
    pub(super) next_at: Moment,
    pub(super) first_at: Option<Moment>,
    pub(super) resend: bool,
    /// To be noted in the log with its first attempt.
    pub(super) note: Option<String>,
    /// Its handler only wants the latest.
    pub(super) latest: bool,
    /// In which it was read, see [`hookswitch_cluster::Cluster::turn`].
    pub(super) turn: u64,
}

impl Entry for Delivery {
    fn id(&self) -> i64 {
        self.id
    }

    fn clients_id(&self) -> i64 {
        self.event.clients_id
    }

    fn companies_id(&self) -> i64 {
        self.event.companies_id
    }

    fn attempt(&self) -> i64 {
        self.attempt
    }

    fn next_at(&self) -> Moment {
        self.next_at
    }

    fn size(&self) -> usize {
        self.event.payload.size()
    }

    fn stands_for(&self, other: &Self) -> bool {
        let same = *self.event.kind == *other.event.kind && self.event.object_id == other.event.object_id;
        self.latest && same && other.attempt == 0
    }
}

/// The queue of one handler.
pub(super) struct Queue {
    pub(super) shared: Arc<Shared>,
    pub(super) rule: ArcSwap<Rule>,
    lanes: Mutex<Turns<Delivery>>,
    /// Tasks that try deliveries.
    active: AtomicUsize,
    /// True while one of them has not looked yet: the next is started by it, not by the thread that commits.
    starting: AtomicBool,
    tend: Notify,
    /// False once the handler is gone.
    wanted: AtomicBool,
    pub(super) health: Mutex<Health>,
    /// Deliveries that are held back, by client: at most one a lane.
    pub(super) held: Mutex<HashMap<i64, Vec<(Place, i64)>>>,
}

fn is_per_client(handler: &Handler) -> bool {
    handler.ordering != handler::Ordering::None
}

impl Queue {
    /// Starts tending the queue of a handler.
    pub(super) fn start(shared: &Arc<Shared>, rule: Arc<Rule>) -> Arc<Self> {
        let source = if shared.store.has_several_writers() { Source::Told } else { Source::Handed };
        let lanes = Turns::new(source, is_per_client(&rule.handler), rule.handler.is_running());
        let health = Health::of(&rule.handler);
        let queue = Arc::new(Self {
            shared: Arc::clone(shared),
            rule: ArcSwap::new(rule),
            lanes: Mutex::new(lanes),
            active: AtomicUsize::new(0),
            starting: AtomicBool::new(false),
            tend: Notify::new(),
            wanted: AtomicBool::new(true),
            health: Mutex::new(health),
            held: Mutex::default(),
        });
        shared.runtime.spawn(Arc::clone(&queue).tended());
        queue
    }

    pub(super) fn lanes(&self) -> MutexGuard<'_, Turns<Delivery>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler was saved: its settings count from the next attempt on.
    pub(super) fn retune(self: &Arc<Self>, rule: Arc<Rule>) {
        let old = self.rule.swap(Arc::clone(&rule));
        // A pause by the breaker leaves the version as it is.
        if old.handler.version != rule.handler.version || old.handler.paused != rule.handler.paused {
            self.renew_health(&rule.handler);
            self.start_over();
        }
    }

    /// Looks at everything anew: rows were changed from outside.
    pub(super) fn start_over(self: &Arc<Self>) {
        {
            // The rule is read under the lock: whoever comes last starts over by the newest.
            let mut lanes = self.lanes();
            let rule = self.rule.load();
            lanes.start_over(is_per_client(&rule.handler), rule.handler.is_running() && !self.is_down());
        }
        self.tend.notify_one();
    }

    /// Until whoever tends the queue is to look again.
    pub(super) async fn tend_wanted(&self) {
        self.tend.notified().await;
    }

    /// Has whoever tends the queue look again.
    pub(super) fn tend(&self) {
        self.tend.notify_one();
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    pub(super) fn is_per_client(&self) -> bool {
        is_per_client(&self.rule.load().handler)
    }

    /// The handler is gone.
    pub(super) fn close(&self) {
        self.wanted.store(false, Ordering::Release);
        self.lanes().start_over(true, false);
        self.tend.notify_one();
    }

    /// A delivery straight from its commit; called by the thread that committed.
    pub(super) fn fresh(self: &Arc<Self>, delivery: Delivery) {
        let now = delivery.next_at;
        let (ready, wants_tending) = {
            let mut lanes = self.lanes();
            lanes.fresh(delivery, now);
            (lanes.has_ready(self.places()), lanes.wants_tending())
        };
        if ready {
            self.work();
        }
        if wants_tending {
            self.tend.notify_one();
        }
    }

    /// The database has this delivery of a client that is this node's, and it may be new; called by the thread that committed, too.
    pub(super) fn there_is(self: &Arc<Self>, companies_id: i64, clients_id: i64, id: i64) {
        let wants_tending = {
            let mut lanes = self.lanes();
            let latest = self.rule.load().handler.ordering == handler::Ordering::Latest;
            lanes.there_is(companies_id, clients_id, id, latest);
            lanes.wants_tending()
        };
        if wants_tending {
            self.tend.notify_one();
        }
    }

    /// Goes over everything once more, without forgetting anything: some may never have been heard of.
    pub(super) fn look_again(&self) {
        self.lanes().look_again();
        self.tend.notify_one();
    }

    /// How many deliveries may be in flight: this node's part of what the handler takes.
    fn places(&self) -> usize {
        self.shared.cluster.part_of(self.rule.load().handler.concurrency) as usize
    }

    /// Starts a task for what is ready, if the handler's concurrency allows one more.
    pub(super) fn work(self: &Arc<Self>) {
        if self.starting.swap(true, Ordering::AcqRel) {
            return;
        }
        if self.may_start() {
            self.shared.runtime.spawn(Arc::clone(self).try_deliveries());
        } else {
            self.starting.store(false, Ordering::Release);
        }
    }

    /// Counts one more task, if there may be one.
    fn may_start(&self) -> bool {
        let most = self.places();
        let one_more = |active: usize| (active < most).then_some(active + 1);
        !self.shared.shutdown.has_begun() && self.active.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// One task: tries what is ready, one after another.
    async fn try_deliveries(self: Arc<Self>) {
        self.starting.store(false, Ordering::Release);
        loop {
            while let Some((place, delivery)) = self.take() {
                let _under_way = self.shared.shutdown.attempt();
                super::attempt::attempt(&self, place, delivery).await;
            }
            self.active.fetch_sub(1, Ordering::AcqRel);
            // Something may have become ready between the last look and the giving up.
            if !self.lanes().has_ready(self.places()) || !self.may_start() {
                return;
            }
        }
    }

    fn take(self: &Arc<Self>) -> Option<(Place, Delivery)> {
        let places = self.places();
        if self.shared.shutdown.has_begun() || self.active.load(Ordering::Acquire) > places {
            return None;
        }
        let (taken, more, wants_tending) = {
            let mut lanes = self.lanes();
            let taken = lanes.take(places);
            (taken, lanes.has_ready(places), lanes.wants_tending())
        };
        if more {
            self.work();
        }
        if wants_tending {
            self.tend.notify_one();
        }
        taken
    }

    /// An attempt has ended, and what became of it is on its way to the database.
    pub(super) fn ended(self: &Arc<Self>, place: Place, id: i64, ended: Ended) {
        self.change(|lanes, now| lanes.ended(place, id, ended, now));
    }

    /// An attempt was broken off; its delivery is where it was.
    pub(super) fn broken_off(self: &Arc<Self>, place: Place, id: i64) {
        self.change(|lanes, _| lanes.broken_off(place, id));
    }

    /// It was not this node's to try, or is not any more: its lane goes on by what the database has.
    pub(super) fn put_back(self: &Arc<Self>, place: Place, id: i64) {
        self.change(|lanes, now| lanes.put_back(place, id, now));
    }

    /// What became of an attempt is written down.
    pub(super) fn written(self: &Arc<Self>, place: Place) {
        self.change(|lanes, now| lanes.written(place, now));
    }

    pub(super) fn change(self: &Arc<Self>, change: impl FnOnce(&mut Turns<Delivery>, Moment)) {
        let now = self.shared.store.clock().now();
        let (ready, wants_tending) = {
            let mut lanes = self.lanes();
            let was_due = lanes.next_due();
            change(&mut lanes, now);
            // The one who tends sleeps until what was due first.
            let is_sooner = lanes.next_due().is_some_and(|due| was_due.is_none_or(|was| due < was));
            (lanes.has_ready(self.places()), is_sooner || lanes.wants_tending())
        };
        if ready {
            self.work();
        }
        if wants_tending {
            self.tend.notify_one();
        }
    }
}
