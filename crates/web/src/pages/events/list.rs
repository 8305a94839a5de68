//! All events, newest first.
use hookswitch_core::access::Right;
use hookswitch_model::Object;
use serde_json::{Value, json};

use super::PATH;
use crate::{
    answer::{Answer, show},
    html::Html,
    pages::{live::LivePage, log::day, resellers},
    parts::{
        happened::{self, Names, text},
        input::{Input, Kind},
        list::List,
        table::{Empty, Table},
        words,
    },
    visitor::Visitor,
};

pub(super) async fn list(visitor: Visitor) -> Answer {
    let list = List::ask(&visitor, "provisioning.events.search", json!({})).await?;
    let names = Names::of(&visitor, &list.rows).await?;
    let is_live = visitor.query.text("order").is_none() && visitor.query.number("offset").unwrap_or(0) == 0;
    let mut table = Table {
        live: is_live,
        empty: empty(&visitor, &list),
        ..Table::new("Events", &["When", "What", "Object", "Client's no.", "By", "Because of"])
    }
    .numbers(&["Client's no."])
    .cut("tight", &["What", "Object"]);
    for row in &list.rows {
        table.row(text(row, "id"), cells(row, &names, &visitor));
    }
    let resellers = resellers::choices(&visitor, "All resellers").await?;
    let seen = vec![
        Input::new("events_id", "Event", Kind::Choice(happened::choices())),
        Input::new("clients_id", "Client's id", Kind::Number),
        Input::new("companies_id", "Reseller", Kind::Choice(resellers)),
        Input::new("dt_from", "From", day(visitor.query.text("dt_from"))),
        Input::new("dt_to", "Before", day(visitor.query.text("dt_to"))),
    ];
    let more = vec![Input::new("object_id", "Object's id", Kind::Number), Input::new("id", "Id of the event", Kind::Line)];
    Ok(show(&LivePage {
        page: visitor.page("Events", "events"),
        tabs: Html::default(),
        above: Html::default(),
        filters: list.filters(seen, more),
        note: Html::default(),
        table: table.html(),
        pager: list.pager(),
        is_live,
    }))
}

fn cells(row: &Object, names: &Names, visitor: &Visitor) -> Vec<Html> {
    vec![
        words::link(&format!("{PATH}/{}", text(row, "id")), words::ago(visitor.now(), &row["dt"])),
        Html::text(happened::title(text(row, "events_id"))),
        names.object(row),
        words::text(&row["seq"]),
        Html::text(&happened::actor(&row["actor"])),
        cause(&row["cause"]),
    ]
}

/// What it was a reaction to.
pub(super) fn cause(cause: &Value) -> Html {
    match cause.as_str() {
        None => words::nothing(),
        Some("resync") => words::link("/provisioning/resyncs", "a resync"),
        Some(id) => words::link(&format!("{PATH}/{id}"), "a handler's reaction"),
    }
}

fn empty(visitor: &Visitor, list: &List) -> Empty {
    if list.is_filtered() {
        return Empty::new("No event is like that.");
    }
    let empty = Empty::new(
        "Every change of a client, an account or a client package is kept here as an event, with a number of its own for each client. Nothing has happened yet.",
    )
    .curl("clients.create", "{\"name\":\"Acme Telecom\"}");
    if visitor.may(Right::Operate) { empty.button("/clients/new", "New client") } else { empty }
}
