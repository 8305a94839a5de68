//! Does it do its job? One handler: its calls of the last 24 hours, what waits and what was given up, what it knows of a client.
use askama::Template;
use axum::extract::Path;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, event::Stage, handler::task::Kind, refusal::Refusal};
use serde_json::{Value, json};

use super::{
    chains,
    figures::{self, Day, Figures, held},
    get_one, kinds, number, place, resync, settings, text, trials,
};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    parts::{
        json::{cut, value},
        list::objects,
        table::{Empty, Table},
        words,
    },
    visitor::{Page, Visitor},
};

/// So much of what may be long is shown; the form has it whole.
const ARGUMENTS_SHOWN: usize = 16;
const ARGUMENT_BYTES_SHOWN: usize = 256;
const SETTINGS_SHOWN: usize = 32;
const NOTES_BYTES_SHOWN: usize = 4_096;
/// Calls that are shown.
const CALLS: i64 = 10;

#[derive(Template)]
#[template(path = "pages/handlers/one.html")]
struct One {
    page: Page,
    id: i64,
    href: String,
    is_before: bool,
    is_archived: bool,
    /// A resync tells whole lists: to programs, not to people.
    is_for_people: bool,
    status: Html,
    when: String,
    held: &'static str,
    /// Why nothing is sent, and by whom.
    paused: Option<Held>,
    cards: Vec<Card>,
    facts: Vec<(&'static str, Html)>,
    knows: Option<Knows>,
    clients_id: String,
    calls: Html,
    log: String,
    /// Given up: deliveries, or outcomes of a before handler.
    dead: Vec<Dead>,
    waiting: i64,
    resyncs: Html,
    shadow: Html,
    back: String,
}

struct Held {
    words: String,
    since: Html,
    reason: String,
}

struct Card {
    title: &'static str,
    figure: Html,
    below: Html,
}

struct Dead {
    what: &'static str,
    count: String,
    href: String,
}

/// What it has heard of one client.
struct Knows {
    state: Html,
    words: String,
}

pub(super) async fn one(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let handler = get_one(&visitor, id).await?;
    let figures = Figures::ask(&visitor, &[id]).await?;
    let standing = figures::standing(&visitor, Some(id)).await?.remove(&id).unwrap_or_default();
    let is_before = chains::stage_of(&handler) == Stage::Before;
    let asked_about = visitor.query.text("clients_id").unwrap_or_default().to_owned();
    let page = One {
        id,
        href: place(id),
        is_before,
        is_archived: text(&handler, "status") == "archived",
        is_for_people: kinds::of(&handler).is_for_people(),
        status: super::list::status(&handler, visitor.may(Right::Administer)),
        when: when(&handler),
        held: held(&handler, Some(&standing)),
        paused: paused(&visitor, &handler, &standing),
        cards: cards(&handler, &figures, &standing),
        facts: facts(&handler),
        knows: if is_before { None } else { knows(&visitor, id, &asked_about).await? },
        clients_id: asked_about,
        calls: calls(&visitor, id).await?,
        log: format!("/provisioning/logs?handlers_id={id}"),
        dead: dead(id, &standing),
        waiting: waiting(&standing),
        resyncs: if is_before { Html::default() } else { resync::latest(&visitor, id).await? },
        shadow: if text(&handler, "status") == "shadow" { trials::shadow(&visitor, id).await? } else { Html::default() },
        back: place(id),
        page: visitor.page(text(&handler, "name"), "handlers"),
    };
    Ok(show(&page))
}

fn paused(visitor: &Visitor, handler: &Object, standing: &Object) -> Option<Held> {
    let since = |iso: &Value| words::ago(visitor.now(), iso);
    if let Some(Value::Object(paused)) = handler.get("paused") {
        let by = text(paused, "by");
        let words = match by {
            "breaker" => "It failed and failed, so it is left alone: its events wait, none is lost. One is tried every 10 seconds; the first success ends it.".to_owned(),
            by => format!("Paused by {by}: its events wait, none is lost."),
        };
        return Some(Held { words, since: since(&paused["since"]), reason: text(paused, "reason").to_owned() });
    }
    let tripped = standing.get("tripped_since").filter(|since| !since.is_null())?;
    let words = "It failed and failed, so it is not asked for now and counts as failed at once. One call every 10 seconds tries it; the first success ends it.";
    Some(Held { words: words.to_owned(), since: since(tripped), reason: String::new() })
}

fn cards(handler: &Object, figures: &Figures, standing: &Object) -> Vec<Card> {
    let (id, is_before) = (number(handler, "id"), chains::stage_of(handler) == Stage::Before);
    let day = figures.of(id);
    let log = |status: &str| figures.log(id, status);
    let linked = |count: i64, href: String| if count == 0 { Html::text("0") } else { words::link(&href, words::number(count)) };
    let mut cards =
        vec![Card { title: "Calls in 24 hours", figure: linked(day.count(""), log("")), below: day.picture(168, 32) }];
    if is_before {
        cards.push(Card {
            title: "Refused",
            figure: linked(day.count("forbidden"), log("forbidden")),
            below: markup!("<p class=\"quiet\">{}</p>", share(&day, "forbidden")),
        });
    }
    cards.push(Card {
        title: "Failed",
        figure: linked(day.count("failed"), log("failed")),
        below: markup!("<p class=\"quiet\">{}</p>", share(&day, "failed")),
    });
    cards.push(Card {
        title: "Median",
        figure: words::milliseconds(&day.median_ms),
        below: markup!("<p class=\"quiet\">half of its last calls took at most this</p>"),
    });
    let is_told_how_it_ended = waiting(standing) > 0 || handler.get("notify_outcome") == Some(&Value::Bool(true));
    if !is_before || is_told_how_it_ended {
        cards.push(queue(id, standing, is_before));
    }
    cards
}

fn share(day: &Day, status: &str) -> String {
    match day.count("") {
        _ if day.count(status) == 0 => "none".to_owned(),
        all => format!("{:.1} % of its calls", day.count(status) as f64 * 100.0 / all as f64),
    }
}

/// What waits: of an after handler deliveries, of a before handler how actions ended.
fn queue(id: i64, standing: &Object, is_before: bool) -> Card {
    let owed = standing.get("outcomes").and_then(Value::as_object).cloned().unwrap_or_default();
    let (rows, place) = if is_before { (&owed, "outcomes") } else { (standing, "deliveries") };
    let links = ["waiting", "retrying", "dead"].into_iter().filter(|state| number(rows, state) > 0).map(|state| {
        let words = format!("{} {state}", words::number(number(rows, state)));
        words::link(&format!("/provisioning/{place}?handlers_id={id}&state={state}"), words)
    });
    let mut below = Html::joined(links, ", ");
    if let Some(age) = standing.get("oldest_age_s").and_then(Value::as_i64) {
        below.push(&markup!("<br>oldest {}", words::span(age)));
    }
    let state = text(standing, "state").replace('_', " ");
    Card {
        title: if is_before { "How actions ended" } else { "Where it stands" },
        figure: if state.is_empty() { words::nothing() } else { words::state(&state) },
        below: markup!("<p class=\"quiet\">{}</p>", if below.is_empty() { Html::text("nothing waits for it") } else { below }),
    }
}

fn waiting(standing: &Object) -> i64 {
    let owed = standing.get("outcomes").and_then(Value::as_object).cloned().unwrap_or_default();
    [standing, &owed].into_iter().flat_map(|rows| ["waiting", "retrying", "dead"].map(|state| number(rows, state))).sum()
}

fn dead(id: i64, standing: &Object) -> Vec<Dead> {
    let owed = standing.get("outcomes").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut all = Vec::new();
    if number(standing, "dead") > 0 {
        let count = words::counted(number(standing, "dead"), "dead delivery", "dead deliveries");
        all.push(Dead { what: "deliveries", count, href: format!("/provisioning/deliveries?handlers_id={id}&state=dead") });
    }
    if number(&owed, "dead") > 0 {
        let count = words::counted(number(&owed, "dead"), "dead outcome", "dead outcomes");
        all.push(Dead { what: "outcomes", count, href: format!("/provisioning/outcomes?handlers_id={id}&state=dead") });
    }
    all
}

/// When it is called, in words.
fn when(handler: &Object) -> String {
    let stage = chains::stage_of(handler);
    let how = if stage == Stage::Before { "asked before" } else { "told after" };
    format!("{how} · {}", chains::title(&chains::events_of(handler), stage))
}

/// What is set, in words; what is as it is by default is left out.
fn facts(handler: &Object) -> Vec<(&'static str, Html)> {
    let is_before = chains::stage_of(handler) == Stage::Before;
    let is = |name: &str, default: Value| handler.get(name).is_none_or(|value| *value == default);
    let mut facts = vec![("When", Html::text(&when(handler))), ("Task", task(handler))];
    if is_before {
        facts.push(("Order", Html::text(&number(handler, "order").to_string())));
        let failing = if text(handler, "on_failure") == "allow" {
            "the action goes on as if it had not been asked"
        } else {
            "the action is forbidden"
        };
        facts.push(("If it fails", Html::text(failing)));
    }
    facts.push(("Time limit", words::milliseconds(&handler["timeout_ms"])));
    let further: [(&'static str, &str, Value); 8] = [
        ("Condition", "condition", json!("")),
        ("Waits between attempts (s)", "retries", Value::Null),
        ("Order of delivery", "ordering", json!("per_client")),
        ("May change only", "writable", Value::Null),
        ("Told how it ended", "notify_outcome", json!(false)),
        ("Asked in dry runs", "dry_run", json!(false)),
        ("Sent passwords", "passwords", json!(true)),
        ("Balance", "balance_basis", json!("live")),
    ];
    facts.extend(
        further
            .into_iter()
            .filter(|(_, name, default)| !is(name, default.clone()))
            .map(|(title, name, _)| (title, value(&handler[name]))),
    );
    facts.push(("Calls at once", Html::text(&number(handler, "concurrency").to_string())));
    if let Some(Value::Object(headers)) = handler.get("headers").filter(|headers| **headers != json!({})) {
        let names = headers.keys().map(|name| words::code(name));
        facts.push(("Headers", Html::joined(names, ", ")));
    }
    if let Some(Value::Object(settings)) = handler.get("settings").filter(|settings| **settings != json!({})) {
        // What is secret of them is masked.
        let one =
            |(name, set): (&String, &Value)| markup!("<div>{}: {}</div>", settings::label(kinds::of(handler), name), value(set));
        facts.push(("Settings", Html::joined(settings.iter().take(SETTINGS_SHOWN).map(one), "")));
    }
    if let Some(id) = handler.get("companies_id").and_then(Value::as_i64) {
        facts.push(("Reseller", words::link(&format!("/resellers/{id}"), id)));
    }
    if !is("notes", json!("")) {
        facts.push(("Notes", Html::text(cut(text(handler, "notes"), NOTES_BYTES_SHOWN))));
    }
    facts
}

fn task(handler: &Object) -> Html {
    let mut shown = Html::default();
    if kinds::of(handler) == Kind::Http {
        shown.push(&markup!("{} ", text(handler, "method")));
    }
    shown.push(&words::code(&words::task(text(handler, "task"))));
    let arguments = handler.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for argument in arguments.take(ARGUMENTS_SHOWN) {
        shown.push(&markup!(" <code>{}</code>", cut(argument, ARGUMENT_BYTES_SHOWN)));
    }
    shown.push(&kinds::chip(handler));
    shown
}

/// Is a client's present state known to it?
async fn knows(visitor: &Visitor, id: i64, clients_id: &str) -> Result<Option<Knows>, Refusal> {
    if clients_id.is_empty() {
        return Ok(None);
    }
    let not_there = |words: String| Knows { state: words::state("not found"), words };
    let Ok(client) = clients_id.parse::<i64>() else { return Ok(Some(not_there("A client's id is a whole number.".to_owned()))) };
    let answer = match visitor.ask("provisioning.handlers.status", json!({"id": id, "clients_id": client})).await {
        Ok(answer) => answer,
        Err(Refusal::NotFound { object_name, .. }) if object_name.starts_with("provisioning") => {
            return Ok(Some(not_there("It does not hear of this client: he belongs to another reseller.".to_owned())));
        }
        Err(Refusal::NotFound { .. } | Refusal::Invalid(_)) => {
            return Ok(Some(not_there(format!("There is no client {client}."))));
        }
        Err(other) => return Err(other),
    };
    let last = answer["last_seq"].as_i64().unwrap_or(0);
    let row = answer["handlers"][0].as_object().cloned().unwrap_or_default();
    let told = match row.get("delivered_seq").and_then(Value::as_i64) {
        Some(seq) => format!("The last event that it was told is number {seq} of {last}."),
        None => format!("Client {client} has {}.", words::counted(last, "event", "events")),
    };
    let words = match text(&row, "state") {
        "in_step" => "Yes: it has heard all that it is to hear of him.".to_owned(),
        "behind" => format!("Not yet: {} on the way.", words::counted(number(&row, "waiting"), "event is", "events are")),
        "stopped" => format!("No: {} wait, and nothing is sent to it now.", words::counted(number(&row, "waiting"), "event", "events")),
        "incomplete" => format!("No: {} given up.", words::counted(number(&row, "dead"), "event was", "events were")),
        "never_told" => "It was never told of him: whether it knows him is not known here. A resync of him tells it.".to_owned(),
        _ => "It was told something, but not all: an event was discarded, was before its time, or did not suit its condition. A resync of him tells it.".to_owned(),
    };
    Ok(Some(Knows { state: words::state(&text(&row, "state").replace('_', " ")), words: format!("{words} {told}") }))
}

async fn calls(visitor: &Visitor, id: i64) -> Result<Html, Refusal> {
    let rows = objects(visitor.ask("provisioning.executions.search", json!({"handlers_id": id, "limit": CALLS})).await?);
    let mut table =
        Table::new("Its latest calls", &["When", "Event", "Client", "Status", "Took", "What went wrong"]).numbers(&["Took"]);
    table.empty =
        Empty::new("It was not called yet. Its calls will stand here: what was sent, what came back, and how long it took.");
    for row in &rows {
        let link = format!("/provisioning/logs/{}", row["id"]);
        let event = hookswitch_model::event::kind(text(row, "events_id")).map_or(text(row, "events_id"), |kind| kind.title);
        let client = number(row, "clients_id");
        let attempt = number(row, "attempt");
        let state = words::state(text(row, "status"));
        table.row(
            row["id"].to_string(),
            vec![
                words::link(&link, words::ago(visitor.now(), &row["dt"])),
                Html::text(event),
                if client == 0 { words::nothing() } else { words::link(&format!("/clients/{client}"), client) },
                if attempt > 1 { markup!("{} <span class=\"quiet\">attempt {}</span>", state, attempt) } else { state },
                words::milliseconds(&row["duration_ms"]),
                words::said(text(row, "error")),
            ],
        );
    }
    Ok(table.html())
}
