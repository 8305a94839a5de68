//! A handler told how everything stands: how many events that is, begun, and how far it has come.
use askama::Template;
use axum::extract::Path;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{get_one, number, place, text};
use crate::{
    answer::{Answer, go_to, show, show_again, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    pages::resyncs::{self, Steering},
    params::Params,
    parts::{
        form::Faults,
        input::{Choice, Input, Kind},
        list::objects,
        table::Table,
        words,
    },
    session::Typed,
    visitor::{Page, Visitor},
};

/// Resyncs that are shown.
const LATEST: i64 = 5;

#[derive(Template)]
#[template(path = "pages/handlers/resync.html")]
struct Shown {
    page: Page,
    href: String,
    faults: Html,
    inputs: Vec<Html>,
    /// How many events it would be; once that was asked for.
    count: Option<String>,
    progress: Option<Progress>,
    /// One is under way, and does not give way to another.
    is_busy: bool,
    past: Html,
}

/// How far one has come that is not over.
struct Progress {
    id: i64,
    state: Html,
    reason: String,
    sent: i64,
    /// At least what was sent: objects come and go.
    total: Option<i64>,
    /// The same in words.
    so_far: String,
    words: String,
    dead: Html,
    is_paused: bool,
}

/// The form, and how far the last one has come.
pub(super) async fn ask(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    Ok(show(&page(&visitor, id, &visitor.query, Faults::none(), None).await?))
}

/// Counted, begun, or steered.
pub(super) async fn act(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let steering = match form.text("then") {
        Some("pause") => Steering::Pause,
        Some("resume") => Steering::Resume,
        Some("cancel") => Steering::Cancel,
        Some("start") => return begin(&visitor, id, &form, false).await,
        _ => return begin(&visitor, id, &form, true).await,
    };
    let notice = resyncs::steered(&visitor, form.number("resyncs_id").unwrap_or(0), steering).await?;
    Ok(with_cookie(go_to(&format!("{}/resync", place(id))), &notice.cookie()))
}

async fn begin(visitor: &Visitor, id: i64, form: &Params, count_only: bool) -> Answer {
    let mut asked = typed(form);
    asked.insert("id".to_owned(), id.into());
    asked.insert("count_only".to_owned(), count_only.into());
    match visitor.ask("provisioning.handlers.resync", asked.into()).await {
        Ok(said) if count_only => Ok(show(&page(visitor, id, form, Faults::none(), said["total"].as_i64()).await?)),
        Ok(said) => {
            let words = match said["total"].as_i64() {
                Some(total) => format!("The resync has begun: {}.", words::counted(total, "event", "events")),
                None => "The resync has begun; how many events it has is still counted.".to_owned(),
            };
            Ok(with_cookie(go_to(&format!("{}/resync", place(id))), &Notice::new(words).cookie()))
        }
        Err(refusal) => Ok(show_again(&page(visitor, id, form, Faults::of_refusal(&refusal), None).await?)),
    }
}

fn typed(form: &Params) -> Object {
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let mut asked = Object::new();
    if let Some(clients) = form.text("clients_id") {
        let named = clients.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
        asked.insert("clients_id".to_owned(), named.map(number).collect());
    }
    for name in ["companies_id", "rate"] {
        if let Some(text) = form.text(name) {
            asked.insert(name.to_owned(), number(text));
        }
    }
    if let Some(condition) = form.text("condition") {
        asked.insert("condition".to_owned(), condition.replace("\r\n", "\n").into());
    }
    asked
}

async fn page(visitor: &Visitor, id: i64, form: &Params, faults: Faults, count: Option<i64>) -> Result<Shown, Refusal> {
    visitor.caller.demand(Right::Operate)?;
    let handler = get_one(visitor, id).await?;
    let rows = newest(visitor, id).await?;
    let open = rows.iter().find(|row| !is_over(row));
    let progress = match open {
        Some(row) => Some(progress(visitor, number(row, "id")).await?),
        None => None,
    };
    let resellers = crate::pages::resellers::choices(visitor, "All that it hears of").await?;
    Ok(Shown {
        href: place(id),
        inputs: inputs(form, &faults, resellers),
        faults: faults.html(),
        is_busy: open.is_some_and(|row| text(row, "state") != "incomplete"),
        count: count.map(|count| words::counted(count, "event", "events")),
        progress,
        past: past(visitor, &rows),
        page: visitor.page(format!("Resync {}", text(&handler, "name")), "handlers"),
    })
}

fn inputs(form: &Params, faults: &Faults, resellers: Vec<Choice>) -> Vec<Html> {
    let of = |name: &'static str, label: &str, kind: Kind, help: &str| {
        Input::new(name, label, kind).help(help).filled(form.raw(name).unwrap_or_default()).wrong(faults.of(name)).html()
    };
    vec![
        of("clients_id", "Clients", Kind::Lines, "Their ids, such as 42, 43. Empty: all"),
        of("companies_id", "Reseller", Kind::Choice(resellers), "Only clients of this one and those below it"),
        of(
            "condition",
            "Condition",
            Kind::Lines,
            "An expression (CEL) over each event, such as object.status == \"active\". Empty: all",
        ),
        of("rate", "Events a second", Kind::Number, "At most; 500 if it is left empty"),
    ]
}

