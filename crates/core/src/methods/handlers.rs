//! `provisioning.handlers.*`: who is asked and who is told. A saved handler counts from the next event on.
use hookswitch_hooks::call::sql;
use hookswitch_model::{
    Object,
    event::Stage,
    field::Field,
    handler::{self, Handler, Paused, Status},
    objects::resync,
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Tx, tables};
use serde_json::Value;

use super::{params, resyncs, sample, trials};
use crate::{
    Core,
    access::Right,
    perform::{At, Draft, Write, Written},
    registry::{Act, Gives, Method, Steered, Takes, Touches},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "provisioning.handlers";

/// How long the old secret signs beside the new one.
const OLD_SECRET_HOURS: i64 = 24;

const fn act(draft: fn(&Tx, &At, &Object) -> Result<Draft, Refusal>) -> Act {
    Act::of_configuration(draft).touching(Touches::Handlers)
}

/// What is shown once.
const SECRET: &[Field] = &[Field::line("secret", 128, "The signing secret; never shown again").read_only()];
/// What a reseller's user sees of a system handler, so that a refusal can be understood.
const SYSTEM_HANDLER: &[&str] = &["id", "name"];
const PAUSE: &[Field] = &[Field::ID, Field::REASON];

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "provisioning.handlers.create",
        "Saves a new handler; its signing secret is returned here and by rotate_secret only",
        Takes::Fields(handler::FIELDS),
        Gives::ObjectAnd(handler::FIELDS, SECRET),
        act(create).making(Sequence::Handlers),
    )
    .by(Right::Administer)
    .checking(handler::check_create)
    .hiding(&["secret"]),
    Method::reads(
        "provisioning.handlers.get",
        "Gives a handler",
        Takes::Fields(params::ID),
        Gives::ObjectOr(handler::FIELDS, SYSTEM_HANDLER),
        get,
    ),
    Method::reads(
        "provisioning.handlers.search",
        "Lists handlers",
        Takes::Filters(&tables::handlers::LIST),
        Gives::Rows(handler::FIELDS),
        |tx, at, given| tables::handlers::search(tx, &at.vault, &at.asked(given)),
    ),
    Method::acts(
        "provisioning.handlers.update",
        "Changes a handler",
        Takes::Changes(handler::FIELDS),
        Gives::Object(handler::FIELDS),
        act(update),
    )
    .by(Right::Administer)
    .checking(handler::check_update),
    Method::acts(
        "provisioning.handlers.delete",
        "Deletes a handler; with waiting deliveries only with force, which discards them",
        Takes::Fields(params::ID_AND_FORCE),
        Gives::Count,
        act(delete),
    )
    .by(Right::Administer),
    Method::acts(
        "provisioning.handlers.rotate_secret",
        "Gives a handler a new signing secret; the old one signs beside it for 24 hours",
        Takes::Fields(params::ID),
        Gives::ObjectAnd(handler::FIELDS, SECRET),
        act(rotate_secret),
    )
    .by(Right::Administer)
    .hiding(&["secret"]),
    Method::acts(
        "provisioning.handlers.pause",
        "Sends nothing to an after handler until it is resumed; its events wait",
        Takes::Fields(PAUSE),
        Gives::Object(handler::FIELDS),
        act(pause),
    ),
    Method::acts(
        "provisioning.handlers.resume",
        "Sends again to a paused handler",
        Takes::Fields(params::ID),
        Gives::Object(handler::FIELDS),
        act(resume),
    ),
    Method::steers(
        "provisioning.handlers.test",
        "Calls a handler with a sample or a past event: the verdict and what it would change; nothing is stored",
        Takes::Fields(sample::FIELDS),
        Gives::Other(sample::trial),
        test,
    ),
    Method::steers(
        "provisioning.handlers.resync",
        "Tells a handler how the chosen objects stand now: counts them, begins, and goes on by itself",
        Takes::Fields(resync::REQUEST),
        Gives::Other(resyncs::begin::begun),
        resyncs::begin::resync,
    ),
    Method::steers(
        "provisioning.handlers.backtest",
        "Asks a before handler about the last events of the journal: what it would have decided; nothing is stored",
        Takes::Fields(trials::BACKTEST),
        Gives::Other(trials::backtest_schema),
        trials::backtest,
    ),
    Method::steers(
        "provisioning.handlers.shadow",
        "Tells what a before handler would have decided that was asked as a shadow, out of the log",
        Takes::Fields(trials::SHADOW),
        Gives::Other(trials::shadow_schema),
        trials::shadow,
    )
    .by(Right::Read),
];

