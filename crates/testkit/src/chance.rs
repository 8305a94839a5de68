//! Random choices from a seed that is printed, so that a failure can be repeated with `HOOKSWITCH_TEST_SEED`.
use std::time::{SystemTime, UNIX_EPOCH};

/// A small generator (xorshift64*): good enough to choose what to do next, and without a dependency.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Seeded from the environment or the clock; says with what.
    #[must_use]
    pub fn seeded() -> Self {
        let given = std::env::var("HOOKSWITCH_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64));
        eprintln!("seed: HOOKSWITCH_TEST_SEED={seed}");
        Self::from_seed(seed)
    }

    /// From a known seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Another generator, for another task.
    #[must_use]
    pub fn branch(&mut self) -> Self {
        Self::from_seed(self.number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from `low` (inclusive) to `high` (exclusive).
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).expect("low is below high");
        low + i64::try_from(self.number() % span).expect("below an i64's span")
    }

    /// One of these.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[(self.number() % among.len() as u64) as usize]
    }
}
