//! Instants: microseconds UTC inside, ISO 8601 outside.
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An instant in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// From milliseconds since the epoch.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the epoch, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by `ms` milliseconds (earlier if negative).
    #[must_use]
    pub fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }

    /// Milliseconds from `earlier` to this; negative if this is the earlier one.
    #[must_use]
    pub fn millis_since(self, earlier: Moment) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1_000)
    }

    /// As the contract writes it: whole seconds, `2026-11-23T21:14:07+00:00`.
    #[must_use]
    pub fn iso(self) -> String {
        let second = Timestamp::from_second(self.seconds()).unwrap_or(Timestamp::UNIX_EPOCH);
        second.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    }

    /// Reads a date (`2026-11-23`) as its first moment in a time zone; `None` if it is no date or no zone.
    #[must_use]
    pub fn parse_date(text: &str, timezone: &str) -> Option<Self> {
        let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == "2026-11-23".len())?;
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(timezone).ok()?;
        Some(Self(zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_microsecond()))
    }

    /// Reads a time with its offset, or a date in a time zone.
    #[must_use]
    pub fn parse_either(text: &str, timezone: &str) -> Option<Self> {
        Self::parse(text).or_else(|| Self::parse_date(text, timezone))
    }

    /// Reads ISO 8601 with an offset (`2026-11-23T21:14:07+01:00`, `...Z`); `None` if it is not that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|stamp| Self(stamp.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_whole_seconds_utc() {
        let moment = Moment::parse("2026-11-23T22:14:07.987654+01:00").expect("a time");
        assert_eq!(moment.0 % 1_000_000, 987_654);
        assert_eq!(moment.iso(), "2026-11-23T21:14:07+00:00");
        assert_eq!(Moment(-1).iso(), "1969-12-31T23:59:59+00:00", "rounded down before the epoch too");
    }

    #[test]
    fn a_time_needs_its_offset() {
        assert_eq!(Moment::parse("2026-11-23T21:14:07Z"), Moment::parse("2026-11-23T21:14:07+00:00"));
        for text in ["", "now", "2026-11-23", "2026-11-23T21:14:07", "1795468447"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_begins_when_its_zone_says() {
        let begins = |zone| Moment::parse_date("2026-11-23", zone).map(Moment::iso);
        assert_eq!(begins("UTC").as_deref(), Some("2026-11-23T00:00:00+00:00"));
        assert_eq!(begins("Europe/Berlin").as_deref(), Some("2026-11-22T23:00:00+00:00"));
        assert_eq!(begins("Mars/Olympus"), None);
        for text in ["2026-11-31", "2026-11-23T00:00:00", "20261123", "yesterday", ""] {
            assert_eq!(Moment::parse_date(text, "UTC"), None, "{text}");
        }
    }

    #[test]
    fn a_clock_far_off_is_no_panic() {
        assert_eq!(Moment(i64::MAX).iso(), "1970-01-01T00:00:00+00:00", "beyond what a date can say");
        assert_eq!(Moment::from_millis(i64::MAX).plus_millis(1), Moment(i64::MAX));
        assert!(Moment(i64::MAX).millis_since(Moment(i64::MIN)) > 0);
    }
}
