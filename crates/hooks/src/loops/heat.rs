//! How often something has happened lately, roughly, for a great many things in little memory: who has nothing to do with loops
//! costs one look at a number.
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Several things may share a number: they seem hotter than they are, which costs a closer look.
const NUMBERS: usize = 4_096;
/// What is counted together.
const WINDOW: Duration = Duration::from_secs(30);

/// Counts.
pub(super) struct Heat {
    began: Instant,
    hasher: RandomState,
    /// The window in the upper half, the count in the lower.
    numbers: Box<[AtomicU64]>,
}

impl Default for Heat {
    fn default() -> Self {
        let numbers = (0..NUMBERS).map(|_| AtomicU64::new(0)).collect();
        Self { began: Instant::now(), hasher: RandomState::new(), numbers }
    }
}

impl Heat {
    fn number(&self, of: i64) -> &AtomicU64 {
        &self.numbers[usize::try_from(self.hasher.hash_one(of) % NUMBERS as u64).unwrap_or(0)]
    }

    fn window(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / WINDOW.as_secs() + 1
    }

    /// One more; how often within this window.
    pub(super) fn count(&self, of: i64, now: Instant) -> u64 {
        let (number, window) = (self.number(of), self.window(now));
        let seen = number.load(Ordering::Relaxed);
        let count = if seen >> 32 == window { (seen & 0xffff_ffff) + 1 } else { 1 };
        // Two at once may count as one.
        number.store(window << 32 | count.min(0xffff_ffff), Ordering::Relaxed);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_anew_in_each_window() {
        let (heat, now) = (Heat::default(), Instant::now());
        assert_eq!([heat.count(7, now), heat.count(7, now), heat.count(7, now)], [1, 2, 3]);
        assert_eq!(heat.count(7, now + 2 * WINDOW), 1);
    }
}
