//! What a node writes down whose life was ended meanwhile.
use std::sync::atomic::AtomicUsize;

use hookswitch_cluster::{Heard, Identity, InMemory, Sending, SinceBoot, Wire};
use hookswitch_model::moment::Moment;
use hookswitch_store::{Clock, Database, MasterKey, Options, tables::nodes};
use tokio::sync::mpsc::Receiver;

use super::*;

/// Nobody hears it.
struct Nowhere;

impl Wire for Nowhere {
    fn send(&self, _messages: Vec<String>) -> Sending<'_> {
        Box::pin(async { Ok(()) })
    }
}

async fn joined(store: &Store) -> (Cluster, mpsc::Sender<Heard>) {
    let (wire, heard): (_, Receiver<Heard>) = mpsc::channel(1);
    let me = Identity { id: 7, name: "a".to_owned(), version: "1".to_owned(), memory: Arc::new(InMemory::default()) };
    (Cluster::join(store.clone(), me, Arc::new(SinceBoot), (Arc::new(Nowhere), heard)).await.unwrap(), wire)
}

/// A delivery of handler 3, by hand.
fn insert(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO deliveries
      (id, handlers_id, clients_id, companies_id, seq, events_row, event_id, dead, attempt, next_at, resend)
      VALUES ($1, 3, 1, 1, 1, 1, $2, 0, 0, 0, 0)";
    tx.execute(SQL, hookswitch_store::params![id, [0_u8; 16].as_slice()]).map(drop)
}

fn done(id: i64) -> Change {
    Change::Done { id, forget: None, told: Told { handlers_id: 3, clients_id: 1, seq: 1, begins: false, resync: false } }
}

#[tokio::test]
async fn what_a_life_that_was_ended_would_settle_stays_as_it_is_and_its_calls_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (database, key) = (Database::Sqlite(folder.path().join("t.db")), MasterKey::from_bytes([7; 32]));
    let (clock, _hand) = Clock::manual(Moment(1_000_000));
    let store = Store::open(Options { database, key, clock, faults: None }).unwrap();
    store.write(|tx| [1, 2].into_iter().try_for_each(|id| insert(tx, id))).await.unwrap();
    let (cluster, _wire) = joined(&store).await;
    let (old, log) = (cluster.fence(), Log::start(store.clone(), &cluster));
    let epoch = cluster.epoch();
    store.write(move |tx| nodes::end(tx, 7, epoch)).await.unwrap();
    let counted = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    for (id, fence) in [(1, old), (2, Fence::NONE)] {
        let counted = counted.clone();
        let written: Then = Box::new(move |counts| {
            counted[usize::from(counts == Counts::Yes)].fetch_add(1, Ordering::SeqCst);
        });
        log.record(Record { row: None, change: Some(done(id)), fence, written: Some(written) }).await;
    }
    log.flush().await;
    let left = store.read(|tx| tx.query("SELECT id FROM deliveries", &[], |row| row.get::<i64>(0))).await.unwrap();
    assert_eq!(left, [1], "the other one was settled in a life that goes on");
    assert_eq!(counted.map(|count| count.load(Ordering::SeqCst)), [1, 1], "each was told which");
}
