//! Nodes in one process, on one SQLite file and one clock that is turned by hand: joining, leaving, dying, freezing.
use std::{collections::HashMap, sync::Mutex};

use hookswitch_store::{Clock, Database, Hand, MasterKey, Options};

use super::*;

/// A wire between nodes of this process.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Vec<mpsc::Sender<Heard>>>>);

impl Wire for Room {
    fn send(&self, messages: Vec<String>) -> Sending<'_> {
        Box::pin(async move {
            let all = self.0.lock().unwrap().clone();
            for message in messages {
                for to in &all {
                    let _gone = to.send(Heard::Message(message.clone())).await;
                }
            }
            Ok(())
        })
    }
}

/// The database's clock and all nodes' stopwatches are one.
struct Same(Clock);

impl Stopwatch for Same {
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.now().0.unsigned_abs())
    }
}

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    clock: Clock,
    hand: Hand,
    room: Room,
    memories: Mutex<HashMap<i64, Arc<InMemory>>>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, hand) = Clock::manual(Moment(1_000_000_000));
        let (database, key) = (Database::Sqlite(folder.path().join("t.db")), MasterKey::from_bytes([7; 32]));
        let store = Store::open(Options { database, key, clock: clock.clone(), faults: None }).unwrap();
        Self { _folder: folder, store, clock, hand, room: Room::default(), memories: Mutex::default() }
    }

    async fn join(&self, id: i64) -> Cluster {
        let memory = Arc::clone(self.memories.lock().unwrap().entry(id).or_default());
        self.join_with(id, memory).await.unwrap()
    }

    async fn join_with(&self, id: i64, memory: Arc<InMemory>) -> Result<Cluster, JoinError> {
        let (to, heard) = mpsc::channel(100);
        self.room.0.lock().unwrap().push(to);
        let stopwatch = Arc::new(Same(self.clock.clone()));
        let wire = (Arc::new(self.room.clone()) as Arc<dyn Wire>, heard);
        let me = Identity { id, name: format!("node {id}"), version: "1".to_owned(), memory };
        Cluster::join(self.store.clone(), me, stopwatch, wire).await
    }
}

/// Waits until a node owns so many.
async fn owns(cluster: &Cluster, count: usize) {
    owns_some(cluster, count..=count).await;
}

async fn owns_some(cluster: &Cluster, counts: std::ops::RangeInclusive<usize>) {
    let mut standing = cluster.watch();
    let reached = standing.wait_for(|standing| counts.contains(&standing.owned.len()));
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect("in time").unwrap();
}

#[tokio::test]
async fn who_is_alone_owns_everything_and_is_never_fenced() {
    let world = World::new();
    let alone = Cluster::alone();
    assert!(alone.owns(4_711) && alone.is_leader() && alone.part_of(10) == 10 && alone.members().await.unwrap().is_empty());
    let tenure = alone.hold_now(5).unwrap();
    assert_eq!(tenure.unless_lost(async { 1 }).await, Some(1));
    let fence = tenure.fence();
    assert!(world.store.write(move |tx| fence.holds(tx)).await.unwrap());
}

#[tokio::test]
async fn nodes_share_what_there_is_and_hand_over_when_they_leave() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let second = world.join(2).await;
    tokio::join!(owns(&first, 128), owns(&second, 128));
    assert!(first.is_leader() && !second.is_leader());
    assert!((0..256).all(|id| first.owns(id) != second.owns(id)), "each is one's");
    assert_eq!((first.part_of(10), second.part_of(1)), (5, 1));
    let third = world.join(3).await;
    // Who of them has one more depends on who was the first to hand over.
    tokio::join!(owns_some(&first, 85..=86), owns_some(&second, 85..=86), owns_some(&third, 85..=86));
    first.leave(Duration::from_secs(9)).await;
    tokio::join!(owns(&second, 128), owns(&third, 128));
    assert!(first.hold_now(0).is_none());
    let members = second.members().await.unwrap();
    let shown: Vec<(i64, usize, bool)> = members.iter().map(|seen| (seen.node.id, seen.shards, seen.is_this)).collect();
    assert_eq!(shown, [(1, 0, false), (2, 128, true), (3, 128, false)]);
}