/// A handler within the caller's reach: a reseller's user has its own reseller's and those below.
pub(super) fn reached(tx: &Tx, at: &At, id: i64) -> Result<Handler, Refusal> {
    tables::handlers::get(tx, &at.vault, id)?
        .filter(|handler| is_reached(at, handler))
        .ok_or_else(|| Refusal::not_found(OBJECT, id))
}

/// True if a handler is within the caller's reach.
pub(crate) fn is_reached(at: &At, handler: &Handler) -> bool {
    is_in_reach(at, handler.companies_id)
}

/// The same by the handler's reseller.
pub(crate) fn is_in_reach(at: &At, companies_id: Option<i64>) -> bool {
    match companies_id {
        None => at.caller.companies_id.is_none(),
        Some(companies_id) => at.access.sees(&at.caller, companies_id),
    }
}

/// A handler that the caller may change: a reseller's admin his own reseller's only.
fn owned(tx: &Tx, at: &At, id: i64) -> Result<Handler, Refusal> {
    let handler = reached(tx, at, id)?;
    if at.caller.companies_id.is_some() && handler.companies_id != at.caller.companies_id {
        return Err(Refusal::AccessDenied("this handler belongs to another reseller".to_owned()));
    }
    Ok(handler)
}

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    match reached(tx, at, id) {
        Ok(handler) => Ok(handler.shown().into()),
        Err(refusal) => system_handler_name(tx, at, id)?.ok_or(refusal),
    }
}

/// [`SYSTEM_HANDLER`] of one.
fn system_handler_name(tx: &Tx, at: &At, id: i64) -> Result<Option<Value>, Refusal> {
    let handler = tables::handlers::get(tx, &at.vault, id)?.filter(|handler| handler.companies_id.is_none());
    Ok(handler.map(|handler| {
        let mut shown = handler.shown();
        shown.retain(|name, _| SYSTEM_HANDLER.contains(&name.as_str()));
        shown.into()
    }))
}

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut request = request.clone();
    if !request.contains_key("companies_id")
        && let Some(own) = at.caller.companies_id
    {
        request.insert("companies_id".into(), own.into());
    }
    let mut handler = Handler::from_checked(at.new_id, &request)?;
    handler.secret = at.handlers.new_secret()?;
    check(at, &handler)?;
    let warnings = warnings(tx, at, &handler)?;
    let mut shown = handler.shown();
    shown.insert("secret".into(), handler.secret.clone().into());
    let write: Write = Box::new(move |tx, at| {
        tables::handlers::insert(tx, &at.vault, &handler)?;
        changed(tx, warnings)
    });
    Ok(Draft::silent(shown.into(), write))
}

/// What can't work is refused when it is saved, naming the field.
fn check(at: &At, handler: &Handler) -> Result<(), Refusal> {
    if at.caller.companies_id.is_some() && handler.is_script() {
        // Before anything looks at the disk: which scripts there are is none of a reseller's business.
        return Err(Refusal::AccessDenied("only users of the whole system may configure scripts".to_owned()));
    }
    if at.caller.companies_id.is_some() && sql::is_file(&handler.task) {
        return Err(Refusal::AccessDenied("only users of the whole system may configure files of this machine".to_owned()));
    }
    let mut errors = at.handlers.validate(handler);
    match (at.caller.companies_id, handler.companies_id) {
        (Some(own), wanted) if wanted != Some(own) => errors.add("companies_id", "must be your own reseller"),
        (_, Some(wanted)) if at.access.reseller(wanted).is_none() => errors.add("companies_id", "does not exist"),
        _ => {}
    }
    errors.or(())
}

/// Order is kept within a handler, never between handlers: two with one task are worth a word.
fn warnings(tx: &Tx, at: &At, handler: &Handler) -> Result<Vec<String>, Refusal> {
    // One mail server serves many rooms and readers.
    let is_alone = handler.stage != Stage::After || handler.kind().is_for_people();
    if is_alone || handler.status == Status::Archived {
        return Ok(Vec::new());
    }
    let same = tables::handlers::all(tx, &at.vault)?;
    let twin = same.into_iter().find(|other| {
        other.id != handler.id
            && other.stage == Stage::After
            && other.status != Status::Archived
            && other.task == handler.task
            && other.args == handler.args
            && other.companies_id == handler.companies_id
    });
    Ok(twin
        .map(|twin| {
            format!(
                "handler {} ({}) has the same task: order is kept within a handler, never between handlers; \
                 events that belong together go into one handler",
                twin.id, twin.name
            )
        })
        .into_iter()
        .collect())
}

