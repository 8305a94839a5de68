//! `clients.packages.assign`: a client gets a package. Nothing is charged yet: the clock activates it as soon as it can.
use hookswitch_model::{
    Object, event, life,
    objects::{
        client::Client,
        client_package::ClientPackage,
        package::{Package, PackageStatus},
    },
    period,
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Tx, tables};

use super::{change::terms, standing::Standing};
use crate::{
    methods::{params, reach},
    perform::{At, Draft, Part, Write, Written},
};

/// Periods that may lie between `start_dt` and now at most: each of them is charged at once.
const PERIODS_BACK_MAX: i64 = 1_000;

pub(super) fn assign(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let mut errors = FieldErrors::new();
    let client = reach::owner(tx, at, request, &mut errors)?;
    let package = package(tx, at, request, client.as_ref(), &mut errors)?;
    account(tx, request, client.as_ref(), &mut errors)?;
    let (Some(client), Some(package)) = (client, package) else { return Err(errors.into()) };
    let timezone = at.access.timezone_of(client.companies_id).to_owned();
    let own = new_one(at, &client, &package, request, &timezone);
    let standing = Standing { own, package, client, timezone, now: at.now };
    check(&standing, &mut errors);
    errors.or(())?;
    Ok(draft(standing))
}

/// A package of the client's reseller or of one above it, in the client's currency.
fn package(
    tx: &Tx,
    at: &At,
    request: &Object,
    client: Option<&Client>,
    errors: &mut FieldErrors,
) -> Result<Option<Package>, Refusal> {
    let id = params::integer(request, "packages_id").unwrap_or(0);
    let package = tables::packages::get(tx, id)?.filter(|package| at.access.sees(&at.caller, package.companies_id));
    let Some(package) = package else {
        errors.add("packages_id", "does not exist");
        return Ok(None);
    };
    match package.status {
        PackageStatus::Active => {}
        PackageStatus::Disabled => errors.add("packages_id", "is disabled"),
        PackageStatus::Archive => errors.add("packages_id", "is archived"),
    }
    if let Some(client) = client {
        if !at.access.is_within(client.companies_id, package.companies_id) {
            errors.add("packages_id", "is a package of a reseller that the client does not belong to");
        }
        if package.currencies_id != client.currencies_id {
            errors.add("packages_id", "has another currency than the client");
        }
    }
    Ok(Some(package))
}

fn account(tx: &Tx, request: &Object, client: Option<&Client>, errors: &mut FieldErrors) -> Result<(), Refusal> {
    if let (Some(id), Some(client)) = (params::integer(request, "accounts_id"), client)
        && tables::accounts::client_of(tx, id)? != Some(client.id)
    {
        errors.add("accounts_id", "does not exist");
    }
    Ok(())
}

fn new_one(at: &At, client: &Client, package: &Package, request: &Object, timezone: &str) -> ClientPackage {
    let mut own = ClientPackage::new(at.new_id, client, package, at.now);
    own.apply(request, timezone);
    own
}

fn check(standing: &Standing, errors: &mut FieldErrors) {
    let Standing { own, package, .. } = standing;
    if own.stop.is_some_and(|stop| stop <= own.start) {
        errors.add("stop_dt", "must be after start_dt");
    }
    let starts_early = package.effective_from.is_some_and(|from| own.start < from);
    if starts_early || package.effective_till.is_some_and(|till| own.start >= till) {
        errors.add("start_dt", "is outside the time in which the package can be had");
    }
    let zone = period::zone(&standing.timezone);
    let back = package.period.after(own.start, PERIODS_BACK_MAX, &zone);
    if back.is_some_and(|end| end < standing.now) {
        errors.add("start_dt", format!("lies more than {PERIODS_BACK_MAX} periods back"));
    }
    let whole = [own.activation_fee, own.period_fee].map(|fee| own.times_quantity(fee));
    if whole[0].zip(whole[1]).is_none_or(|(activation, period)| activation.checked_add(period).is_none()) {
        errors.add("quantity", "times the fees is beyond the range of amounts");
    }
}

fn draft(mut standing: Standing) -> Draft {
    let due = life::next(&standing.own, &standing.scene()).due();
    // One that could start is looked at, whatever there is to pay it with: then it is known what it waits for.
    let starts = (standing.own.start <= standing.now).then_some(standing.own.start);
    standing.own.planned.due = starts.or(due);
    let own = standing.own.clone();
    let object = own.shown();
    let part = Part {
        kind: &event::PACKAGES_ASSIGN,
        object_id: own.id,
        clients_id: own.clients_id,
        companies_id: own.companies_id,
        data: object.clone(),
        previous: None,
        object: object.clone(),
        watched: terms(&standing),
        dt: None,
    };
    let write: Write = Box::new(move |tx, at| {
        tables::client_packages::insert(tx, &own)?;
        at.schedule.plan(tx, at.now, &own);
        Ok(Written::as_drafted())
    });
    Draft::new(vec![part], object.into(), write)
}
