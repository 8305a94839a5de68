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
    concerns::{self, Concerns},
    registry::{Act, Gives, Method, Takes},
};

/// The collection's name in errors.
pub(crate) const OBJECT: &str = "clients.packages";

const ITS_CLIENT: Concerns = Concerns::Client(concerns::of_client_package);

/// What may be said about a step that charges, for this step alone.
const ACTIVATION: &[Field] = &[Field::ID, ACTIVATION_FEE, PERIOD_FEE, PERIOD_START, PERIOD_STOP];
const RENEWAL: &[Field] = &[Field::ID, PERIOD_FEE, PERIOD_STOP];
const ENDING: &[Field] = &[Field::ID, Field::REASON];
/// What may be said about whichever step it is: what handlers may change of a step of the clock.
const ANY_STEP: &[Field] = ACTIVATION;

const ACTIVATION_FEE: Field = Field::new("activation_fee", package::FEE, "For one of them, in this step (default: its own)");
const PERIOD_FEE: Field = Field::new("period_fee", package::FEE, "For one of them, in this step (default: its own)");
const PERIOD_START: Field =
    Field::new("period_start_dt", field::Kind::TimeOrDate, "When the period begins, within a period of now (default: now)");
const PERIOD_STOP: Field = Field::new(
    "period_stop_dt",
    field::Kind::TimeOrDate,
    "When this period ends, a period later than usual at most (default: as the package has it)",
);

pub(crate) static METHODS: &[Method] = &[
    Method::acts(
        "clients.packages.assign",
        "Gives a client a package; the clock activates it",
        Takes::Fields(client_package::FIELDS),
        Gives::Object(client_package::FIELDS),
        Act::new(Concerns::Client(concerns::named), &[&event::PACKAGES_ASSIGN], assign::assign).making(Sequence::ClientPackages),
    ),
    Method::reads(
        "clients.packages.get",
        "Gives a client package",
        Takes::Fields(params::ID),
        Gives::Object(client_package::FIELDS),
        |tx, at, given| Ok(standing::seen(tx, at, params::id(given))?.shown().into()),
    ),
    Method::reads(
        "clients.packages.search",
        "Lists client packages",
        Takes::Filters(&tables::client_packages::LIST),
        Gives::Rows(client_package::FIELDS),
        |tx, at, given| tables::client_packages::search(tx, &at.asked(given)),
    ),
    Method::acts(
        "clients.packages.activate",
        "Charges and begins the first period, or one after a pause",
        Takes::Fields(ACTIVATION),
        Gives::Object(client_package::FIELDS),
        Act::new(ITS_CLIENT, &[&event::PACKAGES_ACTIVATE], period::activate).charging(2),
    )
    .refusing(&["wrong_condition", "not_due", "low_balance", "amount_out_of_range"]),
    Method::acts(
        "clients.packages.deactivate",
        "Switches a client package off; only activate switches it on again",
        Takes::Fields(ENDING),
        Gives::Object(client_package::FIELDS),
        Act::new(ITS_CLIENT, &[&event::PACKAGES_DEACTIVATE], ending::deactivate),
    )
    .refusing(&["wrong_condition"]),
    Method::acts(
        "clients.packages.renew",
        "Charges the next period, which follows without a gap",
        Takes::Fields(RENEWAL),
        Gives::Object(client_package::FIELDS),
        Act::new(ITS_CLIENT, &[&event::PACKAGES_RENEW], period::renew).charging(1),
    )
    .refusing(&["wrong_condition", "not_due", "low_balance", "amount_out_of_range"]),
    Method::acts(
        "clients.packages.close",
        "Ends a client package for ever; an active one is deactivated first",
        Takes::Fields(ENDING),
        Gives::Object(client_package::FIELDS),
        Act::new(ITS_CLIENT, &[&event::PACKAGES_DEACTIVATE, &event::PACKAGES_CLOSE], ending::close),
    )
    .refusing(&["wrong_condition"]),
];

/// A step from a condition that does not allow it.
fn wrong_condition(words: impl Into<String>) -> Refusal {
    Refusal::rule("wrong_condition", words)
}
