//! Writes the events of a resync, a portion at a time, at its rate, as long as the handler can take them.
use std::{collections::HashMap, sync::Arc, time::Duration};

use hookswitch_hooks::{
    after::Entrance,
    condition::{self, Condition, Outcome},
    outbox::{self, Due},
    rules::Rule,
};
use hookswitch_model::{
    handler::Handler,
    moment::Moment,
    objects::resync::{Place, Resync, State},
    refusal::Refusal,
};
use hookswitch_store::{Error, Tx, Vault, tables};
use tokio::sync::Notify;

use super::{
    Then, change, take,
    walk::{self, Found, Item, Walk},
};
use crate::Core;

/// Events of one transaction.
pub(super) const PORTION_MAX: usize = 100;
/// Deliveries that may wait for a handler while more are written, for each call that it takes at once: a live event has no more
/// than these ahead of it, so that it waits for so many calls in a row.
const QUEUE_PER_CALL: i64 = 16;
/// And altogether, at least and at most: what a queue holds in memory.
const QUEUE_MIN: i64 = 64;
pub(super) const QUEUE_MAX: i64 = 1_000;
/// So many portions a second, as far as the rate allows.
const PORTIONS_A_SECOND: i64 = 10;
/// Longer than any two portions are apart, by the slowest rate.
const GAP_MS_MAX: i64 = 2_000;
const GAP: Duration = Duration::from_millis(GAP_MS_MAX.unsigned_abs());
/// So late a portion may be and the next one is as early as if it had not been.
const CATCH_UP_MS: i64 = 200;
/// So often a portion is weighed anew because its objects have changed meanwhile; then those that did are told in any case.
const MOVED_MAX: u32 = 8;

/// What one runner remembers between two portions. Nothing of it is missed after a crash.
#[derive(Default)]
pub(super) struct Feed {
    /// When the next portion is due, by its rate.
    due: Moment,
    /// How often in a row the objects of the next portion have changed while they were weighed.
    moved: u32,
}

/// What a portion came to.
enum Written {
    Events(usize),
    /// The objects are no longer as they were weighed.
    Moved,
    /// Somebody has paused it, or handlers were saved.
    Not,
}

impl Feed {
    /// The next portion, if it is time for one.
    pub(super) async fn step(&mut self, core: &Core, resync: Resync, nudge: &Notify) -> Result<Then, Refusal> {
        let rules = core.hooks.rules();
        let rule = rules.get(resync.handlers_id).map(Arc::clone);
        if let Some(reason) = rule.as_deref().and_then(|rule| stands_still(&rule.handler)) {
            wait(core, &resync, reason).await?;
            return Ok(Then::Look);
        }
        let Some(rule) = rule else { return Ok(Then::Look) };
        let most = (i64::from(rule.handler.concurrency) * QUEUE_PER_CALL).clamp(QUEUE_MIN, QUEUE_MAX);
        let room = room(core, &resync, most).await?;
        if room == 0 {
            wait(core, &resync, format!("{most} deliveries wait for the handler; it goes on when they are fewer")).await?;
            return Ok(Then::LookSoon);
        }
        let now = core.store.clock().now();
        if self.due.millis_since(now) > GAP_MS_MAX {
            // The clock was set back.
            self.due = now;
        }
        if self.due > now {
            tokio::select! {
                () = core.store.clock().sleep_until(self.due) => {}
                () = nudge.notified() => {}
                // Looks at the clock again, in case it is set back meanwhile.
                () = tokio::time::sleep(GAP) => {}
            }
            return Ok(Then::Again);
        }
        let max = usize::try_from(resync.rate / PORTIONS_A_SECOND).unwrap_or(PORTION_MAX).clamp(1, PORTION_MAX).min(room);
        let rate = resync.rate.max(1);
        match self.portion(core, rule, rules.version, resync, max).await? {
            Written::Events(events) => {
                let micros = i64::try_from(events).unwrap_or(0) * 1_000_000 / rate;
                // Who wakes a little late catches up, so that the rate is the rate; who was held up for long does not.
                (self.due, self.moved) = (Moment(self.due.max(now.plus_millis(-CATCH_UP_MS)).0 + micros), 0);
            }
            Written::Moved => self.moved += 1,
            Written::Not => core.hooks.reload_since(rules.version).await?,
        }
        Ok(Then::Again)
    }

    async fn portion(&self, core: &Core, rule: Arc<Rule>, version: i64, resync: Resync, max: usize) -> Result<Written, Refusal> {
        let vault = core.store.vault().clone();
        let walk = Walk::new(&rule.handler, &resync.selection, core.access.now(), vault);
        // It may have been saved anew: who takes nothing any more is told nothing.
        let Some(walk) = walk else { return end_feeding(core, resync.id).await };
        // The more often objects have moved, the fewer are weighed at once.
        let max = (max >> self.moved.min(16)).max(1);
        let weighed = weigh(core, &rule, &walk, &resync, max).await?;
        let writing = Writing {
            id: resync.id,
            rule,
            version,
            place: resync.place,
            max,
            walk,
            weighed,
            insists: self.moved >= MOVED_MAX,
            vault: core.store.vault().clone(),
            era: core.store.era(),
            entrance: core.hooks.entrance(),
        };
        core.store.write(move |tx| writing.write(tx)).await
    }
}

