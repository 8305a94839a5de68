//! What one action owes to the handlers that it asks, from the first call to its end.
//!
//! A row is written and flushed *before* the call leaves, so that the handler hears of it whatever happens then: it costs such an
//! action one flush. The closures that write run to their end also when whoever waits for them is gone; so the list of what
//! is owed is kept by them ([`hookswitch_store::Tx::on_commit`]), never by the one who waits.
use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use hookswitch_model::{
    event::{Event, Stage},
    refusal::Refusal,
};
use hookswitch_store::{Error, Tx, tables::outcomes};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{
    Shared,
    by::Ending,
    settle::{Fate, Settled},
};
use crate::{mask::Mask, payload, rules::Rule};

/// What one action owes. Dropped, it aborts whatever was not settled.
pub struct Owed {
    shared: Arc<Shared>,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    rows: Vec<Noted>,
    /// Passwords that were shown: a handler may quote one in its refusal, which is stored and told to others.
    secrets: Mask,
    /// Set when the action has ended: what is noted afterwards ends so, too.
    ended: Option<Ending>,
}

/// A handler that hears how an event ends.
#[derive(Clone)]
pub(super) struct Noted {
    pub(super) id: i64,
    pub(super) handlers_id: i64,
    pub(super) clients_id: i64,
    event_id: Uuid,
    /// Its share of what may be owed at once.
    _place: Arc<OwnedSemaphorePermit>,
}

/// What a note was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// The first about this event to this handler.
    New,
    /// It was asked before within this action: there is one outcome, whatever it was asked.
    Known,
}

impl Owed {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, open: Arc::default() }
    }

    /// Writes down, durably, that this handler is about to be asked.
    ///
    /// # Errors
    /// Whatever the store says, or that there was no room within this time.
    pub(crate) async fn note(&self, rule: &Rule, event: &Event, within: Duration) -> Result<Note, Error> {
        let (event_id, handlers_id, clients_id) = (event.id, rule.handler.id, event.clients_id);
        if self.open().rows.iter().any(|row| row.event_id == event_id && row.handlers_id == handlers_id) {
            return Ok(Note::Known);
        }
        let passwords = payload::passwords(event);
        if !passwords.is_empty() {
            let mut open = self.open();
            open.secrets = std::mem::take(&mut open.secrets).and(passwords.iter().map(String::as_str));
        }
        let place = tokio::time::timeout(within, Arc::clone(&self.shared.places).acquire_owned()).await;
        let place = place.ok().and_then(Result::ok).ok_or_else(|| Error::Engine("too many outcomes are owed".to_owned()))?;
        let new = new(rule, event, self.shared.cluster.epoch());
        let (shared, open, place) = (Arc::clone(&self.shared), Arc::clone(&self.open), Arc::new(place));
        let written = Arc::new(OnceLock::new());
        let write = {
            let written = Arc::clone(&written);
            move |tx: &mut Tx<'_>| {
                let id = outcomes::insert(tx, &new)?;
                let row = Noted { id, handlers_id, clients_id, event_id, _place: place };
                let _first = written.set(row.clone());
                tx.on_commit(move || keep(&shared, &open, row));
                Ok(())
            }
        };
        let noted = self.shared.store.write(write).await;
        if let (Err(Error::InDoubt(_)), Some(row)) = (&noted, written.get()) {
            // It may be there, and this node, which lives on, would be waited for: the handler is not asked.
            self.shared.settle([Settled { row: row.clone(), fate: Fate::Withdrawn }]);
        }
        noted.map(|()| Note::New)
    }

    /// It was not asked after all.
    pub(crate) fn withdraw(&self, rule: &Rule, event: &Event) {
        let mut open = self.open();
        let is_it = |row: &Noted| row.event_id == event.id && row.handlers_id == rule.handler.id;
        if let Some(at) = open.rows.iter().position(is_it) {
            self.shared.settle([Settled { row: open.rows.swap_remove(at), fate: Fate::Withdrawn }]);
        }
    }

    /// For the transaction that commits the action.
    #[must_use]
    pub fn settling(&self) -> Settling {
        Settling { shared: Arc::clone(&self.shared), open: Arc::clone(&self.open), rows: self.open().rows.clone() }
    }

    /// The action was refused.
    pub fn refused(&self, refusal: &Refusal) {
        self.end(Ending::of(refusal));
    }

    fn end(&self, ending: Ending) {
        let mut open = self.open();
        let rows = std::mem::take(&mut open.rows);
        let message = ending.message.map(|words| open.secrets.text(&words).into_owned());
        let ending = open.ended.get_or_insert(Ending { message, ..ending }).clone();
        drop(open);
        self.shared.settle(rows.into_iter().map(|row| Settled { row, fate: Fate::Aborted(ending.clone()) }));
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        locked(&self.open)
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        // Nothing is left of an action that was committed or refused; a panic and a task that is dropped end here.
        self.end(Ending::failure());
    }
}