fn changed(tx: &mut Tx, warnings: Vec<String>) -> Result<Written, Refusal> {
    tables::versions::bump(tx, tables::versions::HANDLERS)?;
    Ok(Written { warnings, ..Written::as_drafted() })
}

fn update(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = owned(tx, at, params::id(request))?;
    if let Some(version) = params::integer(request, "version").filter(|version| *version != old.version) {
        let message = format!("the handler was changed meanwhile: yours is version {version}, it is {} now", old.version);
        return Err(Refusal::conflict(message));
    }
    let mut handler = old.clone();
    handler.apply(request)?;
    if handler == old {
        return Ok(Draft::nothing(old.shown().into()));
    }
    if handler.stage != old.stage && tables::deliveries::count_of_handler(tx, old.id)? > 0 {
        return Err(Refusal::conflict(
            "deliveries wait for this handler; resend or discard them before it becomes a before handler",
        ));
    }
    if handler.stage != old.stage && tables::outcomes::count_of_handler(tx, old.id)? > 0 {
        return Err(Refusal::conflict(
            "outcomes wait for this handler; resend or discard them before it becomes an after handler",
        ));
    }
    check(at, &handler)?;
    let warnings = if handler.task == old.task { Vec::new() } else { warnings(tx, at, &handler)? };
    save(old, handler, warnings)
}

/// Drafts the saving of a changed handler; its waiting deliveries' clocks stand still with it.
fn save(old: Handler, mut handler: Handler, warnings: Vec<String>) -> Result<Draft, Refusal> {
    handler.version += 1;
    let preview = handler.shown().into();
    let write: Write = Box::new(move |tx, at| {
        stand_or_go(tx, at, &old, &mut handler)?;
        tables::handlers::update(tx, &at.vault, &handler)?;
        changed(tx, warnings)
    });
    Ok(Draft::silent(preview, write))
}

/// Notes since when a handler stands still; when it goes again, moves its deliveries on by that time.
fn stand_or_go(tx: &mut Tx, at: &At, old: &Handler, new: &mut Handler) -> Result<(), Refusal> {
    match (old.is_running(), new.is_running()) {
        (true, false) => new.still_since = Some(at.now),
        (false, true) if new.still_since.is_some() => {
            let stood_still = new.stood_still(at.now);
            new.still_since = None;
            match &old.paused {
                Some(paused) if paused.probed => tables::deliveries::back_again(tx, new.id, stood_still)?,
                _ => tables::deliveries::move_on(tx, new.id, stood_still)?,
            }
            tables::outcomes::move_on(tx, new.id, stood_still)?;
        }
        _ => {}
    }
    Ok(())
}

fn delete(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let handler = owned(tx, at, params::id(request))?;
    let force = request.get("force") == Some(&Value::Bool(true));
    let waiting = tables::deliveries::count_of_handler(tx, handler.id)?;
    if waiting > 0 && !force {
        let message = format!("{waiting} deliveries wait for this handler; delete it with force to discard them");
        return Err(Refusal::conflict(message));
    }
    let owed = tables::outcomes::count_of_handler(tx, handler.id)?;
    if owed > 0 && !force {
        let message = format!("{owed} outcomes wait for this handler; delete it with force to discard them");
        return Err(Refusal::conflict(message));
    }
    let write: Write = Box::new(move |tx, at| {
        hookswitch_hooks::after::discard_all(tx, &handler, at.caller.login())?;
        tables::resyncs::end_of_handler(tx, handler.id, "the handler was deleted")?;
        hookswitch_hooks::outcome::discard_all(tx, &handler, at.caller.login())?;
        tables::handlers::delete(tx, handler.id)?;
        changed(tx, Vec::new())
    });
    Ok(Draft::silent(1.into(), write))
}

fn rotate_secret(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = owned(tx, at, params::id(request))?;
    let mut handler = old.clone();
    handler.secret = at.handlers.new_secret()?;
    handler.old_secret = Some((old.secret, at.now.plus_millis(OLD_SECRET_HOURS * 3_600_000)));
    handler.version += 1;
    let mut shown = handler.shown();
    shown.insert("secret".into(), handler.secret.clone().into());
    let write: Write = Box::new(move |tx, at| {
        tables::handlers::update(tx, &at.vault, &handler)?;
        changed(tx, Vec::new())
    });
    Ok(Draft::silent(shown.into(), write))
}