/// Room in the handler's queue. Once that was full, half of it must be done first: not every delivery is worth a portion.
async fn room(core: &Core, resync: &Resync, most: i64) -> Result<usize, Refusal> {
    let (handlers_id, was_full) = (resync.handlers_id, resync.state == State::Waiting);
    let waiting = core.store.read(move |tx| tables::resyncs::waiting_for(tx, handlers_id, most)).await?;
    let is_full = was_full && waiting > most / 2;
    Ok(if is_full { 0 } else { usize::try_from(most - waiting).unwrap_or(0) })
}

/// Why a handler gets nothing at all for now.
pub(super) fn stands_still(handler: &Handler) -> Option<String> {
    match &handler.paused {
        _ if !handler.is_called() => Some(format!("the handler is {}", handler.status.word())),
        _ if handler.kind().is_for_people() => Some("the handler is for people by now: cancel this".to_owned()),
        Some(paused) => Some(format!("the handler is paused by {}: {}", paused.by, paused.reason)),
        None => None,
    }
}

/// Notes why it waits.
async fn wait(core: &Core, resync: &Resync, reason: String) -> Result<(), Refusal> {
    if resync.state != State::Waiting || resync.reason.as_ref() != Some(&reason) {
        let note = move |resync: &mut Resync| (resync.state, resync.reason) = (State::Waiting, Some(reason));
        change(core, resync.id, &[State::Running, State::Waiting], note).await?;
    }
    Ok(())
}

async fn end_feeding(core: &Core, id: i64) -> Result<Written, Refusal> {
    let now = core.store.clock().now();
    let end = move |resync: &mut Resync| {
        let reason = "the handler was changed meanwhile and takes none of its events any more".to_owned();
        resync.end(State::Cancelled, Some(reason), now);
    };
    change(core, id, &[State::Running, State::Waiting], end).await?;
    Ok(Written::Not)
}

/// What conditions said of the events of a portion, by their places; each as it was weighed.
type Weighed = HashMap<Place, (Item, Outcome)>;

/// Weighs the next events outside every transaction; `None` = there are no conditions.
async fn weigh(core: &Core, rule: &Rule, walk: &Walk, resync: &Resync, max: usize) -> Result<Option<Weighed>, Refusal> {
    let asked = asked(&resync.selection.condition);
    if rule.condition.is_none() && asked.is_none() {
        return Ok(None);
    }
    let (snapshot, place) = (walk.clone(), resync.place);
    let found = core.store.read(move |tx| snapshot.next(tx, place, max)).await?;
    let (at, told_by) = ((core.store.clock().now(), core.store.era()), walk::told_by(resync));
    let mut weighed = HashMap::with_capacity(found.items.len());
    for item in found.items {
        let event = item.clone().event(at, &resync.actor, told_by);
        let outcome = rule.weigh(&event, asked.as_ref()).await;
        weighed.insert(item.place, (item, outcome));
    }
    Ok(Some(weighed))
}

/// The condition of a selection, compiled.
pub(super) fn asked(source: &str) -> Option<Condition> {
    (!source.trim().is_empty()).then(|| Condition::saved(source))
}

/// A portion on its way into the transaction.
struct Writing {
    id: i64,
    rule: Arc<Rule>,
    version: i64,
    place: Place,
    max: usize,
    walk: Walk,
    weighed: Option<Weighed>,
    /// Objects that change all the time are told as if their condition could not be evaluated.
    insists: bool,
    vault: Vault,
    era: i64,
    entrance: Entrance,
}

impl Writing {
    fn write(self, tx: &mut Tx) -> Result<Written, Refusal> {
        take(tx, self.id)?;
        let going_on = |resync: &Resync| matches!(resync.state, State::Running | State::Waiting) && resync.place == self.place;
        let Some(mut resync) = tables::resyncs::get(tx, self.id)?.filter(going_on) else { return Ok(Written::Not) };
        if tables::versions::read(tx, tables::versions::HANDLERS)? != self.version {
            return Ok(Written::Not);
        }
        let Found { items, end } = self.walk.next_held(tx, self.place, self.max)?;
        let mut wanted = Vec::with_capacity(items.len());
        for item in items {
            match self.due(&item) {
                Some(Ok(due)) => wanted.push((item, due)),
                Some(Err(())) => return Ok(Written::Moved),
                None => {}
            }
        }
        let events = wanted.len();
        for (item, due) in wanted {
            self.put(tx, &mut resync, item, due)?;
        }
        resync.place = end.unwrap_or(walk::END);
        resync.state = if resync.place == walk::END { State::Delivering } else { State::Running };
        resync.reason = None;
        tables::resyncs::update(tx, &resync)?;
        Ok(Written::Events(events))
    }

    /// Who is told of it: `None` = the conditions leave it out, an error = it is not what was weighed.
    fn due(&self, item: &Item) -> Option<Result<Due, ()>> {
        let due = |note| Some(Ok(Due::of(&self.rule, note)));
        let Some(weighed) = &self.weighed else { return due(None) };
        match weighed.get(&item.place) {
            Some((known, outcome)) if known == item => match outcome {
                Outcome::Holds => due(None),
                Outcome::Fails => None,
                Outcome::CallAnyway(words) => due(Some(condition::note(words.as_str()))),
            },
            _ if self.insists => due(Some(condition::note("the object kept changing while it was evaluated"))),
            _ => Some(Err(())),
        }
    }

    fn put(&self, tx: &mut Tx, resync: &mut Resync, item: Item, due: Due) -> Result<(), Error> {
        let event = item.event((tx.now(), self.era), &resync.actor, walk::told_by(resync));
        let row = outbox::put(tx, &self.vault, &event, vec![due], &self.entrance)?.events_row;
        resync.rows = Some((resync.rows.map_or(row, |(first, _)| first), row));
        resync.sent += 1;
        Ok(())
    }
}
