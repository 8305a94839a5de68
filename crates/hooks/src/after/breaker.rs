//! The breaker of an after handler: one that fails and fails is left alone, until a probe succeeds.
//!
//! ```text
//!            failures in a row, over some time                          probe every 10 s
//!   running ----------------------------------> paused by the breaker <---------------------.
//!      ^                                               |      |  probe failed               |
//!      |        probe succeeded, or resumed            |      '-----------------------------'
//!      '-----------------------------------------------'
//! ```
//!
//! A pause is saved with the handler, so it outlives a restart and everybody sees it: its reason, and since when. Nothing is
//! dropped meanwhile. A probe is an ordinary attempt at the head of a lane, each time of another one, so that one
//! poisoned event can't keep the handler paused. What was tried before is due at once when the handler is back: it waited for
//! that. No stampede follows, because `concurrency` bounds what is in flight as ever.
use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
    time::Duration,
};

use hookswitch_model::{
    handler::{Handler, Paused},
    moment::Moment,
};
use hookswitch_store::{
    Error, Subject, Tx, Vault,
    tables::{
        self,
        deliveries::{self, Waiting},
    },
};

use super::{
    lanes::Place,
    queue::{Delivery, Queue},
};
use crate::breaker::{PROBE_EVERY_MS, Streak};

/// Deliveries among which the next head of a lane is looked for, in so many steps.
const WINDOW: i64 = 1_000;
const WINDOWS_MAX: usize = 10;
/// Between attempts to save while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);

/// How a handler is.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Of the handler.
    version: i64,
    streak: Streak,
    /// True from the moment at which it was taken for dead.
    down: bool,
    /// When the next probe is due.
    probe_at: Moment,
    /// True while a probe is under way.
    probing: bool,
    /// Up to where the queue was looked at for probes.
    probed: i64,
}

impl Health {
    pub(super) fn of(handler: &Handler) -> Self {
        Self { version: handler.version, down: handler.is_probed(), ..Self::default() }
    }
}

