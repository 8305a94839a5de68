//! What this node owns right now, and what it has under way there.
//!
//! Whoever does something for a client asks with [`Ground::hold`] right before, and keeps the [`Tenure`] until what came of it is
//! written down: so long the client's shard is not handed over. That is the whole agreement between those who deliver, tell and
//! take steps on one side and the release of shards on the other.
//!
//! **Turns.** What somebody read of a client is only good for as long as nobody else may have delivered for it. Each gain of
//! shards begins a new turn; who holds something in memory notes the turn before it reads, and [`Ground::hold`] refuses what was
//! read in an earlier one. So what a node remembers from before it froze is never acted upon.
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::SeqCst},
};

use tokio::sync::{Notify, watch};

use crate::{
    fence::Fence,
    lease::{Lease, Stopwatch},
    shard::{SHARDS, Shard, Shards},
};

/// What a node owns, as others in the program watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The shards.
    pub owned: Shards,
    /// Counts gains, see [`Cluster::turn`](crate::Cluster::turn).
    pub turn: u64,
    /// How often the lease has come to its end.
    lapses: u64,
    /// Calls for clients of these are to be broken off.
    cut: Shards,
}

impl Standing {
    /// Of a node that is alone.
    pub(crate) const EVERYTHING: Self = Self { owned: Shards::ALL, turn: 0, lapses: 0, cut: Shards::NONE };
}

pub(crate) struct Ground {
    node: i64,
    stopwatch: Arc<dyn Stopwatch>,
    pub(crate) lease: Lease,
    epoch: AtomicI64,
    owned: [AtomicU64; SHARDS / 64],
    turn: AtomicU64,
    lapses: AtomicU64,
    under_way: [AtomicU32; SHARDS],
    standing: watch::Sender<Standing>,
    /// Told when the last thing under way in a shard has ended that is no longer owned.
    pub(crate) idle: Notify,
}

