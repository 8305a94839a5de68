//! A crowd works on few clients while handlers are saved, paused and resumed: the books are right afterwards, and everybody who is
//! told was told all of it, each client's events in their order.
use std::collections::{BTreeMap, BTreeSet};

use hookswitch_testkit::{Api, Call, Chance, Recorder, Server, Value, after, check::column, ids, json, program, with};
use tokio::task::JoinSet;

const CLIENTS: usize = 3;
const CALLERS: usize = 24;
const CALLS_EACH: usize = 15;

/// What a caller does next, about a client.
fn next(chance: &mut Chance, clients_id: i64, name: &str) -> (&'static str, Value) {
    match chance.between(0, 10) {
        0..5 => {
            let amount = *chance.pick(&[-3, -2, -1, 1, 2, 3]);
            ("accounting.transactions.create", json!({"clients_id": clients_id, "type": "correction", "amount": amount}))
        }
        5 => ("clients.update", json!({"id": clients_id, "credit": chance.between(0, 3)})),
        6 | 7 => ("clients.update", json!({"id": clients_id, "notes": name})),
        8 => ("clients.custom_fields.update", json!({"id": clients_id, "region": name})),
        _ => {
            ("clients.accounts.create", json!({"clients_id": clients_id, "auth_type": "name", "accname": name, "password": "p"}))
        }
    }
}

/// Does a caller's share.
async fn work(api: Api, mut chance: Chance, clients: Vec<i64>, caller: usize) {
    for call in 0..CALLS_EACH {
        let clients_id = *chance.pick(&clients);
        let (method, params) = next(&mut chance, clients_id, &format!("{caller}-{call}"));
        let made = done(&api, method, params).await;
        if method == "clients.accounts.create" && chance.between(0, 2) == 0 {
            done(&api, "clients.accounts.delete", json!({"id": made["id"]})).await;
        }
    }
}

/// Does something that no rule forbids. Whoever comes while handlers are saved over and over is told so, and comes again.
async fn done(api: &Api, method: &str, params: Value) -> Value {
    loop {
        match api.call(method, params.clone()).await {
            Ok(made) => return made,
            Err(refused) if refused.message.contains("handlers are being changed") => {}
            Err(refused) => panic!("{method} {params} was refused: {refused:?}"),
        }
    }
}

/// Saves, pauses and resumes handlers all the while.
async fn steer(api: Api, handlers: Vec<i64>) {
    for round in 0..12 {
        for handler in &handlers {
            api.ok("provisioning.handlers.update", json!({"id": handler, "notes": format!("{round}")})).await;
            api.ok("provisioning.handlers.pause", json!({"id": handler})).await;
            api.ok("provisioning.handlers.resume", json!({"id": handler})).await;
        }
    }
}

#[tokio::test]
async fn the_books_are_right_after_a_crowd_and_everybody_was_told_all_in_order() {
    let server = Server::start().await;
    let (all, latest) = (Recorder::start().await, Recorder::start().await);
    let mut handlers = vec![server.handler(with(after(json!(["clients.*"]), &all), json!({"name": "all"}))).await];
    handlers
        .push(server.handler(with(after(json!(["clients.*"]), &latest), json!({"name": "latest", "ordering": "latest"}))).await);
    server.ok("custom_fields.create", json!({"object_type": "clients", "key": "region", "title": "Region"})).await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(server.client(&format!("Client {number}")).await);
    }
    let mut chance = Chance::seeded();
    let mut crowd = JoinSet::new();
    crowd.spawn(steer((*server).clone(), handlers));
    for caller in 0..CALLERS {
        crowd.spawn(work((*server).clone(), chance.branch(), clients.clone(), caller));
    }
    // Whoever was refused has panicked.
    crowd.join_all().await;
    server.wait_all_delivered().await;
    for client in clients {
        let unheard = books(&server, client).await;
        let journal: Vec<i64> = server.journal(client).await.into_iter().map(|(_, seq)| seq).collect();
        assert_eq!(journal, (1..).take(journal.len()).collect::<Vec<i64>>(), "numbered without a gap");
        let wanted: Vec<i64> = journal.into_iter().filter(|seq| !unheard.contains(seq)).collect();
        assert_eq!(told(&all.calls(), client), wanted, "told all, in order");
        newest_of_each(&server, &latest.calls(), client, &unheard).await;
    }
    log_is_in_order(&server).await;
    checked(server).await;
}

