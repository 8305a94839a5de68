//! Whose password is checked next. A check takes some 20 MB and a processor for tens of milliseconds, so there are few at once; and those
//! of one address wait for each other, so that whoever guesses stands in nobody's way but his own.
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hookswitch_model::refusal::Refusal;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// Checks at once, of all addresses.
const CHECKS_MAX: usize = 2;
/// Those of one address that wait at most: more is no person who has mistyped something.
const OF_ONE_MAX: usize = 16;
/// So long one waits for his turn.
const WITHIN: Duration = Duration::from_secs(10);

/// Who waits; a cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    checks: Arc<Semaphore>,
    addresses: Mutex<HashMap<IpAddr, Address>>,
}

#[derive(Debug)]
struct Address {
    one: Arc<Semaphore>,
    /// Those that wait or are being checked.
    here: usize,
}

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Shared { checks: Arc::new(Semaphore::new(CHECKS_MAX)), addresses: Mutex::default() }))
    }
}

/// A turn; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _here: Here,
    _one: OwnedSemaphorePermit,
    _check: OwnedSemaphorePermit,
}

/// A place among those of an address.
#[derive(Debug)]
struct Here {
    turns: Turns,
    address: IpAddr,
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut addresses = self.turns.0.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = addresses.get_mut(&self.address) {
            address.here -= 1;
            if address.here == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

impl Turns {
    /// Waits for a turn.
    ///
    /// # Errors
    /// `too_many` if too many of this address wait, or it takes too long.
    pub(crate) async fn take(&self, from: IpAddr) -> Result<Turn, Refusal> {
        let too_many = || Refusal::TooMany("too many people are signing in; try again".to_owned());
        let (end, address) = (Instant::now() + WITHIN, guesser(from));
        let (here, one) = self.enter(address).ok_or_else(too_many)?;
        // None of the two is ever closed.
        let one = timeout_at(end, one.acquire_owned()).await.map_err(|_| too_many())?.map_err(Refusal::internal)?;
        let check = Arc::clone(&self.0.checks).acquire_owned();
        let check = timeout_at(end, check).await.map_err(|_| too_many())?.map_err(Refusal::internal)?;
        Ok(Turn { _here: here, _one: one, _check: check })
    }

    fn enter(&self, from: IpAddr) -> Option<(Here, Arc<Semaphore>)> {
        let mut addresses = self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let address = addresses.entry(from).or_insert_with(|| Address { one: Arc::new(Semaphore::new(1)), here: 0 });
        if address.here >= OF_ONE_MAX {
            return None;
        }
        address.here += 1;
        Some((Here { turns: self.clone(), address: from }, Arc::clone(&address.one)))
    }
}

/// Whom an address stands for: whoever has an IPv6 address has its whole /64.
#[must_use]
pub fn guesser(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_guesses_stands_in_nobodys_way() {
        let turns = Turns::default();
        let held = turns.take(address(1)).await.unwrap();
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let turns = turns.clone();
            crowd.spawn(async move { turns.take(address(1)).await.is_ok() });
        }
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        for _ in 0..50 {
            turns.take(address(2)).await.unwrap();
        }
        drop(held);
        let let_in = crowd.join_all().await.into_iter().filter(|in_time| *in_time).count();
        assert_eq!(let_in, OF_ONE_MAX - 1, "the others were told at once");
        assert!(turns.0.addresses.lock().unwrap().is_empty(), "nobody is remembered for longer than he waits");
    }
}
