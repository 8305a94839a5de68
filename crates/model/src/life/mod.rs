//! The life of a client package: which step the clock has to take, and which moment it belongs to. Pure: what is due follows from
//! the client package, its package's terms, the time and what the client can pay.
//!
//! ```text
//!   assign -> new --activate--> activated --renew--> activated ...
//!                    ^              |
//!                    |          deactivate            close, from any: final; an active one is deactivated first
//!                    +-- deactivated +
//! ```
//!
//! Every step has its own date, so that after an outage missed steps are taken one after another, each as if it had come in
//! time: [`next`] gives one step, and is asked again on what that step leaves.
//!
//! | file | subject |
//! |---|---|
//! | here | the state machine |
//! | [`calendar`] | when periods begin, end and expire |
//! | [`retry`] | when a step that was refused is tried again |
pub mod calendar;
pub mod retry;

#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;

use crate::{
    moment::Moment,
    money::Money,
    objects::{
        client_package::{ClientPackage, Condition, Hold, Paid},
        package::{Package, PackageStatus},
    },
    words::words,
};

words! {
    /// Why the program itself deactivates or closes a client package: the words of its `reason`.
    Reason {
        /// The fee of the next period is not covered.
        LowBalance = "low_balance",
        /// A handler has forbidden the renewal until the period's end.
        Forbidden = "forbidden",
        /// A handler that must be asked about the renewal has failed.
        HandlerFailed = "handler_failed",
        /// Somebody asked for it, and said no more.
        Request = "request",
        /// Its `stop_dt` has come.
        StopDt = "stop_dt",
        /// It was not renewed within the package's `renew_due`.
        RenewDue = "renew_due",
        /// Its package was archived.
        PackageArchived = "package_archived",
        /// Its client was archived.
        ClientArchived = "client_archived",
        /// Its client was deleted.
        ClientDeleted = "client_deleted",
        /// Its account was deleted.
        AccountDeleted = "account_deleted",
    }
}

/// A step of a life, with what the clock decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The first period, or one after a pause, is charged and begins.
    Activate,
    /// The next period is charged and follows.
    Renew,
    /// The period has ended without a next one.
    Deactivate(Reason),
    /// It is over; an active one is deactivated first.
    Close(Reason),
}

/// What is to be done about a client package now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This step, as of this moment.
    Take(Step, Moment),
    /// Nothing until then (`None` = for ever, as far as time goes); if there is money for it, earlier.
    Wait(Option<Moment>, Option<Hold>),
}

impl Next {
    /// When the clock must look again.
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        match *self {
            Self::Take(_, moment) => Some(moment),
            Self::Wait(until, _) => until,
        }
    }
}

/// What a life depends on besides the client package itself.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// The package's terms.
    pub package: &'a Package,
    /// Where days and months begin.
    pub zone: TimeZone,
    /// What the client can pay; `None` = without limit.
    pub available: Option<Money>,
    /// The moment that is decided about: now, or the one at which the client package became due.
    pub now: Moment,
}

impl Scene<'_> {
    /// True if the client can pay these fees of a client package. What costs nothing is always covered.
    #[must_use]
    pub fn covers(&self, own: &ClientPackage, fees: [Money; 2]) -> bool {
        let whole = fees.iter().map(|fee| own.times_quantity(*fee)).try_fold(Money::ZERO, |sum, fee| sum.checked_add(fee?));
        whole.is_some_and(|whole| whole.is_zero() || self.available.is_none_or(|available| available >= whole))
    }

    fn covers_a_period(&self, own: &ClientPackage) -> bool {
        self.covers(own, [Money::ZERO, own.period_fee])
    }

    fn is_archived(&self) -> bool {
        self.package.status == PackageStatus::Archive
    }

    fn has_come(&self, moment: Moment) -> bool {
        moment <= self.now
    }
}

/// What the clock has to do about a client package.
#[must_use]
pub fn next(own: &ClientPackage, scene: &Scene<'_>) -> Next {
    match (own.condition, &own.paid) {
        (Condition::Closed, _) => Next::Wait(None, own.hold),
        _ if scene.is_archived() => Next::Take(Step::Close(Reason::PackageArchived), scene.now),
        (Condition::New, _) => of_new(own, scene),
        (Condition::Activated, Some(paid)) => of_activated(own, paid, scene),
        (Condition::Deactivated, Some(paid)) => of_deactivated(own, paid, scene),
        // Only a paid period activates; there is none of this kind.
        (Condition::Activated | Condition::Deactivated, None) => Next::Wait(None, own.hold),
    }
}

