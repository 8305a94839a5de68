//! When paid periods begin, end, are renewed and expire: by the calendar of the reseller's zone, counted from an anchor.
use jiff::tz::TimeZone;

use super::Scene;
use crate::{
    moment::Moment,
    objects::{client_package::Paid, package::Package},
    period::Period,
};

/// Beyond every calendar: what would end after the year 9999 ends here.
const NEVER: Moment = Moment(253_402_200_000_000_000);

/// The moment so many periods after an anchor.
fn after(period: &Period, anchor: Moment, count: i64, zone: &TimeZone) -> Moment {
    period.after(anchor, count, zone).unwrap_or(NEVER)
}

/// A first period, or one after a pause: its anchor is its own beginning.
#[must_use]
pub fn first(package: &Package, start: Moment, zone: &TimeZone) -> Paid {
    let stop = after(&package.period, start, 1, zone);
    Paid { start, stop, anchor: start, count: 1, period: package.period.to_string() }
}

/// The period that follows without a gap. It keeps the anchor as long as periods have the same length.
#[must_use]
pub fn following(paid: &Paid, package: &Package, zone: &TimeZone) -> Paid {
    let period = package.period.to_string();
    let (anchor, count) = if paid.period == period { (paid.anchor, paid.count + 1) } else { (paid.stop, 1) };
    let stop = after(&package.period, anchor, count, zone);
    if stop > paid.stop {
        return Paid { start: paid.stop, stop, anchor, count, period };
    }
    // The zone was moved so far that the anchor's calendar lags behind: counted anew.
    Paid { start: paid.stop, ..first(package, paid.stop, zone) }
}

/// The same period with another end, as somebody has decided for it alone; the next is counted from there.
#[must_use]
pub fn ending(paid: Paid, stop: Moment) -> Paid {
    if stop == paid.stop { paid } else { Paid { stop, anchor: stop, count: 0, ..paid } }
}

/// From when on a period may be renewed: `advance_renew` before its end, at its beginning at the earliest, so that no more than
/// one period is ever paid in advance.
#[must_use]
pub fn renewal_opens(paid: &Paid, scene: &Scene<'_>) -> Moment {
    let advance = scene.package.advance_renew.before(paid.stop, &scene.zone);
    advance.map_or(paid.start, |opens| opens.max(paid.start))
}

/// When a period can't be renewed any more; `None` = it always can.
#[must_use]
pub fn expires(paid: &Paid, scene: &Scene<'_>) -> Option<Moment> {
    scene.package.renew_due.map(|due| after(&due, paid.stop, 1, &scene.zone))
}
