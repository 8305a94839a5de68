//! How is the program itself: its nodes, their leases, the database, the clock?
use askama::Template;
use axum::{Router, routing::get};
use hookswitch_api::Api;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, show},
    html::Html,
    parts::{
        table::{Empty, Table},
        words,
    },
    visitor::{Page, Visitor},
};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/status", get(status))
}

#[derive(Template)]
#[template(path = "pages/status.html")]
struct Status {
    page: Page,
    facts: Vec<(&'static str, Html)>,
    /// `None` where there is one node only.
    nodes: Option<Html>,
}

async fn status(visitor: Visitor) -> Answer {
    let status = visitor.ask("system.status", json!({})).await?;
    let mut facts = vec![
        ("Version", words::text(&status["version"])),
        ("Database", Html::text(engine(&status["database"]))),
        ("Time of the server", Html::text(&words::exact(visitor.now()))),
    ];
    if let Some(lag) = status["clock_lag_s"].as_i64() {
        let kept_up = Html::text("in time");
        facts.push((
            "Steps of client packages",
            if lag == 0 { kept_up } else { Html::text(&format!("late by {}", words::span(lag))) },
        ));
    }
    if visitor.sees_all() {
        let loops = status["loops"]["cut"].as_i64().unwrap_or(0) + status["loops"]["suspected"].as_i64().unwrap_or(0);
        facts.push(("Loops within 24 hours", words::link("/provisioning/loops", words::number(loops))));
    }
    let nodes = status["nodes"].as_array().filter(|nodes| !nodes.is_empty()).map(|nodes| table(nodes).html());
    Ok(show(&Status { page: visitor.page("Status", "status"), facts, nodes }))
}

fn engine(word: &Value) -> &str {
    match word.as_str() {
        Some("sqlite") => "SQLite",
        Some("postgres") => "PostgreSQL",
        other => other.unwrap_or_default(),
    }
}

fn table(nodes: &[Value]) -> Table {
    let mut table = Table {
        empty: Empty::new("No node has joined."),
        ..Table::new("The nodes that share this database", &["Node", "State", "Shards", "Lease left", "Lag", "Version", "Life"])
    }
    .numbers(&["Shards", "Lease left", "Lag", "Life"]);
    for node in nodes {
        let mut name = words::text(&node["name"]);
        if node["this"] == true {
            name.push(&crate::markup!(" <span class=\"chip\">this page</span>"));
        }
        table.row(
            node["id"].to_string(),
            vec![
                name,
                words::state(node["state"].as_str().unwrap_or_default()),
                words::text(&node["shards"]),
                words::milliseconds(&node["lease_left_ms"]),
                words::milliseconds(&node["lag_ms"]),
                words::text(&node["version"]),
                words::text(&node["epoch"]),
            ],
        );
    }
    table
}
