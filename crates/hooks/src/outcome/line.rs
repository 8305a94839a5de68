//! Telling one handler how it ended: a task of its own reads what is due and has a few told at once, in no order. So handlers
//! never wait for each other, and what waits takes no memory.
//!
//! There is no breaker: what failed has a next time, and until then costs nothing. While the handler is disabled or archived its
//! rows stand still, their clocks too.
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hookswitch_cluster::{Cluster, Tenure};
use hookswitch_model::{Object, event::Stage, handler::Handler, moment::Moment};
use hookswitch_store::{
    Error, Tx,
    tables::{
        deliveries::Failed,
        executions,
        outcomes::{self, Due},
    },
};
use serde_json::{Value, json};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::{PAUSE, Shared};
use crate::{
    after::judge::{Judged, judge},
    call::{Call, Called},
    log::{
        Change, Record, Then,
        row::{self, About, Ending},
    },
    retry::{self, Failure},
    rules::Rule,
};

/// Calls in flight at once, if the handler's own `concurrency` is not less.
const IN_FLIGHT_MAX: u32 = 8;
/// Rows read at once.
const LOADED_MAX: usize = 64;
/// Told or being told, and not written down yet: more are not read before.
const TAKEN_MAX: usize = 512;

/// Tells one handler.
pub(super) struct Line {
    handlers_id: i64,
    wake: Notify,
    places: Arc<Semaphore>,
    /// Rows that are being told, or whose end is on its way to the database.
    taken: Mutex<HashSet<i64>>,
    /// Those that were given back since a read began: it may have seen them as they were before.
    given_back: Mutex<HashSet<i64>>,
}

