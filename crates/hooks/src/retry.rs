//! When a failed delivery is tried again (contract section 5).
//!
//! The default schedule is tight at first, for a handler that is being restarted, and ends a day after the first attempt.
//! Jitter only ever delays: deliveries that failed together do not come back together, and never earlier than promised.
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use hookswitch_model::moment::Moment;

/// Seconds before the second attempt, the third...
const DEFAULT_S: [i64; 6] = [5, 30, 120, 600, 1_800, 3_600];
/// And before each further one.
const DEFAULT_LATER_S: i64 = 7_200;
/// The default schedule ends when so much time has passed since the first attempt.
const DEFAULT_FOR_MS: i64 = 24 * 60 * 60 * 1_000;
/// A handler that asks for more time gets at most this.
const RETRY_AFTER_MAX_MS: i64 = 60 * 60 * 1_000;
/// In per cent.
const JITTER_MAX: i64 = 20;

/// A delivery that has just failed.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// Attempts made, this one included.
    pub attempts: i64,
    /// When the first was made.
    pub first_at: Moment,
    /// Now.
    pub now: Moment,
    /// The handler's own waits in seconds; `None` = the default schedule.
    pub retries: Option<&'a [u32]>,
    /// What the handler asked for.
    pub retry_after_ms: Option<i64>,
    /// 0 to 99, by chance.
    pub chance: u8,
}

/// 0 to 99, by chance.
pub(crate) fn chance() -> u8 {
    u8::try_from(RandomState::new().build_hasher().finish() % 100).unwrap_or(0)
}

/// When the next attempt is due; `None` = there is none, it is dead.
#[must_use]
pub fn next(failure: Failure<'_>) -> Option<Moment> {
    let Failure { attempts, first_at, now, retries, retry_after_ms, chance } = failure;
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let planned_s = match retries {
        Some(waits) => i64::from(*waits.get(index)?),
        None => DEFAULT_S.get(index).copied().unwrap_or(DEFAULT_LATER_S),
    };
    let asked_ms = retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MAX_MS);
    let wait_ms = asked_ms.max(planned_s * 1_000);
    let due = now.plus_millis(wait_ms + wait_ms * JITTER_MAX * i64::from(chance) / 10_000);
    let too_late = retries.is_none() && due.millis_since(first_at) > DEFAULT_FOR_MS;
    (!too_late).then_some(due)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failed(attempts: i64, now_ms: i64) -> Failure<'static> {
        let now = Moment::from_millis(now_ms);
        Failure { attempts, first_at: Moment(0), now, retries: None, retry_after_ms: None, chance: 0 }
    }

    fn wait_ms(failure: Failure<'_>) -> Option<i64> {
        next(failure).map(|due| due.millis_since(failure.now))
    }

    #[test]
    fn the_default_schedule_runs_for_a_day_and_no_longer() {
        let (mut now_ms, mut waits) = (0, Vec::new());
        while let Some(wait) = wait_ms(failed(waits.len() as i64 + 1, now_ms)) {
            waits.push(wait / 1_000);
            now_ms += wait;
        }
        assert_eq!(waits[..8], [5, 30, 120, 600, 1_800, 3_600, 7_200, 7_200]);
        assert!((DEFAULT_FOR_MS - 7_200_000..=DEFAULT_FOR_MS).contains(&now_ms), "the last attempt is at {now_ms} ms");
    }

    #[test]
    fn an_own_schedule_ends_with_its_list() {
        let waits = [10, 0];
        let own = |attempts| Failure { retries: Some(&waits), ..failed(attempts, 0) };
        assert_eq!([own(1), own(2), own(3)].map(wait_ms), [Some(10_000), Some(0), None]);
        assert_eq!(wait_ms(Failure { retries: Some(&[]), ..failed(1, 0) }), None);
    }

    #[test]
    fn a_handler_may_ask_for_more_time_up_to_an_hour_and_never_for_less() {
        let asked = |ms| wait_ms(Failure { retry_after_ms: Some(ms), ..failed(2, 0) });
        assert_eq!([asked(300_000), asked(86_400_000), asked(1_000)], [Some(300_000), Some(3_600_000), Some(30_000)]);
    }

    proptest! {
        #[test]
        fn jitter_delays_by_at_most_a_fifth(attempts in 1i64..20, chance in 0u8..100) {
            let planned = wait_ms(failed(attempts, 0)).unwrap_or(0);
            let with_jitter = wait_ms(Failure { chance, ..failed(attempts, 0) }).unwrap_or(0);
            prop_assert!((planned..=planned + planned / 5).contains(&with_jitter));
        }
    }
}
