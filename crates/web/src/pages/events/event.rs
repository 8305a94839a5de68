//! One event: what it was about, who was asked and told, what still waits, what it came from and what came from it.
use askama::Template;
use axum::extract::Path;
use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::{Value, json};

use super::{PATH, list};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    parts::{
        happened::{self, Names, text},
        json as shown,
        list::objects,
        table::Table,
        waterfall::Chain,
        words,
    },
    visitor::{Page, Visitor},
};

/// Among how many later events of the client reactions are looked for.
const LATER_MAX: usize = 50;
/// Keys whose old and new values are listed.
const CHANGED_MAX: usize = 20;
/// Deliveries that are listed.
const WAITING_MAX: usize = 50;

#[derive(Template)]
#[template(path = "pages/events/event.html")]
struct EventPage {
    page: Page,
    facts: Vec<(&'static str, Html)>,
    chain: Html,
    waiting: Html,
    reactions: Html,
    changed: Html,
    data: Html,
    object: Html,
}

pub(super) async fn event(visitor: Visitor, Path(id): Path<String>) -> Answer {
    let event = get(&visitor, &id).await?;
    let chain = Chain::ask(&visitor, &id).await?;
    let mut rows = waiting(&visitor, &event).await?;
    rows.push(event.clone());
    let names = Names::of(&visitor, &rows).await?;
    rows.pop();
    let happened = event["dt"].as_str().and_then(Moment::parse);
    let name = event["object"]["name"].as_str().map(|name| format!(" · {}", shown::cut(name, 200))).unwrap_or_default();
    let page = EventPage {
        page: visitor.page(format!("{}{name}", happened::title(text(&event, "events_id"))), "events"),
        facts: facts(&visitor, &event, &names),
        chain: chain.html(&names, happened, None),
        waiting: still_waiting(&visitor, &rows, &names),
        reactions: reactions(&visitor, &event).await?,
        changed: changed(&event),
        data: shown::body(&event["data"].to_string()).0,
        object: shown::body(&event["object"].to_string()).0,
    };
    Ok(show(&page))
}

async fn get(visitor: &Visitor, id: &str) -> Result<Object, Refusal> {
    match visitor.ask("provisioning.events.get", json!({"id": id})).await? {
        Value::Object(event) => Ok(event),
        _ => Err(Refusal::internal("no event")),
    }
}

fn facts(visitor: &Visitor, event: &Object, names: &Names) -> Vec<(&'static str, Html)> {
    let by = happened::actor(&event["actor"]);
    let of_client = words::link(&format!("{PATH}?clients_id={}", event["clients_id"]), format!("no. {}", event["seq"]));
    vec![
        ("When", markup!("{}, by {}", words::ago(visitor.now(), &event["dt"]), by)),
        ("Object", names.object(event)),
        ("Among the client's events", of_client),
        ("Because of", list::cause(&event["cause"])),
        ("Id", words::code(text(event, "id"))),
    ]
}

/// Its deliveries that are not done. The client's are asked for, because there is an index on that.
async fn waiting(visitor: &Visitor, event: &Object) -> Result<Vec<Object>, Refusal> {
    let asked = json!({"clients_id": event["clients_id"], "event_id": event["id"], "limit": WAITING_MAX});
    Ok(objects(visitor.ask("provisioning.deliveries.search", asked).await?))
}

fn still_waiting(visitor: &Visitor, rows: &[Object], names: &Names) -> Html {
    if rows.is_empty() {
        return Html::default();
    }
    let mut table = Table::new("Deliveries that are not done", &["Delivery", "Handler", "State", "Attempts", "Next", "In words"]);
    for row in rows {
        let id = row["id"].to_string();
        let cells = vec![
            words::link(&format!("/provisioning/deliveries/{id}"), words::code(&id)),
            names.handler(&row["handlers_id"], None),
            words::state(text(row, "state")),
            words::text(&row["attempt"]),
            words::due(visitor.now(), &row["next_dt"]),
            Html::text(shown::cut_by_markup(text(row, "error"), 300)),
        ];
        table.row(id, cells);
    }
    table.html()
}

/// What a handler did in answer to it, among the client's next events.
async fn reactions(visitor: &Visitor, event: &Object) -> Result<Html, Refusal> {
    let Some(seq) = event["seq"].as_i64() else { return Ok(Html::default()) };
    let next: Vec<i64> = (seq + 1..).take(LATER_MAX).collect();
    let asked = json!({"clients_id": event["clients_id"], "seq": next, "limit": LATER_MAX});
    let later = objects(visitor.ask("provisioning.events.search", asked).await?);
    let items = later.iter().rev().filter(|row| row["cause"] == event["id"]).map(|row| {
        let link = words::link(&format!("{PATH}/{}", text(row, "id")), happened::title(text(row, "events_id")));
        markup!("<li>{}, {}, by {}</li>", link, words::ago(visitor.now(), &row["dt"]), happened::actor(&row["actor"]))
    });
    Ok(Html::joined(items, ""))
}

/// Old and new values of what an update changed.
fn changed(event: &Object) -> Html {
    let (Value::Object(previous), data) = (&event["previous"], &event["data"]) else { return Html::default() };
    let mut table = Table::new("What was changed", &["Key", "Before", "After"]);
    for (key, old) in previous.iter().take(CHANGED_MAX) {
        let new = data.get(key).map_or_else(words::nothing, |new| markup!("<ins>{}</ins>", shown::value(new)));
        table.row(key, vec![words::code(shown::cut(key, 100)), markup!("<del>{}</del>", shown::value(old)), new]);
    }
    let mut changed = table.html();
    if previous.len() > CHANGED_MAX {
        let rest = words::counted(i64::try_from(previous.len() - CHANGED_MAX).unwrap_or(0), "key", "keys");
        changed.push(&markup!("<p class=\"quiet\">And {} more: see below.</p>", rest));
    }
    changed
}
