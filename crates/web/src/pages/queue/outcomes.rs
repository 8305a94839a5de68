//! What before handlers have not heard yet of how actions ended.
use hookswitch_core::access::Right;
use hookswitch_model::Object;
use serde_json::json;

use super::{OF_OUTCOMES, OUTCOMES, beside, repair, standing};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    pages::live::LivePage,
    parts::{
        happened::{self, Names, text},
        input::{Choice, Input, Kind},
        json as shown,
        list::List,
        table::{Empty, Table},
        words,
    },
    visitor::Visitor,
};

pub(super) async fn list(visitor: Visitor) -> Answer {
    let list = List::ask(&visitor, OF_OUTCOMES.search, json!({})).await?;
    let names = Names::of(&visitor, &list.rows).await?;
    let may = visitor.may(Right::Operate);
    let titles = ["", "Action", "Asked", "Handler", "Client", "How it ended", "State", "Tries", "Next"];
    let titles = if may { &titles[..] } else { &titles[1..] };
    let mut table = Table { empty: empty(&list), ..Table::new("Outcomes", titles) }
        .numbers(&["Tries"])
        .cut("tight", &["Action", "Handler", "Client", "How it ended"]);
    for row in &list.rows {
        let mut cells = cells(row, &names, &visitor);
        if may {
            cells.insert(0, repair::tick(row, "Outcome"));
        }
        table.row(row["id"].to_string(), cells);
    }
    let standing = standing::standing(&visitor, standing::Of::Outcomes).await?;
    Ok(show(&LivePage {
        page: visitor.page("Outcomes", "deliveries"),
        tabs: beside(OUTCOMES),
        above: markup!("<div id=\"standing\" data-live=\"part\">{}</div>", standing),
        filters: filters(&visitor, &list, &names),
        note: repair::buttons(&visitor, OF_OUTCOMES, &list).await?,
        table: table.html(),
        pager: list.pager(),
        is_live: false,
    }))
}

fn cells(row: &Object, names: &Names, visitor: &Visitor) -> Vec<Html> {
    let title = happened::title(text(row, "events_id"));
    let event_id = text(row, "event_id");
    // What was not committed is no event: its calls tell of it.
    let place = match text(row, "outcome") {
        "committed" => format!("/provisioning/events/{event_id}"),
        _ => format!("/provisioning/logs?event_id={event_id}"),
    };
    vec![
        words::link(&place, title),
        words::ago(visitor.now(), &row["asked_dt"]),
        names.handler(&row["handlers_id"], None),
        names.client(&row["clients_id"]),
        ended(row),
        markup!("{}{}", words::state(text(row, "state")), words::why(text(row, "error"))),
        words::text(&row["attempt"]),
        words::due(visitor.now(), &row["next_dt"]),
    ]
}

fn ended(row: &Object) -> Html {
    let message = shown::cut(text(row, "message"), 160);
    match (text(row, "outcome"), message.is_empty()) {
        ("asked", _) => markup!("<span class=\"quiet\">not decided yet</span>"),
        (outcome, true) => Html::text(outcome),
        (outcome, false) => markup!("{} <span class=\"quiet\">{}</span>", outcome, message),
    }
}

fn filters(visitor: &Visitor, list: &List, names: &Names) -> Html {
    let any = || std::iter::once(Choice::new("", "All"));
    let states = any().chain(Choice::words(&["asked", "waiting", "retrying", "dead"])).collect();
    let outcomes = any().chain(Choice::words(&["asked", "committed", "aborted"])).collect();
    let handlers = names.choices(visitor.query.text("handlers_id")).map_or(Kind::Number, Kind::Choice);
    let seen = vec![
        Input::new("state", "State", Kind::Choice(states)),
        Input::new("outcome", "How it ended", Kind::Choice(outcomes)),
        Input::new("handlers_id", "Handler", handlers),
        Input::new("clients_id", "Client's id", Kind::Number),
        Input::new("events_id", "Event", Kind::Choice(happened::choices())),
    ];
    list.filters(seen, vec![Input::new("event_id", "Id of the action", Kind::Line)])
}

fn empty(list: &List) -> Empty {
    if list.is_filtered() {
        return Empty::new("No outcome is like that: what was told is in the log.");
    }
    Empty::new("A before handler that says notify_outcome is told how each action ended that it was asked about. Here is what it has not heard yet; there is nothing.")
        .curl("provisioning.outcomes.search", "{\"state\":\"dead\"}")
}
