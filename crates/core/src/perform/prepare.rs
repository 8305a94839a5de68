//! Step 1: the request's shape, its options (`dry_run`, `idempotency_key`), its cause, the id of what it makes.
use std::sync::Arc;

use hookswitch_cluster::Fence;
use hookswitch_model::{
    Object,
    event::{Cause, Mode, Reaction},
    moment::Moment,
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{
    Sequence,
    tables::search::{Kind, List},
};
use serde_json::Value;

use super::{At, Call, Import, idempotency};
use crate::{
    Core,
    access::{Caller, passwords},
    registry::{Act, Method, Run, Touches},
};

/// From this depth on a chain of causes is cut.
pub(super) const CAUSE_DEPTH_MAX: u32 = 8;

/// A request of good shape.
pub(super) struct Request {
    /// What is to be done.
    pub method: &'static Method,
    /// Its own parameters, checked and normalised.
    pub params: Object,
    /// The key under which its success is remembered.
    pub idempotency: Option<idempotency::Ticket>,
    /// Who, when, how.
    pub at: At,
    /// Before handlers are left out: the log says so.
    pub unasked: bool,
}

/// Checks the shape of a call and gathers its circumstances.
///
/// # Errors
/// `Invalid` with every wrong field, `cause_too_deep`, `access-denied` for an import that is not the caller's to make.
pub(super) async fn request(core: &Core, call: Call) -> Result<Request, Refusal> {
    let Call { method, mut params, caller, cause, idempotency_key, trace, total_below, fence, import } = call;
    let caller = if import.is_some() { Import::caller(method, &caller)? } else { caller };
    let mut errors = FieldErrors::new();
    let options = Options::take(method, &mut params, idempotency_key, &mut errors);
    let ticket = match &options.idempotency_key {
        Some(key) => idempotency::Ticket::new(core.store.vault(), &caller, method, key, &params, &mut errors),
        None => None,
    };
    let mut at = circumstances(core, caller, if options.dry_run { Mode::DryRun } else { Mode::Live }, total_below);
    (at.fence, at.trace) = (fence, trace);
    let mut params = match method.check(&params) {
        Ok(checked) => errors.or(checked)?,
        Err(wrong) => {
            errors.merge(wrong);
            let further = further_errors(core, method, &at, params, &errors).await;
            errors.merge(further);
            return Err(errors.into());
        }
    };
    if let Some(list) = method.takes.list() {
        dates_as_moments(list, &mut params, at.access.timezone(&at.caller));
    }
    hash_password(method, &mut params).await?;
    if let Some(header) = cause.filter(|_| method.changes()) {
        at.cause = cause_of(core, &header).await?;
    }
    if let (Run::Act(act), Mode::Live) = (&method.run, at.mode) {
        take_ids(core, act, &mut at).await?;
    }
    Ok(Request { method, params, idempotency: ticket, at, unasked: Import::is_unasked(import) })
}

/// Who, when, seeing what.
pub(super) fn circumstances(core: &Core, caller: Arc<Caller>, mode: Mode, total_below: Option<i64>) -> At {
    At {
        caller,
        access: core.access.now(),
        now: core.store.clock().now(),
        era: core.store.era(),
        mode,
        cause: None,
        trace: None,
        new_id: 0,
        fee_ids: Vec::new(),
        schedule: core.schedule.clone(),
        resyncs: core.resyncs.clone(),
        vault: core.store.vault().clone(),
        handlers: core.hooks.checks(),
        total_below,
        fence: Fence::NONE,
    }
}

/// The ids of what it makes, before anybody is asked: that of its object, and those of its fees.
async fn take_ids(core: &Core, act: &Act, at: &mut At) -> Result<(), Refusal> {
    if let Some(sequence) = act.new_id {
        at.new_id = core.store.next_id(sequence).await?;
    }
    for _ in 0..act.fees {
        at.fee_ids.push(core.store.next_id(Sequence::Transactions).await?);
    }
    Ok(())
}

/// A date among the filters means its first moment in the caller's time zone. What is no date is left for the list to judge.
fn dates_as_moments(list: &List, filters: &mut Object, timezone: &str) {
    let of_time = |name: &str| {
        let column = name.strip_suffix("_from").or(name.strip_suffix("_to")).unwrap_or(name);
        let is_time = |name: &str| list.columns.iter().any(|known| known.name == name && known.kind == Kind::Time);
        is_time(name) || is_time(column)
    };
    for (_, value) in filters.iter_mut().filter(|(name, _)| of_time(name)) {
        if let Some(moment) = value.as_str().and_then(|text| Moment::parse_date(text, timezone)) {
            *value = moment.iso().into();
        }
    }
}

/// What is wrong with the good fields of a request that has wrong ones, by the present state: one answer names it all.
async fn further_errors(core: &Core, method: &Method, at: &At, mut params: Object, wrong: &FieldErrors) -> FieldErrors {
    let Run::Act(act) = &method.run else { return FieldErrors::new() };
    params.retain(|name, _| !wrong.names(name));
    for field in method.takes.fields().iter().filter(|field| field.required && wrong.names(field.name)) {
        params.insert(field.name.to_owned(), field.stand_in());
    }
    let Ok(checked) = method.check(&params) else { return FieldErrors::new() };
    let (at, draft) = (at.clone(), act.draft);
    match core.store.read(move |tx| draft(tx, &at, &checked).map(drop)).await {
        Err(Refusal::Invalid(errors)) => errors,
        _ => FieldErrors::new(),
    }
}

/// A user's password is hashed before any transaction: that takes tens of milliseconds on purpose.
async fn hash_password(method: &Method, params: &mut Object) -> Result<(), Refusal> {
    let of_a_user = matches!(&method.run, Run::Act(act) if act.touches == Touches::Access);
    if let (true, Some(Value::String(password))) = (of_a_user, params.get_mut("password")) {
        *password = passwords::hash(std::mem::take(password)).await?;
    }
    Ok(())
}

struct Options {
    dry_run: bool,
    idempotency_key: Option<String>,
}

impl Options {
    /// Takes the options out of the parameters. `dry_run` is a field of handlers: with their methods it means that
    /// field, so that saving a handler can't be rehearsed (nothing would be asked about it anyway).
    fn take(method: &Method, params: &mut Object, header: Option<String>, errors: &mut FieldErrors) -> Self {
        let mut options = Self { dry_run: false, idempotency_key: header };
        if !method.changes() {
            options.idempotency_key = None;
            return options;
        }
        if method.rehearses() {
            match params.shift_remove("dry_run") {
                None | Some(Value::Bool(false)) => {}
                Some(Value::Bool(true)) => options.dry_run = true,
                Some(_) => errors.add("dry_run", "must be true or false"),
            }
        }
        if method.idempotent {
            match params.shift_remove("idempotency_key") {
                None | Some(Value::Null) => {}
                Some(Value::String(key)) if options.idempotency_key.as_ref().is_some_and(|header| *header != key) => {
                    errors.add("idempotency_key", "differs from the header Idempotency-Key");
                }
                Some(Value::String(key)) => options.idempotency_key = Some(key),
                Some(_) => errors.add("idempotency_key", "must be a text"),
            }
        } else {
            options.idempotency_key = None;
        }
        options
    }
}

/// The cause behind a header, with its depth; a false or forgotten one is none.
async fn cause_of(core: &Core, header: &str) -> Result<Option<Cause>, Refusal> {
    let Some((event_id, handlers_id)) = core.hooks.read_cause(header) else { return Ok(None) };
    let above = core.hooks.cause_behind(event_id).await?;
    let above = above.as_ref().and_then(Cause::reaction);
    let (depth, mut handlers) = above.map_or((0, Vec::new()), |reaction| (reaction.depth, reaction.handlers.clone()));
    if depth + 1 >= CAUSE_DEPTH_MAX {
        core.hooks.too_deep(event_id, handlers_id);
        let message = format!("this is reaction number {} to reactions of handlers; the chain is cut here", depth + 1);
        return Err(Refusal::rule("cause_too_deep", message));
    }
    if !handlers.contains(&handlers_id) {
        handlers.push(handlers_id);
    }
    Ok(Some(Cause::Reaction(Reaction { event_id, handlers_id, depth: depth + 1, handlers })))
}

/// A request is shared by its askings and commits.
pub(super) type Shared = Arc<Request>;
