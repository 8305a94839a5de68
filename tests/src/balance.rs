//! Balance events are edges, not levels: for each client and basis they alternate strictly, and the last one is the truth.
use hookswitch_testkit::{Chance, Recorder, Server, Value, after, api::id, check::column, json, with};
use proptest::prelude::*;

const EDGES: [&str; 2] = ["clients.balance_zero", "clients.balance_notzero"];

/// `-` for out of funds and `+` for in funds, with the basis, as the journal tells it.
async fn edges(server: &Server, client: i64) -> Vec<String> {
    let rows = server
        .ok("provisioning.events.search", json!({"clients_id": client, "events_id": EDGES, "order": ["seq"], "limit": 1000}))
        .await;
    let mut edges = Vec::new();
    for row in rows.as_array().unwrap() {
        let data = server.ok("provisioning.events.get", json!({"id": row["id"]})).await["data"].clone();
        let sign = if row["events_id"] == EDGES[0] { "-" } else { "+" };
        edges.push(format!("{sign}{}", data["basis"].as_str().unwrap()));
    }
    edges
}

async fn new_client(server: &Server, name: &str, credit: Value) -> i64 {
    id(&server.ok("clients.create", json!({"name": name, "credit": credit})).await)
}

#[tokio::test]
async fn reaching_zero_from_above_or_below_is_an_edge_and_staying_there_is_none() {
    let server = Server::start().await;
    let client = new_client(&server, "Acme", json!(0)).await;
    assert_eq!(edges(&server, client).await, [""; 0], "in funds at birth");
    server.pay(client, "5").await;
    assert_eq!(edges(&server, client).await, [""; 0]);
    server.pay(client, "-5").await;
    assert_eq!(edges(&server, client).await, ["-live", "-available"], "lowered to 0: the live edge first");
    server.pay(client, "-5").await;
    server.pay(client, "4.999999").await;
    assert_eq!(edges(&server, client).await.len(), 2);
    server.pay(client, "0.000001").await;
    assert_eq!(edges(&server, client).await[2..], ["+live", "+available"], "raised to 0");
    server.pay(client, "-0.000001").await;
    assert_eq!(edges(&server, client).await[4..], ["-live", "-available"]);
    server.pay(client, "100").await;
    assert_eq!(edges(&server, client).await[6..], ["+live", "+available"], "raised past 0");
}

#[tokio::test]
async fn a_first_charge_of_a_new_client_lowers_it_below_zero() {
    let server = Server::start().await;
    let client = new_client(&server, "Acme", json!(10)).await;
    server.pay(client, "-1").await;
    assert_eq!(edges(&server, client).await, ["-live"]);
    server.pay(client, "-9").await;
    assert_eq!(edges(&server, client).await, ["-live", "-available"]);
    server.pay(client, "1").await;
    assert_eq!(edges(&server, client).await, ["-live", "-available", "+available"]);
    server.pay(client, "9").await;
    assert_eq!(edges(&server, client).await, ["-live", "-available", "+available", "+live"]);
}

#[tokio::test]
async fn a_change_of_credit_moves_the_available_balance_across_its_edge() {
    let server = Server::start().await;
    let client = new_client(&server, "Acme", json!(10)).await;
    let credit = async |credit: Value| drop(server.ok("clients.update", json!({"id": client, "credit": credit})).await);
    server.pay(client, "-5").await;
    credit(json!(5)).await;
    assert_eq!(edges(&server, client).await, ["-live", "-available"]);
    credit(json!(0)).await;
    assert_eq!(edges(&server, client).await.len(), 2);
    credit(json!(null)).await;
    assert_eq!(edges(&server, client).await, ["-live", "-available", "+available"], "unlimited is always in funds");
    server.pay(client, "-500").await;
    assert_eq!(edges(&server, client).await.len(), 3);
    credit(json!(1)).await;
    assert_eq!(edges(&server, client).await[3..], ["-available"]);
    let journal: Vec<_> = server.journal(client).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(journal[journal.len() - 2..], ["clients.update", EDGES[0]], "the action's own event first");
}

#[tokio::test]
async fn a_handler_hears_of_one_basis() {
    let server = Server::start().await;
    let (live, available) = (Recorder::start().await, Recorder::start().await);
    server.handler(with(after(json!(EDGES), &live), json!({"name": "live"}))).await;
    server.handler(with(after(json!(EDGES), &available), json!({"name": "available", "balance_basis": "available"}))).await;
    let client = new_client(&server, "Acme", json!(10)).await;
    server.pay(client, "-15").await;
    server.pay(client, "15").await;
    for (recorder, basis) in [(&live, "live"), (&available, "available")] {
        let calls = recorder.wait_exactly(2).await;
        assert!(calls.iter().all(|call| call.body["data"]["basis"] == basis), "{calls:#?}");
        assert_eq!(calls.iter().map(hookswitch_testkit::Call::events_id).collect::<Vec<_>>(), EDGES);
    }
}

