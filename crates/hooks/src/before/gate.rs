//! The way to a before handler: a bounded number of places, and a breaker that trips.
//!
//! ```text
//!             failures in a row, over some time              probe every 10 s
//!   calling ----------------------------------> tripped <-----------------------.
//!      ^                                           |  probe failed               |
//!      |            probe succeeded                '-----------------------------'
//!      '-------------------------------------------'
//! ```
//!
//! Tripped means: whoever would call is told at once that the handler has failed. So a dead handler costs its callers
//! nothing for long. With several nodes each tells the others when a handler is tripped or back, so that its callers are
//! spared on all of them at once; each probes for itself.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hookswitch_cluster::{Cluster, Notice};
use hookswitch_model::{handler::Handler, moment::Moment};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::breaker::{Breaker, PROBE_EVERY_MS, Streak};

/// Actions that wait for a place of a shadow.
const SHADOWS_WAITING_MAX: u32 = 256;

/// The gates of all before handlers.
pub(super) struct Gates {
    breaker: Breaker,
    cluster: Cluster,
    gates: Mutex<HashMap<i64, Arc<Gate>>>,
}

/// The gate of one handler.
pub(super) struct Gate {
    concurrency: u32,
    version: i64,
    places: Arc<Semaphore>,
    /// For shadows: their places, and room to wait for one.
    seats: Arc<Semaphore>,
    breaker: Breaker,
    handlers_id: i64,
    cluster: Cluster,
    health: Mutex<Health>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Health {
    streak: Streak,
    /// When it was tripped or probed last.
    tripped: Option<Moment>,
}

impl Gates {
    pub(super) fn new(breaker: Breaker, cluster: Cluster) -> Self {
        Self { breaker, cluster, gates: Mutex::default() }
    }

    /// The gate of a handler. One that was saved anew gets a new chance; its places stay, also those that are taken,
    /// unless there are more or fewer now.
    pub(super) fn of(&self, handler: &Handler) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(&handler.id).filter(|gate| gate.version == handler.version) {
            return Arc::clone(gate);
        }
        let kept = gates.get(&handler.id).filter(|gate| gate.concurrency == handler.concurrency);
        let new = |count: u32| Arc::new(Semaphore::new(count as usize));
        let (places, seats) = kept.map_or_else(
            || (new(handler.concurrency), new(handler.concurrency + SHADOWS_WAITING_MAX)),
            |gate| (Arc::clone(&gate.places), Arc::clone(&gate.seats)),
        );
        let gate = Arc::new(Gate {
            concurrency: handler.concurrency,
            version: handler.version,
            places,
            seats,
            breaker: self.breaker,
            handlers_id: handler.id,
            cluster: self.cluster.clone(),
            health: Mutex::default(),
        });
        gates.insert(handler.id, Arc::clone(&gate));
        gate
    }

    /// Another node has found that a handler fails, since then, or that it is back.
    pub(super) fn heard(&self, handler: &Handler, failing_since: Option<Moment>, now: Moment) {
        let gate = self.of(handler);
        *gate.health() =
            failing_since.map_or_else(Health::default, |since| Health { streak: Streak::since(since), tripped: Some(now) });
    }

    /// Forgets those of handlers that are gone.
    pub(super) fn keep_only(&self, wanted: impl Fn(i64) -> bool) {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| wanted(*id));
    }

    /// Since when a tripped handler has been failing; `None` if it is asked as ever.
    pub(super) fn tripped_since(&self, handler: &Handler) -> Option<Moment> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.get(&handler.id).filter(|gate| gate.version == handler.version)?;
        let health = *gate.health();
        health.tripped.map(|_| health.streak.began())
    }

    /// How many handlers are tripped.
    pub(super) fn tripped(&self) -> u64 {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.values().filter(|gate| gate.health().tripped.is_some()).count() as u64
    }
}

