use serde_json::json;

use super::*;
use crate::{Object, objects::client_package::Planned, period};

const HOUR: i64 = 3_600_000_000;

fn at(hours: i64) -> Moment {
    Moment(hours * HOUR)
}

fn package(more: serde_json::Value) -> Package {
    let mut given: Object =
        serde_json::from_value(json!({"name": "p", "period": "PT10H", "period_fee": 10, "activation_fee": 5})).unwrap();
    given.extend(serde_json::from_value::<Object>(more).unwrap());
    Package::from_new(1, 1, 1, at(0), "UTC", &given)
}

fn own(condition: Condition) -> ClientPackage {
    let paid = (condition != Condition::New).then(|| calendar::first(&package(json!({})), at(100), &TimeZone::UTC));
    ClientPackage {
        id: 1,
        clients_id: 1,
        companies_id: 1,
        accounts_id: None,
        packages_id: 1,
        packages_name: "p".to_owned(),
        quantity: 1,
        condition,
        start: at(100),
        stop: None,
        paid,
        activation_fee: Money::from_micros(5_000_000),
        period_fee: Money::from_micros(10_000_000),
        reason: None,
        hold: None,
        planned: Planned::default(),
        c_dt: at(0),
    }
}

/// What is next for it at an hour, with so much money.
fn then(own: &ClientPackage, package: &Package, hour: i64, money: i64) -> Next {
    let available = Some(Money::from_micros(money * 1_000_000));
    next(own, &Scene { package, zone: TimeZone::UTC, available, now: at(hour) })
}

#[test]
fn a_new_one_waits_for_its_start_and_then_for_both_fees() {
    let (new, package) = (own(Condition::New), package(json!({})));
    assert_eq!(then(&new, &package, 99, 1_000), Next::Wait(Some(at(100)), None));
    assert_eq!(then(&new, &package, 100, 14), Next::Wait(None, Some(Hold::Funds)));
    assert_eq!(then(&new, &package, 120, 15), Next::Take(Step::Activate, at(100)));
    let paid_later = ClientPackage { planned: Planned { due: Some(at(110)), ..Planned::default() }, ..new.clone() };
    assert_eq!(then(&paid_later, &package, 120, 15), Next::Take(Step::Activate, at(110)));
    let ends_before = ClientPackage { stop: Some(at(90)), ..new };
    assert_eq!(then(&ends_before, &package, 95, 15), Next::Take(Step::Close(Reason::StopDt), at(90)));
}

#[test]
fn an_activated_one_is_renewed_in_advance_or_deactivated_at_its_end() {
    let (active, package) = (own(Condition::Activated), package(json!({"advance_renew": "PT2H"})));
    assert_eq!(then(&active, &package, 107, 1_000), Next::Wait(Some(at(108)), None));
    assert_eq!(then(&active, &package, 108, 10), Next::Take(Step::Renew, at(108)));
    assert_eq!(then(&active, &package, 108, 9), Next::Wait(Some(at(110)), Some(Hold::Funds)));
    assert_eq!(then(&active, &package, 115, 9), Next::Take(Step::Deactivate(Reason::LowBalance), at(110)));
    let forbidden = ClientPackage { hold: Some(Hold::Forbidden), ..active.clone() };
    assert_eq!(then(&forbidden, &package, 109, 10), Next::Take(Step::Renew, at(108)), "asked again");
    assert_eq!(then(&forbidden, &package, 110, 10), Next::Take(Step::Deactivate(Reason::Forbidden), at(110)));
    let stops = ClientPackage { stop: Some(at(110)), ..active };
    assert_eq!(then(&stops, &package, 108, 10), Next::Wait(Some(at(110)), None), "no period begins at its stop");
    assert_eq!(then(&stops, &package, 110, 10), Next::Take(Step::Close(Reason::StopDt), at(110)));
}

#[test]
fn an_undecided_renewal_is_tried_until_it_expires_and_no_money_ends_it() {
    let package = package(json!({"renew_due": "PT5H"}));
    let undecided = ClientPackage { hold: Some(Hold::Undecided), ..own(Condition::Activated) };
    assert_eq!(then(&undecided, &package, 114, 10), Next::Take(Step::Renew, at(109)));
    assert_eq!(then(&undecided, &package, 115, 10), Next::Take(Step::Close(Reason::RenewDue), at(115)));
    assert_eq!(then(&undecided, &package, 112, 9), Next::Take(Step::Deactivate(Reason::LowBalance), at(110)));
}