async fn newest(visitor: &Visitor, id: i64) -> Result<Vec<Object>, Refusal> {
    Ok(objects(visitor.ask("provisioning.resyncs.search", json!({"handlers_id": id, "limit": LATEST})).await?))
}

fn is_over(row: &Object) -> bool {
    ["done", "cancelled"].contains(&text(row, "state"))
}

async fn progress(visitor: &Visitor, id: i64) -> Result<Progress, Refusal> {
    let row = visitor.ask("provisioning.resyncs.get", json!({"id": id})).await?;
    let row = row.as_object().cloned().unwrap_or_default();
    let (sent, dead) = (number(&row, "sent"), number(&row, "dead"));
    let mut told = vec![format!("{} written, {} delivered", words::number(sent), words::number(number(&row, "delivered")))];
    for (name, word) in [("waiting", "waiting"), ("retrying", "retrying"), ("discarded", "discarded")] {
        if number(&row, name) > 0 {
            told.push(format!("{} {word}", words::number(number(&row, name))));
        }
    }
    if let Some(eta) = row.get("eta_s").and_then(Value::as_i64) {
        told.push(format!("all written in {}", words::span(eta)));
    }
    let deliveries = format!("/provisioning/deliveries?handlers_id={}&state=dead", number(&row, "handlers_id"));
    Ok(Progress {
        id,
        state: words::state(text(&row, "state")),
        reason: text(&row, "reason").to_owned(),
        sent,
        total: row.get("total").and_then(Value::as_i64).map(|total| total.max(sent)),
        so_far: format!("{} of {}", words::number(sent), words::number(number(&row, "total").max(sent))),
        words: told.join(", "),
        dead: if dead == 0 {
            Html::default()
        } else {
            words::link(&deliveries, words::counted(dead, "dead delivery", "dead deliveries"))
        },
        is_paused: text(&row, "state") == "paused",
    })
}

fn past(visitor: &Visitor, rows: &[Object]) -> Html {
    if rows.is_empty() {
        return Html::default();
    }
    let mut table =
        Table::new("Resyncs of this handler", &["Id", "Begun", "By", "State", "Events", "Why"]).numbers(&["Id", "Events"]);
    for row in rows {
        let total = row.get("total").and_then(Value::as_i64).map_or_else(|| "?".to_owned(), words::number);
        table.row(
            row["id"].to_string(),
            vec![
                words::link(&format!("/provisioning/resyncs/{}", row["id"]), row["id"].to_string()),
                words::ago(visitor.now(), &row["started_dt"]),
                words::text(&row["by"]),
                words::state(text(row, "state")),
                Html::text(&format!("{} of {total}", words::number(number(row, "sent")))),
                words::text(&row["reason"]),
            ],
        );
    }
    table.html()
}

/// Its last ones, for the handler's own page.
pub(super) async fn latest(visitor: &Visitor, id: i64) -> Result<Html, Refusal> {
    let rows = newest(visitor, id).await?;
    let shown = past(visitor, &rows);
    Ok(if shown.is_empty() { shown } else { markup!("<h2>Resyncs</h2>{}", shown) })
}
