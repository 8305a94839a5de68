//! One attempt to deliver: the call, what its end means, and what is written down about it.
use std::{sync::Arc, time::Duration};

use hookswitch_cluster::Tenure;
use hookswitch_model::{
    Object,
    event::{self, Stage},
    handler::Ordering,
    moment::Moment,
};
use hookswitch_store::tables::{
    deliveries::{self, Failed},
    executions,
    told::Told,
};

use super::{
    judge::{Judged, judge},
    lanes::{Ended, Place},
    queue::{Delivery, Queue},
};
use crate::{
    call::{Call, Called},
    condition::{self, Outcome},
    log::{
        Change, Counts, Record, Then,
        row::{self, About, Ending},
    },
    retry::{self, Failure},
    rules::{Rule, is_balance},
};

/// Tries a delivery once, and leaves it settled: done, dead, or due again; or held back, if calls about its client are; or where it
/// was, if it is not this node's to try.
pub(super) async fn attempt(queue: &Arc<Queue>, place: Place, mut delivery: Delivery) {
    let rule = queue.rule.load_full();
    let Some(tenure) = queue.shared.cluster.hold(delivery.event.clients_id, delivery.turn) else {
        return queue.put_back(place, delivery.id);
    };
    if was_replaced(queue, &rule, &delivery).await {
        return queue.put_back(place, delivery.id);
    }
    if is_balance(delivery.event.kind) && delivery.attempt == 0 {
        match wanted(&rule, &delivery).await {
            Outcome::Holds => {}
            Outcome::Fails => return settle(queue, place, &delivery, tenure, None, (Ended::Over, done(&rule, &delivery))).await,
            Outcome::CallAnyway(words) => delivery.note = Some(condition::note(&words)),
        }
    }
    let clients_id = delivery.event.clients_id;
    if queue.holds(clients_id) {
        return queue.hold_back(place, delivery.id, clients_id);
    }
    let began = queue.shared.store.clock().now();
    let call = request(queue, &rule, &delivery, began);
    let telling = queue.shared.loops.telling(clients_id, rule.handler.id);
    let calling = queue.shared.shutdown.unless_cut(queue.shared.caller.call(&rule.handler, &call));
    let mut called = match tenure.unless_lost(calling).await {
        Some(Some(called)) => called,
        Some(None) => return queue.broken_off(place, delivery.id),
        None => return queue.put_back(place, delivery.id),
    };
    drop(telling);
    let now = queue.shared.store.clock().now();
    let told = || delivery.event.payload.passwords_told(rule.handler.passwords).iter().map(String::as_str);
    let judged = judge(&called.result).masked(|| rule.mask.clone().and(told()));
    let (status, error, ended, change) = match judged {
        Judged::Delivered => ("success", None, Ended::Over, done(&rule, &delivery)),
        Judged::Hopeless { words } => {
            let change = failed(&delivery, (began, now), None, words.clone());
            ("failed", Some(words), Ended::Over, change)
        }
        Judged::Failed { words, retry_after_ms } => {
            let due = next(&rule, &delivery, began, now, retry_after_ms);
            let change = failed(&delivery, (began, now), due, words.clone());
            ("failed", Some(words), due.map_or(Ended::Over, Ended::Again), change)
        }
    };
    queue.shared.calls.count(status, Some(called.took));
    queue.note(status == "success", error.as_deref());
    let row = logged(&rule, &delivery, began, &call, &called, status, error);
    called.ended(&row);
    settle(queue, place, &delivery, tenure, Some(row), (ended, change)).await;
}

/// True if a newer event stands for it by now. Where there is one writer the lane is told with the commit; several commit at the same
/// time, here and on other nodes, so the row itself is asked. Without an answer it is told: once too often is no harm.
async fn was_replaced(queue: &Queue, rule: &Rule, delivery: &Delivery) -> bool {
    let store = &queue.shared.store;
    if rule.handler.ordering != Ordering::Latest || delivery.attempt > 0 || !store.has_several_writers() {
        return false;
    }
    let id = delivery.id;
    let there = store.read(move |tx| deliveries::is_there(tx, id)).await;
    there.is_ok_and(|is_there| !is_there)
}

/// A balance handler's condition, weighed on what it would be told.
async fn wanted(rule: &Rule, delivery: &Delivery) -> Outcome {
    let Some(condition) = &rule.condition else { return Outcome::Holds };
    match serde_json::from_slice::<Object>(&delivery.event.payload.masked) {
        Ok(payload) => condition.evaluate(&payload).await,
        Err(error) => Outcome::CallAnyway(format!("the event can't be read: {error}")),
    }
}

