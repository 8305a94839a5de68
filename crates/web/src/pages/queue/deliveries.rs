//! Deliveries that wait, are retried, or are dead.
use hookswitch_model::Object;

use super::{
    DELIVERIES, OF_DELIVERIES,
    list::{self, Look},
    standing,
};
use crate::{
    answer::Answer,
    html::Html,
    markup,
    parts::{
        happened::{self, Names, text},
        table::Empty,
        words,
    },
    visitor::Visitor,
};

pub(super) async fn list(visitor: Visitor) -> Answer {
    let look = Look {
        queue: OF_DELIVERIES,
        standing: standing::Of::Deliveries,
        title: "Deliveries",
        one: "Delivery",
        columns: &["Delivery", "What", "Since", "Handler", "Client", "State", "Tries", "Next"],
        tight: &["What", "Handler", "Client"],
        cells,
        states: &["waiting", "retrying", "dead"],
        filters: Vec::new,
        id_label: "Id of the event",
        empty,
    };
    list::list(visitor, look).await
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

fn empty(is_filtered: bool) -> Empty {
    if is_filtered {
        return Empty::new("No delivery is like that: what was delivered is in the log.")
            .button("/provisioning/logs", "To the log");
    }
    Empty::new("Nothing waits. Here is what a handler has not heard of yet: what waits for its turn, what failed and is tried again, and what was given up and is dead. What was delivered is in the log.")
        .button("/provisioning/logs", "To the log")
        .curl("provisioning.deliveries.search", "{\"state\":\"dead\"}")
}
