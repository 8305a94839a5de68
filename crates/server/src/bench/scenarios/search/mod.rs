//! How fast lists answer over a database of many clients: every list, every kind of question, for a key of the whole system and for
//! that of a small reseller whose rows are the last ones.
mod questions;

use std::time::{Duration, Instant};

use serde_json::json;

use super::Circumstances;
use crate::bench::{
    histogram::Histogram,
    load::Until,
    process::this_program,
    report::{Figure, Section},
    subject::{Home, KEY, Load, Receiver, Subject},
};
use questions::{KINDS, Kind, QUESTIONS, Question};

/// Each client has so many of each.
const ACCOUNTS: &str = "5";
const TRANSACTIONS: &str = "2";
const PACKAGES: &str = "2";
/// The small reseller's clients.
const RESELLERS_CLIENTS: u64 = 50;
/// Events that wait for a paused handler and that another has got: what deliveries and the log are searched for.
const DELIVERED: u64 = 5_000;
const PATIENCE: Duration = Duration::from_secs(60);
/// How often each question is asked.
const TIMES: u64 = 60;
/// At what part of a list it is deep.
const DEEP: f64 = 0.9;

pub(super) async fn lists(at: &Circumstances) -> anyhow::Result<Section> {
    let home = Subject::home(&at.place).await?;
    let started = Instant::now();
    fill(&home, at.clients).await?;
    let took = started.elapsed().as_secs_f64();
    let server = Subject::start_in(home).await?;
    let reseller = furnish(&server).await?;
    let mut figures = vec![
        Figure::new("clients in the database", f64::from(at.clients), ""),
        Figure::new("made", f64::from(at.clients) / took, "clients/s"),
        Figure::new("size of the database", server.database_mb().await?, "MB"),
    ];
    for (who, key) in [("", KEY), (", a reseller", reseller.as_str())] {
        for kind in KINDS {
            figures.extend(ask(&server, kind, who, key).await?);
        }
    }
    server.end().await?;
    Ok(Section {
        name: "search",
        about: "lists over 5 accounts, 2 transactions and 2 client packages a client, one question after another",
        figures,
    })
}

/// Fills the folder as anybody would: with the program itself.
async fn fill(home: &Home, clients: u32) -> anyhow::Result<()> {
    let data = Subject::data(home.path()).display().to_string();
    let clients = clients.to_string();
    let amounts = ["--clients", &clients, "--accounts", ACCOUNTS, "--transactions", TRANSACTIONS, "--packages", PACKAGES];
    let mut command = this_program(&[&["seed", "--data", &data, "--seed", "1"], &amounts[..]].concat())?;
    if let Some(url) = home.database()? {
        command.env("HOOKSWITCH_DATABASE", url);
    }
    let status = command.current_dir(home.path()).stdout(std::process::Stdio::null()).status().await?;
    anyhow::ensure!(status.success(), "seed ended with {status}");
    Ok(())
}

/// A few archived clients, a queue, a log, and a small reseller, whose key it gives.
async fn furnish(server: &Subject) -> anyhow::Result<String> {
    for client in server.some_clients().await?.into_iter().rev().take(3) {
        server.call("clients.archive", json!({"id": client})).await?;
    }
    let receiver = Receiver::start().await?;
    let listens = |name: &str| json!({"name": name, "event": "clients.create", "task": receiver.url("/count")});
    server.handler(listens("listens")).await?;
    let paused = server.handler(listens("paused")).await?;
    server.call("provisioning.handlers.pause", json!({"id": paused})).await?;
    server.make_clients(DELIVERED).await?;
    receiver.wait("/count", DELIVERED, PATIENCE).await?;
    let company = server.call("companies.create", json!({"name": "small"})).await?["id"].take();
    let user = json!({"login": "small", "role": "admin", "companies_id": company});
    let key = server.call("users.create", user).await?["key"].take();
    let key = key.as_str().unwrap_or_default().to_owned();
    let until = Until::Requests(RESELLERS_CLIENTS);
    server.load(Load { until, key: &key, connections: 1, ..Load::clients_create() }).await?;
    let clients = server.call_as(&key, "clients.search", json!({"limit": 1000})).await?;
    for id in clients.as_array().into_iter().flatten().map(|client| &client["id"]) {
        let account = json!({"clients_id": id, "name": "line 1", "auth_type": "name", "accname": format!("small-{id}")});
        server.call_as(&key, "clients.accounts.create", account).await?;
        let payment = json!({"clients_id": id, "type": "payment", "amount": 1});
        server.call_as(&key, "accounting.transactions.create", payment).await?;
    }
    Ok(key)
}

/// All questions of a kind: their times together, and the slowest of them by name.
async fn ask(server: &Subject, kind: &Kind, who: &str, key: &str) -> anyhow::Result<Vec<Figure>> {
    let (mut all, mut slowest) = (Histogram::default(), (0.0, String::new()));
    for question in QUESTIONS.iter().filter(|question| question.kind == kind.name) {
        let times = time(server, question, key).await?;
        let p99_ms = times.percentile_ms(99.0);
        if p99_ms > slowest.0 {
            slowest = (p99_ms, format!("{} {}", question.method.trim_end_matches(".search"), question.params));
        }
        all.merge(&times);
    }
    let summary = all.summary();
    let bound = |figure: Figure| kind.wanted_ms.map_or_else(|| figure.clone(), |wanted| figure.clone().at_most(wanted));
    Ok(vec![
        Figure::new(format!("{}{who}: median", kind.name), summary.p50_ms, "ms"),
        bound(Figure::new(format!("{}{who}: 99 %", kind.name), summary.p99_ms, "ms")),
        Figure::new(format!("{}{who}: slowest", kind.name), summary.max_ms, "ms"),
        Figure::new(format!("99 % of the slowest question: {}", slowest.1.replace('|', "/")), slowest.0, "ms"),
    ])
}

async fn time(server: &Subject, question: &Question, key: &str) -> anyhow::Result<Histogram> {
    let picks = deep(server, question, key).await?;
    let until = Until::Requests(TIMES);
    let load = Load { method: question.method, params: question.params, picks, connections: 1, until, rate: None, key };
    Ok(server.load(load).await?.latency)
}

/// The ids at which a question begins that is asked far down a list.
async fn deep(server: &Subject, question: &Question, key: &str) -> anyhow::Result<Vec<i64>> {
    if !question.params.contains("{pick}") {
        return Ok(Vec::new());
    }
    let last = server.call_as(key, question.method, json!({"limit": 1, "order": ["-id"]})).await?;
    let last = last.get(0).and_then(|row| row["id"].as_i64()).unwrap_or(1);
    let far = (last as f64 * DEEP) as i64;
    Ok((0..TIMES).filter_map(|turn| far.checked_sub(i64::try_from(turn).ok()?)).map(|id| id.max(1)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_question_is_of_a_kind_and_is_json() {
        for Question { kind, method, params } in QUESTIONS {
            assert!(KINDS.iter().any(|known| known.name == *kind), "{kind}");
            let asked: Result<Value, _> = serde_json::from_str(&params.replace("{pick}", "1"));
            assert!(asked.is_ok_and(|asked| asked.is_object()), "{method} {params}");
            assert!(method.ends_with(".search"), "{method}");
        }
    }
}