impl Queue {
    fn with_health<T>(&self, use_it: impl FnOnce(&mut Health) -> T) -> T {
        use_it(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The handler was saved: it gets a new chance, or its probes begin at once, unless that was the breaker itself.
    pub(super) fn renew_health(&self, handler: &Handler) {
        self.with_health(|health| {
            if !(health.down && handler.is_probed() && health.version == handler.version) {
                *health = Health { probing: health.probing, probed: health.probed, ..Health::of(handler) };
            }
        });
    }

    pub(super) fn is_down(&self) -> bool {
        self.with_health(|health| health.down)
    }

    /// Notes how an attempt ended.
    pub(super) fn note(self: &Arc<Self>, succeeded: bool, words: Option<&str>) {
        let now = self.shared.store.clock().now();
        let turned = self.with_health(|health| {
            let dead = health.streak.note(succeeded, now, self.shared.breaker);
            let turns = if health.down { succeeded } else { dead };
            if turns && !succeeded {
                (health.down, health.probe_at) = (true, now.plus_millis(PROBE_EVERY_MS));
            }
            turns.then_some(health.streak)
        });
        match turned {
            None => {}
            Some(_) if succeeded => self.save(back),
            Some(streak) => {
                self.start_over();
                let reason = reason(&streak, now, words.unwrap_or_default());
                self.save(move |tx, handler| left_alone(tx, handler, &reason));
            }
        }
    }

    /// Saves a change of the handler, however often the store refuses, and has everybody told of it.
    fn save(self: &Arc<Self>, change: impl Fn(&mut Tx<'_>, &mut Handler) -> Result<bool, Error> + Clone + Send + Sync + 'static) {
        let queue = Arc::clone(self);
        self.shared.runtime.spawn(async move {
            let (id, vault) = (queue.rule.load().handler.id, queue.shared.store.vault().clone());
            // What has ended by now is to be seen as it ended.
            queue.shared.log.flush().await;
            while queue.is_wanted() {
                let once = || {
                    let (change, vault) = (change.clone(), vault.clone());
                    move |tx: &mut Tx<'_>| saved(tx, &vault, id, change)
                };
                match queue.shared.store.write_again(once).await {
                    Ok(()) => return queue.shared.saved.notify_one(),
                    Err(error) => {
                        tracing::error!(%error, handler = id, "the breaker's decision can't be saved; trying again");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        });
    }

    /// When a probe is due, if the handler is to be probed.
    pub(super) fn next_probe(&self) -> Option<Moment> {
        let is_probed = self.rule.load().handler.is_probed();
        self.with_health(|health| (is_probed && health.down && !health.probing).then_some(health.probe_at))
    }

    /// The next probe is due at once.
    pub(super) fn probe_now(&self) {
        self.with_health(|health| health.probe_at = Moment(0));
    }

    /// Sends one probe if it is due; whoever tends the queue goes on meanwhile.
    pub(super) fn probe(self: &Arc<Self>) {
        let now = self.shared.store.clock().now();
        if self.shared.shutdown.has_begun() || self.next_probe().is_none_or(|due| due > now) {
            return;
        }
        let probing = Probing::begin(self);
        self.shared.runtime.spawn(async move {
            let queue = &probing.0;
            let _under_way = queue.shared.shutdown.attempt();
            match queue.probe_taken().await {
                Ok(Some((place, delivery))) => super::attempt::attempt(queue, place, delivery).await,
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "no probe can be read; trying again"),
            }
        });
    }

    /// The head of the next lane, marked as being tried; `None` if there is none that may be.
    async fn probe_taken(&self) -> Result<Option<(Place, Delivery)>, Error> {
        let (handlers_id, probed) = (self.rule.load().handler.id, self.with_health(|health| health.probed));
        let per_client = self.is_per_client();
        let (head, upto) = self.shared.store.read(move |tx| next_head(tx, handlers_id, probed, per_client)).await?;
        self.with_health(|health| health.probed = upto);
        let Some(head) = head else { return Ok(None) };
        let delivery = self.delivery(head);
        let place = self.lanes().probe(&delivery);
        Ok(place.map(|place| (place, delivery)))
    }
}

/// A probe under way; however it ends, there is a next one.
struct Probing(Arc<Queue>);

impl Probing {
    fn begin(queue: &Arc<Queue>) -> Self {
        queue.with_health(|health| health.probing = true);
        Self(Arc::clone(queue))
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        let next = self.0.shared.store.clock().now().plus_millis(PROBE_EVERY_MS);
        self.0.with_health(|health| (health.probing, health.probe_at) = (false, next));
        self.0.tend();
    }
}

/// The head that is to be probed, and up to where the queue was looked at: what is behind comes next time.
type Probed = (Option<Waiting>, i64);

/// The next delivery that nothing stands before in its lane, behind `after` and then from the beginning. A lane of a hundred
/// thousand deliveries is gone past in several probes; the first of all is tried meanwhile, which is always the head of its lane.
fn next_head(tx: &Tx<'_>, handlers_id: i64, after: i64, per_client: bool) -> Result<Probed, Error> {
    let (mut from, mut looked_at) = (after, HashSet::new());
    for _ in 0..WINDOWS_MAX {
        let window = deliveries::waiting_behind(tx, handlers_id, from, WINDOW)?;
        for (id, clients_id) in &window {
            if let Some(head) = head(tx, handlers_id, *id, *clients_id, per_client, &mut looked_at)? {
                return Ok((Some(head), *id));
            }
        }
        let Some((last, _)) = window.last().filter(|_| window.len() as i64 == WINDOW) else {
            let first = first(tx, handlers_id)?;
            let id = first.as_ref().map_or(0, |first| first.id);
            return Ok((first, id));
        };
        from = *last;
    }
    Ok((first(tx, handlers_id)?, from))
}

/// This delivery, if it is the head of a lane that was not looked at yet.
fn head(
    tx: &Tx<'_>,
    handlers_id: i64,
    id: i64,
    clients_id: i64,
    per_client: bool,
    looked_at: &mut HashSet<i64>,
) -> Result<Option<Waiting>, Error> {
    if !per_client {
        return Ok(deliveries::with_ids(tx, handlers_id, &[id])?.pop());
    }
    if !looked_at.insert(clients_id) {
        return Ok(None);
    }
    let first = deliveries::of_client(tx, handlers_id, clients_id, 0, 1)?.pop();
    Ok(first.filter(|first| first.id == id))
}

fn first(tx: &Tx<'_>, handlers_id: i64) -> Result<Option<Waiting>, Error> {
    let first = deliveries::waiting_behind(tx, handlers_id, 0, 1)?.first().map(|(id, _)| *id);
    first.map_or(Ok(None), |id| Ok(deliveries::with_ids(tx, handlers_id, &[id])?.pop()))
}

fn saved(
    tx: &mut Tx<'_>,
    vault: &Vault,
    id: i64,
    change: impl Fn(&mut Tx<'_>, &mut Handler) -> Result<bool, Error>,
) -> Result<(), Error> {
    tx.lock(Subject::Configuration)?;
    let Some(mut handler) = tables::handlers::get(tx, vault, id)? else { return Ok(()) };
    if change(tx, &mut handler)? {
        // Not its version: whoever has the form open has changed something else.
        tables::handlers::update(tx, vault, &handler)?;
        tables::versions::bump(tx, tables::versions::HANDLERS)?;
    }
    Ok(())
}

fn left_alone(tx: &Tx<'_>, handler: &mut Handler, reason: &str) -> Result<bool, Error> {
    let runs = handler.is_running();
    if runs {
        handler.paused = Some(Paused::by_breaker(tx.now(), reason.to_owned()));
        handler.still_since = Some(tx.now());
    }
    Ok(runs)
}

fn back(tx: &mut Tx<'_>, handler: &mut Handler) -> Result<bool, Error> {
    let was_probed = handler.is_probed();
    if was_probed {
        handler.paused = None;
        let stood_still = handler.stood_still(tx.now());
        handler.still_since = None;
        deliveries::back_again(tx, handler.id, stood_still)?;
    }
    Ok(was_probed)
}

fn reason(streak: &Streak, now: Moment, words: &str) -> String {
    let seconds = streak.lasts_ms(now) / 1_000;
    format!("it failed {} times in a row over {seconds} s, last: {words}", streak.failures)
}
