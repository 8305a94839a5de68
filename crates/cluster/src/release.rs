//! Handing shards over in order: nothing is begun in them any more, what is under way ends or is broken off, and only then are
//! they given up. Each as soon as it is idle: one hanging call holds up its own shard only.
//!
//! ```text
//!   let go -----> idle ---------------------------------------.
//!     |                                                       v
//!     '---------> under way --- ends -----------------------> given up
//!                     '-- patience is over --> cut -- ends ---^
//! ```
use std::time::Duration;

use crate::shard::Shards;

/// Shards on their way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    left: Shards,
    cut_at: Duration,
    is_cut: bool,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// These can be given up.
    GiveUp(Shards),
    /// What is under way in these is to be broken off.
    Cut(Shards),
    /// Nothing, until one becomes idle, or until that time of the stopwatch.
    Wait(Option<Duration>),
    /// It is over.
    Over,
}

impl Release {
    /// Of shards that were let go just now.
    pub(crate) fn begin(shards: Shards, now: Duration, patience: Duration) -> Self {
        Self { left: shards, cut_at: now + patience, is_cut: false }
    }

    pub(crate) fn left(&self) -> &Shards {
        &self.left
    }

    /// More go the same way; the patience is counted anew for nobody.
    pub(crate) fn add(&mut self, shards: &Shards) {
        shards.iter().for_each(|shard| self.left.insert(shard));
        self.is_cut = false;
    }

    /// `idle`: those of what is left with nothing under way.
    pub(crate) fn next(&mut self, idle: &Shards, now: Duration) -> Next {
        if self.left.is_empty() {
            return Next::Over;
        }
        let free = self.left.and(idle);
        if !free.is_empty() {
            return Next::GiveUp(free);
        }
        if self.is_cut {
            return Next::Wait(None);
        }
        if now >= self.cut_at {
            self.is_cut = true;
            return Next::Cut(self.left);
        }
        Next::Wait(Some(self.cut_at))
    }

    /// These are given up.
    pub(crate) fn given_up(&mut self, shards: &Shards) {
        self.left = self.left.without(shards);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::Shard;

    const SECOND: Duration = Duration::from_secs(1);

    fn shards(ids: &[i64]) -> Shards {
        ids.iter().map(|id| Shard::of(*id)).collect()
    }

    #[test]
    fn what_is_idle_goes_at_once_and_what_hangs_is_cut_and_goes_then() {
        let mut release = Release::begin(shards(&[1, 2, 3]), SECOND, SECOND);
        assert_eq!(release.next(&shards(&[1, 3, 9]), SECOND), Next::GiveUp(shards(&[1, 3])));
        release.given_up(&shards(&[1, 3]));
        assert_eq!(release.next(&Shards::NONE, SECOND), Next::Wait(Some(2 * SECOND)));
        assert_eq!(release.next(&Shards::NONE, 2 * SECOND), Next::Cut(shards(&[2])));
        assert_eq!(release.next(&Shards::NONE, 9 * SECOND), Next::Wait(None), "nothing is given up that is under way");
        assert_eq!(release.next(&shards(&[2]), 9 * SECOND), Next::GiveUp(shards(&[2])));
        release.given_up(&shards(&[2]));
        assert_eq!(release.next(&Shards::NONE, 9 * SECOND), Next::Over);
    }

    #[test]
    fn what_could_not_be_given_up_is_tried_again() {
        let mut release = Release::begin(shards(&[1]), SECOND, SECOND);
        assert_eq!(release.next(&shards(&[1]), SECOND), Next::GiveUp(shards(&[1])));
        assert_eq!(release.next(&shards(&[1]), SECOND), Next::GiveUp(shards(&[1])));
        assert_eq!(release.left(), &shards(&[1]));
    }
}
