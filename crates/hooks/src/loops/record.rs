//! What is written down of a loop: beside the action, which does not wait for it.
use hookswitch_model::{Object, event::Cause};
use hookswitch_store::{
    Error, Store, Tx,
    tables::{
        events,
        loops::{self, Seen},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Causes that are followed back: more than there can be.
const STEPS_MAX: usize = 16;

pub(super) fn write(store: &Store, seen: Seen) {
    let store = store.clone();
    tokio::spawn(async move { complain(store.write(move |tx| loops::note(tx, &seen)).await) });
}

/// A chain of causes, from its last event back to its first.
pub(super) fn write_chain(store: &Store, event_id: Uuid, handlers_id: i64) {
    let store = store.clone();
    tokio::spawn(async move {
        let noted = store.write(move |tx| match chain(tx, event_id, handlers_id)? {
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

/// `None` if nothing of it is in the journal: a before handler that reacts to what was never done.
fn chain(tx: &Tx<'_>, event_id: Uuid, handlers_id: i64) -> Result<Option<Seen>, Error> {
    let (mut way, mut handlers, mut last) = (Vec::new(), vec![handlers_id], None);
    let mut next = Some(event_id);
    while let Some(id) = next.take().filter(|_| way.len() < STEPS_MAX) {
        let Some(recorded) = events::get(tx, &id)? else { break };
        if let Some(Cause { event_id, handlers_id, handlers: all, .. }) = &recorded.cause {
            next = Some(*event_id).filter(|cause| *cause != id);
            handlers.push(*handlers_id);
            handlers.extend(all);
        }
        way.push(step(&recorded));
        last.get_or_insert(recorded);
    }
    let Some(last) = last else { return Ok(None) };
    way.reverse();
    handlers.sort_unstable();
    handlers.dedup();
    let shown = last.shown();
    let number = |name: &str| shown.get(name).and_then(Value::as_i64).unwrap_or_default();
    Ok(Some(Seen {
        found_by: "depth",
        companies_id: last.companies_id,
        clients_id: number("clients_id"),
        events_id: last.kind.events_id.to_owned(),
        object_id: number("object_id"),
        handlers,
        count: 1,
        way,
    }))
}

fn step(recorded: &events::Recorded) -> Object {
    let mut shown = recorded.shown();
    let by: Vec<i64> = recorded.cause.iter().map(|cause| cause.handlers_id).collect();
    let mut take = |name: &str| shown.shift_remove(name).unwrap_or_default();
    let step = json!({
        "event_id": take("id"),
        "events_id": take("events_id"),
        "object_id": take("object_id"),
        "clients_id": take("clients_id"),
        "dt": take("dt"),
        "actor": take("actor"),
        "handlers": by,
    });
    match step {
        Value::Object(step) => step,
        _ => Object::new(),
    }
}
