//! Trying once more what others were in the way of.
use std::time::{Duration, Instant};

use crate::{Error, Store, Tx};

/// How often a closure is run at most. Whoever gave way ([`Error::Again`]) finds the other done the next time; more than a
/// few in a row mean that something is wrong.
const RUNS_MAX: u32 = 8;
/// No other run begins after this: somebody may be waiting. Who has waited for a lock in vain has waited long already.
const BEGUN_WITHIN: Duration = Duration::from_secs(5);

impl Store {
    /// As [`Store::write`], and at once again while others are in the way: `make` makes the closure for each run.
    ///
    /// # Errors
    /// As [`Store::write`]; [`Error::Again`] if others were in the way each time.
    pub async fn write_again<W, T, E>(&self, make: impl Fn() -> W) -> Result<T, E>
    where
        W: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + PartialEq + Send + 'static,
    {
        let (began, mut runs) = (Instant::now(), 1);
        loop {
            match self.write(make()).await {
                Err(error) if error == E::from(Error::Again) && runs < RUNS_MAX && began.elapsed() < BEGUN_WITHIN => runs += 1,
                ended => return ended,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;
    use crate::{Clock, Database, MasterKey, Options};

    /// Runs a closure that gives way so many times; gives what came of it, and how often it ran.
    async fn giving_way(times: u32) -> (Result<(), Error>, u32) {
        let home = tempfile::tempdir().unwrap();
        let (database, key) = (Database::Sqlite(home.path().join("t.db")), MasterKey::from_bytes([7; 32]));
        let store = Store::open(Options { database, key, clock: Clock::system(), faults: None }).unwrap();
        let ran = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&ran);
        let make = move || {
            let ran = Arc::clone(&counted);
            move |_: &mut Tx<'_>| if ran.fetch_add(1, Ordering::Relaxed) < times { Err(Error::Again) } else { Ok(()) }
        };
        (store.write_again(make).await, ran.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn who_gives_way_is_run_again_and_not_for_ever() {
        assert_eq!(giving_way(3).await, (Ok(()), 4));
        assert_eq!(giving_way(u32::MAX).await, (Err(Error::Again), RUNS_MAX));
    }
}
