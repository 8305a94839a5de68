//! The form sent: a new handler, a changed one, or one that is tried before it is saved. Where somebody else was faster, both are shown.
use axum::{extract::Path, response::Response};
use hookswitch_core::{Answer as Said, access::Right};
use hookswitch_model::{
    Object,
    handler::task::Kind,
    refusal::{FieldErrors, Refusal},
};
use serde_json::Value;

use super::{
    both, database, get_one, kinds, number, params, place, secret, settings,
    sheet::Sheet,
    task,
    trial::{self, Trial},
    typed,
};
use crate::{
    answer::{Answer, go_to, show, show_again, with_cookie},
    html::Html,
    notice::Notice,
    params::Params,
    parts::form::{Faults, fresh},
    session::Typed,
    visitor::Visitor,
};

/// What a new handler is, unless it is said otherwise.
const DEFAULTS: &[(&str, &str)] = &[
    ("type", "after"),
    ("status", "enabled"),
    ("scheme", "http"),
    ("method", "POST"),
    ("mode", "once"),
    ("order", "100"),
    ("timeout_ms", "3000"),
    ("on_failure", "forbid"),
    ("ordering", "per_client"),
    ("passwords", "true"),
    ("balance_basis", "live"),
];

fn sheet<'a>(id: Option<i64>, filled: &'a Params, was: Option<&'a Object>) -> Sheet<'a> {
    Sheet { id, filled, was, faults: Faults::none(), both: Html::default(), trial: Html::default() }
}

/// An empty form. What the address says is filled in, so that other pages can lead here.
pub(super) async fn new(visitor: Visitor) -> Answer {
    visitor.caller.demand(Right::Administer)?;
    let mut filled = fresh(DEFAULTS);
    for name in typed::boxes() {
        if let Some(text) = visitor.query.raw(&name) {
            filled.set(&name, text);
        }
    }
    Ok(show(&sheet(None, &filled, None).shown(&visitor).await?))
}

pub(super) async fn create(visitor: Visitor, Typed(form): Typed) -> Answer {
    let form = task::understood(form);
    let mut handler = typed::all(&form);
    if let Some(faults) = wrong(&form) {
        return Ok(show_again(&Sheet { faults, ..sheet(None, &form, None) }.shown(&visitor).await?));
    }
    if form.text("then") == Some("test") {
        // What is only tried needs no name.
        handler.entry("name").or_insert_with(|| "unnamed".into());
        return tried(&visitor, None, &form, None, params([("handler", Value::Object(handler))])).await;
    }
    if let Some(key) = form.text("idempotency_key") {
        handler.insert("idempotency_key".to_owned(), key.into());
    }
    match visitor.act("provisioning.handlers.create", handler).await {
        // No program checks where its calls come from.
        Ok(said) if kinds::of_form(&form).is_ready_made() => Ok(saved(&said)),
        Ok(answer) => secret::shown_once(&visitor, answer, secret::Made::New),
        Err(refusal) => {
            let faults = faults(&refusal, &form);
            Ok(show_again(&Sheet { faults, ..sheet(None, &form, None) }.shown(&visitor).await?))
        }
    }
}

/// To its page, with a word.
fn saved(said: &Said) -> Response {
    let words = format!("“{}” is saved, and counts from now on.", said.result["name"].as_str().unwrap_or_default());
    let id = said.result["id"].as_i64().unwrap_or_default();
    with_cookie(go_to(&place(id)), &Notice::new(words).warning(&said.warnings).cookie())
}

/// The form of a saved one.
pub(super) async fn edit(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    if let Some(event_id) = visitor.query.text("test_event") {
        // From a call of the log: the same event, as a test.
        let with = Params::from_iter([("with", format!("past {event_id}"))]);
        return Ok(go_to(&with.href(&format!("{}/test", place(id)))));
    }
    visitor.caller.demand(Right::Administer)?;
    let handler = get_one(&visitor, id).await?;
    Ok(show(&sheet(Some(id), &typed::filled(&handler), Some(&handler)).shown(&visitor).await?))
}

pub(super) async fn update(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let form = task::understood(form);
    let was = typed::was(&form);
    let typed = typed::all(&form);
    let mut changes = typed::changes(&typed, &was);
    clear_what_was_emptied(&form, &mut changes);
    if let Some(faults) = wrong(&form) {
        return Ok(show_again(&Sheet { faults, ..sheet(Some(id), &form, Some(&was)) }.shown(&visitor).await?));
    }
    if form.text("then") == Some("test") {
        let subject = params([("id", id.into()), ("changes", Value::Object(changes))]);
        return tried(&visitor, Some(id), &form, Some(&was), subject).await;
    }
    changes.insert("id".to_owned(), id.into());
    changes.insert("version".to_owned(), number(&was, "version").into());
    match visitor.act("provisioning.handlers.update", changes).await {
        Ok(said) => Ok(saved(&said)),
        Err(refusal) => refused(&visitor, id, &form, &was, &typed, &refusal).await,
    }
}

