//! Which handlers an event concerns: by its name, its reseller, its cause and its balance. The enabled handlers are an
//! immutable snapshot with a version, swapped whole when one is saved.
//!
//! Conditions are not asked here: a before handler's is evaluated on the data as they stand at its turn, an after
//! handler's on the decided data.
use std::{collections::HashMap, sync::Arc};

use hookswitch_model::{
    event::{BALANCE_NOTZERO, BALANCE_ZERO, CATALOGUE, Cause, Event, Kind, Stage},
    handler::Handler,
};
use hookswitch_store::{Error, Tx, Vault, tables};
use serde_json::Value;

use crate::{
    condition::{Condition, Outcome},
    mask::Mask,
    names::Names,
};

/// The tree of resellers, which only the core knows.
pub trait Resellers: Send + Sync {
    /// True if `companies_id` is `top` or below it.
    fn is_within(&self, companies_id: i64, top: i64) -> bool;
}

/// A handler, ready to be matched with events.
pub struct Rule {
    /// As it was saved.
    pub handler: Handler,
    /// Its compiled condition; `None` = always.
    pub condition: Option<Condition>,
    /// What is secret about it, for the log.
    pub(crate) mask: Mask,
    /// What it calls the events that it takes.
    pub(crate) names: Names,
}

/// Every handler, as it was at one version.
#[derive(Default)]
pub struct Rules {
    /// The version of all this in the database: a commit compares it.
    pub version: i64,
    /// All of them, also those that get no new events.
    all: HashMap<i64, Arc<Rule>>,
    /// The enabled ones, and shadows among them, by event and stage, in the order in which they are called.
    by_event: HashMap<(&'static str, Stage), Vec<Arc<Rule>>>,
}

impl Rules {
    /// Reads them whole.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn load(tx: &Tx<'_>, vault: &Vault) -> Result<Self, Error> {
        let version = tables::versions::read(tx, tables::versions::HANDLERS)?;
        Ok(Self::new(version, tables::handlers::all(tx, vault)?))
    }

    fn new(version: i64, handlers: Vec<Handler>) -> Self {
        let mut rules: Vec<Arc<Rule>> = handlers.into_iter().map(|handler| Arc::new(Rule::new(handler))).collect();
        // The system's first; then as they were told; ties go by id.
        rules.sort_by_key(|rule| (rule.handler.companies_id.is_some(), rule.handler.order, rule.handler.id));
        let mut by_event: HashMap<_, Vec<_>> = HashMap::new();
        for kind in CATALOGUE {
            for rule in rules.iter().filter(|rule| rule.takes(kind)) {
                by_event.entry((kind.events_id, rule.handler.stage)).or_default().push(Arc::clone(rule));
            }
        }
        Self { version, all: rules.into_iter().map(|rule| (rule.handler.id, rule)).collect(), by_event }
    }

    /// A handler by id, whatever its status.
    #[must_use]
    pub fn get(&self, handlers_id: i64) -> Option<&Arc<Rule>> {
        self.all.get(&handlers_id)
    }

    /// Every handler.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.all.values()
    }

    fn of(&self, kind: Kind, stage: Stage) -> &[Arc<Rule>] {
        self.by_event.get(&(kind.events_id, stage)).map_or(&[], Vec::as_slice)
    }

    /// Those who decide about such events.
    fn deciding(&self, kind: Kind) -> impl Iterator<Item = &Arc<Rule>> {
        self.of(kind, Stage::Before).iter().filter(|rule| !rule.handler.is_shadow())
    }

    /// True if some handler may have to be asked about such events.
    #[must_use]
    pub fn wants_before(&self, kind: Kind) -> bool {
        self.deciding(kind).next().is_some()
    }

    /// True if some shadow takes such events.
    #[must_use]
    pub fn has_shadows(&self, kind: Kind) -> bool {
        self.of(kind, Stage::Before).iter().any(|rule| rule.handler.is_shadow())
    }

    /// True if some handler may have to be asked about such events of a reseller's clients.
    #[must_use]
    pub fn wants_before_of(&self, kind: Kind, companies_id: i64, resellers: &dyn Resellers) -> bool {
        let concerns = |rule: &Arc<Rule>| rule.handler.companies_id.is_none_or(|top| resellers.is_within(companies_id, top));
        self.deciding(kind).any(concerns)
    }

    /// True if some handler may have to be told of such events.
    #[must_use]
    pub fn wants_after(&self, kind: Kind) -> bool {
        !self.of(kind, Stage::After).is_empty()
    }

    /// True if some after handler of such events has a condition.
    #[must_use]
    pub fn conditional_after(&self, kind: Kind) -> bool {
        self.of(kind, Stage::After).iter().any(|rule| rule.condition.is_some())
    }

    /// True if the same handlers would be asked the same about such events in both, however long they may take and whatever
    /// they are called.
    #[must_use]
    pub fn asks_alike(&self, other: &Self, kind: Kind) -> bool {
        let (own, others): (Vec<_>, Vec<_>) = (self.deciding(kind).collect(), other.deciding(kind).collect());
        own.len() == others.len() && own.iter().zip(others).all(|(one, other)| one.asks_like(other))
    }

    /// Who is to be asked about an event, in order; shadows among them.
    #[must_use]
    pub fn before(&self, event: &Event, resellers: &dyn Resellers) -> Vec<Arc<Rule>> {
        self.of(event.kind, Stage::Before).iter().filter(|rule| rule.concerns(event, resellers)).cloned().collect()
    }

    /// Who is to be told of an event.
    pub fn after<'a>(&'a self, event: &'a Event, resellers: &'a dyn Resellers) -> impl Iterator<Item = &'a Arc<Rule>> {
        self.of(event.kind, Stage::After).iter().filter(move |rule| rule.concerns(event, resellers))
    }
}

