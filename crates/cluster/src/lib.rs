//! Many nodes on one database: who is there, who owns which clients, and what nodes tell each other.
//!
//! Any node takes any request. But what is done for a client after its commits, delivering, telling outcomes, the clock's steps,
//! is done by one node at a time: the owner of the client's shard.
//!
//! ```text
//!   node a: owns shards 0..127            node b: owns shards 128..255
//!     |  a commit for a client of b          ^
//!     '--------- notice: it has deliveries --'        both renew one lease each; who does not is ended by the other
//! ```
//!
//! | file | subject |
//! |---|---|
//! | here | [`Cluster`], the handle; a node that is alone |
//! | `shard` | 256 parts of the clients |
//! | `fair` | who should own what: a pure plan that each works out for itself |
//! | `lease` | until when this node may act without asking again |
//! | `ground` | what this node owns and has under way: [`Tenure`] |
//! | `release` | handing over in order |
//! | `fence` | nothing is written as a node that has ended |
//! | `register` | the transactions on the tables `nodes` and `shards` |
//! | `member` | the life of a node |
//! | `notice`, `post` | what nodes tell each other, and how it gets there |
//!
//! **Invariant:** a shard that one node owns by its own clock is no other's by the tables. It rests on three things: a lease ends
//! for its node before it ends for the others (`lease`), what is under way ends before a shard is given up (`release`), and what
//! a dead node still writes is refused (`fence`).
//!
//! **One lease a node, not one a shard.** 256 rows that are renewed every 2 s by many nodes are a hundred times the writes, and a
//! transaction that settles deliveries of forty clients would have forty rows to check. A shard changes hands by its row in
//! `shards`, which nothing else writes.
mod fair;
mod fence;
mod ground;
mod lease;
mod member;
mod notice;
mod post;
mod register;
mod release;
mod shard;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    },
    time::Duration,
};

use hookswitch_model::moment::Moment;
pub use hookswitch_store::Heard;
use hookswitch_store::{Error, Store, tables};
use tokio::sync::{Notify, mpsc, watch};

pub use fence::{Fence, Fenced};
pub use ground::{Standing, Tenure};
pub use lease::{LEASE, MARGIN, RENEW_EVERY, SinceBoot, Stopwatch};
pub use member::JoinError;
pub use notice::Notice;
pub use post::{Notices, Sending, Wire};
pub use register::{Identity, InMemory, Memory};
pub use shard::{SHARDS, Shard, Shards};

use ground::Ground;
use member::Member;
use post::{ByDatabase, Post};

/// This node among the others; a cheap handle.
#[derive(Clone)]
pub struct Cluster(Arc<Place>);

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("id", &self.id()).field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

enum Place {
    Alone(Alone),
    Joined(Joined),
}

/// Nobody else is there: everything is owned, and nobody is told.
struct Alone {
    standing: watch::Sender<Standing>,
    post: Post,
}

struct Joined {
    member: Arc<Member>,
    tasks: Vec<tokio::task::AbortHandle>,
}

/// A node, as the tables show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The row.
    pub node: tables::nodes::Node,
    /// Shards that it owns.
    pub shards: usize,
    /// How long its lease is still good for, in milliseconds; negative = it has lapsed.
    pub lease_left_ms: i64,
    /// True if this is the node that was asked.
    pub is_this: bool,
}

impl Cluster {
    /// The only node, which owns everything: for SQLite.
    #[must_use]
    pub fn alone() -> Self {
        Self(Arc::new(Place::Alone(Alone { standing: watch::Sender::new(Standing::EVERYTHING), post: Post::new(0) })))
    }

