//! Statements in a database: how fast a queue that has gathered is worked off by a SQL handler, each event a durable transaction there.
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use url::Url;

use super::Circumstances;
use crate::bench::{
    report::{Figure, Section},
    subject::Subject,
};

const WANTED: f64 = 3_000.0;
const QUEUE: u64 = 30_000;
/// Rows of nobody in the only table that every target has: a handler makes none but its own.
const DELETE: &str = "DELETE FROM hookswitch_seen WHERE handler = 0 AND kind = 'bench' AND id = {{object.id}}";
const INSERT: &str =
    "INSERT INTO hookswitch_seen (handler, kind, id, era, seq, heard) VALUES (0, 'bench', {{object.id}}, 0, {{event.seq}}, 0)";
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A URL as databases have it, as a handler's task and its settings.
fn target(url: &str) -> anyhow::Result<(String, Value)> {
    let mut url = Url::parse(url).context("--sql-database")?;
    let engine = url.scheme().to_owned();
    let password = url.password().map(|password| password.replace("%40", "@"));
    anyhow::ensure!(url.set_password(None).is_ok() || engine == "sqlite", "--sql-database: it has no host");
    let task = url.as_str().replacen(&engine, "sql", 1);
    Ok((format!("{task}?engine={engine}"), json!(password)))
}

async fn empty(server: &Subject) -> anyhow::Result<()> {
    let started = Instant::now();
    while server.waiting().await? > 0 {
        anyhow::ensure!(started.elapsed() < PATIENCE, "the queue is not worked off");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

pub(super) async fn drain(at: &Circumstances) -> anyhow::Result<Section> {
    let url = at.sql_database.as_deref().context("--sql-database names the database")?;
    let (task, password) = target(url)?;
    let server = at.warm_server().await?;
    let fields = |statements: Value| {
        let settings = json!({"password": password, "statements": {"clients.create": statements}});
        json!({"name": "sql", "event": "clients.create", "task": task, "settings": settings, "retries": []})
    };
    let id = server.handler(fields(json!([DELETE, INSERT]))).await?;
    server.call("provisioning.handlers.pause", json!({"id": id})).await?;
    server.make_clients(QUEUE).await?;
    let busy = server.processor_seconds()?;
    let started = Instant::now();
    server.call("provisioning.handlers.resume", json!({"id": id})).await?;
    empty(&server).await?;
    let took = started.elapsed().as_secs_f64();
    let busy = server.processor_seconds()? - busy;
    let status =
        server.call("provisioning.executions.search", json!({"handlers_id": id, "status": "failed", "limit": 1})).await?;
    anyhow::ensure!(status == json!([]), "deliveries failed: {status}");
    let figures = vec![
        Figure::new("until the queue was empty", took, "s"),
        Figure::new("delivered", QUEUE as f64 / took, "/s").at_least(WANTED),
        Figure::new("the server's processor time per event", busy * 1e6 / QUEUE as f64, "us"),
    ];
    server.end().await?;
    Ok(Section {
        name: "sql",
        about: "30,000 events into a database, two statements each, one durable transaction an event",
        figures,
    })
}
