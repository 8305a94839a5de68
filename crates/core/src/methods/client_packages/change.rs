//! One step of a client package: the events that tell of it, the fees that it charges, and how all of that is written at once.
use hookswitch_model::{
    Object,
    event::Kind,
    life::{self, Next},
    moment::Moment,
    money::Money,
    objects::{
        client::Client,
        client_package::{ClientPackage, Planned},
        package::Package,
        transaction::{Transaction, TransactionType},
    },
    refusal::Refusal,
};
use hookswitch_store::{Error, Tx, tables};

use super::standing::Standing;
use crate::{
    methods::balance,
    perform::{At, Draft, Part, Write, Written},
};

/// What the chain's answer depends on, besides the object's existence.
const WATCHED: &[&str] = &["condition", "period_start_dt", "period_stop_dt", "activation_fee", "period_fee"];

/// A fee: how much, and what for.
#[derive(Debug, Clone)]
pub(super) struct Charge {
    /// What all of them cost together.
    pub(super) amount: Money,
    /// What it is for, in words.
    pub(super) about: &'static str,
    /// What is never charged twice.
    pub(super) step: String,
}

/// The share of a client package in an action: `shown` is what the event's data and object say.
pub(super) fn part(kind: Kind, old: &ClientPackage, data: Object, object: Object, dt: Option<Moment>) -> Part {
    let before = old.shown();
    let watched = WATCHED.iter().filter_map(|name| Some(((*name).to_owned(), before.get(*name)?.clone()))).collect();
    Part {
        kind,
        object_id: old.id,
        clients_id: old.clients_id,
        companies_id: old.companies_id,
        data,
        previous: None,
        object,
        watched,
        dt,
    }
}

/// What the period and the fees are worked out from: when it is changed meanwhile, the chain has been shown another step.
pub(super) fn terms(standing: &Standing) -> Object {
    let Package { name, period, activation_fee, period_fee, .. } = &standing.package;
    let terms = [
        ("package.name", name.as_str().into()),
        ("package.period", period.to_string().into()),
        ("package.activation_fee", activation_fee.to_json()),
        ("package.period_fee", period_fee.to_json()),
        ("timezone", standing.timezone.as_str().into()),
    ];
    terms.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The same client package with the clock's next look planned anew, from where it stands now, and what it waits for.
pub(super) fn planned(mut own: ClientPackage, standing: &Standing, charged: Money) -> ClientPackage {
    own.planned = Planned::default();
    let mut scene = standing.scene();
    scene.available = scene.available.map(|available| Money::from_micros(available.micros() - charged.micros()));
    let next = life::next(&own, &scene);
    // What was possible all the time, but for this step, becomes possible with it.
    own.planned.due = next.due().map(|due| due.max(standing.now));
    if let Next::Wait(_, hold) = next {
        own.hold = hold;
    }
    own
}

/// Writes where it stands now, and tells the clock when to look at it next.
///
/// # Errors
/// Whatever the store says.
pub(super) fn write(tx: &mut Tx, at: &At, new: &ClientPackage) -> Result<(), Error> {
    tables::client_packages::update(tx, new)?;
    at.schedule.plan(tx, at.now, new);
    Ok(())
}

/// A step that charges nothing is written so.
pub(super) fn written(new: ClientPackage) -> Write {
    Box::new(move |tx, at| {
        write(tx, at, &new)?;
        Ok(Written::as_drafted())
    })
}

/// A step that charges.
pub(super) struct Paying {
    pub(super) kind: Kind,
    pub(super) new: ClientPackage,
    /// What one of them costs in this step: activation and period.
    pub(super) fees: [Money; 2],
    pub(super) charges: Vec<Charge>,
    pub(super) dt: Option<Moment>,
}

impl Paying {
    /// The event shows the fees of this step; the object keeps its own.
    pub(super) fn draft(self, standing: Standing) -> Result<Draft, Refusal> {
        let Self { kind, new, fees, charges, dt } = self;
        let charged = charges.iter().try_fold(Money::ZERO, |sum, charge| sum.checked_add(charge.amount)).ok_or_else(too_much)?;
        let new = planned(new, &standing, charged);
        let object = new.shown();
        let mut data = object.clone();
        for (name, fee) in ["activation_fee", "period_fee"].into_iter().zip(fees) {
            data.insert(name.to_owned(), fee.to_json());
        }
        let mut part = part(kind, &standing.own, data, object.clone(), dt);
        part.watched.extend(terms(&standing));
        let parts = vec![part];
        balances(&standing.client, &charges)?;
        let write: Write = Box::new(move |tx, at| {
            write(tx, at, &new)?;
            let edges = charge(tx, at, &standing.client, &new, &charges, dt)?;
            Ok(Written::with_edges(edges))
        });
        Ok(Draft::new(parts, object.into(), write))
    }
}

fn too_much() -> Refusal {
    Refusal::rule("amount_out_of_range", format!("the balance would leave the range of ±{}", Money::MAX))
}

/// The balance after each charge.
fn balances(client: &Client, charges: &[Charge]) -> Result<Vec<Money>, Refusal> {
    let mut balance = client.balance;
    let after = |charge: &Charge| {
        balance = balance.checked_add(Money::from_micros(-charge.amount.micros())).ok_or_else(too_much)?;
        Ok(balance)
    };
    charges.iter().map(after).collect()
}

/// Books the fees; gives the balance edges that they cross together.
fn charge(
    tx: &mut Tx,
    at: &At,
    client: &Client,
    own: &ClientPackage,
    charges: &[Charge],
    dt: Option<Moment>,
) -> Result<Vec<Part>, Refusal> {
    if at.fee_ids.len() < charges.len() {
        return Err(Refusal::internal("a step charges more fees than its method said"));
    }
    let balances = balances(client, charges)?;
    let Some(last) = balances.last() else { return Ok(Vec::new()) };
    for ((charge, balance_after), id) in charges.iter().zip(&balances).zip(&at.fee_ids) {
        let transaction = Transaction {
            id: *id,
            clients_id: client.id,
            kind: TransactionType::PackageFee,
            amount: Money::from_micros(-charge.amount.micros()),
            balance_after: *balance_after,
            notes: Some(format!("{}: {}", own.packages_name, charge.about)),
            c_dt: dt.unwrap_or(at.now),
            external_id: None,
            clients_packages_id: Some(own.id),
        };
        tables::transactions::insert(tx, &transaction, client.companies_id, Some(&charge.step))?;
    }
    let (new, edges) = balance::settle(client, Client { balance: *last, ..client.clone() });
    tables::clients::set_balance(tx, &new)?;
    Ok(edges.into_iter().map(|edge| Part { dt, ..edge }).collect())
}

/// The event that tells of a client package which ended.
pub(super) fn ended(kind: Kind, old: &ClientPackage, new: &ClientPackage, dt: Option<Moment>) -> Part {
    let object = new.shown();
    part(kind, old, object.clone(), object, dt)
}
