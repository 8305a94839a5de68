//! Where handlers stand: who is in step with what happened, who is behind and since when, and what of one client each has heard.
use std::{collections::HashMap, time::Duration};

use hookswitch_model::{
    event::{self, Event, Stage},
    handler::{Handler, Status},
    moment::Moment,
    objects::resync::Resync,
    words,
};
use hookswitch_store::{
    Error, Tx,
    tables::{
        deliveries, events, outcomes, resyncs,
        told::{self, Heard},
    },
};
use serde_json::{Value, json};

use crate::{
    Figures, Hooks,
    rules::{Resellers, Rule},
};

words! {
    /// Whether a handler has heard all that it is to hear.
    State {
        /// It has.
        InStep = "in_step",
        /// Something waits for its turn, or for its next attempt.
        Behind = "behind",
        /// Something waits, and nothing is sent: the handler is paused or not enabled.
        Stopped = "stopped",
        /// All that can be sent was sent, but some deliveries are dead.
        Incomplete = "incomplete",
        /// It was never told anything: whether it knows the present state is not known here.
        NeverTold = "never_told",
        /// Nothing waits, but it did not hear all: something was discarded, happened while it was not enabled or before it was
        /// there, or its condition left it out.
        Unknown = "unknown",
    }
}

/// Events of a client among which the last is looked for that a handler hears of.
const LOOKED_AT_MAX: i64 = 32;

/// How one handler's queue stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Whose.
    pub handler: Handler,
    /// What is in the queue.
    pub queue: deliveries::Standing,
    /// What a before handler is to hear of how actions ended.
    pub owed: outcomes::Standing,
    /// A before handler that is not asked for now because it failed too often, since then.
    pub tripped: Option<Moment>,
    /// A resync that it is still to be told of.
    pub resync: Option<i64>,
}

impl Standing {
    /// In one word.
    #[must_use]
    pub fn state(&self) -> State {
        let Self { handler, queue, owed, resync, .. } = self;
        let waits = queue.waiting + queue.retrying + owed.waiting + owed.retrying > 0 || resync.is_some();
        state(handler, waits, queue.dead + owed.dead > 0)
    }

    /// As the Core API shows it.
    #[must_use]
    pub fn shown(&self, now: Moment) -> Value {
        let Self { handler, queue, owed, tripped, resync } = self;
        json!({
            "id": handler.id,
            "name": handler.name,
            "type": handler.stage.word(),
            "status": handler.status.word(),
            "paused": handler.shown().get("paused"),
            "tripped_since": tripped.map(Moment::iso),
            "state": self.state().word(),
            "resyncs_id": resync,
            "waiting": queue.waiting,
            "retrying": queue.retrying,
            "dead": queue.dead,
            "folded": queue.folded,
            "behind_since": queue.oldest.map(Moment::iso),
            "oldest_age_s": queue.oldest.map(|oldest| now.millis_since(oldest).max(0) / 1_000),
            "outcomes": {"asked": owed.asked, "waiting": owed.waiting, "retrying": owed.retrying, "dead": owed.dead},
        })
    }
}

fn state(handler: &Handler, waits: bool, is_dead: bool) -> State {
    match (waits, is_dead) {
        // What happens now is not even written down for it.
        _ if handler.stage == Stage::After && handler.status != Status::Enabled => State::Stopped,
        (true, _) if !handler.is_running() => State::Stopped,
        (true, _) => State::Behind,
        (false, true) => State::Incomplete,
        (false, false) => State::InStep,
    }
}

/// A client, as far as it matters what handlers have heard of it: read once for all of them.
pub struct OfClient<'a> {
    clients_id: i64,
    companies_id: i64,
    /// Its last events with their numbers, the newest first.
    last: Vec<(i64, Event)>,
    untold: Vec<Resync>,
    resellers: &'a dyn Resellers,
}

impl<'a> OfClient<'a> {
    /// Reads what there is, of a client of this reseller.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn read(tx: &Tx<'_>, clients_id: i64, companies_id: i64, resellers: &'a dyn Resellers) -> Result<Self, Error> {
        let last = events::last_of_client(tx, clients_id, LOOKED_AT_MAX)?;
        let last = last.into_iter().filter_map(|recorded| Some((recorded.seq, recorded.event()?))).collect();
        Ok(Self { clients_id, companies_id, last, untold: resyncs::untold(tx)?, resellers })
    }

    /// What a handler has heard of it, as the Core API shows it.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn heard_by(&self, tx: &Tx<'_>, rule: &Rule) -> Result<Value, Error> {
        let handler = &rule.handler;
        let heard = told::last(tx, handler.id, self.clients_id)?;
        let lane = deliveries::lane(tx, handler.id, self.clients_id)?;
        let resync = self.untold_to(handler.id);
        let state = match (state(handler, lane.waiting > 0 || resync.is_some(), lane.dead > 0), heard) {
            (State::InStep, None) => State::NeverTold,
            (State::InStep, Some(heard)) if !self.is_all(rule, heard) => State::Unknown,
            (state, _) => state,
        };
        let last = heard.filter(|heard| heard.seq > 0);
        Ok(json!({
            "id": handler.id,
            "name": handler.name,
            "status": handler.status.word(),
            "state": state.word(),
            "resyncs_id": resync,
            "delivered_seq": last.map(|last| last.seq),
            "delivered_dt": last.map(|last| last.dt.iso()),
            "waiting": lane.waiting,
            "dead": lane.dead,
            "next_seq": lane.first_seq,
        }))
    }

    /// The resync that has still to tell a handler of this client.
    fn untold_to(&self, handlers_id: i64) -> Option<i64> {
        let within = |top| self.resellers.is_within(self.companies_id, top);
        let has_to_tell = |resync: &&Resync| resync.handlers_id == handlers_id && resync.has_to_tell(self.clients_id, within);
        self.untold.iter().find(has_to_tell).map(|resync| resync.id)
    }

    /// True if what a handler has heard is all that it was to hear.
    fn is_all(&self, rule: &Rule, heard: Heard) -> bool {
        let begins = rule.handler.wants(event::CLIENTS_CREATE.events_id);
        let last = self.last.iter().find(|(_, event)| rule.hears(event, self.resellers));
        !heard.missed && (heard.whole || !begins) && last.is_none_or(|(seq, _)| *seq <= heard.seq)
    }
}

