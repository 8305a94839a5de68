//! Inside the commit: the client's next number, the event's row in the journal, one delivery per after handler. Either all
//! of this is there with the change, or none of it.
//!
//! No delivery exists without its change, no change without its deliveries: that is the whole secret of "exactly once
//! inside, at least once outside".
use std::sync::Arc;

use hookswitch_model::{
    event::{Event, Stage},
    handler::Ordering,
};
use hookswitch_store::{
    Error, Tx, Vault,
    tables::{deliveries, events},
};

use crate::{
    after::{Entrance, Fresh, FreshOne, Told},
    payload::Payload,
    rules::Rule,
};

/// A handler that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which one.
    pub handlers_id: i64,
    /// What is to be noted in the log with the first attempt: a condition that could not be evaluated.
    pub note: Option<String>,
    /// It only wants the latest: this one stands for those of the same object and kind that still wait.
    pub latest: bool,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// The client's number for it.
    pub seq: i64,
    /// Its row in the journal.
    pub events_row: i64,
}

impl Due {
    /// By a handler's settings.
    #[must_use]
    pub fn of(rule: &Rule, note: Option<String>) -> Self {
        Self { handlers_id: rule.handler.id, note, latest: rule.handler.ordering == Ordering::Latest }
    }
}

/// Writes an event and its deliveries; tells where. Once that is committed, and only then, the handlers' queues have them.
///
/// # Errors
/// Whatever the store says.
pub fn put(tx: &mut Tx<'_>, vault: &Vault, event: &Event, due: Vec<Due>, entrance: &Entrance) -> Result<Put, Error> {
    let seq = events::next_seq(tx, event.clients_id)?;
    // Nobody who is not told needs a password, nor does the journal.
    let (payload, secrets) = match due.is_empty() {
        true => (Payload::untold(event, seq), None),
        false => (Payload::of(event, Stage::After, Some(seq)), Payload::sealed_passwords(event, vault)),
    };
    let body = std::str::from_utf8(&payload.masked).map_err(|error| Error::Engine(error.to_string()))?;
    let events_row = events::insert(tx, event, events::Entry { seq, body, secrets: secrets.as_deref() })?;
    count(tx, event, entrance);
    if due.is_empty() {
        return Ok(Put { seq, events_row });
    }
    let mut written = Vec::with_capacity(due.len());
    for (place, Due { handlers_id, note, latest }) in due.into_iter().enumerate() {
        let fold = latest.then(|| format!("{}:{}", event.kind.events_id, event.object_id));
        let folded = match &fold {
            Some(key) => stands_for(tx, handlers_id, key, entrance.taken(handlers_id, event))?,
            None => 0,
        };
        let note =
            [note, (folded > 0).then(|| words(folded))].into_iter().flatten().reduce(|note, more| format!("{note}; {more}"));
        let new = deliveries::New {
            handlers_id,
            clients_id: event.clients_id,
            companies_id: event.companies_id,
            seq,
            events_row,
            place,
            event_id: event.id,
            note: note.as_deref(),
            fold: fold.as_deref(),
            folded,
        };
        written.push(FreshOne { id: deliveries::insert(tx, new)?, handlers_id, note, latest });
    }
    let Event { id, kind, object_id, clients_id, companies_id, .. } = event;
    let told = Told {
        id: *id,
        kind,
        object_id: *object_id,
        clients_id: *clients_id,
        companies_id: *companies_id,
        seq,
        resync: event.cause.as_ref().is_some_and(|cause| cause.resync().is_some()),
        events_row,
        trace: event.trace,
        payload,
    };
    let fresh = Fresh { event: Arc::new(told), at: tx.now(), deliveries: written };
    let entrance = entrance.clone();
    tx.on_commit(move || entrance.enter(fresh));
    Ok(Put { seq, events_row })
}

/// Counts what happened; how things stand, told to one handler again, is no news.
fn count(tx: &mut Tx<'_>, event: &Event, entrance: &Entrance) {
    if event.cause.as_ref().is_none_or(|cause| cause.resync().is_none()) {
        let (entrance, companies_id, at) = (entrance.clone(), event.companies_id, tx.now());
        tx.on_commit(move || entrance.count(companies_id, at));
    }
}

/// Takes back what waits behind what is being tried, and the new one stands for; how many events that were.
fn stands_for(tx: &mut Tx<'_>, handlers_id: i64, key: &str, taken: i64) -> Result<i64, Error> {
    let (rows, count) = deliveries::fold(tx, handlers_id, key, taken)?;
    rows.into_iter().try_for_each(|events_row| events::forget_secrets(tx, events_row))?;
    Ok(count)
}

fn words(folded: i64) -> String {
    let events = if folded == 1 { "event" } else { "events" };
    format!("it stands for {folded} earlier {events} of the same object")
}
