//! The step that the clock takes: whichever is due, found out in the transaction that writes it. It is no method of the API,
//! but comes through the same door: its handlers are asked and told like anybody's.
use hookswitch_model::{
    Object,
    event::STEPS_OF_PACKAGES,
    life::{self, Next, Reason, Step, retry},
    moment::Moment,
    objects::{
        client_package::{self, ClientPackage, Condition, Hold, Planned},
        package::Package,
    },
    refusal::Refusal,
};
use hookswitch_store::Tx;
use serde_json::Value;

use super::{ANY_STEP, ITS_CLIENT, change, ending, period, standing, standing::Standing};
use crate::{
    methods::params,
    perform::{At, Draft},
    registry::{Act, Gives, Method, Takes},
};

/// The clock's own method.
pub(crate) static STEP: Method = Method::acts(
    "clients.packages.step",
    "Takes the step of a client package that is due",
    Takes::Fields(ANY_STEP),
    Gives::Object(client_package::FIELDS),
    Act::new(ITS_CLIENT, STEPS_OF_PACKAGES, step).charging(2),
);

fn step(tx: &Tx, at: &At, request: &Object) -> Result<Draft, Refusal> {
    let Some(standing) = standing::for_clock(tx, at, params::id(request))? else { return Ok(Draft::nothing(Value::Null)) };
    if !is_due(&standing.own, at.now) {
        return Ok(Draft::nothing(Value::Null));
    }
    let standing = as_of_due(standing);
    let next = life::next(&standing.own, &standing.scene());
    let overrules = retry::is_overdue(&standing.own, &next, at.now);
    let draft = match next {
        Next::Wait(until, hold) => return Ok(waits(&standing.own, until, hold)),
        Next::Take(step, when) => take(standing, step, when, request)?,
    };
    Ok(Draft { overrules, ..draft })
}

/// It may have been looked at since somebody saw that it was due.
fn is_due(own: &ClientPackage, now: Moment) -> bool {
    own.planned.due.is_some_and(|due| due <= now)
}

/// As it stood when it became due: after an outage, what is decided about that moment must not know of later ones, or steps of
/// several client packages would change places.
fn as_of_due(standing: Standing) -> Standing {
    let now = standing.own.planned.due.map_or(standing.now, |due| due.min(standing.now));
    Standing { now, ..standing }
}

fn take(standing: Standing, step: Step, when: Moment, request: &Object) -> Result<Draft, Refusal> {
    let dt = Some(when);
    match step {
        Step::Activate => period::activated(standing, request, when, dt),
        Step::Renew => period::renewed(standing, request, dt),
        Step::Deactivate(reason) => {
            let hold = (reason == Reason::LowBalance).then_some(Hold::Funds);
            Ok(ending::deactivated(standing, reason.word(), hold, dt))
        }
        Step::Close(reason) => Ok(ending::closed(&standing.own, reason.word(), dt)),
    }
}

/// Nothing is due: what it waits for is noted, so that a payment finds it.
fn waits(own: &ClientPackage, until: Option<Moment>, hold: Option<Hold>) -> Draft {
    let planned = Planned { due: until, ..Planned::default() };
    let reason = own.reason.clone().filter(|_| hold == own.hold || own.condition == Condition::Deactivated);
    let new = ClientPackage { planned, hold, reason, ..own.clone() };
    if new == *own {
        return Draft::nothing(Value::Null);
    }
    Draft::silent(Value::Null, change::written(new))
}

/// Writes down that the step that is due was refused, and when it is tried again.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn refused(tx: &mut Tx, at: &At, id: i64, why: retry::Refused) -> Result<(), Refusal> {
    let Some(standing) = standing::for_clock(tx, at, id)?.filter(|standing| is_due(&standing.own, at.now)) else { return Ok(()) };
    let Next::Take(step, _) = life::next(&standing.own, &as_of_due(standing.clone()).scene()) else { return Ok(()) };
    let new = retry::after_refusal(&standing.own, &standing.scene(), step, why);
    Ok(change::write(tx, at, &new)?)
}

/// True if those who have a package must be looked at because of its new terms.
#[must_use]
pub(crate) fn concerns_those_who_have_it(old: &Package, new: &Package) -> bool {
    (old.status, old.period, old.advance_renew, old.renew_due) != (new.status, new.period, new.advance_renew, new.renew_due)
}
