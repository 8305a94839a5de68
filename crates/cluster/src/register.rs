//! What a node does with the two tables: joins, goes on, ends those that are dead, takes what is nobody's, gives up what it has let
//! go. Each is one short transaction; all times in them are the database's.
use std::sync::{Arc, Mutex, PoisonError};

use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error, Subject, Tx,
    tables::{
        nodes::{self, Node},
        shards,
    },
};

use crate::{
    fair::{Plan, View},
    fence::Fence,
    lease::LEASE,
    shard::{Shard, Shards},
};

/// So long a node that is gone is still shown.
const SHOWN_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Who we are, as the others see it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Kept in the data folder, so that a node that comes back takes its own shards at once.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// Where it remembers its last life.
    pub memory: Arc<dyn Memory>,
}

/// Where a node remembers the epoch of its last life, so that it takes over from itself at once, and from nobody else: two nodes may
/// have one id, because somebody has copied a data folder.
pub trait Memory: std::fmt::Debug + Send + Sync {
    /// The last that was kept; `None` if none ever was.
    fn last(&self) -> Option<i64>;
    /// Keeps it. Called on a thread that may block. If it can't, the next life waits until this one's lease has lapsed.
    fn keep(&self, epoch: i64);
}

/// Remembers for as long as it lives: for nodes that have no folder.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<Option<i64>>);

impl Memory for InMemory {
    fn last(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, epoch: i64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
    }
}

/// What came of joining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Joining {
    /// A life has begun.
    Begun(Begun),
    /// A life of this node that it knows nothing of has a lease: this one, renewed last at that time. Nothing was changed.
    Another(i64, Moment),
}

/// A life that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) epoch: i64,
    /// What this node had and nobody has taken since.
    pub(crate) kept: Shards,
    /// True if its last life was not ended in order: what that was about to tell was told by nobody.
    pub(crate) broke_off: bool,
}

/// What a look at the tables found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) view: View,
    /// True if there is a node whose lease has lapsed.
    pub(crate) someone_died: bool,
}

/// A round in which something changed hands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) shards: Shards,
    /// Nodes that were ended, by name.
    pub(crate) ended: Vec<String>,
}

fn lease_from(tx: &Tx<'_>) -> Result<Moment, Error> {
    let ms = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
    Ok(tx.database_now()?.plus_millis(ms))
}

/// Begins a life, unless one goes on that is not the `last` that this node knows of.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn join(tx: &mut Tx<'_>, me: &Identity, last: Option<i64>) -> Result<Joining, Error> {
    tx.lock(Subject::Membership)?;
    // What the last life of it still writes comes first, or not at all.
    tx.lock(Subject::Node(me.id))?;
    let (now, before) = (tx.database_now()?, nodes::all(tx)?.into_iter().find(|node| node.id == me.id));
    if let Some(node) = before.as_ref().filter(|node| node.is_alive(now) && Some(node.epoch) != last) {
        return Ok(Joining::Another(node.epoch, node.renewed_at));
    }
    let broke_off = before.is_some_and(|node| node.valid_until != Moment(0));
    let valid_until = lease_from(tx)?;
    let epoch = nodes::join(tx, me.id, &me.name, &me.version, valid_until)?;
    Ok(Joining::Begun(Begun { epoch, kept: look(tx)?.view.of(me.id), broke_off }))
}

/// Goes on; `None` if this life was ended.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn renew(tx: &mut Tx<'_>, id: i64, epoch: i64, lag_us: Option<i64>) -> Result<Option<Seen>, Error> {
    let valid_until = lease_from(tx)?;
    if !nodes::renew(tx, id, epoch, valid_until, lag_us)? {
        return Ok(None);
    }
    look(tx).map(Some)
}

fn look(tx: &Tx<'_>) -> Result<Seen, Error> {
    let (now, nodes) = (tx.database_now()?, nodes::all(tx)?);
    let is_alive = |id: &i64| nodes.iter().any(|node| node.id == *id && node.is_alive(now));
    let owners = shards::owners(tx)?.into_iter().filter(|(_, node)| is_alive(node));
    let owners = owners.filter_map(|(shard, node)| Some((Shard::numbered(shard)?, node))).collect();
    let takers = nodes.iter().filter(|node| node.is_alive(now) && !node.leaving).map(|node| node.id).collect();
    Ok(Seen { view: View { takers, owners }, someone_died: nodes.iter().any(|node| node.has_lapsed(now)) })
}

/// Ends those whose lease has lapsed, and takes what is nobody's, up to the fair share.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn take(tx: &mut Tx<'_>, me: i64, epoch: i64) -> Result<Taken, Error> {
    tx.lock(Subject::Membership)?;
    let ended = end_the_dead(tx, me)?;
    if !Fence::of(me, epoch).holds(tx)? {
        return Ok(Taken { shards: Shards::NONE, ended });
    }
    let Plan { take, .. } = look(tx)?.view.plan(me);
    take.iter().try_for_each(|shard| shards::take(tx, shard.number(), me))?;
    Ok(Taken { shards: take, ended })
}

fn end_the_dead(tx: &mut Tx<'_>, me: i64) -> Result<Vec<String>, Error> {
    let (now, mut ended) = (tx.database_now()?, Vec::new());
    let lapsed = |tx: &Tx<'_>| Ok::<_, Error>(nodes::all(tx)?.into_iter().filter(|node| node.id != me && node.has_lapsed(now)));
    let dead: Vec<Node> = lapsed(tx)?.collect();
    for node in dead {
        // Whatever it is writing right now comes first. It may have gone on meanwhile, which takes no lock.
        tx.lock(Subject::Node(node.id))?;
        let Some(node) = lapsed(tx)?.find(|still| still.id == node.id) else { continue };
        if nodes::end_lapsed(tx, node.id, node.epoch, now)? {
            shards::give_up_all(tx, node.id)?;
            ended.push(node.name);
        }
    }
    Ok(ended)
}

/// Gives up what was let go.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn give_up(tx: &mut Tx<'_>, me: i64, epoch: i64, given_up: &Shards) -> Result<(), Error> {
    if Fence::of(me, epoch).holds(tx)? {
        given_up.iter().try_for_each(|shard| shards::give_up(tx, shard.number(), me))?;
    }
    Ok(())
}

/// Takes no more shards.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn begin_to_leave(tx: &mut Tx<'_>, me: i64, epoch: i64) -> Result<(), Error> {
    nodes::begin_to_leave(tx, me, epoch)
}

/// Is gone, and has nothing any more.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn leave(tx: &mut Tx<'_>, me: i64, epoch: i64) -> Result<(), Error> {
    tx.lock(Subject::Membership)?;
    tx.lock(Subject::Node(me))?;
    if nodes::epoch(tx, me)? == Some(epoch) {
        shards::give_up_all(tx, me)?;
        nodes::end(tx, me, epoch)?;
    }
    let shown = tx.database_now()?.plus_millis(-SHOWN_MS);
    nodes::forget(tx, shown)
}
