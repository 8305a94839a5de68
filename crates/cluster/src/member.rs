//! A node's life: it joins, renews its lease, takes and hands over shards, and leaves.
//!
//! ```text
//!            every 2 s, and when somebody says that the membership has changed
//!   join ---> renew ---> end the dead, take what is nobody's ---> hand over what is too much ---.
//!     ^         |  ^                                                                            |
//!     |         |  '----------------------------------------------------------------------------'
//!     '--ended--'
//! ```
//!
//! One task does all this, so nothing of it happens twice at once; only the lease's end is watched by another, because this one
//! may be waiting for a database that is gone.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    },
    time::Duration,
};

use hookswitch_store::{Error, Store};
use tokio::sync::{Notify, watch};

use crate::{
    ground::Ground,
    lease::{RENEW_EVERY, Stopwatch},
    notice::Notice,
    post::Post,
    register::{self, Begun, Identity, Joining, Seen},
    release::{Next, Release},
    shard::Shards,
};

/// How long what is under way in a shard that is handed over may take, where no more is said.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// After a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is looked whether the lease has ended: well within its margin.
const WATCH_EVERY: Duration = Duration::from_millis(100);

/// So long a node tries to join while others are in the way.
const JOINED_WITHIN: Duration = Duration::from_secs(12);
/// So long it may take to note which life has begun.
const KEPT_WITHIN: Duration = Duration::from_secs(2);

/// Why a node can't join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Its data folder is a copy of another's, or the other way round.
    #[error("another node with this id is alive; remove the file `node` from this data folder, if it is a copy")]
    AnotherIsAlive,
    /// It could not be found out.
    #[error(transparent)]
    Store(#[from] Error),
}

pub(crate) struct Member {
    pub(crate) me: Identity,
    pub(crate) store: Store,
    pub(crate) ground: Arc<Ground>,
    pub(crate) post: Arc<Post>,
    pub(crate) stopwatch: Arc<dyn Stopwatch>,
    /// Told when the membership is to be looked at before its time.
    pub(crate) look: Notify,
    /// How long the last notice took to come back, in microseconds; -1 = none has.
    pub(crate) lag_us: AtomicI64,
    pub(crate) leaving: AtomicBool,
    /// How long what is under way in a shard that is handed over may take, before it is broken off.
    pub(crate) patience_us: AtomicI64,
    /// True once it has left.
    pub(crate) left: watch::Sender<bool>,
}

