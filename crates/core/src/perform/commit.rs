//! Step 3: one short transaction. It drafts the decided request again from the state of that very transaction, finds
//! out whether that state is still the one that the handlers were shown, writes the change, and puts its events and
//! their deliveries beside it, and *committed* for the handlers that hear how it ended. Either all of this is there after a
//! crash, or none of it.
use std::sync::Arc;

use hookswitch_hooks::{
    Weighed,
    before::{Asking, Before},
    outbox::{self, Due},
    rules::{Rule, Rules},
};
use hookswitch_model::{event::Event, refusal::Refusal};
use hookswitch_store::{Tx, tables};
use serde_json::Value;
use uuid::Uuid;

use super::{
    ask::{Asked, Journey},
    draft::{Draft, EventIds, edge_events},
    idempotency::Ticket,
    prepare::Shared,
};
use crate::{Core, registry::Act};

/// What became of a commit.
pub(super) enum Outcome {
    /// It is done.
    Committed(Committed),
    /// The object is no longer what the handlers were shown: nothing was written.
    Moved,
    /// Handlers were saved meanwhile: nothing was written.
    HandlersChanged,
}

/// What a commit came to.
pub(super) struct Committed {
    /// The method's result.
    pub(super) result: Value,
    /// What the caller should know.
    pub(super) warnings: Vec<String>,
    /// The action's events: shared with shadows, and never copied by the thread that writes.
    pub(super) events: Arc<[Event]>,
    /// The balance edges that it brought about.
    pub(super) edges: Vec<Event>,
}

/// Writes a decided request. First of all it takes what it concerns: whatever is read then stays so until it is written.
///
/// # Errors
/// Whatever is wrong with the request in the state that the transaction finds.
pub(super) async fn commit(
    core: &Core,
    act: &'static Act,
    request: &Shared,
    asked: &Asked,
    journey: &Journey,
) -> Result<Outcome, Refusal> {
    let once = || {
        let (request, decided) = (Arc::clone(request), Arc::clone(&asked.decided));
        let (mut outgoing, settling) = (Outgoing::new(core, asked), journey.owed.settling());
        move |tx: &mut Tx| {
            let repeated = request.idempotency.as_ref().map(Ticket::subject);
            let held = act.concerns.take(tx, decided.request(), repeated)?;
            if let Some(result) = replayed(tx, &request)? {
                settling.replayed(tx)?;
                let (events, edges) = (Arc::default(), Vec::new());
                return Ok(Outcome::Committed(Committed { result, warnings: Vec::new(), events, edges }));
            }
            if tables::versions::read(tx, tables::versions::HANDLERS)? != outgoing.rules.version {
                return Ok(Outcome::HandlersChanged);
            }
            let Draft { parts, preview, write, .. } = (act.draft)(tx, &request.at, decided.request())?;
            act.concerns.confirm(tx, decided.request(), held)?;
            if !decided.still_holds(&parts) {
                return Ok(Outcome::Moved);
            }
            let written = write(tx, &request.at)?;
            let events: Arc<[Event]> = outgoing.ids.events(parts, &request.at).into();
            let numbers = outgoing.put(tx, &events)?;
            settling.committed(tx, &numbers)?;
            let edges = edge_events(written.edges, &request.at);
            outgoing.put_edges(tx, &edges)?;
            outgoing.ask_shadows(tx, &events);
            let result = written.result.unwrap_or(preview);
            if let Some(ticket) = &request.idempotency {
                ticket.remember(tx, request.method, &result)?;
            }
            Ok(Outcome::Committed(Committed { result, warnings: written.warnings, events, edges }))
        }
    };
    core.store.write_again(once).await
}

/// Two at once: the second finds what the first has committed.
fn replayed(tx: &Tx, request: &Shared) -> Result<Option<Value>, Refusal> {
    request.idempotency.as_ref().map_or(Ok(None), |ticket| ticket.find(tx))
}

/// The way of this action's events into the journal.
struct Outgoing {
    rules: Arc<Rules>,
    weighed: Arc<Weighed>,
    ids: EventIds,
    resellers: crate::access::Access,
    entrance: hookswitch_hooks::after::Entrance,
    vault: hookswitch_store::Vault,
    before: Before,
    unasked: Option<Asking>,
}

impl Outgoing {
    fn new(core: &Core, asked: &Asked) -> Self {
        Self {
            rules: Arc::clone(&asked.rules),
            weighed: Arc::clone(&asked.weighed),
            ids: asked.ids.clone(),
            resellers: core.access.clone(),
            entrance: core.hooks.entrance(),
            vault: core.store.vault().clone(),
            before: core.hooks.before.clone(),
            unasked: asked.unasked.clone(),
        }
    }

    /// The action's own events, to the after handlers whose conditions held when it was decided; gives their numbers.
    fn put(&self, tx: &mut Tx, events: &[Event]) -> Result<Vec<(Uuid, i64)>, Refusal> {
        let mut numbers = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            let due = |rule: &Arc<Rule>| {
                let place = (index, rule.handler.id);
                let wanted = !self.weighed.unwanted.contains(&place);
                wanted.then(|| Due::of(rule, self.weighed.notes.get(&place).cloned()))
            };
            let due = self.rules.after(event, &self.resellers).filter_map(due).collect();
            numbers.push((event.id, outbox::put(tx, &self.vault, event, due, &self.entrance)?.seq));
        }
        Ok(numbers)
    }

    /// Shadows that no chain has asked are asked once this is committed: the caller waits for nothing.
    fn ask_shadows(&self, tx: &mut Tx, events: &Arc<[Event]>) {
        let Some(asking) = self.unasked.clone().filter(|_| events.iter().any(|event| self.rules.has_shadows(event.kind))) else {
            return;
        };
        let (before, rules, events) = (self.before.clone(), Arc::clone(&self.rules), Arc::clone(events));
        tx.on_commit(move || before.shadow(rules, events, asking));
    }

    /// Balance edges, to all who hear of that basis: their conditions are weighed in the lane.
    fn put_edges(&self, tx: &mut Tx, edges: &[Event]) -> Result<(), Refusal> {
        for event in edges {
            let due = self.rules.after(event, &self.resellers).map(|rule| Due::of(rule, None)).collect();
            outbox::put(tx, &self.vault, event, due, &self.entrance)?;
        }
        Ok(())
    }
}