impl Gate {
    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place, for at most that long.
    pub(super) async fn place(&self, at_most: Duration) -> Option<OwnedSemaphorePermit> {
        // Most of the time there is one.
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        tokio::time::timeout(at_most, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    /// A shadow's seat: taken at once or not at all.
    pub(super) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// Waits for a place, however long that takes: there are few who wait, and each who has one has a time limit.
    pub(super) async fn place_in_time(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// True if the handler may be called now: it is not tripped, or this call is its probe.
    pub(super) fn lets_through(&self, now: Moment) -> bool {
        let mut health = self.health();
        match health.tripped {
            None => true,
            // Also when the clock was set back.
            Some(last) if (0..PROBE_EVERY_MS).contains(&now.millis_since(last)) => false,
            Some(_) => {
                health.tripped = Some(now);
                true
            }
        }
    }

    /// Notes how a call ended.
    pub(super) fn note(&self, succeeded: bool, now: Moment) {
        let turned = {
            let mut health = self.health();
            let was_tripped = health.tripped.is_some();
            if succeeded {
                *health = Health::default();
            } else if health.streak.note(false, now, self.breaker) {
                health.tripped = Some(now);
            }
            (was_tripped != health.tripped.is_some()).then_some(*health)
        };
        if let Some(Health { streak, tripped }) = turned {
            let failing_since = tripped.map(|_| streak.began().0);
            self.cluster.tell(Notice::Gate { handlers_id: self.handlers_id, version: self.version, failing_since });
        }
    }
}

#[cfg(test)]
mod tests {
    use hookswitch_model::Object;

    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment(seconds * 1_000_000)
    }

    fn handler() -> Handler {
        Handler { concurrency: 1, ..Handler::from_checked(1, &Object::new()).unwrap() }
    }

    #[test]
    fn it_trips_after_enough_failures_over_enough_time_and_is_probed_until_it_is_back() {
        let gate = Gates::new(Breaker::default(), Cluster::alone()).of(&handler());
        for second in 0..10 {
            gate.note(false, at(second));
        }
        assert!(gate.lets_through(at(10)), "ten failures within ten seconds are not enough");
        gate.note(false, at(30));
        assert!(!gate.lets_through(at(39)));
        assert!(gate.lets_through(at(40)), "the probe");
        assert!(!gate.lets_through(at(40)), "one only");
        gate.note(false, at(41));
        assert!(!gate.lets_through(at(50)));
        assert!(gate.lets_through(at(51)));
        gate.note(true, at(51));
        assert!(gate.lets_through(at(51)) && gate.lets_through(at(51)));
    }

    #[test]
    fn a_success_in_between_starts_the_count_again() {
        let gate = Gates::new(Breaker::default(), Cluster::alone()).of(&handler());
        for second in 0..100 {
            gate.note(second % 9 == 0, at(second));
        }
        assert!(gate.lets_through(at(100)));
    }

    #[tokio::test]
    async fn so_many_shadows_wait_and_no_more() {
        let gate = Gates::new(Breaker::default(), Cluster::alone()).of(&handler());
        let seats: Vec<_> = std::iter::from_fn(|| gate.seat()).collect();
        assert_eq!(seats.len(), 1 + SHADOWS_WAITING_MAX as usize);
        let _place = gate.place_in_time().await.unwrap();
        drop(seats);
        assert!(gate.seat().is_some() && gate.place(Duration::from_millis(1)).await.is_none());
    }

    #[tokio::test]
    async fn a_handler_that_is_saved_anew_keeps_its_places_and_gets_a_new_chance() {
        let gates = Gates::new(Breaker { failures: 1, over: Duration::ZERO }, Cluster::alone());
        let old = gates.of(&handler());
        old.note(false, at(0));
        let taken = old.place(Duration::ZERO).await;
        assert!(taken.is_some() && !old.lets_through(at(1)) && gates.tripped() == 1);
        let new = gates.of(&Handler { version: 2, ..handler() });
        assert!(new.lets_through(at(1)) && gates.tripped() == 0);
        assert!(new.place(Duration::from_millis(1)).await.is_none(), "the one place is still taken");
        drop(taken);
        assert!(new.place(Duration::ZERO).await.is_some());
    }

    #[tokio::test]
    async fn what_another_node_has_found_out_counts_here_too() {
        let gates = Gates::new(Breaker { failures: 2, over: Duration::ZERO }, Cluster::alone());
        gates.heard(&handler(), Some(at(3)), at(9));
        let gate = gates.of(&handler());
        assert!(!gate.lets_through(at(18)) && gates.tripped_since(&handler()) == Some(at(3)));
        assert!(gate.lets_through(at(19)), "each node probes for itself");
        gate.note(false, at(19));
        assert!(!gate.lets_through(at(28)));
        gates.heard(&handler(), None, at(28));
        assert!(gate.lets_through(at(28)) && gates.tripped() == 0);
    }
}