fn pause(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = reached(tx, at, params::id(request))?;
    if old.stage == Stage::Before {
        return Err(Refusal::field("id", "only after handlers can be paused; disable a before handler instead"));
    }
    // The breaker's pause ends by itself: who pauses by hand means it to last.
    if old.paused.as_ref().is_some_and(|paused| !paused.probed) {
        return Ok(Draft::nothing(old.shown().into()));
    }
    let reason = params::text(request, "reason").unwrap_or("maintenance");
    let paused = Some(Paused::by_hand(at.caller.login(), at.now, reason));
    let handler = Handler { paused, ..old.clone() };
    save(old, handler, Vec::new())
}

fn resume(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let old = reached(tx, at, params::id(request))?;
    if old.paused.is_none() {
        return Ok(Draft::nothing(old.shown().into()));
    }
    let handler = Handler { paused: None, ..old.clone() };
    save(old, handler, Vec::new())
}

fn test(core: &Core, at: At, request: Object) -> Steered<'_> {
    Box::pin(async move {
        let (handler, event) = core.store.read(move |tx| subject_of_test(tx, &at, &request)).await?;
        Ok(core.hooks.before.test(&handler, event).await.shown())
    })
}

/// The handler to try, saved or not, and the event to try it with.
fn subject_of_test(tx: &Tx, at: &At, request: &Object) -> Result<(Handler, hookswitch_model::event::Event), Refusal> {
    let handler = saved_or_not(tx, at, request)?;
    let event = sample::event_for(tx, at, &handler, request)?;
    Ok((handler, event))
}

/// The handler that a request names by `id`, perhaps with `changes`, or describes in `handler`.
pub(super) fn saved_or_not(tx: &Tx, at: &At, request: &Object) -> Result<Handler, Refusal> {
    let given = |name: &str| request.get(name).filter(|value| !value.is_null());
    match (given("id").and_then(Value::as_i64), given("handler"), given("changes")) {
        (Some(id), None, None) => reached(tx, at, id),
        (None, Some(Value::Object(fields)), None) => unsaved(at, fields),
        (Some(id), None, Some(Value::Object(changes))) => changed_but_not_saved(tx, at, id, changes),
        _ => {
            let words = "give the id of a saved handler, perhaps with `changes`, or the fields of one in `handler`";
            Err(Refusal::field("id", words))
        }
    }
}

/// Errors of fields that stand in a parameter.
fn nested(within: &str, errors: &FieldErrors) -> FieldErrors {
    let mut all = FieldErrors::new();
    errors.iter().for_each(|(field, message)| all.add(&format!("{within}.{field}"), message));
    all
}

fn nested_refusal(within: &str, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Invalid(errors) => nested(within, &errors).into(),
        other => other,
    }
}

/// A saved handler as it would be with these changes: its masked headers and its secret are known.
fn changed_but_not_saved(tx: &Tx, at: &At, id: i64, changes: &Object) -> Result<Handler, Refusal> {
    at.caller.demand(Right::Administer)?;
    let mut handler = owned(tx, at, id)?;
    let mut changes = changes.clone();
    changes.insert("id".to_owned(), id.into());
    let checked = handler::check_update(&changes).map_err(|errors| nested("changes", &errors))?;
    handler.apply(&checked).map_err(|errors| nested("changes", &errors))?;
    check(at, &handler).map_err(|refusal| nested_refusal("changes", refusal))?;
    Ok(handler)
}

fn unsaved(at: &At, fields: &Object) -> Result<Handler, Refusal> {
    at.caller.demand(Right::Administer)?;
    let mut checked = handler::check_create(fields).map_err(|errors| nested("handler", &errors))?;
    if let (false, Some(own)) = (checked.contains_key("companies_id"), at.caller.companies_id) {
        checked.insert("companies_id".into(), own.into());
    }
    let mut handler = Handler::from_checked(0, &checked).map_err(|errors| nested("handler", &errors))?;
    handler.secret = at.handlers.new_secret()?;
    check(at, &handler).map_err(|refusal| nested_refusal("handler", refusal))?;
    Ok(handler)
}
