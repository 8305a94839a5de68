//! A softswitch: keeps of each object what the event with the highest `seq` said, and nothing else.
use std::collections::BTreeMap;

use hookswitch_testkit::{Api, Call, Value, api::id, json};

/// A collection and an id in it.
type Name = (&'static str, i64);

/// What a softswitch knows, from the calls that it got.
#[derive(Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) clients: BTreeMap<i64, Value>,
    pub(super) accounts: BTreeMap<i64, Value>,
    /// By client: true = in funds.
    pub(super) funds: BTreeMap<i64, bool>,
}

impl State {
    /// Of a receiver that got these calls.
    pub(super) fn told(calls: &[Call]) -> Self {
        let mut latest: BTreeMap<Name, &Call> = BTreeMap::new();
        for call in calls.iter().filter(|call| call.clients_id() != 0) {
            let kept = latest.entry(object(call)).or_insert(call);
            if call.seq() > kept.seq() {
                *kept = call;
            }
        }
        let mut state = Self::default();
        for ((collection, id), call) in latest {
            let whole = call.body["object"].clone();
            match (collection, call.events_id()) {
                (_, name) if name.ends_with(".delete") => {}
                ("clients", _) => drop(state.clients.insert(id, unmoved(whole))),
                ("accounts", _) => drop(state.accounts.insert(id, whole)),
                (_, name) => drop(state.funds.insert(id, name == "clients.balance_notzero")),
            }
        }
        // Who is gone has no funds, and who was born has, until something else is told.
        state.funds.retain(|id, _| state.clients.contains_key(id));
        for id in state.clients.keys() {
            state.funds.entry(*id).or_insert(true);
        }
        state
    }

    /// Of this server.
    pub(super) async fn present(api: &Api) -> Self {
        let mut state = Self::default();
        for client in all(api, "clients.search").await {
            // At exactly 0 both states are possible: charges in these tests never end there.
            let balance = client["balance"].as_f64().expect("a balance");
            state.funds.insert(id(&client), balance >= 0.0);
            state.clients.insert(id(&client), unmoved(client));
        }
        for account in all(api, "clients.accounts.search").await {
            state.accounts.insert(id(&account), account);
        }
        state
    }
}

/// A client without what changes without an update: its balance.
fn unmoved(mut client: Value) -> Value {
    for moving in ["balance", "available", "balance_accountant"] {
        client.as_object_mut().expect("an object").shift_remove(moving);
    }
    client
}

fn object(call: &Call) -> Name {
    let collection = match call.events_id() {
        name if name.starts_with("clients.accounts.") => "accounts",
        name if name.starts_with("clients.balance_") => "funds",
        _ => "clients",
    };
    (collection, call.event("object_id").as_i64().expect("an id"))
}

/// Every row of a list.
async fn all(api: &Api, search: &str) -> Vec<Value> {
    let (mut rows, mut behind) = (Vec::new(), 0);
    loop {
        let page = api.ok(search, json!({"after_id": behind, "limit": 1000})).await;
        let Value::Array(page) = page else { panic!("a bare array") };
        match page.last() {
            Some(last) => behind = id(last),
            None => return rows,
        }
        rows.extend(page);
    }
}

/// Asserts that each client's events came in rising order of `seq`, but for repeats.
pub(super) fn assert_rising(calls: &[Call]) {
    let mut seen: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for call in calls {
        let seqs = seen.entry(call.clients_id()).or_default();
        if !seqs.contains(&call.seq()) {
            assert!(
                seqs.last().is_none_or(|last| *last < call.seq()),
                "client {}: {} after {seqs:?}",
                call.clients_id(),
                call.seq()
            );
            seqs.push(call.seq());
        }
    }
}
