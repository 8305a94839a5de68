//! What before handlers have not heard yet of how actions ended.
use hookswitch_model::Object;

use super::{
    OF_OUTCOMES,
    list::{self, Look, any_of},
    standing,
};
use crate::{
    answer::Answer,
    html::Html,
    markup,
    parts::{
        happened::{self, Names, text},
        input::Input,
        json as shown,
        table::Empty,
        words,
    },
    visitor::Visitor,
};

pub(super) async fn list(visitor: Visitor) -> Answer {
    let look = Look {
        queue: OF_OUTCOMES,
        standing: standing::Of::Outcomes,
        title: "Outcomes",
        one: "Outcome",
        columns: &["Action", "Asked", "Handler", "Client", "How it ended", "State", "Tries", "Next"],
        tight: &["Action", "Handler", "Client", "How it ended"],
        cells,
        states: &["asked", "waiting", "retrying", "dead"],
        filters,
        id_label: "Id of the action",
        empty,
    };
    list::list(visitor, look).await
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

fn filters() -> Vec<Input> {
    vec![Input::new("outcome", "How it ended", any_of(&["asked", "committed", "aborted"]))]
}

fn empty(is_filtered: bool) -> Empty {
    if is_filtered {
        return Empty::new("No outcome is like that: what was told is in the log.");
    }
    Empty::new("A before handler that says notify_outcome is told how each action ended that it was asked about. Here is what it has not heard yet; there is nothing.")
        .curl("provisioning.outcomes.search", "{\"state\":\"dead\"}")
}