fn locked(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn new(rule: &Rule, event: &Event, asked_by: i64) -> outcomes::New {
    outcomes::New {
        event_id: event.id,
        events_id: event.kind.events_id,
        handlers_id: rule.handler.id,
        handlers_companies_id: rule.handler.companies_id,
        object_id: event.object_id,
        clients_id: event.clients_id,
        companies_id: event.companies_id,
        head: event.head(Stage::Outcome, None).to_string(),
        asked_by,
        trace: event.trace,
    }
}

/// Run once the row is there, also if the one who asked for it is gone: then the action has ended.
fn keep(shared: &Arc<Shared>, open: &Mutex<Open>, row: Noted) {
    let mut open = locked(open);
    match open.ended.clone() {
        None => open.rows.push(row),
        Some(ending) => shared.settle([Settled { row, fate: Fate::Aborted(ending) }]),
    }
}

/// What the transaction that commits an action settles: all that was owed when it was handed in. Once it has been handed in it
/// comes before whatever is written afterwards, so that an action whose caller vanishes now is never aborted *and* committed.
pub struct Settling {
    shared: Arc<Shared>,
    open: Arc<Mutex<Open>>,
    rows: Vec<Noted>,
}

impl Settling {
    /// These events are committed, each with its number; whatever else was asked about is no part of the action any more.
    ///
    /// # Errors
    /// `conflict` if a handler was told already that it came to nothing: another node takes this one for dead. Else whatever the
    /// store says.
    pub fn committed(self, tx: &mut Tx<'_>, events: &[(Uuid, i64)]) -> Result<(), Refusal> {
        let otherwise = if events.is_empty() { Ending::unchanged() } else { Ending::left_out() };
        for row in &self.rows {
            match events.iter().find(|(event_id, _)| *event_id == row.event_id) {
                Some((_, seq)) if outcomes::commit(tx, row.id, *seq)? => {}
                Some(_) => {
                    return Err(Refusal::conflict("this took so long that its handlers were told that it came to nothing"));
                }
                None => abort(tx, row.id, &otherwise)?,
            }
        }
        self.once_committed(tx);
        Ok(())
    }

    /// The same request was committed by another.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn replayed(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let ending = Ending::replay();
        self.rows.iter().try_for_each(|row| abort(tx, row.id, &ending))?;
        self.once_committed(tx);
        Ok(())
    }

    fn once_committed(self, tx: &mut Tx<'_>) {
        if self.rows.is_empty() {
            return;
        }
        tx.on_commit(move || {
            let Self { shared, open, rows } = self;
            locked(&open).rows.retain(|row| rows.iter().all(|settled| settled.id != row.id));
            rows.iter().for_each(|row| shared.owe(row.handlers_id, row.clients_id));
        });
    }
}

pub(super) fn abort(tx: &mut Tx<'_>, id: i64, Ending { by, message }: &Ending) -> Result<(), Error> {
    outcomes::abort(tx, id, &by.shown().to_string(), message.as_deref())
}