#[tokio::test]
async fn what_is_under_way_is_waited_for_before_its_shard_is_anothers() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let tenure = first.hold_now(200).unwrap();
    let second = world.join(2).await;
    owns(&second, 127).await;
    assert!(!first.owns(200) && !second.owns(200), "nobody begins anything there");
    let waiting = tokio::spawn(async move { tenure.unless_lost(std::future::pending::<()>()).await });
    world.hand.advance(3_000);
    // It is broken off when the patience is over.
    assert_eq!(waiting.await.unwrap(), None);
    owns(&second, 128).await;
    assert!(second.owns(200));
}

#[tokio::test]
async fn who_is_not_heard_of_is_ended_and_can_write_nothing_any_more() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let second = world.join(2).await;
    tokio::join!(owns(&first, 128), owns(&second, 128));
    let mut heard = second.notices();
    let (old, was_his) = (first.fence(), (0..256).find(|id| first.owns(*id)).unwrap());
    let holds = async || world.store.write(move |tx| old.holds(tx)).await.unwrap();
    assert!(holds().await);
    drop(first);
    world.hand.advance(11_000);
    owns(&second, 256).await;
    assert!(second.owns(was_his) && !holds().await);
    while heard.next().await.unwrap() != Notice::Everything {}
    // It wakes, and begins a new life with its fair share.
    let back = world.join(1).await;
    tokio::join!(owns(&back, 128), owns(&second, 128));
    assert!(!holds().await && back.fence() != old);
}

#[tokio::test]
async fn who_comes_back_at_once_has_what_it_had_and_its_old_life_is_over() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let (second, old) = (world.join(2).await, first.fence());
    tokio::join!(owns(&first, 128), owns(&second, 128));
    let mut heard = second.notices();
    drop(first);
    let back = world.join(1).await;
    assert_eq!(back.watch().borrow().owned.len(), 128);
    // What it was about to tell has come to nobody.
    while heard.next().await.unwrap() != Notice::Everything {}
    assert!(!world.store.write(move |tx| old.holds(tx)).await.unwrap());
}

#[tokio::test]
async fn a_copy_of_a_node_does_not_take_its_place() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let epoch = first.epoch();
    world.hand.advance(1);
    assert_eq!(world.join_with(1, Arc::default()).await.unwrap_err(), JoinError::AnotherIsAlive);
    assert!(first.epoch() == epoch && first.owns(5));
}

#[tokio::test]
async fn who_does_not_know_its_last_life_waits_for_the_end_of_its_lease() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let epoch = first.epoch();
    drop(first);
    let joining = world.join_with(1, Arc::default());
    tokio::pin!(joining);
    // It has found the other life when it begins to wait.
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut joining).await.is_err());
    world.hand.advance(11_000);
    assert!(joining.await.unwrap().epoch() > epoch);
}

#[tokio::test]
async fn a_node_whose_life_was_ended_notices_and_begins_anew() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let (tenure, turn, epoch) = (first.hold_now(5).unwrap(), first.turn(), first.epoch());
    // As another would, while this one was frozen.
    world
        .store
        .write(move |tx| tables::nodes::end(tx, 1, epoch).and_then(|()| tables::shards::give_up_all(tx, 1)))
        .await
        .unwrap();
    assert_eq!(tenure.unless_lost(std::future::pending::<()>()).await, None);
    let fence = tenure.fence();
    assert!(!world.store.write(move |tx| fence.holds(tx)).await.unwrap());
    let mut standing = first.watch();
    standing.wait_for(|standing| standing.owned.len() == 256 && standing.turn > turn).await.unwrap();
    assert!(first.epoch() > epoch && first.hold(5, turn).is_none() && first.hold_now(5).is_some());
}

#[tokio::test]
async fn a_node_that_can_not_renew_stops_by_itself() {
    let world = World::new();
    let first = world.join(1).await;
    owns(&first, 256).await;
    let (tenure, hand) = (first.hold_now(5).unwrap(), world.hand.clone());
    world.store.clone().close().await.unwrap();
    hand.advance(9_500);
    assert!(!first.owns(5) && first.hold_now(5).is_none());
    assert_eq!(tenure.unless_lost(std::future::pending::<()>()).await, None);
}
