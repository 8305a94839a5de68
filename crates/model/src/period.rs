//! Durations of the contract, ISO 8601 (`P1M`, `PT1H`), and their calendar: months are added in a time zone, from an anchor, so
//! that a period that began on the 31st ends on the 28th of February and the next one on the 31st of March.
use jiff::{
    Span, Timestamp, Unit,
    civil::date,
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::moment::Moment;

/// The longest duration: a hundred years.
const YEARS_MAX: i64 = 100;
/// Days of the longest year.
const YEAR_DAYS_MAX: i64 = 366;

/// A duration that is not negative, with its calendar units.
#[derive(Debug, Clone, Copy)]
pub struct Period(Span);

impl PartialEq for Period {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Eq for Period {}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Period {
    /// Nothing at all.
    #[must_use]
    pub fn zero() -> Self {
        Self(Span::new())
    }

    /// Some hours.
    #[must_use]
    pub fn hours(hours: i32) -> Self {
        Self(Span::new().hours(hours))
    }

    /// Reads ISO 8601, up to a hundred years; `None` if it is not that, or negative.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // jiff reads lower case and its own `1 month` too.
        let is_iso = text.starts_with('P') && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.');
        let span: Span = text.parse().ok().filter(|_| is_iso)?;
        let seconds = span.total((Unit::Second, date(2024, 1, 1))).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "a bound, not an amount")]
        let max = (YEARS_MAX * YEAR_DAYS_MAX * 86_400) as f64;
        (0.0..=max).contains(&seconds).then_some(Self(span))
    }

    /// True if it takes no time.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// True if it takes a second or more wherever it begins.
    #[must_use]
    pub fn is_a_second_or_more(&self) -> bool {
        self.after(Moment(0), 1, &TimeZone::UTC).is_some_and(|end| end.0 >= 1_000_000)
    }

    /// The moment so many times this after `anchor`, by the calendar of `zone`; `None` beyond the year 9999.
    #[must_use]
    pub fn after(&self, anchor: Moment, times: i64, zone: &TimeZone) -> Option<Moment> {
        let whole = self.0.checked_mul(times).ok()?;
        let end = Timestamp::from_microsecond(anchor.0).ok()?.to_zoned_datetime(zone.clone()).checked_add(whole).ok()?;
        Some(Moment(end.timestamp().as_microsecond()))
    }

    /// The moment this long before another, by the calendar of `zone`.
    #[must_use]
    pub fn before(&self, end: Moment, zone: &TimeZone) -> Option<Moment> {
        self.after(end, -1, zone)
    }
}

/// A time zone by its IANA name, from the tables within the program; UTC if there is none of that name.
#[must_use]
pub fn zone(name: &str) -> TimeZone {
    if name == "UTC" { TimeZone::UTC } else { TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::parse(text).expect("a time")
    }

    fn ends(period: &str, anchor: &str, zone_name: &str, count: i64) -> Vec<String> {
        let (period, zone) = (Period::parse(period).expect("a duration"), zone(zone_name));
        (1..=count).map(|times| period.after(moment(anchor), times, &zone).expect("within the calendar").iso()).collect()
    }

    #[test]
    fn months_keep_their_anchor_day() {
        let expected = ["2027-02-28T00:00:00+00:00", "2027-03-31T00:00:00+00:00", "2027-04-30T00:00:00+00:00"];
        assert_eq!(ends("P1M", "2027-01-31T00:00:00Z", "UTC", 3), expected);
    }

    #[test]
    fn a_day_is_as_long_as_the_zone_says_and_an_hour_is_an_hour() {
        // Summer time ends in Berlin on 31 October 2027.
        let expected = ["2027-10-30T22:00:00+00:00", "2027-10-31T23:00:00+00:00"];
        assert_eq!(ends("P1D", "2027-10-29T22:00:00Z", "Europe/Berlin", 2), expected);
        assert_eq!(ends("PT24H", "2027-10-30T22:00:00Z", "Europe/Berlin", 1), ["2027-10-31T22:00:00+00:00"]);
    }

    #[test]
    fn durations_are_iso_8601_and_not_negative() {
        for text in ["P1M", "PT1H", "P1Y2M3D", "P4W", "PT0S", "PT1.5S", "P100Y"] {
            assert!(Period::parse(text).is_some(), "{text}");
        }
        for text in ["", "P", "p1m", "1 month", "-P1M", "P-1M", "P1", "P101Y", "P9999999999Y", "PT1H "] {
            assert!(Period::parse(text).is_none(), "{text}");
        }
        assert_eq!(Period::parse("P1M").expect("a month").to_string(), "P1M");
    }

    #[test]
    fn a_second_is_the_least_period() {
        assert!(Period::parse("PT1S").is_some_and(|period| period.is_a_second_or_more()));
        assert!(!Period::parse("PT0.5S").is_some_and(|period| period.is_a_second_or_more()));
        assert!(Period::parse("PT0S").is_some_and(|period| period.is_zero()));
    }

    #[test]
    fn the_end_of_the_calendar_is_no_panic() {
        let years = Period::parse("P100Y").expect("a century");
        assert_eq!(years.after(moment("2027-01-01T00:00:00Z"), 100, &TimeZone::UTC), None);
        assert_eq!(years.after(moment("2027-01-01T00:00:00Z"), i64::MAX, &TimeZone::UTC), None);
    }
}
