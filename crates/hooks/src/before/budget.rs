//! One budget covers a chain (contract section 4, Time): a slow handler takes no time from those after it that must be
//! asked.
//!
//! Each handler whose failure forbids the action reserves its time limit. If the reserves exceed 80 % of the budget,
//! all are cut in proportion. A handler gets at most its own limit, and at most what is left minus the reserves after it.
use std::time::Duration;

use hookswitch_model::handler::{Handler, OnFailure};
use tokio::time::Instant;

/// With less than this a handler is not called.
pub(super) const SHARE_MIN: Duration = Duration::from_millis(20);

/// What the reserves may take of the whole.
const RESERVED_MAX: f64 = 0.8;

/// The time of a chain.
pub(super) struct Budget {
    deadline: Instant,
    /// For each turn, what is reserved for those after it.
    reserved_after: Vec<Duration>,
}

impl Budget {
    /// For these handlers in the order of their turns.
    pub(super) fn plan<'a>(deadline: Instant, now: Instant, turns: impl Iterator<Item = &'a Handler>) -> Self {
        let reserves: Vec<Duration> = turns.map(reserve).collect();
        let (total, most): (Duration, _) = (reserves.iter().sum(), (deadline - now).mul_f64(RESERVED_MAX));
        let factor = if total > most { most.as_secs_f64() / total.as_secs_f64() } else { 1.0 };
        let mut after = Duration::ZERO;
        let mut reserved_after: Vec<Duration> = reserves
            .iter()
            .rev()
            .map(|reserve| {
                let later = after;
                after += reserve.mul_f64(factor);
                later
            })
            .collect();
        reserved_after.reverse();
        Self { deadline, reserved_after }
    }

    /// What the handler of this turn may take.
    pub(super) fn share(&self, turn: usize, handler: &Handler, now: Instant) -> Duration {
        let left = self.deadline.saturating_duration_since(now);
        let reserved = self.reserved_after.get(turn).copied().unwrap_or_default();
        left.saturating_sub(reserved).min(limit(handler))
    }
}

/// Its own time limit.
pub(super) fn limit(handler: &Handler) -> Duration {
    Duration::from_millis(u64::from(handler.timeout_ms))
}

fn reserve(handler: &Handler) -> Duration {
    match handler.on_failure {
        OnFailure::Forbid => limit(handler),
        OnFailure::Allow => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use hookswitch_model::Object;
    use proptest::prelude::*;

    use super::*;

    fn handler(timeout_ms: u32, on_failure: OnFailure) -> Handler {
        Handler { timeout_ms, on_failure, ..Handler::from_checked(1, &Object::new()).unwrap() }
    }

    fn shares(budget_ms: u64, handlers: &[Handler]) -> Vec<u128> {
        let now = Instant::now();
        let budget = Budget::plan(now + Duration::from_millis(budget_ms), now, handlers.iter());
        handlers.iter().enumerate().map(|(turn, handler)| budget.share(turn, handler, now).as_millis()).collect()
    }

    #[test]
    fn with_enough_time_each_has_its_own_limit() {
        let handlers = [handler(3_000, OnFailure::Forbid), handler(1_000, OnFailure::Allow), handler(500, OnFailure::Forbid)];
        assert_eq!(shares(10_000, &handlers), [3_000, 1_000, 500]);
    }

    #[test]
    fn reserves_beyond_80_per_cent_are_cut_in_proportion() {
        let handlers =
            [handler(30_000, OnFailure::Allow), handler(30_000, OnFailure::Forbid), handler(30_000, OnFailure::Forbid)];
        // 800 ms are reserved for each of the two; the first gets what is left, the others also what it did not take.
        assert_eq!(shares(2_000, &handlers), [400, 1_200, 2_000]);
    }

    proptest! {
        #[test]
        fn whoever_must_be_asked_has_time_whatever_the_others_take(
            limits in prop::collection::vec((1u32..30_000, any::<bool>()), 1..12),
            budget_ms in 100u64..20_000,
        ) {
            let handlers: Vec<Handler> = limits
                .into_iter()
                .map(|(limit, forbids)| handler(limit, if forbids { OnFailure::Forbid } else { OnFailure::Allow }))
                .collect();
            let start = Instant::now();
            let deadline = start + Duration::from_millis(budget_ms);
            let budget = Budget::plan(deadline, start, handlers.iter());
            let total: u64 = handlers.iter().map(|handler| reserve(handler).as_millis() as u64).sum();
            let mut now = start;
            for (turn, handler) in handlers.iter().enumerate() {
                let share = budget.share(turn, handler, now);
                prop_assert!(share <= limit(handler));
                if handler.on_failure == OnFailure::Forbid {
                    let cut = (budget_ms as f64 * RESERVED_MAX / total as f64).min(1.0);
                    let promised = limit(handler).mul_f64(cut);
                    prop_assert!(share + Duration::from_millis(1) >= promised, "{share:?} of {promised:?}");
                }
                // Each takes all that it may.
                now += share;
            }
            prop_assert!(now <= deadline + Duration::from_millis(1));
        }
    }
}