/// A box that may not be empty is sent so where it was emptied: the method says what is wrong with that.
fn clear_what_was_emptied(form: &Params, changes: &mut Object) {
    for name in ["name", "order", "timeout_ms", "concurrency"] {
        if form.has(name) && form.text(name).is_none() {
            changes.insert(name.to_owned(), "".into());
        }
    }
    let no_event = ["event", "patterns"].iter().all(|name| form.text(name).is_none()) && form.all("events").next().is_none();
    let no_task = task::together(form).is_none();
    for (name, _) in [("event", no_event), ("task", no_task)].into_iter().filter(|(_, is_empty)| *is_empty) {
        changes.insert(name.to_owned(), "".into());
    }
}

/// What can't be understood of what was typed.
fn wrong(form: &Params) -> Option<Faults> {
    let twice = typed::header_twice(form).filter(|_| kinds::of_form(form).is_over_http());
    let headers = twice.map(|name| ("headers".to_owned(), format!("names {name} twice")));
    let wrong = settings::wrong(form, &typed::was(form));
    let faults = wrong.into_iter().chain(headers).fold(Faults::none(), |faults, (field, words)| faults.at(&field, &words));
    (!faults.is_none()).then_some(faults)
}

/// What a refusal says, at the boxes of this form.
fn faults(refusal: &Refusal, form: &Params) -> Faults {
    let Refusal::Invalid(errors) = refusal else { return Faults::of_refusal(refusal) };
    let kind = kinds::of_form(form);
    let mut at_boxes = FieldErrors::new();
    for (field, words) in errors.iter() {
        let field = ["handler.", "changes."].iter().find_map(|within| field.strip_prefix(within)).unwrap_or(field);
        let field = match field {
            "task" => match kind {
                Kind::Script => "script",
                Kind::Sql => database::spot(form),
                _ => "task",
            },
            "events_id" | "event_id" => "with",
            other => other,
        };
        let spot = if field == "settings" { settings::spot(form, words) } else { None };
        at_boxes.add(spot.as_deref().unwrap_or(field), words);
    }
    Faults::of_refusal(&Refusal::Invalid(at_boxes))
}

/// A test within the form: nothing is saved, what was typed stays.
async fn tried(visitor: &Visitor, id: Option<i64>, form: &Params, was: Option<&Object>, subject: Object) -> Answer {
    let handler = described(form, was);
    match Trial::run(visitor, subject, trial::chosen(&handler, form)).await {
        Ok(trial) => {
            let trial = trial::html(visitor, Some(&trial), &handler, form, None).await?;
            Ok(show(&Sheet { trial, ..sheet(id, form, was) }.shown(visitor).await?))
        }
        Err(refusal) => {
            let faults = faults(&refusal, form);
            let trial = match faults.of("with") {
                Some(words) => trial::html(visitor, None, &handler, form, Some(words)).await?,
                None => Html::default(),
            };
            Ok(show_again(&Sheet { faults, trial, ..sheet(id, form, was) }.shown(visitor).await?))
        }
    }
}

/// The handler as it is described in the form: what it was, and what was typed.
fn described(form: &Params, was: Option<&Object>) -> Object {
    let mut handler = was.cloned().unwrap_or_default();
    handler.extend(typed::all(form));
    handler
}

async fn refused(visitor: &Visitor, id: i64, form: &Params, was: &Object, typed: &Object, refusal: &Refusal) -> Answer {
    if matches!(refusal, Refusal::Conflict { .. }) {
        let now = get_one(visitor, id).await?;
        if number(&now, "version") != number(was, "version") {
            return somebody_was_faster(visitor, id, was, typed, &now).await;
        }
    }
    let faults = faults(refusal, form);
    Ok(show_again(&Sheet { faults, ..sheet(Some(id), form, Some(was)) }.shown(visitor).await?))
}

/// Shows what each has changed. The form holds both, where they don't touch the same; there what was typed last.
async fn somebody_was_faster(visitor: &Visitor, id: i64, was: &Object, typed: &Object, now: &Object) -> Answer {
    let mine = typed::changes(typed, was);
    let mut merged = now.clone();
    merged.extend(mine.clone());
    if let Some(settings) = both::settings_of_both(was, &mine, now) {
        merged.insert("settings".to_owned(), settings.into());
    }
    let filled = typed::filled(&merged);
    let sheet = Sheet { both: both::html(was, &mine, now), ..sheet(Some(id), &filled, Some(now)) };
    Ok(show_again(&sheet.shown(visitor).await?))
}
