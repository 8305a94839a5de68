//! Is anything wrong? At a glance, and from each figure to the rows that it counts.
//!
//! | file | subject |
//! |---|---|
//! | here | what is asked, and the page |
//! | `troubles` | what somebody should look at |
//! | `day` | the last 24 hours as pictures |
mod day;
mod troubles;

use askama::Template;
use axum::{Router, routing::get};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::{Value, json};

use crate::{
    answer::{Answer, show},
    html::Html,
    parts::{
        list::objects,
        table::{Empty, Table},
        words,
    },
    visitor::{Page, Visitor},
};
use day::Day;
use troubles::Trouble;

/// Rows of each small list.
const FEW: usize = 8;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/", get(overview))
}

#[derive(Template)]
#[template(path = "pages/overview/overview.html")]
struct Overview {
    page: Page,
    troubles: Vec<Trouble>,
    /// True for who sees the whole system.
    whole: bool,
    day: Day,
    waiting: i64,
    dead: i64,
    oldest: Option<i64>,
    handlers: Html,
    failures: Html,
    fallen: Html,
}

async fn overview(visitor: Visitor) -> Answer {
    let now = visitor.now();
    let standing = objects(visitor.ask("provisioning.handlers.status", json!({})).await?["handlers"].take());
    let figures = objects(visitor.ask("provisioning.handlers.figures", json!({})).await?);
    let events = objects(visitor.ask("provisioning.events.hours", json!({})).await?);
    let system = if visitor.sees_all() { visitor.ask("system.status", json!({})).await? } else { Value::Null };
    let mut troubles = troubles::of(&standing, &system);
    if !visitor.sees_all() {
        // The system's handlers are not his to see; what they were not told of his clients is.
        let dead = json!({"state": "dead", "limit": troubles::SEEN_MAX + 1});
        troubles.extend(troubles::given_up(objects(visitor.ask("provisioning.deliveries.search", dead).await?).len()));
    }
    let sum = |name: &str| standing.iter().filter_map(|one| one[name].as_i64()).sum::<i64>();
    let page = Overview {
        page: visitor.page("Overview", "overview"),
        troubles,
        whole: visitor.sees_all(),
        day: Day::of(now, &events, &figures),
        waiting: sum("waiting") + sum("retrying"),
        dead: sum("dead"),
        oldest: standing.iter().filter_map(|one| one["oldest_age_s"].as_i64()).max(),
        handlers: handlers(now, &standing, &figures, visitor.may(Right::Administer)),
        failures: failures(&visitor, now).await?,
        fallen: fallen(&visitor, now).await?,
    };
    Ok(show(&page))
}

impl Overview {
    fn number(number: &i64) -> String {
        words::number(*number)
    }

    fn span(seconds: &i64) -> String {
        words::span(*seconds)
    }
}

/// The slowest first; who was not called at all is left out.
fn handlers(now: Moment, standing: &[Object], figures: &[Object], may_make: bool) -> Html {
    let mut called: Vec<&Object> = figures.iter().filter(|one| !one["median_ms"].is_null()).collect();
    let median = |one: &Object| one["median_ms"].as_f64().unwrap_or_default();
    called.sort_by(|one, other| median(other).total_cmp(&median(one)));
    let empty = Empty::new("No handler has been called yet.");
    let make = "{\"name\":\"crm\",\"event\":\"clients.create\",\"task\":\"http://127.0.0.1:5000/api\"}";
    let mut table = Table {
        empty: if may_make {
            empty.button("/provisioning/handlers/new", "New handler").curl("provisioning.handlers.create", make)
        } else {
            empty
        },
        ..Table::new("The slowest handlers", &["Handler", "State", "24 hours", "Median", "Waiting", "Dead"])
    }
    .numbers(&["Median", "Waiting", "Dead"]);
    for one in called.into_iter().take(FEW) {
        let id = one["id"].to_string();
        let Some(stands) = standing.iter().find(|stands| stands["id"] == one["id"]) else { continue };
        table.row(
            id.clone(),
            vec![
                words::link(&format!("/provisioning/handlers/{id}"), stands["name"].as_str().unwrap_or_default()),
                words::state(troubles::state(stands)),
                day::of_handler(now, one),
                words::milliseconds(&one["median_ms"]),
                waiting(
                    &id,
                    "waiting,retrying",
                    stands["waiting"].as_i64().unwrap_or(0) + stands["retrying"].as_i64().unwrap_or(0),
                ),
                waiting(&id, "dead", stands["dead"].as_i64().unwrap_or(0)),
            ],
        );
    }
    table.html()
}

/// A number of deliveries, leading to them.
fn waiting(handler: &str, states: &str, number: i64) -> Html {
    let states: String = states.split(',').map(|state| format!("&state={state}")).collect();
    let href = format!("/provisioning/deliveries?handlers_id={handler}{states}");
    if number == 0 { Html::text("0") } else { words::link(&href, words::number(number)) }
}

async fn failures(visitor: &Visitor, now: Moment) -> Result<Html, Refusal> {
    let rows = objects(visitor.ask("provisioning.executions.search", json!({"status": "failed", "limit": FEW})).await?);
    let mut table = Table {
        empty: Empty::new("No call has failed."),
        ..Table::new("The latest failures", &["When", "Handler", "Event", "Client", "Error"])
    };
    for row in &rows {
        let id = row["id"].to_string();
        let client = row["clients_id"].to_string();
        table.row(
            id.clone(),
            vec![
                words::link(&format!("/provisioning/logs/{id}"), words::ago(now, &row["dt"])),
                words::text(&row["handlers_name"]),
                words::text(&row["events_id"]),
                words::link(&format!("/clients/{client}"), &client),
                words::said(row["error"].as_str().unwrap_or_default()),
            ],
        );
    }
    Ok(table.html())
}

async fn fallen(visitor: &Visitor, now: Moment) -> Result<Html, Refusal> {
    let today = visitor.today();
    let asked = json!({"events_id": ["clients.balance_zero", "clients.balance_notzero"], "dt_from": today, "limit": FEW});
    let rows = objects(visitor.ask("provisioning.events.search", asked).await?);
    let mut table = Table {
        empty: Empty::new("No balance has crossed zero today."),
        ..Table::new("Balances that crossed zero today", &["When", "Client", "Balance"])
    };
    for row in &rows {
        let client = row["clients_id"].to_string();
        let fell = row["events_id"] == "clients.balance_zero";
        table.row(
            row["id"].as_str().unwrap_or_default(),
            vec![
                words::link(
                    &format!("/provisioning/events/{}", row["id"].as_str().unwrap_or_default()),
                    words::ago(now, &row["dt"]),
                ),
                words::link(&format!("/clients/{client}"), &client),
                Html::text(if fell { "fell to zero or below" } else { "rose to zero or above" }),
            ],
        );
    }
    Ok(table.html())
}
