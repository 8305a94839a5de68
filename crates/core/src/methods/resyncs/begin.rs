//! `provisioning.handlers.resync`: what is asked for is checked and counted, then it begins; the rest is its runner's.
use std::{sync::Arc, time::Duration};

use hookswitch_hooks::{condition::Condition, rules::Rule};
use hookswitch_model::{
    Object,
    event::{Mode, Stage},
    handler::Handler,
    objects::resync::{Place, RATE, Resync, Selection, State},
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Subject, Tx, tables};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    Core,
    methods::{handlers, params},
    perform::At,
    registry::Steered,
    resync::{
        count::{Counted, Counting},
        state_to_go_on,
    },
};

/// So long a caller waits for the number of events of what has begun; it is counted on without him.
const COUNT_WITHIN: Duration = Duration::from_secs(2);
/// So long a caller waits who wants nothing but the number.
const COUNT_ONLY_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at what is being counted.
const LOOK: Duration = Duration::from_millis(20);

/// `{id, total}`.
pub(crate) fn begun() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": {"type": ["integer", "null"], "description": "The resync; null if it was only counted"},
            "total": {"type": ["integer", "null"], "description": "How many events it has; null while that is still counted"},
        },
        "required": ["id", "total"],
    })
}

/// `provisioning.handlers.resync`.
pub(crate) fn resync(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let wanted = wanted(core, &at, &request).await?;
        let count_only = at.mode == Mode::DryRun || request.get("count_only") == Some(&Value::Bool(true));
        match count_only {
            true => count_only_of(core, wanted).await,
            false => begin(core, at, wanted).await,
        }
    })
}

/// What is asked for: a resync that has not begun, and what it takes to count it.
struct Wanted {
    resync: Resync,
    counting: Counting,
}

async fn wanted(core: &Core, at: &At, request: &Object) -> Result<Wanted, Refusal> {
    let (reader, asked) = (at.clone(), request.clone());
    let (handler, selection) = core
        .store
        .read(move |tx| {
            let handler = handlers::reached(tx, &reader, params::id(&asked))?;
            let selection = selection(tx, &reader, &handler, &asked)?;
            Ok::<_, Refusal>((handler, selection))
        })
        .await?;
    may_be_told(&handler)?;
    let resync = Resync {
        id: 0,
        handlers_id: handler.id,
        scope_id: handler.companies_id,
        state: State::Counting,
        reason: None,
        selection,
        rate: params::integer(request, "rate").unwrap_or(RATE),
        total: None,
        sent: 0,
        lost: 0,
        place: Place::START,
        rows: None,
        actor: at.caller.actor.clone(),
        started: at.now,
        ended: None,
    };
    let counting = Counting::new(Arc::new(Rule::new(handler)), &resync.selection, Arc::clone(&at.access), at.vault.clone());
    let none = || {
        Refusal::field(
            "id",
            "the handler takes no event that tells how an object stands: a create, an update, an assign, an activate, a balance event",
        )
    };
    Ok(Wanted { counting: counting.ok_or_else(none)?, resync })
}

fn may_be_told(handler: &Handler) -> Result<(), Refusal> {
    if handler.stage == Stage::Before {
        return Err(Refusal::field("id", "only after handlers are told anything"));
    }
    if handler.kind().is_for_people() {
        return Err(Refusal::field("id", "e-mail and chat are for people: a resync would be a message for each object"));
    }
    match handler.is_called() {
        true => Ok(()),
        false => Err(Refusal::conflict(format!("the handler is {}; enable it first", handler.status.word()))),
    }
}

/// The selection, checked: whoever is named must be there, and the handler must hear of it.
fn selection(tx: &Tx, at: &At, handler: &Handler, request: &Object) -> Result<Selection, Refusal> {
    let mut errors = FieldErrors::new();
    let within = |companies_id: i64| handler.companies_id.is_none_or(|top| at.access.is_within(companies_id, top));
    let companies_id = params::integer(request, "companies_id");
    if let Some(id) = companies_id {
        let is_there = at.access.reseller(id).is_some() && at.access.sees(&at.caller, id);
        match is_there {
            false => errors.add("companies_id", "does not exist"),
            true if !within(id) && handler.companies_id.is_some_and(|own| !at.access.is_within(own, id)) => {
                errors.add("companies_id", "is neither above nor below the handler's reseller")
            }
            true => {}
        }
    }
    let clients_id = named_clients(tx, at, request, &within, &mut errors)?;
    let condition = params::text(request, "condition").unwrap_or_default().trim().to_owned();
    if let Some(unfit) = Some(&condition).filter(|text| !text.is_empty()).and_then(|text| Condition::compile(text).err()) {
        errors.add("condition", unfit.to_string());
    }
    errors.or(Selection { clients_id, companies_id, condition })
}

