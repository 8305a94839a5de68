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
        (self.0 - earlier.0).div_euclid(1_000)
    }

    /// As the contract writes it: whole seconds, `2026-11-23T21:14:07+00:00`.
    #[must_use]
    pub fn iso(self) -> String {
        let second = Timestamp::from_second(self.seconds()).unwrap_or(Timestamp::UNIX_EPOCH);
        second.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    }

    /// Reads ISO 8601 with an offset (`2026-11-23T21:14:07+01:00`, `...Z`); `None` if it is not that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|stamp| Self(stamp.as_microsecond()))
    }
}
