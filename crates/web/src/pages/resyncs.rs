//! How far have resyncs come?
use askama::Template;
use axum::{
    Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, objects::resync::State, refusal::Refusal};
use serde_json::{Value, json};

use super::{live::LivePage, queue::beside};
use crate::{
    answer::{Answer, go_to, show, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    parts::{
        happened::{Names, text},
        input::{Choice, Input, Kind},
        list::List,
        table::{Empty, Table},
        words,
    },
    visitor::{Page, Visitor},
};

const PATH: &str = "/provisioning/resyncs";

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route(PATH, get(list))
        .route("/provisioning/resyncs/{id}", get(resync))
        .route("/provisioning/resyncs/{id}/pause", post(pause).get(back))
        .route("/provisioning/resyncs/{id}/resume", post(resume).get(back))
        .route("/provisioning/resyncs/{id}/cancel", post(cancel).get(back))
}

/// Where somebody comes back to what was refused there: to the resync itself.
async fn back(Path(id): Path<i64>) -> Response {
    go_to(&format!("{PATH}/{id}"))
}

async fn list(visitor: Visitor) -> Answer {
    let list = List::ask(&visitor, "provisioning.resyncs.search", json!({})).await?;
    let names = Names::of(&visitor, &list.rows).await?;
    let titles = ["Resync", "Handler", "State", "Written", "Began", "By", "In words"];
    let mut table = Table { empty: empty(&list), ..Table::new("Resyncs", &titles) };
    for row in &list.rows {
        let id = row["id"].to_string();
        let cells = vec![
            words::link(&format!("{PATH}/{id}"), markup!("resync {}", id)),
            names.handler(&row["handlers_id"], None),
            words::state(text(row, "state")),
            written(row),
            words::ago(visitor.now(), &row["started_dt"]),
            Html::text(text(row, "by")),
            Html::text(text(row, "reason")),
        ];
        table.row(id, cells);
    }
    let states = std::iter::once(Choice::new("", "All")).chain(Choice::words(State::WORDS)).collect();
    let handlers = names.choices(visitor.query.text("handlers_id")).map_or(Kind::Number, Kind::Choice);
    let seen = vec![Input::new("state", "State", Kind::Choice(states)), Input::new("handlers_id", "Handler", handlers)];
    Ok(show(&LivePage {
        page: visitor.page("Resyncs", "deliveries"),
        tabs: beside(PATH),
        above: Html::default(),
        filters: list.filters(seen, Vec::new()),
        note: Html::default(),
        table: markup!("<div id=\"resyncs\" data-live=\"part\">{}</div>", table.html()),
        pager: list.pager(),
        is_live: false,
    }))
}

fn empty(list: &List) -> Empty {
    if list.is_filtered() {
        return Empty::new("No resync is like that.");
    }
    Empty::new("A resync tells one handler how everything stands now: when it is new, or has lost its data. It is begun on the handler's page. There was none yet.")
        .button("/provisioning/handlers", "To the handlers")
        .curl("provisioning.handlers.resync", "{\"id\":1,\"count_only\":true}")
}

/// How many events are written, of how many.
fn written(row: &Object) -> Html {
    let sent = row["sent"].as_i64().unwrap_or(0);
    match row["total"].as_i64() {
        None => Html::text(&words::counted(sent, "event", "events")),
        Some(total) => {
            let (shown, of) = (words::number(sent), words::counted(total, "event", "events"));
            let share = sent.clamp(0, total.max(1));
            markup!(
                "<progress max=\"{}\" value=\"{}\" aria-label=\"Written\"></progress> {} of {}",
                total.max(1),
                share,
                shown,
                of
            )
        }
    }
}

