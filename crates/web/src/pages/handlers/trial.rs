//! One call with an event that is not meant: a sample, or one that happened. What was sent, what came back, and what that would have
//! come to; nothing is stored.
use askama::Template;
use axum::extract::Path;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, event::Kind, event::Stage, refusal::Refusal};
use serde_json::{Value, json};

use super::{chains, get_one, number, params, place, text};
use crate::{
    answer::{Answer, show, show_again},
    html::Html,
    markup,
    params::Params,
    parts::{form::Faults, input::Choice, json as bodies, list::objects, table::Table, words},
    session::Typed,
    visitor::{Page, Visitor},
};

/// So much of what it says is shown beside the whole reply.
const SAID_BYTES_MAX: usize = 1_000;
const WARNINGS_MAX: usize = 10;
const CHANGES_MAX: usize = 20;
const STDERR_BYTES_MAX: usize = 6 << 10;
/// Past events that can be chosen.
const PAST: i64 = 8;

/// What a call came to.
pub(super) struct Trial(Object);

impl Trial {
    /// Calls the handler that `subject` names or describes, with what was chosen: `sample clients.create`, or the id of an event.
    pub(super) async fn run(visitor: &Visitor, mut subject: Object, with: Option<&str>) -> Result<Self, Refusal> {
        match with.map(|with| with.split_once(' ').unwrap_or(("", with))) {
            Some(("sample", events_id)) => drop(subject.insert("events_id".to_owned(), events_id.into())),
            Some(("past", id)) => drop(subject.insert("event_id".to_owned(), id.into())),
            _ => {}
        }
        match visitor.act("provisioning.handlers.test", subject).await?.result {
            Value::Object(said) => Ok(Self(said)),
            _ => Err(Refusal::internal("a test gives an object")),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/handlers/trial.html")]
struct Section {
    samples: Vec<Choice>,
    past: Vec<Choice>,
    error: Option<String>,
    result: Option<Shown>,
}

/// What a call came to, as it is shown.
struct Shown {
    verdict: Html,
    /// What that means, or would mean in earnest.
    notes: Vec<String>,
    status: Html,
    took: Html,
    changes: Html,
    request: Html,
    response: Html,
    stderr: Html,
}

/// The choice of events, and what the last call came to.
pub(super) async fn html(
    visitor: &Visitor,
    trial: Option<&Trial>,
    handler: &Object,
    form: &Params,
    error: Option<String>,
) -> Result<Html, Refusal> {
    let events = chains::events_of(handler);
    let with = form.text("with").unwrap_or_default();
    let chosen = |value: String, label: String| {
        let chosen = value == with;
        Choice { chosen, ..Choice::new(value, label) }
    };
    let samples =
        events.iter().map(|kind| chosen(format!("sample {}", kind.events_id), format!("A sample of “{}”", kind.title))).collect();
    let mut past = past(visitor, &events).await?;
    // One that was chosen elsewhere may be older than those.
    if let Some(id) = with.strip_prefix("past ").filter(|id| past.iter().all(|(known, _)| known != id)) {
        past.insert(0, (id.to_owned(), format!("The event {id}")));
    }
    let past = past.into_iter().map(|(id, label)| chosen(format!("past {id}"), label)).collect();
    let section = Section { samples, past, error, result: trial.map(|trial| shown(&trial.0, handler)) };
    Ok(Html::of(section.render().unwrap_or_default()))
}

/// The event that was chosen; none, if the handler does not take it any more as it is described now.
pub(super) fn chosen<'a>(handler: &Object, form: &'a Params) -> Option<&'a str> {
    let with = form.text("with")?;
    let is_sample_of = |events_id: &str| chains::events_of(handler).iter().any(|kind| kind.events_id == events_id);
    with.strip_prefix("sample ").is_none_or(is_sample_of).then_some(with)
}

/// The last events that it would have been called about.
async fn past(visitor: &Visitor, events: &[Kind]) -> Result<Vec<(String, String)>, Refusal> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = events.iter().map(|kind| kind.events_id).collect();
    let rows = objects(visitor.ask("provisioning.events.search", json!({"events_id": names, "limit": PAST})).await?);
    let now = visitor.now();
    let label = |row: &Object| {
        let title = hookswitch_model::event::kind(text(row, "events_id")).map_or("", |kind| kind.title);
        let when =
            hookswitch_model::moment::Moment::parse(text(row, "dt")).map(|dt| words::relative(now, dt)).unwrap_or_default();
        format!("{title}, client {}, {when}", number(row, "clients_id"))
    };
    Ok(rows.iter().map(|row| (text(row, "id").to_owned(), label(row))).collect())
}

