//! The balance edges of a client, found in the transaction that changes its balance or credit.
use hookswitch_model::{
    Object, event,
    funds::{Edge, EdgeKind},
    handler::Basis,
    money::Money,
    objects::client::Client,
};
use serde_json::Value;

use crate::perform::Part;

/// A changed client with its new state of funds, and the edges that it crossed.
pub(crate) fn settle(old: &Client, mut new: Client) -> (Client, Vec<Part>) {
    let (funds, edges) = old.funds.step(old.balances(), new.balances());
    new.funds = funds;
    let parts = edges.iter().map(|edge| part(old, &new, edge)).collect();
    (new, parts)
}

/// The `data` of a balance event that tells how things stand: nothing has changed.
pub(crate) fn standing(client: &Client, basis: Basis) -> Object {
    data(client, client, basis)
}

fn data(old: &Client, new: &Client, basis: Basis) -> Object {
    let mut data = Object::new();
    data.insert("id".into(), new.id.into());
    data.insert("basis".into(), basis.word().into());
    data.insert("balance".into(), new.balance.to_json());
    data.insert("credit".into(), money_or_null(new.credit));
    data.insert("available".into(), money_or_null(new.available()));
    data.insert("previous_balance".into(), old.balance.to_json());
    data.insert("previous_available".into(), money_or_null(old.available()));
    data
}

fn part(old: &Client, new: &Client, edge: &Edge) -> Part {
    Part {
        kind: match edge.kind {
            EdgeKind::Zero => &event::BALANCE_ZERO,
            EdgeKind::NotZero => &event::BALANCE_NOTZERO,
        },
        object_id: new.id,
        clients_id: new.id,
        companies_id: new.companies_id,
        data: data(old, new, edge.basis),
        previous: None,
        object: new.shown(),
        watched: Object::new(),
        dt: None,
    }
}

fn money_or_null(amount: Option<Money>) -> Value {
    amount.map_or(Value::Null, Money::to_json)
}
