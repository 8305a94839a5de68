//! The queue of one handler: its lanes, the tasks that try deliveries, and the task that tends it (loads from the database,
//! wakes what is due).
//!
//! At most `concurrency` deliveries are in flight. Each is tried by a task that goes on with the next one as long as there
//! is one; so handlers never wait for each other, and a burst does not start a task for each delivery.
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use hookswitch_model::{
    handler::{self, Handler},
    moment::Moment,
};
use hookswitch_store::{Error, Tx, tables::deliveries};
use tokio::sync::Notify;

use super::{
    Shared, Told,
    breaker::Health,
    lanes::{Choice, Counting, Ended, Entry, Key, LANE_MAX, Look, Place, Turns, Wanted},
};
use crate::{payload::Payload, rules::Rule};

/// Lanes loaded by one read.
const LOADS_MAX: usize = 32;
/// Deliveries that one look at the queue goes over.
const LOOK_MAX: i64 = 1_024;
/// Payloads that one read loads.
const PAYLOADS_MAX: usize = 256;
/// Between attempts to read while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);

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
}

fn is_per_client(handler: &Handler) -> bool {
    handler.ordering != handler::Ordering::None
}

impl Queue {
    /// Starts tending the queue of a handler.
    pub(super) fn start(shared: &Arc<Shared>, rule: Arc<Rule>) -> Arc<Self> {
        let lanes = Turns::new(is_per_client(&rule.handler), rule.handler.is_running());
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
        });
        shared.runtime.spawn(Arc::clone(&queue).run());
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

    /// How many deliveries may be in flight.
    fn places(&self) -> usize {
        self.rule.load().handler.concurrency as usize
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

    /// What became of an attempt is written down.
    pub(super) fn written(self: &Arc<Self>, place: Place) {
        self.change(|lanes, now| lanes.written(place, now));
    }

    fn change(self: &Arc<Self>, change: impl FnOnce(&mut Turns<Delivery>, Moment)) {
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

    /// Tends the queue until the handler is gone: wakes what is due, loads what is wanted.
    async fn run(self: Arc<Self>) {
        let clock = self.shared.store.clock().clone();
        while self.is_wanted() {
            self.change(|lanes, now| lanes.wake(now));
            self.probe();
            let (census, wanted, look, due) = {
                let mut lanes = self.lanes();
                (lanes.wants_census(), lanes.wanted(LOADS_MAX), lanes.wants_look(), lanes.next_due())
            };
            if census.is_none() && wanted.is_empty() && look.is_none() {
                tokio::select! {
                    () = self.tend.notified() => {}
                    () = until(&clock, due) => {}
                    () = until(&clock, self.next_probe()) => {}
                }
                continue;
            }
            if let Some(counting) = census {
                self.count(counting).await;
            }
            if !wanted.is_empty() {
                self.load(wanted).await;
            }
            if let Some(look) = look {
                self.look(look).await;
            }
        }
    }

    /// Finds out which resellers have deliveries that wait.
    async fn count(self: &Arc<Self>, counting: Counting) {
        let handlers_id = self.rule.load().handler.id;
        match self.shared.store.read(move |tx| deliveries::resellers_waiting(tx, handlers_id)).await {
            Ok(resellers) => self.change(|lanes, _| lanes.counted(counting, &resellers)),
            Err(error) => {
                self.lanes().not_counted(counting);
                self.wait_for_store(&error).await;
            }
        }
    }

    /// Loads the next deliveries of some lanes, by one read.
    async fn load(self: &Arc<Self>, wanted: Vec<(i64, Wanted)>) {
        let (handlers_id, asked) = (self.rule.load().handler.id, wanted.clone());
        let read = self.shared.store.read(move |tx| {
            let one = |(_, wanted): &(i64, Wanted)| match wanted.key {
                Key::Client(clients_id) => deliveries::of_client(tx, handlers_id, clients_id, wanted.after, LANE_MAX as i64),
                Key::Delivery(id) => deliveries::with_ids(tx, handlers_id, &[id]),
            };
            asked.iter().map(one).collect::<Result<Vec<_>, Error>>()
        });
        match read.await {
            Ok(found) => self.change(|lanes, now| {
                for (wanted, rows) in wanted.into_iter().zip(found) {
                    lanes.loaded(wanted, self.deliveries(rows), now);
                }
            }),
            Err(error) => {
                wanted.into_iter().for_each(|wanted| self.lanes().not_loaded(wanted));
                self.wait_for_store(&error).await;
            }
        }
    }

    /// Goes over the next deliveries of a reseller's queue: first which there are, then the payloads of those that there is
    /// room for.
    async fn look(self: &Arc<Self>, look: (i64, Look)) {
        match self.try_look(look).await {
            Ok((found, rows, last)) => {
                let entries = self.deliveries(rows);
                self.change(|lanes, now| lanes.found(look, &found, entries, last, now));
            }
            Err(error) => {
                self.lanes().not_looked(look);
                self.wait_for_store(&error).await;
            }
        }
    }

    async fn try_look(
        &self,
        (companies_id, look): (i64, Look),
    ) -> Result<(Vec<(i64, i64)>, Vec<deliveries::Waiting>, bool), Error> {
        let handlers_id = self.rule.load().handler.id;
        let behind = move |tx: &Tx<'_>| deliveries::waiting_of_reseller(tx, handlers_id, companies_id, look.mark, LOOK_MAX);
        let mut found = self.shared.store.read(behind).await?;
        let Choice { load, upto, whole } = self.lanes().choose(companies_id, &found);
        let last = whole && (found.len() as i64) < LOOK_MAX;
        found.retain(|(id, _)| upto.is_some_and(|upto| *id <= upto));
        let mut ids: Vec<i64> = load.into_iter().collect();
        ids.sort_unstable();
        let rows = self
            .shared
            .store
            .read(move |tx| {
                let portions = ids.chunks(PAYLOADS_MAX).map(|ids| deliveries::with_ids(tx, handlers_id, ids));
                portions.collect::<Result<Vec<_>, Error>>().map(|portions| portions.concat())
            })
            .await?;
        Ok((found, rows, last))
    }

    /// From rows to deliveries. One whose passwords can't be opened is told with masked ones rather than not at all.
    fn deliveries(&self, rows: Vec<deliveries::Waiting>) -> Vec<Delivery> {
        rows.into_iter().map(|row| self.delivery(row)).collect()
    }

    pub(super) fn delivery(&self, row: deliveries::Waiting) -> Delivery {
        let body = row.body.clone();
        let payload = Payload::recorded(row.body, row.secrets.as_deref(), self.shared.store.vault()).unwrap_or_else(|error| {
            tracing::error!(%error, delivery = row.id, "the passwords of an event can't be opened; it is told without them");
            Payload { masked: body.into(), clear: None }
        });
        let told = Told {
            id: row.event_id,
            kind: row.kind,
            object_id: row.object_id,
            clients_id: row.clients_id,
            companies_id: row.companies_id,
            seq: row.seq,
            events_row: row.events_row,
            payload,
        };
        Delivery {
            id: row.id,
            event: Arc::new(told),
            attempt: row.attempt,
            next_at: row.next_at,
            first_at: row.first_at,
            resend: row.resend,
            note: row.note,
            latest: false,
        }
    }

    async fn wait_for_store(&self, error: &Error) {
        tracing::error!(%error, "waiting deliveries can't be read; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn until(clock: &hookswitch_store::Clock, due: Option<Moment>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}
