//! The steps that end: deactivate and close, on request, by the clock, or as parts of an action that ends more.
use hookswitch_model::{
    Object, event,
    life::Reason,
    moment::Moment,
    money::Money,
    objects::client_package::{ClientPackage, Condition, Hold, Planned},
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};

use super::{
    change::{ended, planned, written},
    standing::{self, Standing},
    wrong_condition,
};
use crate::{
    methods::params,
    perform::{At, Draft, Part},
};

/// Client packages that one action closes at most.
const CLOSED_AT_ONCE_MAX: usize = 5_000;

/// `clients.packages.deactivate`.
pub(super) fn deactivate(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let standing = standing::open(tx, at, params::id(request))?;
    if standing.own.condition != Condition::Activated {
        return Err(wrong_condition("only an activated client package is deactivated"));
    }
    Ok(deactivated(standing, &reason(request), None, None))
}

fn reason(request: &Object) -> String {
    params::text(request, "reason").filter(|reason| !reason.is_empty()).unwrap_or(Reason::Request.word()).to_owned()
}

/// The deactivation. `hold` is what it waits for, if the clock may activate it again.
pub(super) fn deactivated(standing: Standing, reason: &str, hold: Option<Hold>, dt: Option<Moment>) -> Draft {
    let new = off(&standing.own, reason, hold);
    let new = planned(new, &standing, Money::ZERO);
    let parts = vec![ended(&event::PACKAGES_DEACTIVATE, &standing.own, &new, dt)];
    let preview = new.shown().into();
    Draft::new(parts, preview, written(new))
}

fn off(own: &ClientPackage, reason: &str, hold: Option<Hold>) -> ClientPackage {
    ClientPackage { condition: Condition::Deactivated, reason: Some(reason.to_owned()), hold, ..own.clone() }
}

/// `clients.packages.close`.
pub(super) fn close(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let standing = standing::open(tx, at, params::id(request))?;
    Ok(closed(&standing.own, &reason(request), None))
}

/// The closing; an active one is deactivated first.
pub(super) fn closed(own: &ClientPackage, reason: &str, dt: Option<Moment>) -> Draft {
    let Closing { parts, new } = Closing::of(own, reason, dt);
    let preview = new.shown().into();
    Draft::new(parts, preview, written(new))
}

/// A client package's share in an action that closes it.
pub(crate) struct Closing {
    /// Its events, in order.
    pub(crate) parts: Vec<Part>,
    /// As it is then.
    pub(crate) new: ClientPackage,
}

impl Closing {
    fn of(own: &ClientPackage, reason: &str, dt: Option<Moment>) -> Self {
        let mut parts = Vec::with_capacity(2);
        if own.condition == Condition::Activated {
            parts.push(ended(&event::PACKAGES_DEACTIVATE, own, &off(own, reason, None), dt));
        }
        let planned = Planned::default();
        let over = ClientPackage { condition: Condition::Closed, planned, ..off(own, reason, None) };
        parts.push(ended(&event::PACKAGES_CLOSE, own, &over, dt));
        Self { parts, new: over }
    }

    /// How it is written.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) fn write(&self, tx: &mut Tx) -> Result<(), Refusal> {
        Ok(tables::client_packages::update(tx, &self.new)?)
    }
}

/// The closings of all that a client has, in order of id.
///
/// # Errors
/// `conflict` if these are too many for one action.
pub(crate) fn of_client(tx: &Tx, clients_id: i64, reason: Reason) -> Result<Vec<Closing>, Refusal> {
    all(&tables::client_packages::open_of_client(tx, clients_id)?, reason)
}

/// The closings of all that an account has, in order of id.
///
/// # Errors
/// `conflict` if these are too many for one action.
pub(crate) fn of_account(tx: &Tx, accounts_id: i64, reason: Reason) -> Result<Vec<Closing>, Refusal> {
    all(&tables::client_packages::open_of_account(tx, accounts_id)?, reason)
}

fn all(open: &[ClientPackage], reason: Reason) -> Result<Vec<Closing>, Refusal> {
    if open.len() > CLOSED_AT_ONCE_MAX {
        let message = format!("it has {} open client packages; at most {CLOSED_AT_ONCE_MAX} are closed at once", open.len());
        return Err(Refusal::conflict(message));
    }
    Ok(open.iter().map(|own| Closing::of(own, reason.word(), None)).collect())
}
