//! Resyncs: a handler is told how the chosen objects stand now, in small portions between the live events.
//!
//! ```text
//!   handlers.resync   refuses or counts, writes the row                    methods/resyncs/begin.rs
//!     -> count        with conditions: every event is weighed, to know     count.rs
//!                     how many there will be
//!     -> feed         portion after portion, at its rate: the transaction  feed.rs
//!                     that reads the objects takes the client's next seq
//!                     and writes the events and how far it has come
//!     -> finish       all delivered: `provisioning.resync_done`, and over  finish.rs
//! ```
//!
//! **Why an old state never overwrites a new one.** A resync event has the client's next `seq`, taken in the very transaction
//! that read the object. Whatever changes the object later has a later `seq`, whatever changed it before an earlier one; and a
//! handler gets a client's events in their order.
//!
//! **What bounds it.** A portion has at most [`feed::PORTION_MAX`] events and is one short transaction. Few deliveries wait for
//! the handler before more are written, by its `concurrency` and [`feed::QUEUE_MAX`] at most: a dead handler is not buried, and a
//! live event has few ahead of it. Nothing is kept in memory but one task for each resync that is under way.
//!
//! **What survives.** How far it has come stands in the row, written with each portion. A crash takes nothing and repeats
//! nothing.
//!
//! | file | subject |
//! |---|---|
//! | here | who runs which resync: one task each |
//! | [`plan`] | by which events a handler is told how an object stands |
//! | [`walk`] | the objects in their order, from a place on, as events |
//! | `count`, `feed`, `finish` | the stages above |
pub(crate) mod count;
mod feed;
mod finish;
pub(crate) mod plan;
pub(crate) mod walk;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hookswitch_model::{
    objects::resync::{Resync, State},
    refusal::Refusal,
};
use hookswitch_store::{Error, Subject, Tx, tables::resyncs};
use tokio::sync::Notify;

use crate::Core;
use feed::Feed;

/// After an error of the database.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks at what is waited for: the handler, its queue, its last deliveries. It doubles while nothing happens.
const LOOK_MIN: Duration = Duration::from_millis(50);
const LOOK_MAX: Duration = Duration::from_secs(2);

/// Who runs which resync; a cheap handle.
#[derive(Clone, Default)]
pub struct Resyncs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    runners: Mutex<HashMap<i64, Arc<Nudge>>>,
    /// Resyncs that want a runner.
    wanted: Mutex<Vec<i64>>,
    wake: Notify,
    stopped: AtomicBool,
}

/// Tells a runner that its row has changed.
#[derive(Default)]
struct Nudge {
    times: AtomicU64,
    notify: Notify,
}

impl Resyncs {
    /// Once this is committed, the resync is looked at: it has begun, or somebody has paused, resumed or cancelled it.
    pub(crate) fn nudge(&self, tx: &mut Tx, id: i64) {
        let resyncs = self.clone();
        tx.on_commit(move || resyncs.want(id));
    }

    fn want(&self, id: i64) {
        locked(&self.0.wanted).push(id);
        self.0.wake.notify_one();
    }

    /// No more portions.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.wake.notify_one();
        locked(&self.0.runners).values().for_each(|nudge| nudge.notify.notify_one());
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// A runner for a resync, unless it has one, which looks again.
    fn run(&self, core: &Core, id: i64) {
        let mut runners = locked(&self.0.runners);
        if let Some(nudge) = runners.get(&id) {
            nudge.times.fetch_add(1, Ordering::SeqCst);
            return nudge.notify.notify_one();
        }
        let nudge = Arc::new(Nudge::default());
        runners.insert(id, Arc::clone(&nudge));
        tokio::spawn(run(core.clone(), id, nudge));
    }

