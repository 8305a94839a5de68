//! `kill -9` at random moments under load, many times: nothing that was promised is lost, nothing else is told.
//!
//! The oracle: workers note what the server has acknowledged; a recording handler notes what it was told. After the
//! last start both are compared with the journal, the clients and their ledgers. `HOOKSWITCH_CRASH_ROUNDS` sets how
//! often the server is killed, `HOOKSWITCH_TEST_SEED` repeats a run's choices.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use hookswitch_testkit::{
    Api, Call, Chance, Recorder, Reply, Server, after, api::id, before, check::column, json, wait_until, with,
};

const WORKERS: usize = 8;
const CLIENTS_MAX: usize = 40;

/// What the server has answered with success: it must hold for ever.
#[derive(Debug, Clone)]
enum Promise {
    Created { client: i64, name: String },
    Changed { client: i64, notes: String },
    Added { client: i64, account: i64 },
    Paid { client: i64, transaction: i64 },
}

type Promises = Arc<Mutex<Vec<Promise>>>;

/// Does one thing after another until the server is gone.
async fn work(api: Api, promises: Promises, mut chance: Chance) {
    loop {
        let clients: Vec<i64> = {
            let promises = promises.lock().unwrap();
            promises
                .iter()
                .filter_map(|promise| if let Promise::Created { client, .. } = promise { Some(*client) } else { None })
                .collect()
        };
        let token = format!("{:016x}", chance.number());
        let new = clients.is_empty() || (clients.len() < CLIENTS_MAX && chance.between(0, 10) == 0);
        let client = if new { 0 } else { *chance.pick(&clients) };
        let (method, params) = match chance.between(0, 4) {
            _ if new => ("clients.create", json!({"name": token, "credit": null})),
            0 => ("clients.update", json!({"id": client, "notes": token})),
            1 => ("clients.accounts.create", json!({"clients_id": client, "name": "a", "auth_type": "name", "accname": token})),
            2 => (
                "accounting.transactions.create",
                json!({"clients_id": client, "type": "payment", "amount": chance.between(1, 4)}),
            ),
            _ => (
                "accounting.transactions.create",
                json!({"clients_id": client, "type": "charge", "amount": -chance.between(1, 4)}),
            ),
        };
        match api.try_call(method, params).await {
            Err(_gone) => return,
            // Others change the same keys while the handler is asked: that is no loss.
            Ok(Err(refusal)) => assert_eq!(refusal.code, -32009, "{method}: {refusal:?}"),
            Ok(Ok(result)) => promises.lock().unwrap().push(match method {
                "clients.create" => Promise::Created { client: id(&result), name: token },
                "clients.update" => Promise::Changed { client, notes: token },
                "clients.accounts.create" => Promise::Added { client, account: id(&result) },
                _ => Promise::Paid { client, transaction: id(&result) },
            }),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_number_of_crashes_every_committed_event_is_delivered_in_order_and_nothing_else() {
    let rounds: usize = std::env::var("HOOKSWITCH_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
    let mut chance = Chance::seeded();
    let mut server = Server::start().await;
    let told = Recorder::start().await;
    let asked = Recorder::answering(|call| Reply::json(&json!({"data": {"c_company": call.body["data"]["notes"]}}))).await;
    let events =
        json!(["clients.create", "clients.update", "clients.accounts.*", "clients.balance_zero", "clients.balance_notzero"]);
    server.handler(after(events, &told)).await;
    server.handler(with(before("clients.update", &asked), json!({"timeout_ms": 9_000}))).await;
    let promises = Promises::default();
    for _ in 0..rounds {
        let enough = promises.lock().unwrap().len() + usize::try_from(chance.between(1, 150)).unwrap();
        let workers: Vec<_> =
            (0..WORKERS).map(|_| tokio::spawn(work((*server).clone(), promises.clone(), chance.branch()))).collect();
        wait_until("enough was acknowledged", async || promises.lock().unwrap().len() >= enough).await;
        server.kill9().await;
        for worker in workers {
            worker.await.unwrap();
        }
        server.start_again().await;
    }
    server.wait_all_delivered().await;
    let kept = promises.lock().unwrap().clone();
    check(&server, &told.calls(), &kept).await;
}

/// Compares what was told and what was promised with what is there.
async fn check(server: &Server, told: &[Call], promises: &[Promise]) {
    let clients = server.ok("clients.search", json!({"limit": 1000})).await;
    let mut told_by_client: BTreeMap<i64, Vec<&Call>> = BTreeMap::new();
    for call in told {
        told_by_client.entry(call.clients_id()).or_default().push(call);
    }
    for client in clients.as_array().unwrap() {
        let told = told_by_client.remove(&id(client)).unwrap_or_default();
        let first_told = first_of_each(&told);
        let journal = server.journal(id(client)).await;
        let seqs: Vec<i64> = journal.iter().map(|(_, seq)| *seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>(), "the journal of client {} has no gap", id(client));
        let told: Vec<_> = first_told.iter().map(|call| (call.events_id().to_owned(), call.seq())).collect();
        assert_eq!(told, journal, "client {} was told in order, whole, and nothing else", id(client));
        check_ledger(server, id(client), &first_told).await;
        let changed: Vec<_> = first_told.iter().filter_map(|call| call.body["data"]["notes"].as_str()).collect();
        for promise in promises {
            match promise {
                Promise::Created { client: of, name } if *of == id(client) => assert_eq!(client["name"], **name),
                Promise::Changed { client: of, notes } if *of == id(client) => {
                    assert!(changed.contains(&notes.as_str()), "{promise:?}")
                }
                _ => {}
            }
        }
        let last = changed.last().map_or(json!(null), |notes| json!(notes));
        assert_eq!((&client["notes"], &client["c_company"]), (&last, &last), "the last one told is the truth");
    }
    assert!(told_by_client.is_empty(), "told about clients that are not there: {:?}", told_by_client.keys());
    for promise in promises {
        match promise {
            Promise::Created { client, .. } => drop(server.ok("clients.get", json!({"id": client})).await),
            Promise::Added { client, account } => {
                assert_eq!(server.ok("clients.accounts.get", json!({"id": account})).await["clients_id"], json!(client));
            }
            Promise::Paid { client, transaction } => {
                let found = server.ok("accounting.transactions.get", json!({"id": transaction})).await;
                assert_eq!(found["clients_id"], json!(client));
            }
            Promise::Changed { .. } => {}
        }
    }
    assert!(!promises.is_empty() && !server.stderr().contains("panicked"));
}

/// The first call for each `seq`, which must come in rising order; a repeat must be of the same event.
fn first_of_each<'a>(calls: &[&'a Call]) -> Vec<&'a Call> {
    let mut first: BTreeMap<i64, &Call> = BTreeMap::new();
    let mut in_order = Vec::new();
    for call in calls {
        if let Some(known) = first.get(&call.seq()) {
            assert_eq!(
                (known.event("id"), &known.body["data"]),
                (call.event("id"), &call.body["data"]),
                "a repeat is the same event"
            );
            continue;
        }
        assert!(first.keys().all(|seq| *seq < call.seq()), "seq {} after {:?}", call.seq(), first.keys().last());
        first.insert(call.seq(), call);
        in_order.push(*call);
    }
    in_order
}

/// The balance is the sum of the ledger, and the last edge told agrees with it.
async fn check_ledger(server: &Server, client: i64, told: &[&Call]) {
    let (mut sum, mut seen) = (0, 0);
    loop {
        let params = json!({"clients_id": client, "after_id": seen, "limit": 1000});
        let rows = server.ok("accounting.transactions.search", params).await;
        sum += column(&rows, "amount").iter().map(|amount| amount.as_i64().unwrap()).sum::<i64>();
        match rows.as_array().unwrap().last() {
            Some(row) => seen = id(row),
            None => break,
        }
    }
    let balance = server.ok("clients.get", json!({"id": client})).await["balance"].as_i64().unwrap();
    assert_eq!(balance, sum, "client {client}");
    let edges: Vec<_> = told.iter().map(|call| call.events_id()).filter(|name| name.starts_with("clients.balance_")).collect();
    assert!(edges.windows(2).all(|pair| pair[0] != pair[1]), "edges alternate: {edges:?}");
    match edges.last() {
        Some(&"clients.balance_zero") => assert!(balance <= 0, "{balance} after {edges:?}"),
        Some(_) => assert!(balance >= 0, "{balance} after {edges:?}"),
        None => assert!(balance >= 0, "{balance} without an edge"),
    }
}

#[tokio::test]
async fn a_crash_while_handlers_are_asked_leaves_nothing() {
    let mut server = Server::start().await;
    let asked = Recorder::answering(|_| Reply::hang()).await;
    server.handler(with(before("clients.create", &asked), json!({"timeout_ms": 30_000}))).await;
    let api: Api = (*server).clone();
    let caller = tokio::spawn(async move { api.try_call("clients.create", json!({"name": "Acme"})).await });
    asked.wait(1).await;
    server.kill9().await;
    assert!(caller.await.unwrap().is_err());
    server.start_again().await;
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]));
    assert_eq!(server.ok("provisioning.events.search", json!({})).await, json!([]));
}
