//! What is written down of a loop: beside the action, which does not wait for it.
use hookswitch_store::{
    Error, Store, Tx,
    tables::{
        events,
        loops::{self, Seen},
    },
};
use uuid::Uuid;

use super::step::Step;

/// Causes that are followed back: more than there can be.
const STEPS_MAX: usize = 16;

pub(super) fn write(store: &Store, seen: Seen) {
    let store = store.clone();
    tokio::spawn(async move { complain(store.write(move |tx| loops::note(tx, &seen)).await) });
}

/// A chain of causes that was cut, from its last event back to its first. `asked` are those of its last events that handlers are
/// still being asked about, so that they are not in the journal; the newest first.
pub(super) fn write_chain(store: &Store, event_id: Uuid, handlers_id: i64, asked: Vec<Step>) {
    let store = store.clone();
    tokio::spawn(async move {
        let noted = store.write(move |tx| match chain(tx, event_id, handlers_id, asked)? {
            Some(seen) => loops::note(tx, &seen),
            None => Ok(()),
        });
        complain(noted.await);
    });
}

fn complain(result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, "a loop could not be written down");
    }
}

/// `None` if nothing is known of the event any more.
fn chain(tx: &Tx<'_>, event_id: Uuid, handlers_id: i64, asked: Vec<Step>) -> Result<Option<Seen>, Error> {
    let mut steps = asked;
    let behind = |steps: &[Step]| match steps.last() {
        Some(step) => step.reaction().map(|reaction| reaction.event_id),
        None => Some(event_id),
    };
    while let Some(id) = behind(&steps).filter(|_| steps.len() < STEPS_MAX) {
        let Some(event) = events::get(tx, &id)?.and_then(|recorded| recorded.event()) else { break };
        steps.push(Step::of(&event));
    }
    let Some(last) = steps.first() else { return Ok(None) };
    let reactions = steps.iter().filter_map(Step::reaction);
    let mut handlers: Vec<i64> = reactions.flat_map(|reaction| reaction.handlers.iter().copied()).chain([handlers_id]).collect();
    handlers.sort_unstable();
    handlers.dedup();
    let shown = |step: &Step| step.shown(step.reaction().map(|reaction| reaction.handlers_id).as_slice());
    Ok(Some(Seen {
        found_by: "depth",
        companies_id: last.companies_id,
        clients_id: last.clients_id,
        events_id: last.kind.events_id.to_owned(),
        object_id: last.object_id,
        handlers,
        count: 1,
        way: steps.iter().rev().map(shown).collect(),
    }))
}