impl Hooks {
    /// How each handler stands, in order of id. Archived ones with nothing in their queue are left out.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn standing(&self) -> Result<Vec<Standing>, Error> {
        let rules = self.rules();
        // A million deliveries may wait: this is no read that others should wait behind.
        let read = |tx: &Tx<'_>| Ok::<_, Error>((deliveries::standing(tx)?, outcomes::standing(tx)?, resyncs::untold(tx)?));
        let (queues, owed, untold) = self.shared.store.search(read).await?;
        let queues: HashMap<i64, _> = queues.into_iter().map(|queue| (queue.handlers_id, queue)).collect();
        let owed: HashMap<i64, _> = owed.into_iter().map(|owed| (owed.handlers_id, owed)).collect();
        let of = |handler: &Handler| {
            let queue = queues.get(&handler.id).copied().unwrap_or(deliveries::Standing::nothing(handler.id));
            let owed = owed.get(&handler.id).copied().unwrap_or(outcomes::Standing::nothing(handler.id));
            let resync = untold.iter().find(|resync| resync.handlers_id == handler.id).map(|resync| resync.id);
            Standing { handler: handler.clone(), queue, owed, tripped: self.before.tripped_since(handler), resync }
        };
        let is_of_interest = |standing: &Standing| {
            let Standing { handler, queue, owed, .. } = standing;
            let waits = queue.waiting + queue.retrying + queue.dead + owed.waiting + owed.retrying + owed.dead;
            handler.status != Status::Archived || waits > 0
        };
        let mut all: Vec<Standing> = rules.all().map(|rule| of(&rule.handler)).filter(is_of_interest).collect();
        all.sort_unstable_by_key(|standing| standing.handler.id);
        Ok(all)
    }

    /// How calls went and how the queues stand, for metrics.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn figures(&self) -> Result<Figures, Error> {
        let now = self.shared.store.clock().now();
        let handlers = self.standing().await?;
        let sum = |of: fn(&deliveries::Standing) -> i64| {
            handlers.iter().map(|standing| of(&standing.queue)).sum::<i64>().unsigned_abs()
        };
        let owed =
            |of: fn(&outcomes::Standing) -> i64| handlers.iter().map(|standing| of(&standing.owed)).sum::<i64>().unsigned_abs();
        let oldest = handlers.iter().filter_map(|standing| standing.queue.oldest).min();
        let paused = |standing: &&Standing| standing.handler.paused.is_some();
        Ok(Figures {
            before_calls: self.before.calls().by_status(),
            before_time: self.before.calls().times(),
            before_tripped: self.before.tripped(),
            after_calls: self.after.calls().by_status(),
            after_time: self.after.calls().times(),
            after_paused: handlers.iter().filter(paused).count() as u64,
            deliveries: vec![
                ("waiting", sum(|queue| queue.waiting)),
                ("retrying", sum(|queue| queue.retrying)),
                ("dead", sum(|queue| queue.dead)),
            ],
            outcomes: vec![
                ("asked", owed(|owed| owed.asked)),
                ("waiting", owed(|owed| owed.waiting)),
                ("retrying", owed(|owed| owed.retrying)),
                ("dead", owed(|owed| owed.dead)),
            ],
            queue_age_seconds: oldest.map_or(0.0, |oldest| seconds_between(oldest, now)),
            handlers: handlers
                .iter()
                .filter(|standing| standing.handler.stage == Stage::After)
                .map(|standing| HandlerFigures::of(standing, now))
                .collect(),
            log_rows_dropped: self.shared.log.rows_dropped(),
            loops: self.shared.loops.counted(),
        })
    }
}

fn seconds_between(then: Moment, now: Moment) -> f64 {
    Duration::from_millis(now.millis_since(then).max(0).unsigned_abs()).as_secs_f64()
}

/// How one after handler's queue stands, for metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HandlerFigures {
    /// Its id, as a label.
    pub handler: String,
    /// Deliveries that wait or are tried again.
    pub behind: u64,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Seconds since the oldest event was asked for that it has not heard of; 0 if it is in step.
    pub behind_seconds: f64,
    /// True if nothing is sent to it.
    pub stopped: bool,
}

impl HandlerFigures {
    fn of(standing: &Standing, now: Moment) -> Self {
        let Standing { handler, queue, .. } = standing;
        Self {
            handler: handler.id.to_string(),
            behind: (queue.waiting + queue.retrying).unsigned_abs(),
            dead: queue.dead.unsigned_abs(),
            behind_seconds: queue.oldest.map_or(0.0, |oldest| seconds_between(oldest, now)),
            stopped: !handler.is_running(),
        }
    }
}
