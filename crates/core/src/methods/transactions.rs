//! `accounting.transactions.*`: the ledger, the only way to change a balance. Rows are never changed or deleted.
use hookswitch_model::{
    Object,
    money::Money,
    objects::{
        client::Client,
        transaction::{self, Transaction},
    },
    refusal::Refusal,
};
use hookswitch_store::{Sequence, Tx, tables};
use serde_json::Value;

use super::{balance, params};
use crate::{
    concerns::{self, Concerns},
    perform::{At, Draft, Write, Written},
    registry::{Act, Gives, Method, Takes},
    schedule,
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "accounting.transactions";

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "accounting.transactions.create",
        "Books a payment, refund, charge or correction",
        Takes::Fields(transaction::FIELDS),
        Gives::Object(transaction::FIELDS),
        Act::new(Concerns::Client(concerns::named), &[], create).making(Sequence::Transactions),
    )
    .checking(transaction::check)
    .refusing(&["amount_out_of_range"]),
    Method::acts(
        "accounting.transactions.create_no_negative",
        "The same, refused with low_balance when balance and credit would not cover it",
        Takes::Fields(transaction::FIELDS),
        Gives::Object(transaction::FIELDS),
        Act::new(Concerns::Client(concerns::named), &[], create_no_negative).making(Sequence::Transactions),
    )
    .checking(transaction::check)
    .refusing(&["amount_out_of_range", "low_balance"]),
    Method::reads(
        "accounting.transactions.get",
        "Gives a transaction",
        Takes::Fields(params::ID),
        Gives::Object(transaction::FIELDS),
        get,
    ),
    Method::reads(
        "accounting.transactions.search",
        "Lists transactions",
        Takes::Filters(&tables::transactions::LIST),
        Gives::Rows(transaction::FIELDS),
        search,
    ),
];

fn get(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    let id = params::id(request);
    let booked = tables::transactions::get(tx, id)?.filter(|booked| at.access.sees(&at.caller, booked.companies_id));
    Ok(booked.ok_or_else(|| Refusal::not_found(OBJECT, id))?.transaction.shown().into())
}

fn search(tx: &Tx, at: &At, request: &Object) -> Result<Value, Refusal> {
    tables::transactions::search(tx, &at.asked(request))
}

fn create(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let (old, amount) = subject(tx, at, request)?;
    book(tx, at, request, old, amount)
}

fn create_no_negative(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let (old, amount) = subject(tx, at, request)?;
    let after = Client { balance: added(old.balance, amount)?, ..old.clone() };
    match after.available() {
        Some(available) if amount < Money::ZERO && available < Money::ZERO => {
            let had = old.available().unwrap_or(Money::ZERO);
            Err(Refusal::rule("low_balance", format!("{had} is available, the charge is {}", amount.abs())))
        }
        _ => book(tx, at, request, old, amount),
    }
}

/// The client whose balance is to change, and by how much.
fn subject(tx: &Tx, at: &At, request: &Object) -> Result<(Client, Money), Refusal> {
    let clients_id = params::integer(request, "clients_id").unwrap_or(0);
    let client = tables::clients::get(tx, clients_id)?
        .filter(|client| at.access.sees(&at.caller, client.companies_id))
        .ok_or_else(|| Refusal::field("clients_id", "does not exist"))?;
    let amount = transaction::amount(request).ok_or_else(|| Refusal::field("amount", "is required"))?;
    Ok((client, amount))
}

fn added(balance: Money, amount: Money) -> Result<Money, Refusal> {
    balance
        .checked_add(amount)
        .ok_or_else(|| Refusal::rule("amount_out_of_range", format!("the balance would leave the range of ±{}", Money::MAX)))
}

fn book(tx: &Tx, at: &At, request: &Object, old: Client, amount: Money) -> Result<Draft, Refusal> {
    let mut new = old.clone();
    new.balance = added(old.balance, amount)?;
    let transaction = Transaction::from_new(at.new_id, request, amount, new.balance, at.now);
    if let Some(external_id) = &transaction.external_id
        && let Some(known) = tables::transactions::by_external(tx, old.id, external_id)?
    {
        return Err(external_taken(known));
    }
    let preview = transaction.shown().into();
    let write: Write = Box::new(move |tx, at| {
        let (companies_id, rises) = (old.companies_id, new.balance > old.balance);
        let (new, edges) = balance::settle(&old, new);
        tables::clients::set_balance(tx, &new)?;
        tables::transactions::insert(tx, &transaction, companies_id, None)?;
        if rises {
            schedule::funds_rose(tx, at, new.id)?;
        }
        Ok(Written::with_edges(edges))
    });
    Ok(Draft::silent(preview, write))
}

fn external_taken(transactions_id: i64) -> Refusal {
    let mut details = Object::new();
    details.insert("transactions_id".into(), transactions_id.into());
    Refusal::Conflict { message: format!("this external_id is taken by transaction {transactions_id}"), details }
}
