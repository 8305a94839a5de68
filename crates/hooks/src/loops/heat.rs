//! Who is changed often lately, roughly, for any number of clients in little memory: who has nothing to do with loops costs one
//! look at a number.
//!
//! A place holds one client and its count. Another one that falls on the same place takes one off, and has it when nothing is
//! left: of a thousand clients that are changed once none looks hot, and one that goes round stays.
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

const PLACES: u64 = 16_384;
/// What is counted together.
const WINDOW: Duration = Duration::from_secs(30);

/// Counts.
pub(super) struct Heat {
    began: Instant,
    hasher: RandomState,
    places: Box<[AtomicU64]>,
}

/// What stands at a place: half of the client's hash, the window, the count.
#[derive(Clone, Copy)]
struct Place {
    mark: u64,
    window: u64,
    count: u64,
}

impl Place {
    fn read(number: u64) -> Self {
        Self { mark: number >> 32, window: number >> 16 & 0xffff, count: number & 0xffff }
    }

    fn number(self) -> u64 {
        self.mark << 32 | (self.window & 0xffff) << 16 | self.count.min(0xffff)
    }
}

impl Default for Heat {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        Self { began: Instant::now(), hasher: RandomState::new(), places }
    }
}

impl Heat {
    /// One more; how often within this window, at least.
    pub(super) fn count(&self, of: i64, now: Instant) -> u64 {
        let hash = self.hasher.hash_one(of);
        let Some(place) = usize::try_from(hash % PLACES).ok().and_then(|at| self.places.get(at)) else { return 0 };
        let window = (now.saturating_duration_since(self.began).as_secs() / WINDOW.as_secs() + 1) & 0xffff;
        let (seen, mark) = (Place::read(place.load(Ordering::Relaxed)), hash >> 32);
        let (next, own) = match seen {
            Place { mark: other, window: same, count } if same == window && other != mark && count > 1 => {
                (Place { count: count - 1, ..seen }, 0)
            }
            Place { mark: known, window: same, count } if same == window && known == mark => {
                (Place { count: count + 1, ..seen }, count + 1)
            }
            _ => (Place { mark, window, count: 1 }, 1),
        };
        // Two at once may count as one.
        place.store(next.number(), Ordering::Relaxed);
        own
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

    #[test]
    fn among_a_great_many_only_those_look_hot_that_are() {
        let (heat, now) = (Heat::default(), Instant::now());
        let mut hot = Vec::new();
        for client in 0..200_000 {
            hot.push(heat.count(-1, now));
            assert!(heat.count(client, now) <= 1, "changed once");
        }
        assert!(hot.last().is_some_and(|count| *count > 1_000), "{:?}", hot.last());
    }
}