impl Member {
    /// Begins a life: at once if this node knows of its last one, or that has ended; else when its lease has lapsed.
    pub(crate) async fn join(&self) -> Result<(), JoinError> {
        let (began, mut other) = (self.stopwatch.now(), None);
        loop {
            let (asked_at, me, last) = (self.stopwatch.now(), self.me.clone(), self.me.memory.last());
            match self.store.write_apart(move |tx| register::join(tx, &me, last)).await {
                Ok(Joining::Begun(begun)) => {
                    self.begin(begun, asked_at).await;
                    return Ok(());
                }
                Ok(Joining::Another(epoch, renewed_at)) => {
                    if other.is_none() {
                        tracing::warn!(
                            node = self.me.id,
                            epoch,
                            "a life of this node that it knows nothing of has a lease; waiting for its end"
                        );
                    }
                    if *other.get_or_insert((epoch, renewed_at)) != (epoch, renewed_at) {
                        return Err(JoinError::AnotherIsAlive);
                    }
                }
                // What its last life still writes has locked it.
                Err(Error::Again) if asked_at.saturating_sub(began) < JOINED_WITHIN => {}
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn begin(&self, Begun { epoch, kept, broke_off }: Begun, asked_at: Duration) {
        self.ground.begin(epoch);
        self.ground.renewed(asked_at);
        self.ground.gain(&kept);
        tracing::info!(node = self.me.id, name = self.me.name, epoch, shards = kept.len(), "this node has joined");
        self.post.tell(Notice::Membership);
        if broke_off {
            // What its last life was about to tell is told by nobody.
            self.post.tell(Notice::Everything);
        }
        let memory = Arc::clone(&self.me.memory);
        let kept = tokio::task::spawn_blocking(move || memory.keep(epoch));
        if !matches!(tokio::time::timeout(KEPT_WITHIN, kept).await, Ok(Ok(()))) {
            tracing::warn!(epoch, "this node's life could not be noted in time");
        }
    }

    /// Lives, until it has left.
    pub(crate) async fn live(self: Arc<Self>) {
        let mut release: Option<Release> = None;
        loop {
            match self.round(&mut release).await {
                Ok(true) => break,
                Ok(false) => self.wait(&mut release).await,
                // Others join or take at this moment; the lease lasts for several such rounds.
                Err(JoinError::Store(Error::Again)) => {
                    tracing::debug!("others were in the way of this node's lease; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    tracing::error!(%error, "this node can't reach the others; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        self.left.send_replace(true);
    }

    /// Renews, takes, hands over; true if it has left.
    async fn round(&self, release: &mut Option<Release>) -> Result<bool, JoinError> {
        let Some(seen) = self.renew().await? else {
            *release = None;
            return Ok(self.leaving.load(SeqCst));
        };
        self.follow(&seen, release.as_ref());
        let plan = seen.view.plan(self.me.id);
        if seen.someone_died || !plan.take.is_empty() {
            self.take().await?;
        }
        let owned = self.ground.owned();
        let too_many = if self.leaving.load(SeqCst) { owned } else { plan.release.and(&owned) };
        self.let_go(release, &too_many);
        self.hand_over(release).await?;
        if self.leaving.load(SeqCst) && release.is_none() {
            let (me, epoch) = (self.me.id, self.ground.epoch());
            self.store.write_apart(move |tx| register::leave(tx, me, epoch)).await?;
            self.ground.lose_all();
            self.post.tell(Notice::Membership);
            return Ok(true);
        }
        Ok(false)
    }

    /// What the table says is true, but for what is on its way out: the answer to a commit may have been lost.
    fn follow(&self, seen: &Seen, release: Option<&Release>) {
        let (mine, owned) = (seen.view.of(self.me.id), self.ground.owned());
        let on_the_way_out = release.map_or(Shards::NONE, |release| *release.left());
        self.ground.gain(&mine.without(&owned).without(&on_the_way_out));
        self.ground.let_go(&owned.without(&mine));
    }

    /// `None` if this life was ended; then another has begun, unless it leaves anyway.
    async fn renew(&self) -> Result<Option<Seen>, JoinError> {
        let (asked_at, me, epoch) = (self.stopwatch.now(), self.me.id, self.ground.epoch());
        let lag = Some(self.lag_us.load(SeqCst)).filter(|lag| *lag >= 0);
        let leaves = self.leaving.load(SeqCst);
        let renewed = move |tx: &mut hookswitch_store::Tx<'_>| {
            if leaves {
                register::begin_to_leave(tx, me, epoch)?;
            }
            register::renew(tx, me, epoch, lag)
        };
        match self.store.write_apart(renewed).await? {
            Some(seen) => {
                self.ground.renewed(asked_at);
                self.post.tell(Notice::Echo { at: micros(self.stopwatch.now()) });
                Ok(Some(seen))
            }
            None => {
                tracing::warn!(node = self.me.id, epoch, "this node was taken for dead; it begins anew");
                self.ground.lose_all();
                if !self.leaving.load(SeqCst) {
                    self.join().await?;
                    self.look.notify_one();
                }
                Ok(None)
            }
        }
    }

    async fn take(&self) -> Result<(), Error> {
        let (me, epoch) = (self.me.id, self.ground.epoch());
        let taken = match self.store.write_apart(move |tx| register::take(tx, me, epoch)).await {
            // A dead node's last transaction may still go on. That is for the next round: this node's own lease comes first.
            Err(Error::Again) => return Ok(()),
            taken => taken?,
        };
        self.ground.gain(&taken.shards);
        if !taken.shards.is_empty() {
            tracing::info!(shards = taken.shards.len(), owned = self.ground.owned().len(), "this node has taken shards");
        }
        if !taken.ended.is_empty() {
            tracing::warn!(nodes = taken.ended.join(", "), "nodes were taken for dead, because they were not heard of for 10 s");
            // What they were about to tell is told by nobody.
            self.post.tell(Notice::Everything);
            self.post.hear(Notice::Everything);
        }
        if !taken.ended.is_empty() || !taken.shards.is_empty() {
            self.post.tell(Notice::Membership);
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        Duration::from_micros(self.patience_us.load(SeqCst).unsigned_abs())
    }

    fn let_go(&self, release: &mut Option<Release>, shards: &Shards) {
        if shards.is_empty() {
            return;
        }
        self.ground.let_go(shards);
        match release {
            Some(release) => release.add(shards),
            None => *release = Some(Release::begin(*shards, self.stopwatch.now(), self.patience())),
        }
    }

    /// As far as it goes without waiting; gives how long there is to wait then, if it is over by itself.
    async fn hand_over(&self, release: &mut Option<Release>) -> Result<Option<Duration>, Error> {
        while let Some(under_way) = release {
            let (idle, now) = (self.ground.idle_of(under_way.left()), self.stopwatch.now());
            match under_way.next(&idle, now) {
                Next::Over => *release = None,
                Next::Wait(until) => return Ok(until.map(|until| until.saturating_sub(now))),
                Next::Cut(shards) => self.ground.cut(&shards),
                Next::GiveUp(shards) => {
                    let (me, epoch) = (self.me.id, self.ground.epoch());
                    self.store.write_apart(move |tx| register::give_up(tx, me, epoch, &shards)).await?;
                    under_way.given_up(&shards);
                    tracing::info!(shards = shards.len(), owned = self.ground.owned().len(), "this node has handed shards over");
                    self.post.tell(Notice::Membership);
                }
            }
        }
        Ok(None)
    }

    /// Until the next round; what becomes idle meanwhile is handed over at once.
    async fn wait(&self, release: &mut Option<Release>) {
        let next_round = tokio::time::sleep(RENEW_EVERY);
        tokio::pin!(next_round);
        loop {
            let patience = match self.hand_over(release).await {
                Ok(patience) => patience,
                Err(error) => return tracing::error!(%error, "shards can't be handed over; trying again"),
            };
            tokio::select! {
                () = &mut next_round => return,
                () = self.look.notified() => return,
                () = self.ground.idle.notified() => {}
                () = sleep(patience) => {}
            }
            if self.leaving.load(SeqCst) {
                return;
            }
        }
    }

    /// Watches for the end of the lease, for ever.
    pub(crate) async fn watch_lease(self: Arc<Self>) {
        let mut ended = None;
        loop {
            let (lease, left) = (self.ground.lease.end(), self.ground.lease.left(self.stopwatch.now()));
            if left.is_none() && lease.is_some() && lease != ended {
                tracing::warn!("this node's lease has come to its end; what is under way is broken off");
                self.ground.lapse();
                ended = lease;
            }
            tokio::time::sleep(left.map_or(WATCH_EVERY, |left| left.min(WATCH_EVERY))).await;
        }
    }
}

async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
