//! One delivery: what is to be told to whom, what came of it so far, and what stands before it.
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{DELIVERIES, OF_DELIVERIES, beside, repair};
use crate::{
    answer::{self, Answer, go_to, show, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    parts::{
        happened::{self, Names, text},
        json as shown,
        list::objects,
        table::Table,
        waterfall, words,
    },
    visitor::{Page, Visitor},
};

/// Attempts that are listed.
const ATTEMPTS_MAX: usize = 30;

#[derive(Template)]
#[template(path = "pages/queue/delivery.html")]
struct DeliveryPage {
    page: Page,
    state: Html,
    words: Html,
    facts: Vec<(&'static str, Html)>,
    attempts: Html,
    /// The word on the button that sends it again, if it can be.
    resend: Option<&'static str>,
    discard_href: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/queue/gone.html")]
struct GonePage {
    page: Page,
    tabs: Html,
}

pub(super) async fn delivery(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let Some(delivery) = get(&visitor, id).await? else { return Ok(gone(&visitor, id)) };
    let names = Names::of(&visitor, std::slice::from_ref(&delivery)).await?;
    let before = before(&visitor, &delivery).await?;
    let may = visitor.may(Right::Operate);
    let state = text(&delivery, "state");
    let resend = match state {
        "dead" => Some("Send again"),
        "retrying" => Some("Try now"),
        _ => None,
    };
    let page = DeliveryPage {
        page: visitor.page(format!("Delivery {id}"), "deliveries"),
        state: words::state(state),
        words: in_words(&visitor, &delivery, before.as_ref()),
        facts: facts(&visitor, &delivery, &names),
        attempts: attempts(&visitor, &delivery).await?,
        resend: resend.filter(|_| may),
        discard_href: may.then(|| format!("{DELIVERIES}/discard?id={id}")),
    };
    Ok(show(&page))
}

async fn get(visitor: &Visitor, id: i64) -> Result<Option<Object>, Refusal> {
    match visitor.ask("provisioning.deliveries.get", json!({"id": id})).await {
        Ok(Value::Object(delivery)) => Ok(Some(delivery)),
        Ok(_) | Err(Refusal::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// It is done meanwhile, or never was.
fn gone(visitor: &Visitor, id: i64) -> Response {
    let page = visitor.page(format!("Delivery {id}"), "deliveries");
    answer::show_as(StatusCode::NOT_FOUND, &GonePage { page, tabs: beside(DELIVERIES) })
}

/// The delivery to the same handler about the same client that has to be done first, if there is one.
async fn before(visitor: &Visitor, delivery: &Object) -> Result<Option<Object>, Refusal> {
    let asked = json!({"handlers_id": delivery["handlers_id"], "clients_id": delivery["clients_id"], "state": ["waiting", "retrying"],
        "limit": 1});
    let first = objects(visitor.ask("provisioning.deliveries.search", asked).await?).pop();
    Ok(first.filter(|first| first["id"].as_i64() < delivery["id"].as_i64()))
}

fn in_words(visitor: &Visitor, delivery: &Object, before: Option<&Object>) -> Html {
    let next = words::due(visitor.now(), &delivery["next_dt"]);
    match (text(delivery, "state"), before) {
        ("dead", _) => Html::text(
            "It was given up. It is kept until it is sent again or discarded; later events of the client go ahead of it.",
        ),
        (_, Some(before)) => {
            let id = before["id"].to_string();
            let link = words::link(&format!("{DELIVERIES}/{id}"), markup!("delivery {}", id));
            markup!("It waits behind {}: a handler hears of one client's events one at a time, in order.", link)
        }
        ("retrying", None) => markup!("It failed, and is to be tried again: {}.", next),
        _ => Html::text("It waits for its turn."),
    }
}

fn facts(visitor: &Visitor, delivery: &Object, names: &Names) -> Vec<(&'static str, Html)> {
    let event = format!("/provisioning/events/{}", text(delivery, "event_id"));
    let event = words::link(&event, happened::title(text(delivery, "events_id")));
    let mut facts = vec![
        (
            "What",
            markup!(
                "{}, {}, no. {} of the client",
                event,
                words::ago(visitor.now(), &delivery["dt"]),
                delivery["seq"].to_string()
            ),
        ),
        ("Handler", names.handler(&delivery["handlers_id"], None)),
        ("Client", names.client(&delivery["clients_id"])),
        ("Attempts made", words::text(&delivery["attempt"])),
        ("Next try", words::due(visitor.now(), &delivery["next_dt"])),
        ("In words", words::text(&delivery["error"])),
    ];
    if let Some(folded) = delivery["folded"].as_i64().filter(|folded| *folded > 0) {
        facts.push(("Stands for", Html::text(&words::counted(folded, "earlier event", "earlier events"))));
    }
    facts
}

async fn attempts(visitor: &Visitor, delivery: &Object) -> Result<Html, Refusal> {
    let asked = json!({"event_id": delivery["event_id"], "handlers_id": delivery["handlers_id"], "stage": "after", "limit": ATTEMPTS_MAX});
    let rows = objects(visitor.ask("provisioning.executions.search", asked).await?);
    let mut table =
        Table::new("Attempts", &["When", "Attempt", "Answer", "Took", "Status", "In words"]).numbers(&["Took", "Status"]);
    for row in &rows {
        let id = row["id"].to_string();
        let cells = vec![
            words::link(&format!("/provisioning/logs/{id}"), words::ago(visitor.now(), &row["dt"])),
            words::text(&row["attempt"]),
            waterfall::verdict("after", text(row, "status"), false, false),
            words::milliseconds(&row["duration_ms"]),
            words::text(&row["response_status"]),
            Html::text(shown::cut_by_markup(text(row, "error"), 300)),
        ];
        table.row(id, cells);
    }
    Ok(if rows.is_empty() { Html::default() } else { table.html() })
}

/// Sends it again at once: that harms nobody. One that was overtaken is asked about.
pub(super) async fn resend(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let Some(delivery) = get(&visitor, id).await? else { return Ok(gone(&visitor, id)) };
    match visitor.ask(OF_DELIVERIES.resend, json!({"id": id})).await {
        Ok(_) => {
            let notice = Notice::new(format!("Delivery {id} is sent again."));
            Ok(with_cookie(go_to(&format!("/provisioning/events/{}", text(&delivery, "event_id"))), &notice.cookie()))
        }
        Err(Refusal::Conflict { .. }) => repair::ask_about_overtaken(&visitor, id).await,
        Err(other) => Err(other.into()),
    }
}
