//! Guessing is slowed down: after five wrong keys or passwords from one address within a minute, further wrong ones
//! are answered with 429 until the minute is over. A right one is never refused, so that a guesser behind the same
//! address cannot shut anybody out; that is why this is asked only once a key has turned out wrong.
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use hookswitch_core::access::turns::guesser;
use hookswitch_model::moment::Moment;

/// Wrong ones per address and minute that are told apart from right ones.
const WRONG_MAX: u32 = 5;
const WINDOW_MICROS: i64 = 60_000_000;
/// Addresses remembered; when more than these guess within a minute, the oldest are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Who guessed how often.
#[derive(Default)]
pub(crate) struct WrongKeys(Mutex<HashMap<IpAddr, Window>>);

struct Window {
    began: Moment,
    wrong: u32,
}

impl WrongKeys {
    /// Notes a wrong one. `Some`: it is one too many; the number is the seconds until the next may be tried.
    pub(crate) fn note(&self, from: IpAddr, now: Moment) -> Option<u64> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = guesser(from);
        if windows.len() >= ADDRESSES_MAX && !windows.contains_key(&from) {
            forget(&mut windows, now);
        }
        let window = windows.entry(from).or_insert(Window { began: now, wrong: 0 });
        if window.is_over(now) {
            *window = Window { began: now, wrong: 0 };
        }
        window.wrong = window.wrong.saturating_add(1);
        (window.wrong > WRONG_MAX).then(|| window.seconds_left(now))
    }
}

impl Window {
    /// Also when the clock was set back.
    fn is_over(&self, now: Moment) -> bool {
        !(self.began.0..self.began.0.saturating_add(WINDOW_MICROS)).contains(&now.0)
    }

    fn seconds_left(&self, now: Moment) -> u64 {
        let left = self.began.0.saturating_add(WINDOW_MICROS) - now.0;
        u64::try_from(left).unwrap_or(0).div_ceil(1_000_000)
    }
}

/// Makes room: whose minute is over, or else the older half.
fn forget(windows: &mut HashMap<IpAddr, Window>, now: Moment) {
    windows.retain(|_, window| !window.is_over(now));
    if windows.len() >= ADDRESSES_MAX {
        let mut began: Vec<i64> = windows.values().map(|window| window.began.0).collect();
        let middle = began.len() / 2;
        let (_, median, _) = began.select_nth_unstable(middle);
        let median = *median;
        windows.retain(|_, window| window.began.0 > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn five_a_minute_are_answered_and_further_ones_are_too_many_until_it_is_over() {
        let wrong_keys = WrongKeys::default();
        let from = address("192.0.2.1");
        for _ in 0..5 {
            assert_eq!(wrong_keys.note(from, Moment(0)), None);
        }
        assert_eq!(wrong_keys.note(from, Moment(20 * SECOND)), Some(40));
        assert_eq!(wrong_keys.note(address("::ffff:192.0.2.1"), Moment(59 * SECOND)), Some(1));
        assert_eq!(wrong_keys.note(address("192.0.2.2"), Moment(59 * SECOND)), None, "another address");
        assert_eq!(wrong_keys.note(from, Moment(60 * SECOND)), None);
    }

    #[test]
    fn neighbours_within_an_ipv6_subnet_are_one_guesser() {
        let wrong_keys = WrongKeys::default();
        for last in 0..5 {
            assert_eq!(wrong_keys.note(address(&format!("2001:db8::{last}")), Moment(0)), None);
        }
        assert!(wrong_keys.note(address("2001:db8::ffff"), Moment(0)).is_some());
        assert!(wrong_keys.note(address("2001:db8:0:1::1"), Moment(0)).is_none());
    }

    #[test]
    fn a_clock_set_back_begins_a_new_minute() {
        let wrong_keys = WrongKeys::default();
        for _ in 0..6 {
            wrong_keys.note(address("192.0.2.1"), Moment(1_000 * SECOND));
        }
        assert_eq!(wrong_keys.note(address("192.0.2.1"), Moment(0)), None);
    }

    #[test]
    fn memory_is_bounded_however_many_guess() {
        let wrong_keys = WrongKeys::default();
        for number in 0..25_000_u32 {
            wrong_keys.note(IpAddr::from(number.to_be_bytes()), Moment(i64::from(number / 1_000)));
            assert!(wrong_keys.0.lock().unwrap().len() <= ADDRESSES_MAX);
        }
        for _ in 0..6 {
            wrong_keys.note(address("203.0.113.1"), Moment(30));
        }
        assert!(wrong_keys.note(address("203.0.113.1"), Moment(30)).is_some(), "the newest are remembered");
    }
}