/// The balance is the sum of the ledger, and edges alternate on each basis. Gives the numbers of those edges that no handler of
/// the live balance hears of.
async fn books(server: &Api, client: i64) -> BTreeSet<i64> {
    let micros = |amount: &Value| (amount.as_f64().unwrap() * 1e6).round() as i64;
    let rows = server.ok("accounting.transactions.search", json!({"clients_id": client, "limit": 1000})).await;
    let sum: i64 = column(&rows, "amount").iter().map(micros).sum();
    assert_eq!(micros(&server.ok("clients.get", json!({"id": client})).await["balance"]), sum);
    let edges = json!({"clients_id": client, "events_id": ["clients.balance_zero", "clients.balance_notzero"], "limit": 1000});
    let (mut last, mut unheard) = (BTreeMap::new(), BTreeSet::new());
    let mut rows = server.ok("provisioning.events.search", edges).await.as_array().unwrap().clone();
    rows.sort_by_key(|row| row["seq"].as_i64());
    for row in rows {
        let basis = server.ok("provisioning.events.get", json!({"id": row["id"]})).await["data"]["basis"].to_string();
        if basis.contains("available") {
            unheard.extend(row["seq"].as_i64());
        }
        let before = last.insert(basis, row["events_id"].clone()).unwrap_or(json!("clients.balance_notzero"));
        assert_ne!(before, row["events_id"], "edges of client {client} alternate");
    }
    unheard
}

/// The numbers of a client's events in the order in which they were first told.
fn told(calls: &[Call], client: i64) -> Vec<i64> {
    let mut told: Vec<i64> = Vec::new();
    for seq in calls.iter().filter(|call| call.clients_id() == client).map(Call::seq) {
        // A call that was cut off by a pause may come once more.
        if !told.contains(&seq) {
            told.push(seq);
        }
    }
    told
}

/// Who wants the latest only has heard the newest event of each object and kind, and nothing out of order.
async fn newest_of_each(server: &Api, calls: &[Call], client: i64, unheard: &BTreeSet<i64>) {
    let heard = told(calls, client);
    assert!(heard.is_sorted(), "{heard:?}");
    let rows = server.ok("provisioning.events.search", json!({"clients_id": client, "limit": 1000})).await;
    let mut newest = BTreeMap::new();
    for row in rows.as_array().unwrap().iter().filter(|row| !unheard.contains(&row["seq"].as_i64().unwrap())) {
        let seq = newest.entry((row["events_id"].to_string(), row["object_id"].to_string())).or_insert(0);
        *seq = (*seq).max(row["seq"].as_i64().unwrap());
    }
    for (what, seq) in newest {
        assert!(heard.contains(&seq), "{what:?}, number {seq}, was never told; {heard:?} were");
    }
}

/// Rows of the log are numbered without a gap.
async fn log_is_in_order(server: &Api) {
    let mut rows: Vec<i64> = Vec::new();
    loop {
        let page = ids(&server.ok("provisioning.executions.search", json!({"limit": 1000, "offset": rows.len()})).await);
        rows.extend(&page);
        if page.len() < 1000 {
            break;
        }
    }
    rows.sort_unstable();
    assert_eq!(rows, (1..).take(rows.len()).collect::<Vec<i64>>());
}

/// `hookswitch check` finds nothing.
async fn checked(mut server: Server) {
    server.terminate().await;
    let output = program::run(server.home(), &["check", "--data", "data"], &[]).await;
    assert!(output.status.success(), "{output:?}");
}