/// The moment that a step belongs to: the one at which it became possible, or at which it was to be tried again.
fn dated(own: &ClientPackage, natural: Moment) -> Moment {
    own.planned.due.map_or(natural, |due| due.max(natural))
}

fn of_new(own: &ClientPackage, scene: &Scene<'_>) -> Next {
    let when = dated(own, own.start);
    let ends_before = |moment: Moment| own.stop.is_some_and(|stop| stop <= moment);
    if !scene.has_come(own.start) {
        let ends_unstarted = own.stop.filter(|stop| *stop <= own.start);
        return closing_or(scene, Next::Wait(Some(ends_unstarted.unwrap_or(own.start)), None), ends_unstarted);
    }
    if !ends_before(when) && scene.covers(own, [own.activation_fee, own.period_fee]) {
        return Next::Take(Step::Activate, when);
    }
    closing_or(scene, Next::Wait(own.stop, Some(Hold::Funds)), own.stop)
}

/// The closing at `stop_dt` if that has come, else what there is otherwise.
fn closing_or(scene: &Scene<'_>, otherwise: Next, stop: Option<Moment>) -> Next {
    match stop {
        Some(stop) if scene.has_come(stop) => Next::Take(Step::Close(Reason::StopDt), stop),
        _ => otherwise,
    }
}

fn of_activated(own: &ClientPackage, paid: &Paid, scene: &Scene<'_>) -> Next {
    let is_over = scene.has_come(paid.stop);
    if let Some(stop) = own.stop {
        let ends_within_period = stop <= paid.stop;
        let undecided_at_its_end = own.hold == Some(Hold::Undecided) && scene.has_come(stop);
        if ends_within_period || undecided_at_its_end {
            return closing_or(scene, Next::Wait(Some(stop), None), Some(stop));
        }
    }
    let opens = calendar::renewal_opens(paid, scene);
    if !scene.has_come(opens) {
        return Next::Wait(Some(opens), None);
    }
    if is_over && own.hold == Some(Hold::Forbidden) {
        return Next::Take(Step::Deactivate(Reason::Forbidden), paid.stop);
    }
    if !scene.covers_a_period(own) {
        return match is_over {
            true => Next::Take(Step::Deactivate(Reason::LowBalance), lapsed(own, paid)),
            false => Next::Wait(Some(paid.stop), Some(Hold::Funds)),
        };
    }
    let expired = calendar::expires(paid, scene).filter(|end| scene.has_come(*end));
    match expired {
        Some(end) if own.hold == Some(Hold::Undecided) || own.planned.tries > 0 => Next::Take(Step::Close(Reason::RenewDue), end),
        _ => Next::Take(Step::Renew, dated(own, opens)),
    }
}

/// When a period that nobody pays on lapses: at its end, or when that was found out, if a handler's failure kept it on until then.
fn lapsed(own: &ClientPackage, paid: &Paid) -> Moment {
    if own.hold == Some(Hold::Undecided) { dated(own, paid.stop) } else { paid.stop }
}

fn of_deactivated(own: &ClientPackage, paid: &Paid, scene: &Scene<'_>) -> Next {
    let expires = calendar::expires(paid, scene).map(|end| (end, Reason::RenewDue));
    let stops = own.stop.map(|end| (end, Reason::StopDt));
    let end = [expires, stops].into_iter().flatten().min_by_key(|(end, _)| *end);
    let when = dated(own, paid.stop);
    let in_time = end.is_none_or(|(end, _)| when < end);
    if own.hold == Some(Hold::Funds) && in_time && scene.has_come(when) && scene.covers_a_period(own) {
        return Next::Take(Step::Activate, when);
    }
    match end {
        Some((end, reason)) if scene.has_come(end) => Next::Take(Step::Close(reason), end),
        _ => Next::Wait(end.map(|(end, _)| end), own.hold),
    }
}