    /// The runner may end, unless somebody has nudged it since.
    fn may_end(&self, id: i64, nudge: &Nudge, seen: u64) -> bool {
        let mut runners = locked(&self.0.runners);
        let ends = nudge.times.load(Ordering::SeqCst) == seen;
        if ends {
            runners.remove(&id);
        }
        ends
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Goes on with what was under way, and starts what is wanted. Called within a runtime.
pub(crate) fn start(core: &Core) {
    tokio::spawn(supervise(core.clone()));
}

async fn supervise(core: Core) {
    let resyncs = core.resyncs.clone();
    while let Err(error) = core.store.read(resyncs::under_way).await.map(|ids| locked(&resyncs.0.wanted).extend(ids)) {
        tracing::error!(%error, "the resyncs that were under way can't be read; trying again");
        tokio::time::sleep(PAUSE).await;
    }
    while !resyncs.is_stopped() {
        let wanted = std::mem::take(&mut *locked(&resyncs.0.wanted));
        wanted.into_iter().for_each(|id| resyncs.run(&core, id));
        resyncs.0.wake.notified().await;
    }
}

/// What a runner does next.
enum Then {
    /// Goes on at once.
    Again,
    /// Looks again after a while, or when it is nudged.
    Look,
    /// Looks again soon: a handler that is fast has little left to do.
    LookSoon,
    /// Ends.
    Over,
}

async fn run(core: Core, id: i64, nudge: Arc<Nudge>) {
    let (mut feed, mut wait) = (Feed::default(), LOOK_MIN);
    while !core.resyncs.is_stopped() {
        let seen = nudge.times.load(Ordering::SeqCst);
        let then = step(&core, id, &mut feed, &nudge, seen).await.unwrap_or_else(|refusal| {
            if !core.resyncs.is_stopped() {
                tracing::error!(%refusal, id, "a resync can't go on; trying again");
            }
            wait = PAUSE;
            Then::Look
        });
        match then {
            Then::Again => wait = LOOK_MIN,
            Then::Look => {
                // Woken or not: it looks.
                let _elapsed = tokio::time::timeout(wait, nudge.notify.notified()).await;
                wait = (wait * 2).min(LOOK_MAX);
            }
            Then::LookSoon => {
                let _elapsed = tokio::time::timeout(LOOK_MIN, nudge.notify.notified()).await;
            }
            Then::Over if core.resyncs.may_end(id, &nudge, seen) => return,
            Then::Over => {}
        }
    }
}

async fn step(core: &Core, id: i64, feed: &mut Feed, nudge: &Nudge, seen: u64) -> Result<Then, Refusal> {
    let Some(resync) = core.store.read(move |tx| resyncs::get(tx, id)).await? else { return Ok(Then::Over) };
    match resync.state {
        State::Counting => count::under_way(core, resync, || nudge.times.load(Ordering::SeqCst) != seen).await,
        State::Running | State::Waiting => feed.step(core, resync, &nudge.notify).await,
        State::Delivering | State::Incomplete => finish::step(core, resync).await,
        State::Paused | State::Done | State::Cancelled => Ok(Then::Over),
    }
}

/// Where a resync stands that goes on: by what is known of it.
#[must_use]
pub(crate) fn state_to_go_on(resync: &Resync) -> State {
    match resync.total {
        None => State::Counting,
        Some(_) if resync.place == walk::END => State::Delivering,
        Some(_) => State::Running,
    }
}

/// Takes a resync until the transaction ends. Beside it nobody begins one that takes its place, nor deletes its handler.
fn take(tx: &mut Tx, id: i64) -> Result<(), Error> {
    tx.lock_shared(Subject::Configuration)?;
    tx.lock(Subject::Resync(id))
}

/// Changes the row, if it still stands in one of these states.
async fn change(
    core: &Core,
    id: i64,
    from: &'static [State],
    change: impl FnOnce(&mut Resync) + Send + 'static,
) -> Result<(), Refusal> {
    core.store
        .write(move |tx| {
            take(tx, id)?;
            if let Some(mut resync) = resyncs::get(tx, id)?.filter(|resync| from.contains(&resync.state)) {
                change(&mut resync);
                resyncs::update(tx, &resync)?;
            }
            Ok(())
        })
        .await
}
