//! Times, counted in buckets: exact below 256 us, within 0.8 % above, in a bounded amount of memory.
//!
//! A bucket list rather than all samples, because a run makes millions and several runs are merged into one figure.
use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// Values below this are exact; above, each power of two has half as many buckets.
const EXACT: u64 = 256;

/// How often each time occurred, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Histogram {
    /// The lower end of a bucket -> how many were in it.
    buckets: BTreeMap<u64, u64>,
    count: u64,
}

impl Histogram {
    pub(super) fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        *self.buckets.entry(bucket(micros)).or_default() += 1;
        self.count += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (micros, count) in &other.buckets {
            *self.buckets.entry(*micros).or_default() += count;
        }
        self.count += other.count;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The time that `percent` of all do not exceed, in milliseconds; 0 when there is none at all.
    pub(super) fn percentile_ms(&self, percent: f64) -> f64 {
        let rank = (self.count as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (micros, count) in &self.buckets {
            seen += count;
            if seen >= rank {
                return *micros as f64 / 1000.0;
            }
        }
        0.0
    }

    /// min, 50 %, 90 %, 99 %, max.
    pub(super) fn summary(&self) -> Summary {
        let [min_ms, p50_ms, p90_ms, p99_ms, max_ms] = [0.0, 50.0, 90.0, 99.0, 100.0].map(|percent| self.percentile_ms(percent));
        Summary { min_ms, p50_ms, p90_ms, p99_ms, max_ms }
    }
}

/// What one says about a distribution, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) min_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

fn bucket(micros: u64) -> u64 {
    let width = (micros / (EXACT / 2)).checked_ilog2().unwrap_or(0);
    micros >> width << width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_within_a_hundredth_of_what_falls_into_it() {
        for micros in (0..100_000).chain([u64::MAX / 3, u64::MAX]) {
            let found = bucket(micros);
            assert!(found <= micros && (micros - found) as f64 <= micros as f64 * 0.008, "{micros} -> {found}");
        }
        assert_eq!(bucket(255), 255);
    }

    #[test]
    fn percentiles_are_ranks() {
        let mut times = Histogram::default();
        for micros in 1..=100 {
            times.add(Duration::from_micros(micros));
        }
        let found = times.summary();
        assert_eq!((found.min_ms, found.p50_ms, found.p99_ms, found.max_ms), (0.001, 0.050, 0.099, 0.100));
    }

    #[test]
    fn merging_counts_both() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        one.add(Duration::from_millis(1));
        other.add(Duration::from_millis(3));
        one.merge(&other);
        assert_eq!((one.count(), one.summary().max_ms), (2, 2.992));
    }
}