impl Rule {
    /// Compiles the condition.
    #[must_use]
    pub fn new(handler: Handler) -> Self {
        let condition = (!handler.condition.trim().is_empty()).then(|| Condition::saved(&handler.condition));
        let (mask, names) = (Mask::of(&handler), Names::of(&handler));
        Self { handler, condition, mask, names }
    }

    /// Weighs the handler's own condition, and one more, on an event that is meant for it alone. Never called with a transaction
    /// held.
    pub async fn weigh(&self, event: &Event, more: Option<&Condition>) -> Outcome {
        let conditions: Vec<&Condition> = self.condition.iter().chain(more).collect();
        if conditions.is_empty() {
            return Outcome::Holds;
        }
        let payload = event.payload(Stage::After, None);
        let payload = self.names.payload(event.kind, &payload);
        let mut weighed = Outcome::Holds;
        for condition in conditions {
            match condition.evaluate(&payload).await {
                Outcome::Holds => {}
                Outcome::Fails => return Outcome::Fails,
                doubt => weighed = doubt,
            }
        }
        weighed
    }

    fn asks_like(&self, other: &Self) -> bool {
        let essence = |handler: &Handler| Handler {
            name: String::new(),
            notes: String::new(),
            timeout_ms: 0,
            concurrency: 0,
            secret: String::new(),
            old_secret: None,
            version: 0,
            ..handler.clone()
        };
        self.handler.version == other.handler.version || essence(&self.handler) == essence(&other.handler)
    }

    fn takes(&self, kind: Kind) -> bool {
        // Nothing is owed to a shadow: one that is paused is just not asked.
        let is_called = if self.handler.is_shadow() { self.handler.is_running() } else { self.handler.is_called() };
        is_called && kind.stages.contains(&self.handler.stage) && self.handler.wants(kind.events_id)
    }

    /// True if it is told of such an event while it is enabled, its condition aside.
    pub(crate) fn hears(&self, event: &Event, resellers: &dyn Resellers) -> bool {
        event.kind.stages.contains(&Stage::After) && self.handler.wants(event.kind.events_id) && self.concerns(event, resellers)
    }

    /// By reseller, cause and balance.
    fn concerns(&self, event: &Event, resellers: &dyn Resellers) -> bool {
        let handler = &self.handler;
        handler.companies_id.is_none_or(|top| resellers.is_within(event.companies_id, top))
            && event.cause.as_ref().and_then(Cause::reaction).is_none_or(|reaction| reaction.handlers_id != handler.id)
            && basis(event).is_none_or(|basis| basis == handler.balance_basis.word())
    }
}

/// The balance that a balance event is about.
fn basis(event: &Event) -> Option<&str> {
    (is_balance(event.kind)).then(|| event.data.get("basis").and_then(Value::as_str)).flatten()
}

/// True for the two balance events: who hears of them is found in the transaction, their conditions in the lane.
#[must_use]
pub fn is_balance(kind: Kind) -> bool {
    *kind == BALANCE_ZERO || *kind == BALANCE_NOTZERO
}

#[cfg(test)]
mod tests;