fn request(queue: &Queue, rule: &Rule, delivery: &Delivery, now: Moment) -> Call {
    let event = &delivery.event;
    Call {
        event_id: event.id,
        events_id: rule.names.name(event.kind),
        stage: Stage::After,
        object_id: event.object_id,
        attempt: u32::try_from(delivery.attempt.saturating_add(1)).unwrap_or(u32::MAX),
        body: rule.names.body(event.kind, event.payload.for_handler(rule.handler.passwords)),
        timeout: Duration::from_millis(u64::from(rule.handler.timeout_ms)),
        deadline_ms: None,
        cause_header: queue.shared.causes.header(event.id, rule.handler.id),
        trace: queue.shared.caller.traces().of_event(event.trace, event.id).child(),
        resend: delivery.resend,
        now,
        reseller_bound: rule.handler.companies_id.is_some(),
    }
}

fn next(rule: &Rule, delivery: &Delivery, began: Moment, now: Moment, retry_after_ms: Option<i64>) -> Option<Moment> {
    // While the handler is left alone no time counts, though a probe is made now and then.
    let first_at = first_at(delivery, began, now).0.saturating_add(rule.handler.stood_still(now));
    retry::next(Failure {
        attempts: delivery.attempt + 1,
        first_at: Moment(first_at).min(now),
        now,
        retries: rule.handler.retries.as_deref(),
        retry_after_ms,
        chance: retry::chance(),
    })
}

/// When the first attempt was made; not later than now, though the clock was set back during this one.
fn first_at(delivery: &Delivery, began: Moment, now: Moment) -> Moment {
    delivery.first_at.unwrap_or(began).min(now)
}

fn done(rule: &Rule, delivery: &Delivery) -> Change {
    let event = &delivery.event;
    let forget = event.payload.clear.is_some().then_some(event.events_row);
    let begins = *event.kind == event::CLIENTS_CREATE;
    let told = Told { handlers_id: rule.handler.id, clients_id: event.clients_id, seq: event.seq, begins, resync: event.resync };
    Change::Done { id: delivery.id, forget, told }
}

fn failed(delivery: &Delivery, (began, now): (Moment, Moment), due: Option<Moment>, error: String) -> Change {
    let (dead, next_at, first_at) = (due.is_none(), due.unwrap_or(began), first_at(delivery, began, now));
    Change::Failed { id: delivery.id, failed: Failed { dead, attempt: delivery.attempt + 1, next_at, first_at, error } }
}

fn logged(
    rule: &Rule,
    delivery: &Delivery,
    began: Moment,
    call: &Call,
    called: &Called,
    status: &'static str,
    error: Option<String>,
) -> executions::Ended {
    let event = &delivery.event;
    let about = About {
        event_id: event.id,
        kind: event.kind,
        stage: Stage::After,
        object_id: event.object_id,
        clients_id: event.clients_id,
        companies_id: event.companies_id,
        attempt: delivery.attempt + 1,
        dt: began,
    };
    let told = event.payload.passwords_told(rule.handler.passwords);
    let passwords: Vec<String> = told.iter().cloned().chain(row::passwords_in_reply(event.kind, called)).collect();
    // The journal has the very same body, unless something secret must be masked in it or the event has another name there.
    let is_in_journal = passwords.is_empty() && !rule.names.rename(event.kind) && rule.mask.finds_nothing(&event.payload.masked);
    let error = [delivery.note.clone().filter(|_| delivery.attempt == 0), error];
    let ending = Ending {
        status,
        error: error.into_iter().flatten().reduce(|note, error| format!("{note}; {error}")),
        request: (!is_in_journal).then_some(&call.body),
        called: Some(called),
        changes: None,
        passwords: &passwords,
    };
    row::of(rule, about, ending)
}

/// Tells the lane at once, and the database in the next batch. Until then the client stays this node's.
async fn settle(
    queue: &Arc<Queue>,
    place: Place,
    delivery: &Delivery,
    tenure: Tenure,
    row: Option<executions::Ended>,
    (ended, change): (Ended, Change),
) {
    let (told, fence) = (Arc::clone(queue), tenure.fence());
    let written: Then = Box::new(move |counts| {
        told.written(place);
        if counts == Counts::No {
            told.start_over();
        }
        drop(tenure);
    });
    queue.ended(place, delivery.id, ended);
    queue.shared.log.record(Record { row, change: Some(change), fence, written: Some(written) }).await;
}
