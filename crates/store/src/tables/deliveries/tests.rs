//! Times that are moved.
use hookswitch_model::moment::Moment;

use super::*;
use crate::{Clock, Database, Hand, MasterKey, Options, Store};

/// In seconds.
const NOW: i64 = 1_000_000;
const HOUR: i64 = 3_600;

fn at(seconds: i64) -> Moment {
    Moment::from_millis(seconds * 1_000)
}

fn open(folder: &tempfile::TempDir) -> (Store, Hand) {
    let (clock, hand) = Clock::manual(at(NOW));
    let (database, key) = (Database::Sqlite(folder.path().join("t.db")), MasterKey::from_bytes([7; 32]));
    (Store::open(Options { database, key, clock, faults: None }).unwrap(), hand)
}

/// One of handler 7 that was tried already.
fn insert_tried(tx: &mut Tx<'_>, id: i64, next_at: Moment, first_at: Moment) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO deliveries
      (id, handlers_id, clients_id, companies_id, seq, events_row, event_id, dead, attempt, next_at, first_at, resend)
      VALUES ($1, 7, 1, 1, 1, 1, $2, 0, 1, $3, $4, 0)";
    tx.put(SQL, params![id, [0u8; 16].as_slice(), next_at, first_at])
}

async fn times(store: &Store) -> Vec<(i64, i64)> {
    let seconds = |row: &Row<'_>| Ok((row.get::<Moment>(0)?.seconds(), row.get::<Moment>(1)?.seconds()));
    store.read(move |tx| tx.query("SELECT next_at, first_at FROM deliveries ORDER BY id", &[], seconds)).await.unwrap()
}

#[tokio::test]
async fn a_handler_that_is_back_leaves_no_first_attempt_later_than_now() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _hand) = open(&folder);
    store.write(|tx| insert_tried(tx, 1, at(NOW + 60), at(NOW - 2 * HOUR))).await.unwrap();
    store.write(|tx| insert_tried(tx, 2, at(NOW + 60), at(NOW - 10))).await.unwrap();
    store.write(|tx| back_again(tx, 7, HOUR * 1_000_000)).await.unwrap();
    assert_eq!(times(&store).await, [(NOW, NOW - HOUR), (NOW, NOW)]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_moves_what_lies_ahead_and_no_first_attempt_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (store, hand) = open(&folder);
    let rows = [(1, NOW + 600, NOW), (2, NOW - 3 * HOUR, NOW - 4 * HOUR), (3, NOW + 10, NOW - 2 * HOUR)];
    for (id, next_at, first_at) in rows {
        store.write(move |tx| insert_tried(tx, id, at(next_at), at(first_at))).await.unwrap();
    }
    hand.set(at(NOW - HOUR));
    for expected in [[Some(2), Some(3), None], [Some(2), Some(3), None]] {
        let mut after = Some(0);
        for upto in expected {
            let from = after.unwrap();
            after = store.write(move |tx| set_back(tx, from, if from == 0 { 2 } else { 1 }, HOUR * 1_000_000)).await.unwrap();
            assert_eq!(after, upto);
        }
        let first: Vec<i64> = times(&store).await.into_iter().map(|(_, first_at)| first_at).collect();
        assert_eq!(first, [NOW - HOUR, NOW - 4 * HOUR, NOW - 2 * HOUR]);
    }
    let next = times(&store).await.into_iter().map(|(next_at, _)| next_at).max();
    assert!(next < Some(NOW - HOUR + 600), "nothing waits for longer than it should");
}
