//! Which handlers know the client's present state?
use hookswitch_model::{Object, moment::Moment};
use serde_json::Value;

use crate::{
    html::Html,
    markup,
    parts::{list::objects, words},
};

/// What a handler's state means for this client.
fn meaning(state: &str) -> &'static str {
    match state {
        "in_step" => "it knows the present state",
        "behind" => "something waits for its turn or its next attempt",
        "stopped" => "it is paused or not enabled: nothing is sent",
        "incomplete" => "something was given up",
        "never_told" => "it was never told of this client",
        _ => "it did not hear all: something was discarded, left out by its condition, or happened before it was there",
    }
}

/// One line for each handler: whether it knows, what it was told last, and why if it is not all.
pub(super) fn list(now: Moment, status: &Value) -> Html {
    let handlers = objects(status["handlers"].clone());
    if handlers.is_empty() {
        return markup!(
            "<p class=\"quiet\">Nobody: no after handler hears of this client. {}</p>",
            words::link("/provisioning/handlers", "Handlers")
        );
    }
    let (clients_id, last) = (&status["clients_id"], status["last_seq"].as_i64().unwrap_or_default());
    let mut lines = Html::default();
    for handler in &handlers {
        lines.push(&line(now, handler, clients_id, last));
    }
    markup!("<ul class=\"known\">{}</ul>", lines)
}

fn line(now: Moment, handler: &Object, clients_id: &Value, last: i64) -> Html {
    let id = handler["id"].to_string();
    let state = handler["state"].as_str().unwrap_or_default();
    let name = words::link(&format!("/provisioning/handlers/{id}"), handler["name"].as_str().unwrap_or_default());
    let told = handler["delivered_seq"].as_i64().map(|seq| {
        let all = if seq < last { format!(" of {last}") } else { String::new() };
        markup!(" <span class=\"quiet\">told {}{}, {}</span>", seq, all, words::ago(now, &handler["delivered_dt"]))
    });
    let count = |name: &str| handler[name].as_i64().unwrap_or_default();
    let why = |query: &str, words: String| {
        let href = format!("/provisioning/deliveries?handlers_id={id}&clients_id={clients_id}{query}");
        markup!(" {}", words::link(&href, words))
    };
    let waiting = (count("waiting") > 0).then(|| why("", format!("{} → why", words::counted(count("waiting"), "waits", "wait"))));
    let dead = (count("dead") > 0).then(|| why("&state=dead", format!("{} dead → why", words::number(count("dead")))));
    let resync =
        handler["resyncs_id"].as_i64().map(|_| markup!(" {}", words::link("/provisioning/resyncs", "a resync is on its way")));
    markup!(
        "<li><span title=\"{}\">{}</span> {}{}{}{}{}</li>",
        meaning(state),
        words::state(&state.replace('_', " ")),
        name,
        told.unwrap_or_default(),
        waiting.unwrap_or_default(),
        dead.unwrap_or_default(),
        resync.unwrap_or_default()
    )
}