    /// One of many on a database that can be shared, which also carries what nodes tell each other. Called within a runtime.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn on(store: Store, me: Identity) -> Result<Self, JoinError> {
        let heard = store.listen()?;
        let wire = Arc::new(ByDatabase(store.clone()));
        Self::join(store, me, Arc::new(SinceBoot), (wire, heard)).await
    }

    /// One of many. It has joined when this is done, and owns what it had before; the rest of its share comes within moments.
    /// Called within a runtime.
    ///
    /// # Errors
    /// [`JoinError`]; it may take some seconds to find out that another has this id.
    pub async fn join(
        store: Store,
        me: Identity,
        stopwatch: Arc<dyn Stopwatch>,
        (wire, heard): (Arc<dyn Wire>, mpsc::Receiver<Heard>),
    ) -> Result<Self, JoinError> {
        let post = Arc::new(Post::new(me.id));
        let member = Arc::new(Member {
            ground: Arc::new(Ground::new(me.id, Arc::clone(&stopwatch))),
            me,
            store,
            post: Arc::clone(&post),
            stopwatch,
            look: Notify::new(),
            lag_us: AtomicI64::new(-1),
            leaving: AtomicBool::new(false),
            patience_us: AtomicI64::new(member::micros(member::PATIENCE)),
            left: watch::Sender::new(false),
        });
        // It listens before it joins: nothing that concerns it is said unheard.
        let receiving = tokio::spawn(receive(Arc::clone(&member), heard));
        let mut tasks = vec![
            receiving.abort_handle(),
            tokio::spawn(Arc::clone(&post).send(wire)).abort_handle(),
            tokio::spawn(Arc::clone(&member).watch_lease()).abort_handle(),
            tokio::spawn(look_when_told(Arc::clone(&member))).abort_handle(),
        ];
        member.join().await?;
        tasks.push(tokio::spawn(Arc::clone(&member).live()).abort_handle());
        Ok(Self(Arc::new(Place::Joined(Joined { member, tasks }))))
    }

    fn ground(&self) -> Option<&Arc<Ground>> {
        match &*self.0 {
            Place::Alone(_) => None,
            Place::Joined(joined) => Some(&joined.member.ground),
        }
    }

    fn post(&self) -> &Post {
        match &*self.0 {
            Place::Alone(alone) => &alone.post,
            Place::Joined(joined) => &joined.member.post,
        }
    }

    /// True if there can be no other node.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(&*self.0, Place::Alone(_))
    }

    /// This node's id; 0 if it is alone.
    #[must_use]
    pub fn id(&self) -> i64 {
        match &*self.0 {
            Place::Alone(_) => 0,
            Place::Joined(joined) => joined.member.me.id,
        }
    }

    /// True if this node does right now what is to be done for a client, or for anything else that has an id. Takes no lock.
    #[must_use]
    pub fn owns(&self, id: i64) -> bool {
        self.ground().is_none_or(|ground| ground.owns(Shard::of(id)))
    }

    /// True if this node does what is done once for all.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.ground().is_none_or(|ground| ground.owns(Shard::LEADERS))
    }

    /// Its part of what all nodes may have together: rounded up, and none if it owns nothing.
    #[must_use]
    pub fn part_of(&self, whole: u32) -> u32 {
        let owned = self.ground().map_or(SHARDS, |ground| ground.owned().len());
        let part = (u64::from(whole) * owned as u64).div_ceil(SHARDS as u64);
        u32::try_from(part).unwrap_or(whole)
    }

    /// To be noted before something is read that is acted upon later, see [`Cluster::hold`].
    #[must_use]
    pub fn turn(&self) -> u64 {
        self.ground().map_or(0, |ground| ground.turn())
    }

    /// The right to do something for a client now, by what was read in this turn. `None` if it is another's, or was meanwhile.
    #[must_use]
    pub fn hold(&self, id: i64, turn: u64) -> Option<Tenure> {
        match self.ground() {
            None => Some(Tenure::for_ever()),
            Some(ground) => ground.hold(Shard::of(id), turn),
        }
    }

    /// The same, by what is read from now on.
    #[must_use]
    pub fn hold_now(&self, id: i64) -> Option<Tenure> {
        self.hold(id, self.turn())
    }

    /// This node's life as it is now; what belongs to a client takes [`Tenure::fence`].
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.ground().map_or(Fence::NONE, |ground| ground.fence())
    }

    /// The number of this life, never given to another; 0 if it is alone.
    #[must_use]
    pub fn epoch(&self) -> i64 {
        self.ground().map_or(0, |ground| ground.epoch())
    }

    /// What is owned, and each change of it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Standing> {
        match &*self.0 {
            Place::Alone(alone) => alone.standing.subscribe(),
            Place::Joined(joined) => joined.member.ground.watch(),
        }
    }

    /// Tells the other nodes, soon. Neither blocks nor takes long: it may be called by the thread that has just committed.
    pub fn tell(&self, notice: Notice) {
        if let Place::Joined(joined) = &*self.0 {
            joined.member.post.tell(notice);
        }
    }

    /// What other nodes say from now on.
    #[must_use]
    pub fn notices(&self) -> Notices {
        self.post().listen()
    }

    /// Takes no more shards, and hands over those that it has: each as soon as nothing is under way in it, which is broken off
    /// after `patience`. Does not wait for that.
    pub fn begin_to_leave(&self, patience: Duration) {
        if let Place::Joined(Joined { member, .. }) = &*self.0 {
            member.patience_us.store(member::micros(patience), SeqCst);
            member.leaving.store(true, SeqCst);
            member.look.notify_one();
        }
    }

    /// Leaves, within that time; else the others find out when the lease has lapsed.
    pub async fn leave(&self, within: Duration) {
        let Place::Joined(Joined { member, .. }) = &*self.0 else { return };
        if !member.leaving.load(SeqCst) {
            self.begin_to_leave(within);
        }
        let mut left = member.left.subscribe();
        let leaving = async {
            // It ends with the runtime.
            let _left = left.wait_for(|left| *left).await;
            member.post.flush().await;
        };
        if tokio::time::timeout(within, leaving).await.is_err() {
            tracing::warn!("this node could not hand over all that it has in time");
        }
    }

    /// Every node that is known, by id, also those that have left lately; none if there can be no other.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn members(&self) -> Result<Vec<Seen>, Error> {
        let Place::Joined(Joined { member, .. }) = &*self.0 else { return Ok(Vec::new()) };
        let me = member.me.id;
        member
            .store
            .read(move |tx| {
                let (now, owners) = (tx.database_now()?, tables::shards::owners(tx)?);
                let seen = |node: tables::nodes::Node| {
                    let shards = owners.iter().filter(|(_, owner)| *owner == node.id).count();
                    Seen { shards, lease_left_ms: lease_left_ms(&node, now), is_this: node.id == me, node }
                };
                Ok(tables::nodes::all(tx)?.into_iter().map(seen).collect())
            })
            .await
    }
}

fn lease_left_ms(node: &tables::nodes::Node, now: Moment) -> i64 {
    (node.valid_until.0 - now.0) / 1_000
}

/// Hears what comes over the wire, and measures how long that takes.
async fn receive(member: Arc<Member>, heard: mpsc::Receiver<Heard>) {
    let own = |notice| {
        if let Notice::Echo { at } = notice {
            member.lag_us.store((member::micros(member.stopwatch.now()) - at).max(0), SeqCst);
        }
    };
    Arc::clone(&member.post).receive(heard, own).await;
}

/// Has the membership looked at whenever somebody says that it has changed.
async fn look_when_told(member: Arc<Member>) {
    let mut notices = member.post.listen();
    while let Some(notice) = notices.next().await {
        if matches!(notice, Notice::Membership | Notice::Everything) {
            member.look.notify_one();
        }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::AbortHandle::abort);
    }
}
