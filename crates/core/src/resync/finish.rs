//! The end of a resync: when the handler has all of it, it is told so.
//!
//! A handler may drop what a resync did not name. So `provisioning.resync_done` is held back until every event of the resync is
//! delivered: while one waits, is retried or is dead, its object might be dropped although it exists. If one was discarded,
//! the handler never hears of that object, and `resync_done` is not sent at all.
use std::sync::Arc;

use hookswitch_hooks::{
    after::Entrance,
    outbox::{self, Due},
    rules::Rule,
};
use hookswitch_model::{
    event::{self, Cause, Event, Mode},
    objects::resync::{Outstanding, Resync, State},
    refusal::Refusal,
};
use hookswitch_store::{Error, Subject, Tx, Vault, tables};

use super::{Then, change, feed, take, walk};
use crate::{Core, perform::event_id_at};

const ENDING: &[State] = &[State::Delivering, State::Incomplete];

/// Looks whether all is delivered.
pub(super) async fn step(core: &Core, resync: Resync) -> Result<Then, Refusal> {
    let looked_at = resync.clone();
    let outstanding = core.store.read(move |tx| tables::resyncs::outstanding(tx, &looked_at)).await?;
    match outstanding {
        Outstanding { waiting: 0, retrying: 0, dead: 0 } => end(core, resync).await,
        Outstanding { waiting: 0, retrying: 0, dead } => {
            let reason = format!(
                "{dead} of its deliveries are dead, so the handler is not told that it has all: send them again, or begin another resync, which takes this one's place"
            );
            stand(core, &resync, State::Incomplete, Some(reason)).await
        }
        _ => {
            let rules = core.hooks.rules();
            let reason = rules.get(resync.handlers_id).and_then(|rule| feed::stands_still(&rule.handler));
            stand(core, &resync, State::Delivering, reason).await
        }
    }
}

async fn stand(core: &Core, resync: &Resync, state: State, reason: Option<String>) -> Result<Then, Refusal> {
    if resync.state != state || resync.reason != reason {
        change(core, resync.id, ENDING, move |resync| (resync.state, resync.reason) = (state, reason)).await?;
    }
    Ok(Then::Look)
}

async fn end(core: &Core, resync: Resync) -> Result<Then, Refusal> {
    let rules = core.hooks.rules();
    let listening = |rule: &&Arc<Rule>| rule.handler.wants(event::RESYNC_DONE.events_id);
    let listener = rules.get(resync.handlers_id).filter(listening).map(|rule| Due::of(rule, None));
    let (telling, version) =
        (Telling { vault: core.store.vault().clone(), era: core.store.era(), entrance: core.hooks.entrance() }, rules.version);
    let ended = core
        .store
        .write(move |tx| {
            take(tx, resync.id)?;
            // Who tells it numbers its events like a client's.
            tx.lock(Subject::Client(0))?;
            let still = |resync: &Resync| ENDING.contains(&resync.state);
            let Some(mut resync) = tables::resyncs::get(tx, resync.id)?.filter(still) else { return Ok(true) };
            if tables::versions::read(tx, tables::versions::HANDLERS)? != version {
                return Ok(false);
            }
            // Somebody may have sent a dead one again meanwhile, or discarded one: that is counted with it, so it is read after.
            if tables::resyncs::outstanding(tx, &resync)? == Outstanding::default() {
                resync.lost = tables::resyncs::get(tx, resync.id)?.map_or(resync.lost, |now| now.lost);
                let now = tx.now();
                resync.end(State::Done, end_in_words(&resync), now);
                if let Some(due) = listener.filter(|_| resync.lost == 0) {
                    telling.tell(tx, &resync, due)?;
                }
                tables::resyncs::update(tx, &resync)?;
            }
            Ok::<_, Refusal>(true)
        })
        .await?;
    if !ended {
        core.hooks.reload_since(version).await?;
    }
    Ok(Then::Again)
}

/// What is worth a word about how it ended.
fn end_in_words(resync: &Resync) -> Option<String> {
    let words = |lost| {
        format!(
            "{lost} of its deliveries were discarded, or sent again although overtaken: the handler was not told that it has all"
        )
    };
    (resync.lost > 0).then(|| words(resync.lost))
}

/// What an event needs that no action raises.
struct Telling {
    vault: Vault,
    era: i64,
    entrance: Entrance,
}

impl Telling {
    /// `provisioning.resync_done`: of no client, so numbered among its like.
    fn tell(&self, tx: &mut Tx, resync: &Resync, due: Due) -> Result<(), Error> {
        let now = tx.now();
        let done = Event {
            id: event_id_at(now),
            dt: now,
            kind: &event::RESYNC_DONE,
            object_id: resync.id,
            clients_id: 0,
            companies_id: resync.scope_id.unwrap_or(0),
            era: self.era,
            mode: Mode::Live,
            actor: resync.actor.clone(),
            cause: Some(Cause::Resync { resync: walk::told_by(resync) }),
            trace: None,
            data: resync.done(),
            previous: None,
            object: resync.shown(),
        };
        outbox::put(tx, &self.vault, &done, vec![due], &self.entrance).map(drop)
    }
}
