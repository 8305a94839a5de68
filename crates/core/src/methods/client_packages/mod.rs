//! `clients.packages.*`: what clients have of packages, and the steps of its life.
//!
//! | file | subject |
//! |---|---|
//! | here | the methods |
//! | [`standing`] | a client package with all that its life depends on |
//! | [`assign`] | a client gets a package |
//! | [`period`] | the steps that charge: activate and renew |
//! | [`ending`] | the steps that end: deactivate and close, alone or with a client or an account |
//! | [`change`] | one step: its events, its charges, how they are written |
//! | [`clock`] | the step that the clock takes |
mod assign;
mod change;
pub(crate) mod clock;
pub(crate) mod ending;
mod period;
pub(crate) mod standing;

use hookswitch_model::{
    event, field,
    field::Field,
    objects::{client_package, package},
    refusal::Refusal,
};
use hookswitch_store::{Sequence, tables};

use super::params;
use crate::{
    access::Right,
    registry::{Act, Gives, Method, Run, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "clients.packages";

/// What may be said about a step that charges, for this step alone.
const ACTIVATION: &[Field] = &[Field::ID, ACTIVATION_FEE, PERIOD_FEE, PERIOD_START, PERIOD_STOP];
const RENEWAL: &[Field] = &[Field::ID, PERIOD_FEE, PERIOD_STOP];
const ENDING: &[Field] = &[Field::ID, Field::REASON];
/// What may be said about whichever step it is: what handlers may change of a step of the clock.
const ANY_STEP: &[Field] = ACTIVATION;

const FEE: field::Kind = package::FIELDS[FEE_AT].kind;
const FEE_AT: usize = 6;
const ACTIVATION_FEE: Field = Field::new("activation_fee", FEE, "For one of them, in this step (default: its own)");
const PERIOD_FEE: Field = Field::new("period_fee", FEE, "For one of them, in this step (default: its own)");
const PERIOD_START: Field =
    Field::new("period_start_dt", field::Kind::TimeOrDate, "When the period begins, within a period of now (default: now)");
const PERIOD_STOP: Field = Field::new(
    "period_stop_dt",
    field::Kind::TimeOrDate,
    "When this period ends, a period later than usual at most (default: as the package has it)",
);

pub(crate) static METHODS: &[Method] = &[
    Method {
        name: "clients.packages.assign",
        about: "Gives a client a package; the clock activates it",
        right: Right::Operate,
        takes: Takes::Fields(client_package::FIELDS),
        gives: Gives::Object(client_package::FIELDS),
        codes: &[],
        check: |given| field::check_create(client_package::FIELDS, given),
        idempotent: true,
        hidden_in_replay: &[],
        run: Run::Act(Act::new(&[&event::PACKAGES_ASSIGN], assign::assign).making(Sequence::ClientPackages)),
    },
    Method {
        name: "clients.packages.get",
        about: "Gives a client package",
        right: Right::Read,
        takes: Takes::Fields(params::ID),
        gives: Gives::Object(client_package::FIELDS),
        codes: &[],
        check: params::id_only,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(|tx, at, given| Ok(standing::seen(tx, at, params::id(given))?.shown().into())),
    },
    Method {
        name: "clients.packages.search",
        about: "Lists client packages",
        right: Right::Read,
        takes: Takes::Filters(&tables::client_packages::LIST),
        gives: Gives::Rows(client_package::FIELDS),
        codes: &[],
        check: params::as_given,
        idempotent: false,
        hidden_in_replay: &[],
        run: Run::Read(|tx, at, given| tables::client_packages::search(tx, &at.asked(given))),
    },
    Method {
        name: "clients.packages.activate",
        about: "Charges and begins the first period, or one after a pause",
        right: Right::Operate,
        takes: Takes::Fields(ACTIVATION),
        gives: Gives::Object(client_package::FIELDS),
        codes: &["wrong_condition", "not_due", "low_balance", "amount_out_of_range"],
        check: |given| params::checked(ACTIVATION, given),
        idempotent: true,
        hidden_in_replay: &[],
        run: Run::Act(Act::new(&[&event::PACKAGES_ACTIVATE], period::activate).charging(2)),
    },
    Method {
        name: "clients.packages.deactivate",
        about: "Switches a client package off; only activate switches it on again",
        right: Right::Operate,
        takes: Takes::Fields(ENDING),
        gives: Gives::Object(client_package::FIELDS),
        codes: &["wrong_condition"],
        check: |given| params::checked(ENDING, given),
        idempotent: true,
        hidden_in_replay: &[],
        run: Run::Act(Act::new(&[&event::PACKAGES_DEACTIVATE], ending::deactivate)),
    },
    Method {
        name: "clients.packages.renew",
        about: "Charges the next period, which follows without a gap",
        right: Right::Operate,
        takes: Takes::Fields(RENEWAL),
        gives: Gives::Object(client_package::FIELDS),
        codes: &["wrong_condition", "not_due", "low_balance", "amount_out_of_range"],
        check: |given| params::checked(RENEWAL, given),
        idempotent: true,
        hidden_in_replay: &[],
        run: Run::Act(Act::new(&[&event::PACKAGES_RENEW], period::renew).charging(1)),
    },
    Method {
        name: "clients.packages.close",
        about: "Ends a client package for ever; an active one is deactivated first",
        right: Right::Operate,
        takes: Takes::Fields(ENDING),
        gives: Gives::Object(client_package::FIELDS),
        codes: &["wrong_condition"],
        check: |given| params::checked(ENDING, given),
        idempotent: true,
        hidden_in_replay: &[],
        run: Run::Act(Act::new(&[&event::PACKAGES_DEACTIVATE, &event::PACKAGES_CLOSE], ending::close)),
    },
];

/// A step from a condition that does not allow it.
fn wrong_condition(words: impl Into<String>) -> Refusal {
    Refusal::rule("wrong_condition", words)
}
