//! One call: what was sent, what came back, what it changed, and the whole action around it.
use askama::Template;
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{PATH, command::Command};
use crate::{
    answer::{Answer, Failure, show},
    html::Html,
    markup,
    parts::{
        happened::{self, Names, text},
        json as shown,
        table::Table,
        waterfall::{self, Chain, End},
        words,
    },
    visitor::{Page, Visitor},
};

/// Attempts that are listed.
const ATTEMPTS_MAX: usize = 30;
/// Changed keys that are listed.
const KEYS_MAX: usize = 50;
/// What the log keeps of a body.
const KEPT_BYTES: usize = 64 << 10;

#[derive(Template)]
#[template(path = "pages/log/call.html")]
struct CallPage {
    page: Page,
    verdict: Html,
    facts: Vec<(&'static str, Html)>,
    chain: Html,
    request: Html,
    reply: Html,
    changes: Html,
    attempts: Html,
    command: Option<Command>,
    request_href: String,
    /// Where the same can be asked again without consequences.
    test_href: Option<String>,
}

async fn get(visitor: &Visitor, id: i64) -> Result<Object, Refusal> {
    match visitor.ask("provisioning.executions.get", json!({"id": id})).await? {
        Value::Object(call) => Ok(call),
        _ => Err(Refusal::internal("no call")),
    }
}

/// The same of what may not be there, or not be its reader's.
async fn if_there(visitor: &Visitor, method: &'static str, id: Value) -> Result<Option<Object>, Refusal> {
    match visitor.ask(method, json!({"id": id})).await {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) | Err(Refusal::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

pub(super) async fn call(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let call = get(&visitor, id).await?;
    let event = if_there(&visitor, "provisioning.events.get", call["event_id"].clone()).await?;
    let handler = if_there(&visitor, "provisioning.handlers.get", call["handlers_id"].clone()).await?;
    let chain = Chain::ask(&visitor, text(&call, "event_id")).await?;
    let names = Names::of(&visitor, std::slice::from_ref(&call)).await?;
    let sent: Value = call["request"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    let happened = event.as_ref().map(|_| visitor.now());
    let may_test = visitor.may(Right::Operate) && handler.is_some();
    let test_href = event
        .as_ref()
        .filter(|_| may_test && call["stage"] != "outcome")
        .map(|_| format!("/provisioning/handlers/{}/edit?test_event={}", call["handlers_id"], text(&call, "event_id")));
    let changed = call["changes"].as_object().is_some_and(|changes| !changes.is_empty());
    let page = CallPage {
        page: visitor.page(title(&call, &sent), "logs"),
        verdict: waterfall::verdict(text(&call, "stage"), text(&call, "status"), call["shadow"] == true, changed),
        facts: facts(&visitor, &call, (&sent, event.as_ref()), &names, chain.end()),
        chain: chain.html(&names, happened, Some(id)),
        request: body(&call, "request", &format!("{PATH}/{id}/request"), "Nothing was sent."),
        reply: body(&call, "response", &format!("{PATH}/{id}/reply"), "Nothing came back: no body."),
        changes: changes(&call["changes"]),
        attempts: attempts(&visitor, &chain, &call),
        command: handler.as_ref().and_then(|handler| Command::of(handler, &call)),
        request_href: format!("{PATH}/{id}/request"),
        test_href,
    };
    Ok(show(&page))
}

/// `Clients: create, Acme Telecom`.
fn title(call: &Object, sent: &Value) -> String {
    let event = happened::title(text(call, "events_id"));
    match sent["object"]["name"].as_str().or_else(|| sent["data"]["name"].as_str()) {
        Some(name) => format!("{event} · {}", shown::cut(name, 200)),
        None => event.to_owned(),
    }
}

fn facts(
    visitor: &Visitor,
    call: &Object,
    (sent, event): (&Value, Option<&Object>),
    names: &Names,
    end: End,
) -> Vec<(&'static str, Html)> {
    let actor = event.map_or(&sent["event"]["actor"], |event| &event["actor"]);
    let by = happened::actor(actor);
    let by = if by.is_empty() { Html::default() } else { markup!(", by {}", by) };
    let status = match text(call, "status") {
        "skipped" => words::nothing(),
        _ => words::text(&call["response_status"]),
    };
    let mut facts = vec![
        ("When", markup!("{}{}", words::ago(visitor.now(), &call["dt"]), by)),
        (
            "Handler",
            markup!(
                "{} <span class=\"quiet\">{}</span>",
                names.handler(&call["handlers_id"], Some(text(call, "handlers_name"))),
                stage(call)
            ),
        ),
        ("Object", names.object(call)),
        ("Took", words::milliseconds(&call["duration_ms"])),
        ("HTTP or exit status", status),
        ("Attempt", words::text(&call["attempt"])),
        ("Action", action(call, sent, event.is_some(), end)),
    ];
    if !text(call, "error").is_empty() {
        facts.insert(2, ("In words", Html::text(text(call, "error"))));
    }
    facts
}

/// The action that it was about: its event if that is kept, else how it ended.
fn action(call: &Object, sent: &Value, is_kept: bool, end: End) -> Html {
    let event_id = text(call, "event_id");
    match is_kept {
        true => words::link(&format!("/provisioning/events/{event_id}"), words::code(event_id)),
        false => {
            let ended = match end {
                _ if sent["event"]["mode"] == "dry_run" => "tried only (dry run)",
                End::Refused => "refused: nothing was changed",
                End::Failed => "not carried out, because a handler failed that had to be asked",
                End::Unopposed => "not carried out, or no longer kept",
            };
            markup!("{} <span class=\"quiet\">{}</span>", words::code(event_id), ended)
        }
    }
}

/// What the handler was asked or told.
fn stage(call: &Object) -> &'static str {
    match (text(call, "stage"), call["shadow"] == true) {
        ("before", true) => "asked before, as a shadow: whatever it said decided nothing",
        ("before", false) => "asked before",
        ("after", _) => "told after",
        _ => "told how it ended",
    }
}

fn body(call: &Object, name: &str, href: &str, nothing: &str) -> Html {
    let Some(text) = call[name].as_str() else { return markup!("<p class=\"quiet\">{}</p>", nothing) };
    let (mut html, was_cut) = shown::body(text);
    let whole = if text.len() + 4 >= KEPT_BYTES { ", of which the log keeps the first 64 KiB" } else { "" };
    if was_cut {
        let link = words::link(href, "All of it as plain text");
        let bytes = words::counted(i64::try_from(text.len()).unwrap_or(0), "byte", "bytes");
        html.push(&markup!("<p>This is its beginning. {} ({}{}).</p>", link, bytes, whole));
    } else {
        html.push(&markup!("<p>{}</p>", words::link(href, "As plain text")));
    }
    html
}

fn changes(changes: &Value) -> Html {
    let Value::Object(changes) = changes else { return Html::default() };
    let mut table = Table::new("What it changed", &["Key", "Before", "After"]);
    for (key, change) in changes.iter().take(KEYS_MAX) {
        let old = change.get("old").map_or_else(words::nothing, |old| markup!("<del>{}</del>", shown::value(old)));
        let new = change.get("new").map_or_else(words::nothing, |new| markup!("<ins>{}</ins>", shown::value(new)));
        table.row(key, vec![words::code(shown::cut(key, 100)), old, new]);
    }
    table.html()
}

/// The other calls of the same handler about the same, if there are any.
fn attempts(visitor: &Visitor, chain: &Chain, call: &Object) -> Html {
    let same = |row: &&Object| row["handlers_id"] == call["handlers_id"] && row["stage"] == call["stage"];
    let rows: Vec<&Object> = chain.rows().iter().filter(same).collect();
    if rows.len() < 2 {
        return Html::default();
    }
    let mut table = Table::new("Attempts", &["Attempt", "When", "Answer", "Took", "In words"]).numbers(&["Took"]);
    for row in rows.iter().rev().take(ATTEMPTS_MAX) {
        let (id, attempt) = (row["id"].to_string(), row["attempt"].to_string());
        let is_here = row["id"] == call["id"];
        let link = if is_here {
            markup!("<strong aria-current=\"true\">{}</strong>", attempt)
        } else {
            words::link(&format!("{PATH}/{id}"), attempt)
        };
        let verdict = waterfall::verdict(text(row, "stage"), text(row, "status"), row["shadow"] == true, false);
        let said = Html::text(shown::cut_by_markup(text(row, "error"), 300));
        table.row(id, vec![link, words::ago(visitor.now(), &row["dt"]), verdict, words::milliseconds(&row["duration_ms"]), said]);
    }
    table.html()
}

pub(super) async fn request(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Failure> {
    Ok(plain(&get(&visitor, id).await?, "request", "request.json"))
}

pub(super) async fn reply(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Failure> {
    Ok(plain(&get(&visitor, id).await?, "response", "reply.txt"))
}

/// A body as it was, to be read or kept as a file.
fn plain(call: &Object, name: &str, file: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{file}\"")),
    ];
    (headers, text(call, name).to_owned()).into_response()
}
