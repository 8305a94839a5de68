//! The steps that charge: activate and renew. Each takes the money and begins the period in one transaction.
use hookswitch_model::{
    Object, event,
    field::money,
    life::calendar,
    moment::Moment,
    money::Money,
    objects::{
        client_package::{ClientPackage, Condition, Paid},
        package::PackageStatus,
    },
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::Tx;

use super::{
    change::{Charge, Paying},
    standing::{self, Standing},
    wrong_condition,
};
use crate::{
    methods::params,
    perform::{At, Draft},
};

/// `clients.packages.activate`.
pub(super) fn activate(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let standing = standing::open(tx, at, params::id(request))?;
    let Standing { own, package, now, .. } = &standing;
    match own.condition {
        Condition::New | Condition::Deactivated => {}
        _ => return Err(wrong_condition("it is activated already")),
    }
    if package.status == PackageStatus::Archive || own.stop.is_some_and(|stop| stop <= *now) {
        return Err(wrong_condition("it is about to be closed"));
    }
    if own.start > *now {
        return Err(Refusal::rule("not_due", format!("it starts at {}", own.start.iso())));
    }
    let now = *now;
    activated(standing, request, now, None)
}

/// The activation as of a moment. Inside a paid period nothing is charged.
pub(super) fn activated(standing: Standing, request: &Object, when: Moment, dt: Option<Moment>) -> Result<Draft, Refusal> {
    let own = &standing.own;
    let is_paid = own.condition == Condition::Deactivated && own.paid.as_ref().is_some_and(|paid| when < paid.stop);
    let fee = |name: &str, usual: Money| money(request, name).unwrap_or(usual);
    let activation_fee = if own.condition == Condition::New { own.activation_fee } else { Money::ZERO };
    let mut errors = FieldErrors::new();
    let (fees, paid) = if is_paid {
        nothing_to_change(request, &["activation_fee", "period_fee", "period_start_dt", "period_stop_dt"], &mut errors);
        ([Money::ZERO; 2], own.paid.clone())
    } else {
        if own.condition != Condition::New {
            nothing_to_change(request, &["activation_fee"], &mut errors);
        }
        let fees = [fee("activation_fee", activation_fee), fee("period_fee", own.period_fee)];
        (fees, Some(first_period(&standing, request, when, &mut errors)))
    };
    errors.or(())?;
    let paid = paid.ok_or_else(|| Refusal::internal("a paid client package without a period"))?;
    let charges = charges(own, fees, &paid)?;
    demand_cover(&standing, fees)?;
    let new = ClientPackage { condition: Condition::Activated, paid: Some(paid), hold: None, reason: None, ..own.clone() };
    Paying { kind: &event::PACKAGES_ACTIVATE, new, fees, charges, dt }.draft(standing)
}

/// Fees and dates can be changed only where something is charged and begins.
fn nothing_to_change(request: &Object, names: &[&str], errors: &mut FieldErrors) {
    for name in names.iter().filter(|name| request.contains_key(**name)) {
        errors.add(name, "nothing is charged and no period begins in this step");
    }
}

/// The period that begins now, or as asked for: within a period of now, and a period longer than usual at most.
fn first_period(standing: &Standing, request: &Object, when: Moment, errors: &mut FieldErrors) -> Paid {
    let scene = standing.scene();
    let period = standing.package.period;
    let asked = params::moment(request, "period_start_dt", &standing.timezone);
    let start = asked.unwrap_or(when);
    let earliest = period.before(when, &scene.zone).unwrap_or(when);
    let latest = period.after(when, 1, &scene.zone).unwrap_or(when);
    if start < earliest || start > latest {
        errors.add("period_start_dt", format!("must be from {} to {}", earliest.iso(), latest.iso()));
    }
    let usual = calendar::first(&standing.package, start, &scene.zone);
    with_end(standing, request, usual, errors)
}

fn with_end(standing: &Standing, request: &Object, usual: Paid, errors: &mut FieldErrors) -> Paid {
    let Some(stop) = params::moment(request, "period_stop_dt", &standing.timezone) else { return usual };
    let latest = calendar::following(&usual, &standing.package, &standing.scene().zone).stop;
    if stop <= usual.start || stop > latest {
        errors.add("period_stop_dt", format!("must be after {}, and {} at the latest", usual.start.iso(), latest.iso()));
        return usual;
    }
    calendar::ending(usual, stop)
}

/// `clients.packages.renew`.
pub(super) fn renew(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let standing = standing::open(tx, at, params::id(request))?;
    let Standing { own, package, .. } = &standing;
    let (Condition::Activated, Some(paid)) = (own.condition, &own.paid) else {
        return Err(wrong_condition("only an activated client package is renewed; activate it"));
    };
    if package.status == PackageStatus::Archive {
        return Err(wrong_condition("it is about to be closed: its package is archived"));
    }
    let opens = calendar::renewal_opens(paid, &standing.scene());
    if at.now < opens {
        return Err(Refusal::rule("not_due", format!("it can be renewed from {} on", opens.iso())));
    }
    if own.stop.is_some_and(|stop| stop <= paid.stop) {
        return Err(Refusal::rule("not_due", format!("it ends with its stop_dt, at {}", paid.stop.iso())));
    }
    renewed(standing, request, None)
}

/// The renewal: the next period joins the last, whenever it is taken.
pub(super) fn renewed(standing: Standing, request: &Object, dt: Option<Moment>) -> Result<Draft, Refusal> {
    let own = &standing.own;
    let last = own.paid.as_ref().ok_or_else(|| Refusal::internal("an activated client package without a period"))?;
    let mut errors = FieldErrors::new();
    nothing_to_change(request, &["activation_fee", "period_start_dt"], &mut errors);
    let usual = calendar::following(last, &standing.package, &standing.scene().zone);
    let paid = with_end(&standing, request, usual, &mut errors);
    errors.or(())?;
    let fees = [Money::ZERO, money(request, "period_fee").unwrap_or(own.period_fee)];
    let charges = charges(own, fees, &paid)?;
    demand_cover(&standing, fees)?;
    let new = ClientPackage { paid: Some(paid), hold: None, reason: None, ..own.clone() };
    Paying { kind: &event::PACKAGES_RENEW, new, fees, charges, dt }.draft(standing)
}

/// What a step costs; what costs nothing is no transaction.
fn charges(own: &ClientPackage, [activation, period]: [Money; 2], paid: &Paid) -> Result<Vec<Charge>, Refusal> {
    let all = [("activation_fee", activation, "activation"), ("period_fee", period, "period")];
    let mut charges = Vec::new();
    for (field, fee, step) in all.into_iter().filter(|(_, fee, _)| !fee.is_zero()) {
        let amount = own.times_quantity(fee).ok_or_else(|| Refusal::field(field, "is too much, times the quantity"))?;
        let about = if step == "period" { "period fee" } else { "activation fee" };
        charges.push(Charge { amount, about, step: format!("{step}:{}", paid.start.0) });
    }
    Ok(charges)
}

fn demand_cover(standing: &Standing, fees: [Money; 2]) -> Result<(), Refusal> {
    let scene = standing.scene();
    if scene.covers(&standing.own, fees) {
        return Ok(());
    }
    let available = scene.available.unwrap_or(Money::ZERO);
    let whole: i64 = fees.iter().filter_map(|fee| standing.own.times_quantity(*fee)).map(Money::micros).sum();
    Err(Refusal::rule("low_balance", format!("{available} is available, the step costs {}", Money::from_micros(whole))))
}
