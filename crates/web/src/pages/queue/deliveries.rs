//! Deliveries that wait, are retried, or are dead.
use hookswitch_core::access::Right;
use hookswitch_model::Object;
use serde_json::json;

use super::{DELIVERIES, OF_DELIVERIES, beside, repair, standing};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    pages::live::LivePage,
    parts::{
        happened::{self, Names, text},
        input::{Choice, Input, Kind},
        list::List,
        table::{Empty, Table},
        words,
    },
    visitor::Visitor,
};

pub(super) async fn list(visitor: Visitor) -> Answer {
    let list = List::ask(&visitor, OF_DELIVERIES.search, json!({})).await?;
    let names = Names::of(&visitor, &list.rows).await?;
    let may = visitor.may(Right::Operate);
    let titles = ["", "Delivery", "What", "Since", "Handler", "Client", "State", "Tries", "Next"];
    let titles = if may { &titles[..] } else { &titles[1..] };
    let mut table = Table { empty: empty(&list), ..Table::new("Deliveries", titles) }
        .numbers(&["Tries"])
        .cut("tight", &["What", "Handler", "Client"]);
    for row in &list.rows {
        let mut cells = cells(row, &names, &visitor);
        if may {
            cells.insert(0, repair::tick(row, "Delivery"));
        }
        table.row(row["id"].to_string(), cells);
    }
    let standing = standing::standing(&visitor, standing::Of::Deliveries).await?;
    Ok(show(&LivePage {
        page: visitor.page("Deliveries", "deliveries"),
        tabs: beside(DELIVERIES),
        above: markup!("<div id=\"standing\" data-live=\"part\">{}</div>", standing),
        filters: filters(&visitor, &list, &names),
        note: repair::buttons(&visitor, OF_DELIVERIES, &list).await?,
        table: table.html(),
        pager: list.pager(),
        is_live: false,
    }))
}

fn cells(row: &Object, names: &Names, visitor: &Visitor) -> Vec<Html> {
    let id = row["id"].to_string();
    let folded = row["folded"].as_i64().filter(|folded| *folded > 0);
    let folded = folded.map_or_else(Html::default, |folded| {
        markup!(" <span class=\"quiet\">stands for {} too</span>", words::counted(folded, "earlier one", "earlier ones"))
    });
    let event = words::link(&format!("/provisioning/events/{}", text(row, "event_id")), happened::title(text(row, "events_id")));
    vec![
        words::link(&format!("{DELIVERIES}/{id}"), words::code(&id)),
        markup!("{}{}", event, folded),
        words::ago(visitor.now(), &row["dt"]),
        names.handler(&row["handlers_id"], None),
        names.client(&row["clients_id"]),
        markup!("{}{}", words::state(text(row, "state")), words::why(text(row, "error"))),
        words::text(&row["attempt"]),
        match text(row, "state") {
            "waiting" => markup!("<span class=\"quiet\">in its turn</span>"),
            _ => words::due(visitor.now(), &row["next_dt"]),
        },
    ]
}

fn filters(visitor: &Visitor, list: &List, names: &Names) -> Html {
    let states = std::iter::once(Choice::new("", "All")).chain(Choice::words(&["waiting", "retrying", "dead"])).collect();
    let handlers = names.choices(visitor.query.text("handlers_id")).map_or(Kind::Number, Kind::Choice);
    let seen = vec![
        Input::new("state", "State", Kind::Choice(states)),
        Input::new("handlers_id", "Handler", handlers),
        Input::new("clients_id", "Client's id", Kind::Number),
        Input::new("events_id", "Event", Kind::Choice(happened::choices())),
    ];
    list.filters(seen, vec![Input::new("event_id", "Id of the event", Kind::Line)])
}

fn empty(list: &List) -> Empty {
    if list.is_filtered() {
        return Empty::new("No delivery is like that: what was delivered is in the log.")
            .button("/provisioning/logs", "To the log");
    }
    Empty::new("Nothing waits. Here is what a handler has not heard of yet: what waits for its turn, what failed and is tried again, and what was given up and is dead. What was delivered is in the log.")
        .button("/provisioning/logs", "To the log")
        .curl("provisioning.deliveries.search", "{\"state\":\"dead\"}")
}