fn named_clients(
    tx: &Tx,
    at: &At,
    request: &Object,
    within: &impl Fn(i64) -> bool,
    errors: &mut FieldErrors,
) -> Result<Option<Vec<i64>>, Refusal> {
    let Some(Value::Array(named)) = request.get("clients_id") else { return Ok(None) };
    let mut ids: Vec<i64> = named.iter().filter_map(Value::as_i64).collect();
    if ids.is_empty() {
        // Nothing and everything must not look alike to a receiver that drops what was not named.
        errors.add("clients_id", "must name at least one client; leave it out for all");
    }
    ids.sort_unstable();
    ids.dedup();
    for id in &ids {
        let companies_id = tables::clients::company_of(tx, *id)?.filter(|of| at.access.sees(&at.caller, *of));
        match companies_id {
            None => errors.add("clients_id", format!("{id} does not exist")),
            Some(companies_id) if !within(companies_id) => {
                errors.add("clients_id", format!("{id} is not within the handler's reseller"));
            }
            Some(_) => {}
        }
    }
    Ok(Some(ids))
}

async fn count_only_of(core: &Core, wanted: Wanted) -> Result<Value, Refusal> {
    let total = if wanted.counting.takes_long() {
        let until = Instant::now() + COUNT_ONLY_WITHIN;
        match wanted.counting.one_by_one(core, || Instant::now() >= until).await? {
            Counted::All(total) => total,
            Counted::Part(part) => {
                let message = format!(
                    "takes more than {} s: there are more than {part} events; one that is begun is counted on without you",
                    COUNT_ONLY_WITHIN.as_secs()
                );
                return Err(Refusal::field("count_only", message));
            }
        }
    } else {
        by_database(core, wanted.counting).await?
    };
    Ok(json!({"id": null, "total": total}))
}

async fn by_database(core: &Core, counting: Counting) -> Result<i64, Refusal> {
    Ok(core.store.search(move |tx| counting.by_database(tx)).await?)
}

async fn begin(core: &Core, at: At, wanted: Wanted) -> Result<Value, Refusal> {
    let Wanted { mut resync, counting } = wanted;
    if !counting.takes_long() {
        resync.total = Some(by_database(core, counting).await?);
    }
    resync.state = state_to_go_on(&resync);
    resync.id = core.store.next_id(Sequence::Resyncs).await?;
    let (id, resyncs) = (resync.id, core.resyncs.clone());
    core.store
        .write(move |tx| {
            // No handler changes, and no resync: whoever moves one shares it.
            tx.lock(Subject::Configuration)?;
            let handler = handlers::reached(tx, &at, resync.handlers_id)?;
            may_be_told(&handler)?;
            make_way(tx, handler.id, id)?;
            tables::resyncs::insert(tx, &resync)?;
            resyncs.nudge(tx, id);
            Ok::<_, Refusal>(())
        })
        .await?;
    Ok(json!({"id": id, "total": total_of(core, id).await?}))
}

/// One resync of a handler at a time. One that only waits for somebody to see to what is dead gives way: the new one
/// tells all that again.
fn make_way(tx: &mut Tx, handlers_id: i64, id: i64) -> Result<(), Refusal> {
    let now = tx.now();
    for mut open in tables::resyncs::open_of_handler(tx, handlers_id)? {
        if open.state != State::Incomplete {
            let message = format!("resync {} of this handler is {}: wait for its end, or cancel it", open.id, open.state.word());
            return Err(Refusal::conflict(message));
        }
        open.end(State::Cancelled, Some(format!("resync {id} has taken its place")), now);
        tables::resyncs::update(tx, &open)?;
    }
    Ok(())
}

/// How many events it has, as soon as that is known, or nothing after a while.
async fn total_of(core: &Core, id: i64) -> Result<Option<i64>, Refusal> {
    let until = Instant::now() + COUNT_WITHIN;
    loop {
        let total = core.store.read(move |tx| tables::resyncs::get(tx, id)).await?.and_then(|resync| resync.total);
        if total.is_some() || Instant::now() >= until {
            return Ok(total);
        }
        tokio::time::sleep(LOOK).await;
    }
}
