//! Which handlers answer each other?
use askama::Template;
use axum::{Router, extract::Path, routing::get};
use hookswitch_api::Api;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{live::LivePage, queue::beside};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    parts::{
        happened::{self, Names, text},
        input::{Choice, Input, Kind},
        list::List,
        table::{Empty, Table},
        words,
    },
    visitor::{Page, Visitor},
};

const PATH: &str = "/provisioning/loops";
/// Steps that are shown.
const STEPS_MAX: usize = 40;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route(PATH, get(list)).route("/provisioning/loops/{id}", get(one))
}

async fn list(visitor: Visitor) -> Answer {
    let list = List::ask(&visitor, "provisioning.loops.search", json!({})).await?;
    let names = Names::of(&visitor, &list.rows).await?;
    let titles = ["Who", "State", "Found by", "What", "Object", "Times", "Last seen"];
    let mut table = Table { empty: empty(&list), ..Table::new("Loops", &titles) }.numbers(&["Times"]);
    for row in &list.rows {
        let id = row["id"].to_string();
        let cells = vec![
            words::link(&format!("{PATH}/{id}"), who(row, &names)),
            state(row),
            Html::text(found_by(row)),
            Html::text(happened::title(text(row, "events_id"))),
            names.object(row),
            Html::text(&words::number(row["count"].as_i64().unwrap_or(0))),
            words::ago(visitor.now(), &row["last_dt"]),
        ];
        table.row(id, cells);
    }
    let states = vec![Choice::new("", "All"), Choice::new("cut", "refused"), Choice::new("suspected", "let run")];
    let seen = vec![Input::new("state", "State", Kind::Choice(states)), Input::new("clients_id", "Client's id", Kind::Number)];
    Ok(show(&LivePage {
        page: visitor.page("Loops", "deliveries"),
        tabs: beside(PATH),
        above: Html::default(),
        filters: list.filters(seen, Vec::new()),
        note: Html::default(),
        table: table.html(),
        pager: list.pager(),
        is_live: false,
    }))
}

fn empty(list: &List) -> Empty {
    if list.is_filtered() {
        return Empty::new("No loop is like that.");
    }
    Empty::new("Handlers that change in answer to what they are told can answer each other for ever. What looks like that is found, ended, and kept here. Nothing was found.")
        .curl("provisioning.loops.search", "{}")
}

/// The handlers, in a sentence's beginning.
fn who(row: &Object, names: &Names) -> String {
    let ids: Vec<i64> = row["handlers"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let name = |id: &i64| names.handler_name(*id).map_or_else(|| format!("handler {id}"), str::to_owned);
    match ids.as_slice() {
        [] => "Handlers that are not known".to_owned(),
        [one] => format!("{} answers itself", name(one)),
        [others @ .., last] => {
            let others: Vec<String> = others.iter().map(name).collect();
            format!("{} and {} answer each other", others.join(", "), name(last))
        }
    }
}

fn state(row: &Object) -> Html {
    match text(row, "state") {
        "cut" => markup!("<span class=\"state refused\"><span aria-hidden=\"true\">⊘</span> refused</span>"),
        _ => markup!("<span class=\"state waiting\"><span aria-hidden=\"true\">◔</span> let run</span>"),
    }
}

fn found_by(row: &Object) -> &'static str {
    match text(row, "found_by") {
        "depth" => "how deep the causes go",
        "states" => "the same states that come back",
        _ => "how often it happens",
    }
}

#[derive(Template)]
#[template(path = "pages/loops.html")]
struct LoopPage {
    page: Page,
    tabs: Html,
    state: Html,
    words: &'static str,
    /// True if its causes are known: then they were sent.
    is_deep: bool,
    facts: Vec<(&'static str, Html)>,
    way: Html,
}

async fn one(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let Value::Object(row) = visitor.ask("provisioning.loops.get", json!({"id": id})).await? else {
        return Err(Refusal::internal("no loop").into());
    };
    let names = Names::of(&visitor, std::slice::from_ref(&row)).await?;
    let handlers = row["handlers"].as_array().into_iter().flatten().map(|id| names.handler(id, None));
    let facts = vec![
        ("Handlers", Html::joined(handlers, ", ")),
        ("What", Html::text(happened::title(text(&row, "events_id")))),
        ("Object", names.object(&row)),
        (
            "Seen",
            markup!(
                "{} times, first {}, last {}",
                row["count"].to_string(),
                words::ago(visitor.now(), &row["first_dt"]),
                words::ago(visitor.now(), &row["last_dt"])
            ),
        ),
        ("Found by", Html::text(found_by(&row))),
    ];
    let page = LoopPage {
        page: visitor.page(who(&row, &names), "deliveries"),
        tabs: beside(PATH),
        state: state(&row),
        words: in_words(&row),
        is_deep: text(&row, "found_by") == "depth",
        facts,
        way: way(&visitor, &row, &names),
    };
    Ok(show(&page))
}

fn in_words(row: &Object) -> &'static str {
    match text(row, "found_by") {
        "depth" => "Each change was made in answer to another, eight deep: further ones are refused with cause_too_deep.",
        "states" => {
            "The same requests came again and again, each while a handler was being told of the client: they are refused with cause_too_deep until none has come for a minute."
        }
        _ => {
            "Changes answer each other without coming back to where they were, so that it can't be told from work: it is only shown."
        }
    }
}

fn way(visitor: &Visitor, row: &Object, names: &Names) -> Html {
    let steps = row["way"].as_array().map(Vec::as_slice).unwrap_or_default();
    let steps = steps.iter().skip(steps.len().saturating_sub(STEPS_MAX)).map(|step| {
        let title = happened::title(step["events_id"].as_str().unwrap_or_default());
        let event = match step["event_id"].as_str() {
            Some(id) => words::link(&format!("/provisioning/events/{id}"), title),
            None => Html::text(title),
        };
        let answered: Vec<Html> = step["handlers"].as_array().into_iter().flatten().map(|id| names.handler(id, None)).collect();
        let answered = match answered.is_empty() {
            true => Html::default(),
            false => markup!(", in answer to {}", Html::joined(answered, ", ")),
        };
        let by = happened::actor(&step["actor"]);
        markup!(
            "<li>{} by {} <span class=\"quiet\">{}</span>{}</li>",
            event,
            by,
            words::ago(visitor.now(), &step["dt"]),
            answered
        )
    });
    Html::joined(steps, "")
}