#[test]
fn a_deactivated_one_comes_back_by_itself_only_where_money_was_wanting() {
    let package = package(json!({"renew_due": "PT5H"}));
    let off = own(Condition::Deactivated);
    let poor = ClientPackage { hold: Some(Hold::Funds), ..off.clone() };
    assert_eq!(then(&poor, &package, 111, 10), Next::Take(Step::Activate, at(110)));
    assert_eq!(then(&poor, &package, 111, 9), Next::Wait(Some(at(115)), Some(Hold::Funds)));
    assert_eq!(then(&poor, &package, 115, 9), Next::Take(Step::Close(Reason::RenewDue), at(115)));
    assert_eq!(then(&off, &package, 111, 10), Next::Wait(Some(at(115)), None));
    assert_eq!(then(&off, &package, 115, 10), Next::Take(Step::Close(Reason::RenewDue), at(115)));
}

#[test]
fn an_archived_package_ends_every_life_and_a_closed_one_is_over() {
    let archived = package(json!({"status": "archive"}));
    for condition in [Condition::New, Condition::Activated, Condition::Deactivated] {
        assert_eq!(then(&own(condition), &archived, 101, 100), Next::Take(Step::Close(Reason::PackageArchived), at(101)));
    }
    assert_eq!(then(&own(Condition::Closed), &archived, 101, 100), Next::Wait(None, None));
}

#[test]
fn no_more_than_one_period_is_paid_ahead() {
    let (active, package) = (own(Condition::Activated), package(json!({"advance_renew": "P30D"})));
    assert_eq!(then(&active, &package, 100, 10), Next::Take(Step::Renew, at(100)));
    let paid = active.paid.as_ref().map(|paid| calendar::following(paid, &package, &TimeZone::UTC));
    let ahead = ClientPackage { paid, ..active };
    assert_eq!(then(&ahead, &package, 109, 10), Next::Wait(Some(at(110)), None));
}

#[test]
fn periods_join_and_keep_their_anchor_until_their_length_changes() {
    let monthly = package(json!({"period": "P1M"}));
    let berlin = period::zone("Europe/Berlin");
    let first = calendar::first(&monthly, Moment::parse("2027-01-31T12:00:00+01:00").unwrap(), &berlin);
    let second = calendar::following(&first, &monthly, &berlin);
    let third = calendar::following(&second, &monthly, &berlin);
    assert_eq!((second.start, third.start), (first.stop, second.stop));
    assert_eq!(second.stop, Moment::parse("2027-03-31T12:00:00+02:00").unwrap(), "noon, in summer time");
    assert_eq!(third.stop, Moment::parse("2027-04-30T12:00:00+02:00").unwrap());
    let weekly = calendar::following(&third, &package(json!({"period": "P7D"})), &berlin);
    assert_eq!((weekly.anchor, weekly.count), (third.stop, 1));
    let longer = calendar::ending(first.clone(), Moment::parse("2027-03-10T00:00:00Z").unwrap());
    assert_eq!(calendar::following(&longer, &monthly, &berlin).stop, Moment::parse("2027-04-10T01:00:00+02:00").unwrap());
}

#[test]
fn a_refused_step_waits_longer_each_time_and_never_beyond_what_is_due_then() {
    use super::retry::{Refused, after_refusal};
    let package = package(json!({"advance_renew": "PT2H"}));
    let scene = |hour: i64| Scene { package: &package, zone: TimeZone::UTC, available: None, now: at(hour) };
    let mut refused = own(Condition::Activated);
    let mut waits = Vec::new();
    for _ in 0..7 {
        refused = after_refusal(&refused, &scene(108), Step::Renew, Refused::Forbidden);
        waits.push((refused.planned.due.unwrap().0 - at(108).0) / 1_000_000);
    }
    assert_eq!(waits, [1, 5, 30, 120, 600, 3_600, 3_600]);
    assert_eq!((refused.hold, refused.reason.as_deref()), (Some(Hold::Forbidden), Some("forbidden")));
    let last =
        after_refusal(&refused, &Scene { now: Moment(at(110).0 - 1_000_000), ..scene(0) }, Step::Renew, Refused::Forbidden);
    assert_eq!(last.planned.due, Some(at(110)), "at the period's end something else is due");
    let ending = Step::Deactivate(Reason::Forbidden);
    let put_off = after_refusal(&last, &scene(110), ending, Refused::Other);
    assert_eq!((put_off.planned.tries, put_off.planned.put_off_since), (1, Some(at(110))), "another step, counted anew");
    let overdue = |own: &ClientPackage, hour| retry::is_overdue(own, &Next::Take(ending, at(110)), at(hour));
    assert!(!overdue(&put_off, 133) && overdue(&put_off, 134));
}