impl Ground {
    pub(crate) fn new(node: i64, stopwatch: Arc<dyn Stopwatch>) -> Self {
        Self {
            node,
            stopwatch,
            lease: Lease::default(),
            epoch: AtomicI64::new(0),
            owned: std::array::from_fn(|_| AtomicU64::new(0)),
            turn: AtomicU64::new(0),
            lapses: AtomicU64::new(0),
            under_way: std::array::from_fn(|_| AtomicU32::new(0)),
            standing: watch::Sender::new(Standing::default()),
            idle: Notify::new(),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    pub(crate) fn turn(&self) -> u64 {
        self.turn.load(SeqCst)
    }

    pub(crate) fn epoch(&self) -> i64 {
        self.epoch.load(SeqCst)
    }

    pub(crate) fn fence(&self) -> Fence {
        Fence::of(self.node, self.epoch())
    }

    fn is_set(&self, shard: Shard) -> bool {
        self.owned[shard.index() / 64].load(SeqCst) >> (shard.index() % 64) & 1 == 1
    }

    fn is_leased(&self) -> bool {
        self.lease.left(self.stopwatch.now()).is_some()
    }

    pub(crate) fn owns(&self, shard: Shard) -> bool {
        self.is_set(shard) && self.is_leased()
    }

    pub(crate) fn owned(&self) -> Shards {
        Shards::of_words(std::array::from_fn(|word| self.owned[word].load(SeqCst)))
    }

    /// Begins something in a shard, by what was known in a turn.
    pub(crate) fn hold(self: &Arc<Self>, shard: Shard, turn: u64) -> Option<Tenure> {
        let (epoch, lapse) = (self.epoch(), self.lapses.load(SeqCst));
        // Counted before it is looked whose it is: who lets a shard go looks the other way round.
        let tenure = Tenure::begin(self, shard, epoch, lapse);
        // The epoch once more: a new life may have begun between the two looks.
        let is_mine = self.owns(shard) && self.turn() == turn && self.epoch() == epoch;
        is_mine.then_some(tenure)
    }

    /// A life begins, with nothing owned yet.
    pub(crate) fn begin(&self, epoch: i64) {
        self.epoch.store(epoch, SeqCst);
    }

    /// The lease was given anew, to one who asked at that time. If it had come to its end meanwhile, whoever was turned away has
    /// to look again.
    pub(crate) fn renewed(&self, asked_at: std::time::Duration) {
        let was_leased = self.is_leased();
        if !was_leased {
            self.turn.fetch_add(1, SeqCst);
        }
        self.lease.given(asked_at);
        self.tell(|_| {});
    }

    /// These are this node's from now on.
    pub(crate) fn gain(&self, shards: &Shards) {
        if shards.is_empty() {
            return;
        }
        self.turn.fetch_add(1, SeqCst);
        for (word, more) in self.owned.iter().zip(shards.words()) {
            word.fetch_or(*more, SeqCst);
        }
        self.tell(|standing| standing.cut = standing.cut.without(shards));
    }

    /// Nothing is begun in these any more.
    pub(crate) fn let_go(&self, shards: &Shards) {
        for (word, less) in self.owned.iter().zip(shards.words()) {
            word.fetch_and(!less, SeqCst);
        }
        self.tell(|_| {});
    }

    /// The life is over: nothing is owned, all that is under way is broken off.
    pub(crate) fn lose_all(&self) {
        self.lease.is_gone();
        self.let_go(&Shards::ALL);
        self.lapse();
    }

    /// The lease has come to its end: all that is under way is broken off.
    pub(crate) fn lapse(&self) {
        let lapses = self.lapses.fetch_add(1, SeqCst) + 1;
        self.tell(|standing| standing.lapses = standing.lapses.max(lapses));
    }

    /// What is under way in these is broken off.
    pub(crate) fn cut(&self, shards: &Shards) {
        self.tell(|standing| standing.cut = *shards);
    }

    /// Of these, those with nothing under way.
    pub(crate) fn idle_of(&self, shards: &Shards) -> Shards {
        shards.iter().filter(|shard| self.under_way[shard.index()].load(SeqCst) == 0).collect()
    }

    /// Tells those who watch, if anything has changed.
    fn tell(&self, change: impl FnOnce(&mut Standing)) {
        self.standing.send_if_modified(|standing| {
            let before = *standing;
            (standing.owned, standing.turn) = (self.owned(), self.turn());
            change(standing);
            *standing != before
        });
    }
}

/// The right to do something for a client, until it is dropped.
#[must_use]
pub struct Tenure(Option<Held>);

struct Held {
    ground: Arc<Ground>,
    shard: Shard,
    epoch: i64,
    lapse: u64,
}

impl Tenure {
    /// Of a node that is alone: nobody can take anything from it.
    pub(crate) fn for_ever() -> Self {
        Self(None)
    }

    fn begin(ground: &Arc<Ground>, shard: Shard, epoch: i64, lapse: u64) -> Self {
        ground.under_way[shard.index()].fetch_add(1, SeqCst);
        Self(Some(Held { ground: Arc::clone(ground), shard, epoch, lapse }))
    }

    /// What a transaction that writes down what came of it checks.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.0.as_ref().map_or(Fence::NONE, |held| Fence::of(held.ground.node, held.epoch))
    }

    /// Does something that must not go on when the right to do it is lost: `None` if that happened before it was done.
    pub async fn unless_lost<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let Some(held) = &self.0 else { return Some(work.await) };
        // Who has just woken may not have been told yet.
        if !held.ground.is_leased() {
            return None;
        }
        let mut standing = held.ground.watch();
        let is_lost = |standing: &Standing| standing.lapses > held.lapse || standing.cut.contains(held.shard);
        tokio::select! {
            biased;
            _ = standing.wait_for(is_lost) => None,
            done = work => Some(done),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let was = self.ground.under_way[self.shard.index()].fetch_sub(1, SeqCst);
        if was == 1 && !self.ground.is_set(self.shard) {
            self.ground.idle.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Stands;
    impl Stopwatch for Stands {
        fn now(&self) -> Duration {
            Duration::from_secs(100)
        }
    }

    fn owning(shards: &Shards) -> Arc<Ground> {
        let ground = Arc::new(Ground::new(7, Arc::new(Stands)));
        ground.begin(1);
        ground.lease.given(Duration::from_secs(100));
        ground.gain(shards);
        ground
    }

    fn one(id: i64) -> Shards {
        std::iter::once(Shard::of(id)).collect()
    }

    #[test]
    fn nothing_is_begun_that_is_not_owned_or_without_a_lease() {
        let ground = owning(&one(5));
        assert!(ground.hold(Shard::of(5), ground.turn()).is_some() && ground.hold(Shard::of(6), ground.turn()).is_none());
        ground.lease.given(Duration::from_secs(91));
        assert!(ground.hold(Shard::of(5), ground.turn()).is_none());
    }

    #[test]
    fn what_was_read_before_the_last_gain_is_of_no_use() {
        let ground = owning(&one(5));
        let turn = ground.turn();
        ground.let_go(&one(5));
        ground.gain(&one(5));
        assert!(ground.hold(Shard::of(5), turn).is_none() && ground.hold(Shard::of(5), ground.turn()).is_some());
    }

    #[tokio::test]
    async fn a_shard_is_idle_when_the_last_thing_in_it_has_ended() {
        let ground = owning(&Shards::ALL);
        let (first, second) = (ground.hold(Shard::of(5), ground.turn()), ground.hold(Shard::of(5), ground.turn()));
        ground.let_go(&one(5));
        assert_eq!(ground.idle_of(&Shards::ALL), Shards::ALL.without(&one(5)));
        drop(first);
        assert!(!ground.idle_of(&one(5)).contains(Shard::of(5)));
        drop(second);
        ground.idle.notified().await;
        assert_eq!(ground.idle_of(&one(5)), one(5));
    }

    #[tokio::test]
    async fn what_is_under_way_is_broken_off_when_its_shard_is_cut_or_the_lease_ends() {
        let ground = owning(&Shards::ALL);
        let (cut, other) = (ground.hold(Shard::of(5), 1).unwrap(), ground.hold(Shard::of(6), 1).unwrap());
        ground.cut(&one(5));
        assert_eq!(cut.unless_lost(async { 1 }).await, None, "also what would be done at once");
        assert_eq!(other.unless_lost(async { 1 }).await, Some(1));
        let waiting = tokio::spawn(async move { other.unless_lost(std::future::pending::<()>()).await });
        ground.lapse();
        assert_eq!(waiting.await.unwrap(), None);
        assert_eq!(
            ground.hold(Shard::of(6), 1).unwrap().unless_lost(async { 1 }).await,
            Some(1),
            "a lease that was renewed after all"
        );
    }

    #[test]
    fn a_new_life_has_a_new_fence_and_the_old_one_keeps_its_own() {
        let ground = owning(&Shards::ALL);
        let old = ground.hold(Shard::of(5), ground.turn()).unwrap();
        ground.lose_all();
        assert!(ground.owned().is_empty());
        ground.begin(2);
        ground.lease.given(Duration::from_secs(100));
        ground.gain(&Shards::ALL);
        assert!(old.fence() != ground.fence() && ground.hold(Shard::of(5), ground.turn()).unwrap().fence() == ground.fence());
    }
}