#[derive(Template)]
#[template(path = "pages/resyncs.html")]
struct ResyncPage {
    page: Page,
    tabs: Html,
    state: Html,
    may: bool,
    is_paused: bool,
    can_pause: bool,
    /// The word on the button that ends it, which can't be undone.
    cancel: Option<String>,
    progress: Html,
    facts: Vec<(&'static str, Html)>,
}

async fn resync(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let Value::Object(row) = visitor.ask("provisioning.resyncs.get", json!({"id": id})).await? else {
        return Err(Refusal::internal("no resync").into());
    };
    let names = Names::of(&visitor, std::slice::from_ref(&row)).await?;
    let state = text(&row, "state");
    let is_over = ["done", "cancelled"].contains(&state);
    let left = row["total"].as_i64().map(|total| (total - row["sent"].as_i64().unwrap_or(0)).max(0));
    let cancel = match left {
        Some(left) if left > 0 => format!("Cancel the last {}", words::counted(left, "event", "events")),
        _ => "Cancel".to_owned(),
    };
    let page = ResyncPage {
        page: visitor.page(format!("Resync {id}"), "deliveries"),
        tabs: beside(PATH),
        state: words::state(state),
        may: visitor.may(Right::Operate),
        is_paused: state == "paused",
        can_pause: !is_over && state != "paused",
        cancel: (!is_over).then_some(cancel),
        progress: markup!("<p>{}</p>", written(&row)),
        facts: facts(&visitor, &row, &names),
    };
    Ok(show(&page))
}

fn facts(visitor: &Visitor, row: &Object, names: &Names) -> Vec<(&'static str, Html)> {
    let handler = row["handlers_id"].to_string();
    let queued = |state: &str| match row[state].as_i64().unwrap_or(0) {
        0 => Html::text("0"),
        number => words::link(&format!("/provisioning/deliveries?handlers_id={handler}&state={state}"), words::number(number)),
    };
    let number = |name: &str| Html::text(&words::number(row[name].as_i64().unwrap_or(0)));
    let mut facts = vec![
        ("Handler", names.handler(&row["handlers_id"], None)),
        ("Began", markup!("{}, by {}", words::ago(visitor.now(), &row["started_dt"]), text(row, "by"))),
        ("Delivered", number("delivered")),
        ("Waiting", queued("waiting")),
        ("Retrying", queued("retrying")),
        ("Dead", queued("dead")),
        ("Discarded", number("discarded")),
        (
            "Pace",
            Html::text(&format!("{} a second at most", words::counted(row["rate"].as_i64().unwrap_or(0), "event", "events"))),
        ),
        ("Chosen", chosen(row)),
    ];
    if let Some(seconds) = row["eta_s"].as_i64() {
        facts.push(("Written in", Html::text(&words::span(seconds))));
    }
    if !text(row, "reason").is_empty() {
        facts.push(("In words", Html::text(text(row, "reason"))));
    }
    if !row["ended_dt"].is_null() {
        facts.push(("Ended", words::ago(visitor.now(), &row["ended_dt"])));
    }
    facts
}

fn chosen(row: &Object) -> Html {
    let mut parts = Vec::new();
    if let Some(clients) = row["clients_id"].as_array() {
        parts.push(Html::text(&words::counted(i64::try_from(clients.len()).unwrap_or(0), "client", "clients")));
    }
    if let Some(reseller) = row["companies_id"].as_i64() {
        parts.push(words::link(&format!("/resellers/{reseller}"), format!("reseller {reseller}")));
    }
    if !text(row, "condition").is_empty() {
        parts.push(words::code(text(row, "condition")));
    }
    if parts.is_empty() { Html::text("everything") } else { Html::joined(parts, ", ") }
}

/// What can be done to a resync that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steering {
    Pause,
    Resume,
    Cancel,
}

/// Does it, and says what that means.
///
/// # Errors
/// Every refusal, but that it is over already.
pub(crate) async fn steered(visitor: &Visitor, id: i64, steering: Steering) -> Result<Notice, Refusal> {
    let (method, said) = match steering {
        Steering::Pause => {
            ("provisioning.resyncs.pause", "is paused: no more events of it are written; those that are written are delivered")
        }
        Steering::Resume => ("provisioning.resyncs.resume", "goes on where it was"),
        Steering::Cancel => (
            "provisioning.resyncs.cancel",
            "is cancelled: what was written is delivered, but the handler is not told that it has all",
        ),
    };
    let notice = match visitor.act(method, Object::from_iter([("id".to_owned(), id.into())])).await {
        Ok(done) => Notice::new(format!("Resync {id} {said}.")).warning(&done.warnings),
        // It has ended meanwhile: its page says how.
        Err(Refusal::Conflict { message, .. }) => {
            return Ok(Notice::new(format!("Resync {id} can't be changed any more: {message}.")));
        }
        Err(other) => return Err(other),
    };
    Ok(match steering {
        Steering::Pause => notice.undone_by(&format!("{PATH}/{id}/resume"), &[]),
        Steering::Resume => notice.undone_by(&format!("{PATH}/{id}/pause"), &[]),
        Steering::Cancel => notice,
    })
}

async fn steer(visitor: &Visitor, id: i64, steering: Steering) -> Answer {
    let notice = steered(visitor, id, steering).await?;
    Ok(with_cookie(go_to(&format!("{PATH}/{id}")), &notice.cookie()))
}

async fn pause(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    steer(&visitor, id, Steering::Pause).await
}

async fn resume(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    steer(&visitor, id, Steering::Resume).await
}

async fn cancel(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    steer(&visitor, id, Steering::Cancel).await
}