#[tokio::test]
async fn a_balance_event_has_no_before_stage_and_a_transaction_asks_nobody() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let all = json!(["clients.create", "clients.update", "clients.delete", "clients.archive"]);
    let client = server.client("Acme").await;
    server.handler(hookswitch_testkit::before(all, &recorder)).await;
    server.pay(client, "-5").await;
    assert!(recorder.calls().is_empty());
    assert_eq!(edges(&server, client).await, ["-live", "-available"]);
}

/// What a property test does to a client.
#[derive(Debug, Clone)]
enum Step {
    /// Millionths.
    Correct(i64),
    Credit(Option<i64>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Small numbers, so that 0 is often hit exactly.
    let step = prop_oneof![
        4 => (-3_i64..=3).prop_filter("a correction is not 0", |amount| *amount != 0).prop_map(Step::Correct),
        1 => proptest::option::weighted(0.8, 0_i64..=3).prop_map(Step::Credit),
    ];
    proptest::collection::vec(step, 1..25)
}

#[test]
fn edges_alternate_strictly_whatever_the_amounts_and_the_last_is_the_truth() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let made = std::cell::Cell::new(0);
    proptest!(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() }, |(steps in steps())| {
        let name = format!("client {}", made.replace(made.get() + 1));
        runtime.block_on(walk(&server, &name, &steps));
    });
}

async fn walk(server: &Server, name: &str, steps: &[Step]) {
    let client = new_client(server, name, json!(0)).await;
    let (mut balance, mut credit) = (0, Some(0));
    let mut in_funds = [true, true];
    let mut expected = Vec::new();
    for step in steps {
        let before = [Some(balance), credit.map(|credit| balance + credit)];
        match step {
            Step::Correct(amount) => {
                balance += amount;
                let params = json!({"clients_id": client, "type": "correction", "amount": amount});
                server.ok("accounting.transactions.create", params).await;
            }
            Step::Credit(to) => {
                credit = *to;
                server.ok("clients.update", json!({"id": client, "credit": to})).await;
            }
        }
        let after = [Some(balance), credit.map(|credit| balance + credit)];
        for (index, basis) in ["live", "available"].into_iter().enumerate() {
            // Unlimited counts as higher than any number.
            let (was, is) = (before[index].unwrap_or(i64::MAX), after[index].unwrap_or(i64::MAX));
            if in_funds[index] && is < was && is <= 0 {
                in_funds[index] = false;
                expected.push(format!("-{basis}"));
            } else if !in_funds[index] && is > was && is >= 0 {
                in_funds[index] = true;
                expected.push(format!("+{basis}"));
            }
        }
    }
    assert_eq!(edges(server, client).await, expected, "{steps:?}");
    for basis in ["live", "available"] {
        let signs: Vec<_> = expected.iter().filter(|edge| edge.ends_with(basis)).map(|edge| edge.starts_with('+')).collect();
        assert!(signs.iter().enumerate().all(|(index, plus)| *plus == (index % 2 == 1)), "{basis} alternates: {signs:?}");
    }
    let seqs: Vec<_> = server.journal(client).await.into_iter().map(|(_, seq)| seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_balance_is_the_sum_of_the_ledger_whoever_writes_at_once() {
    let server = Server::start().await;
    let mut chance = Chance::seeded();
    let clients = [server.client("One").await, server.client("Two").await];
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (api, mut chance) = ((*server).clone(), chance.branch());
            tokio::spawn(async move {
                for _ in 0..40 {
                    let amount = chance.between(-5_000_000, 5_000_001);
                    let amount = if amount == 0 { 1 } else { amount };
                    let micros = amount.unsigned_abs();
                    let sign = if amount < 0 { "-" } else { "" };
                    api.pay(*chance.pick(&clients), &format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for client in clients {
        let rows =
            server.ok("accounting.transactions.search", json!({"clients_id": client, "order": ["id"], "limit": 1000})).await;
        let sum: i64 = column(&rows, "amount").iter().map(micros).sum();
        let balance = server.ok("clients.get", json!({"id": client})).await["balance"].clone();
        assert_eq!(micros(&balance), sum);
        let signs: Vec<_> = edges(&server, client).await.into_iter().filter(|edge| edge.ends_with("live")).collect();
        assert!(signs.windows(2).all(|pair| pair[0] != pair[1]), "{signs:?}");
    }
}

/// Millionths of a JSON amount, exactly.
fn micros(amount: &Value) -> i64 {
    let text = amount.to_string();
    let (whole, fraction) = text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
    let micros = whole.parse::<i64>().unwrap() * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().unwrap();
    if text.starts_with('-') { -micros } else { micros }
}