fn shown(said: &Object, handler: &Object) -> Shown {
    let verdict = text(said, "verdict");
    let message = bodies::cut(text(said, "message"), SAID_BYTES_MAX);
    let mut notes = notes(said, handler);
    let state = match verdict {
        "allow" => words::state("allowed"),
        "forbid" => words::state("refused"),
        other => words::state(other),
    };
    let verdict = if message.is_empty() { state } else { markup!("{} {}", state, message) };
    if let Some(Value::Array(warnings)) = said.get("warnings") {
        notes.extend(
            warnings
                .iter()
                .take(WARNINGS_MAX)
                .filter_map(Value::as_str)
                .map(|warning| format!("It warns: {}", bodies::cut(warning, SAID_BYTES_MAX))),
        );
    }
    let body = |name: &str| bodies::body(text(said, name)).0;
    let stderr = text(said, "stderr");
    Shown {
        verdict,
        notes,
        status: words::text(said.get("response_status").unwrap_or(&Value::Null)),
        took: words::milliseconds(said.get("duration_ms").unwrap_or(&Value::Null)),
        changes: changes(said),
        request: body("request"),
        response: if text(said, "response").is_empty() { Html::default() } else { body("response") },
        stderr: printed(stderr),
    }
}

/// What a script printed beside its answer.
fn printed(stderr: &str) -> Html {
    if stderr.is_empty() {
        return Html::default();
    }
    let shown = bodies::cut_by_markup(stderr, STDERR_BYTES_MAX);
    let more = if shown.len() < stderr.len() { "\n… (there was more)" } else { "" };
    markup!("<pre tabindex=\"0\"><code>{}{}</code></pre>", shown, more)
}

fn notes(said: &Object, handler: &Object) -> Vec<String> {
    let mut notes = Vec::new();
    match said.get("condition") {
        Some(Value::Bool(false)) => {
            notes.push("Its condition is not true of this event: in earnest it would not be called.".to_owned())
        }
        Some(Value::String(why)) => notes.push(format!(
            "Whether its condition is true can't be told ({}): in earnest it would be called.",
            bodies::cut(why, SAID_BYTES_MAX)
        )),
        _ => {}
    }
    let is_before = chains::stage_of(handler) == Stage::Before;
    match text(said, "verdict") {
        "failed" if is_before && text(handler, "on_failure") == "allow" => {
            notes.push("In earnest the action would go on, as if it had not been asked.".to_owned());
        }
        "failed" if is_before => notes.push("In earnest the action would be forbidden.".to_owned()),
        "failed" if said.get("retry") == Some(&Value::Bool(false)) => {
            notes.push("In earnest it would not be tried again.".to_owned())
        }
        "failed" => notes.push("In earnest it would be tried again.".to_owned()),
        _ => {}
    }
    let field = bodies::cut(text(said, "field"), SAID_BYTES_MAX);
    if !field.is_empty() {
        notes.push(format!("It names the field {field}."));
    }
    notes
}

/// The keys that it would change, with old and new values.
fn changes(said: &Object) -> Html {
    let Some(Value::Object(changes)) = said.get("changes") else { return Html::default() };
    if changes.is_empty() {
        return markup!("<p class=\"quiet\">It would change nothing.</p>");
    }
    let mut table = Table::new("What it would change", &["Key", "Change"]);
    for (key, change) in changes.iter().take(CHANGES_MAX) {
        let key = bodies::cut(key, 100);
        table.row(key, vec![words::code(key), bodies::change(change.get("old"), change.get("new"))]);
    }
    let mut shown = table.html();
    if changes.len() > CHANGES_MAX {
        let rest = words::counted(i64::try_from(changes.len() - CHANGES_MAX).unwrap_or(0), "key", "keys");
        shown.push(&markup!("<p class=\"quiet\">And {} more.</p>", rest));
    }
    shown
}

#[derive(Template)]
#[template(path = "pages/handlers/test.html")]
struct TestPage {
    page: Page,
    href: String,
    action: String,
    faults: Html,
    trial: Html,
}

/// The page that tries a saved one: also for who may not change it.
pub(super) async fn ask(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let handler = get_one(&visitor, id).await?;
    visitor.caller.demand(Right::Operate)?;
    let trial = html(&visitor, None, &handler, &visitor.query, None).await?;
    Ok(show(&page(&visitor, id, &handler, Faults::none(), trial)))
}

pub(super) async fn test(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let handler = get_one(&visitor, id).await?;
    match Trial::run(&visitor, params([("id", id.into())]), form.text("with")).await {
        Ok(trial) => {
            let trial = html(&visitor, Some(&trial), &handler, &form, None).await?;
            Ok(show(&page(&visitor, id, &handler, Faults::none(), trial)))
        }
        Err(refusal) => {
            let trial = html(&visitor, None, &handler, &form, None).await?;
            Ok(show_again(&page(&visitor, id, &handler, Faults::of_refusal(&refusal), trial)))
        }
    }
}

fn page(visitor: &Visitor, id: i64, handler: &Object, faults: Faults, trial: Html) -> TestPage {
    let page = visitor.page(format!("Test {}", text(handler, "name")), "handlers");
    TestPage { page, href: place(id), action: format!("{}/test", place(id)), faults: faults.html(), trial }
}