impl Line {
    pub(super) fn new(handlers_id: i64) -> Self {
        let places = Arc::new(Semaphore::new(IN_FLIGHT_MAX as usize));
        Self { handlers_id, wake: Notify::new(), places, taken: Mutex::default(), given_back: Mutex::default() }
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given_back(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.given_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It can be read again, or is gone.
    fn give_back(&self, id: i64) {
        self.given_back().insert(id);
        self.taken().remove(&id);
        self.wake();
    }

    /// Tells until the handler is gone or the program ends.
    pub(super) async fn run(self: Arc<Self>, shared: Arc<Shared>) {
        while !shared.shutdown.has_begun() {
            let Some(rule) = shared.rules.load().get(self.handlers_id).cloned() else { return self.end(&shared).await };
            if !rule.handler.is_running() || self.taken().len() >= TAKEN_MAX {
                self.wake.notified().await;
                continue;
            }
            // Before it is read: what comes of it is no good once this node has lost and regained a client.
            let turn = shared.cluster.turn();
            match self.read(&shared).await {
                Ok((due, next)) if due.is_empty() => tokio::select! {
                    () = self.wake.notified() => {}
                    () = until(&shared, next) => {}
                },
                Ok((due, _)) => self.tell(&shared, due, turn).await,
                Err(error) => {
                    tracing::error!(%error, "outcomes can't be read; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// What is due and not taken, and when the next is due.
    async fn read(&self, shared: &Shared) -> Result<(Vec<Due>, Option<Moment>), Error> {
        let (handlers_id, now) = (self.handlers_id, shared.store.clock().now());
        // What is taken is due as well, as far as the database knows.
        let (limit, cluster) = (LOADED_MAX + self.taken().len(), shared.cluster.clone());
        self.given_back().clear();
        let read = move |tx: &Tx<'_>| outcomes::due(tx, handlers_id, now, limit, |clients_id| cluster.owns(clients_id));
        let (mut due, next) = shared.store.read(read).await?;
        let (mut taken, given_back) = (self.taken(), self.given_back());
        // Whoever gave one back has woken this line: what is still due of it is read next time.
        due.retain(|one| !given_back.contains(&one.id) && taken.insert(one.id));
        Ok((due, next))
    }

    /// Has them told, as places become free.
    async fn tell(self: &Arc<Self>, shared: &Arc<Shared>, due: Vec<Due>, turn: u64) {
        for one in due {
            let rule = shared.rules.load().get(self.handlers_id).cloned().filter(|rule| rule.handler.is_running());
            let Some(rule) = rule.filter(|_| !shared.shutdown.has_begun()) else {
                self.give_back(one.id);
                continue;
            };
            // Never closed.
            let Ok(place) = Arc::clone(&self.places).acquire_many_owned(share(&rule.handler, &shared.cluster)).await else {
                return;
            };
            let Some(tenure) = shared.cluster.hold(one.clients_id, turn) else {
                self.give_back(one.id);
                continue;
            };
            let (line, shared) = (Arc::clone(self), Arc::clone(shared));
            shared.clone().runtime.spawn(async move { line.attempt(&shared, &rule, one, (place, tenure)).await });
        }
    }

    /// Tells it once, and leaves it settled: heard, dead, or due again.
    async fn attempt(
        self: Arc<Self>,
        shared: &Arc<Shared>,
        rule: &Rule,
        due: Due,
        (place, tenure): (OwnedSemaphorePermit, Tenure),
    ) {
        let _under_way = shared.shutdown.attempt();
        let began = shared.store.clock().now();
        let call = request(shared, rule, &due, began);
        let calling = shared.shutdown.unless_cut(shared.caller.call(&rule.handler, &call));
        let mut called = match tenure.unless_lost(calling).await {
            Some(Some(called)) => called,
            Some(None) => return,
            None => return self.give_back(due.id),
        };
        drop(place);
        let now = shared.store.clock().now();
        // Not later than now, though the clock was set back during this one.
        let first_at = due.first_at.unwrap_or(began).min(now);
        let again = |retry_after_ms| next(&due, first_at, now, retry_after_ms);
        let not_heard = |again: Option<Moment>, error| not_heard(&due, first_at, (again, now), error);
        let (status, error, change) = match judge(&called.result).masked(|| rule.mask.clone()) {
            Judged::Delivered => ("success", None, Change::Heard { id: due.id }),
            Judged::Hopeless { words } => ("failed", Some(words.clone()), not_heard(None, words)),
            Judged::Failed { words, retry_after_ms } => ("failed", Some(words.clone()), not_heard(again(retry_after_ms), words)),
        };
        let row = logged(rule, &due, began, &call, &called, status, error);
        called.ended(&row);
        let (id, fence) = (due.id, tenure.fence());
        let written: Then = Box::new(move |_| {
            self.give_back(id);
            drop(tenure);
        });
        shared.log.record(Record { row: Some(row), change: Some(change), fence, written: Some(written) }).await;
    }

    /// The handler is gone, and what it was owed.
    async fn end(&self, shared: &Shared) {
        shared.lines().remove(&self.handlers_id);
        let handlers_id = self.handlers_id;
        let deleted = shared.store.write(move |tx| outcomes::delete_of_gone(tx, handlers_id)).await;
        if let Err(error) = deleted {
            tracing::error!(%error, handlers_id, "outcomes of a handler that is gone could not be deleted; they are at the next start");
        }
    }
}

async fn until(shared: &Shared, due: Option<Moment>) {
    match due {
        Some(due) => shared.store.clock().sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// How many of the line's places one call takes: fewer calls at once for a handler of low concurrency, which all nodes share.
fn share(handler: &Handler, cluster: &Cluster) -> u32 {
    IN_FLIGHT_MAX.div_ceil(cluster.part_of(handler.concurrency).clamp(1, IN_FLIGHT_MAX))
}

fn request(shared: &Shared, rule: &Rule, due: &Due, now: Moment) -> Call {
    Call {
        event_id: due.event_id,
        events_id: rule.names.name(due.kind),
        stage: Stage::Outcome,
        object_id: due.object_id,
        attempt: u32::try_from(due.attempt.saturating_add(1)).unwrap_or(u32::MAX),
        body: rule.names.body(due.kind, payload(due).to_string().into()),
        timeout: Duration::from_millis(u64::from(rule.handler.timeout_ms)),
        deadline_ms: None,
        cause_header: shared.causes.header(due.event_id, rule.handler.id),
        trace: shared.caller.traces().of_event(due.trace, due.event_id).child(),
        resend: due.resend,
        now,
        reseller_bound: rule.handler.companies_id.is_some(),
    }
}

/// The head of what it was asked, and how it ended. The data is left out: it may hold passwords, and the handler had it.
fn payload(due: &Due) -> Value {
    // Both texts are ours.
    let mut head: Object = serde_json::from_str(&due.head).unwrap_or_default();
    if let Some(seq) = due.seq {
        head.insert("seq".into(), seq.into());
    }
    let by = due.ended_by.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let state = if due.seq.is_some() { "committed" } else { "aborted" };
    json!({"event": head, "outcome": {"state": state, "by": by, "message": due.message}})
}

fn next(due: &Due, first_at: Moment, now: Moment, retry_after_ms: Option<i64>) -> Option<Moment> {
    let attempts = due.attempt + 1;
    retry::next(Failure { attempts, first_at, now, retries: None, retry_after_ms, chance: retry::chance() })
}

fn not_heard(due: &Due, first_at: Moment, (again, now): (Option<Moment>, Moment), error: String) -> Change {
    let (dead, next_at) = (again.is_none(), again.unwrap_or(now));
    Change::NotHeard { id: due.id, failed: Failed { dead, attempt: due.attempt + 1, next_at, first_at, error } }
}

fn logged(
    rule: &Rule,
    due: &Due,
    began: Moment,
    call: &Call,
    called: &Called,
    status: &'static str,
    error: Option<String>,
) -> executions::Ended {
    let about = About {
        event_id: due.event_id,
        kind: due.kind,
        stage: Stage::Outcome,
        object_id: due.object_id,
        clients_id: due.clients_id,
        companies_id: due.companies_id,
        attempt: due.attempt + 1,
        dt: began,
    };
    let passwords = row::passwords_in_reply(due.kind, called);
    let ending = Ending { status, error, request: Some(&call.body), called: Some(called), changes: None, passwords: &passwords };
    row::of(rule, about, ending)
}
