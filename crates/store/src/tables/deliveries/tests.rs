//! Times that are moved.
use hookswitch_model::moment::Moment;
use hookswitch_testdb::Home;

use super::*;
use crate::{Clock, Database, Hand, MasterKey, Options, Store};

/// In seconds.
const NOW: i64 = 1_000_000;
const HOUR: i64 = 3_600;

fn at(seconds: i64) -> Moment {
    Moment::from_millis(seconds * 1_000)
}

fn open(home: &Home) -> (Store, Hand) {
    let (clock, hand) = Clock::manual(at(NOW));
    let (database, key) = (Database::at(&home.url()).unwrap(), MasterKey::from_bytes([7; 32]));
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
    let home = Home::new();
    let (store, _hand) = open(&home);
    store.write(|tx| insert_tried(tx, 1, at(NOW + 60), at(NOW - 2 * HOUR))).await.unwrap();
    store.write(|tx| insert_tried(tx, 2, at(NOW + 60), at(NOW - 10))).await.unwrap();
    store.write(|tx| back_again(tx, 7, HOUR * 1_000_000)).await.unwrap();
    assert_eq!(times(&store).await, [(NOW, NOW - HOUR), (NOW, NOW)]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_moves_what_lies_ahead_and_no_first_attempt_twice() {
    let home = Home::new();
    let (store, hand) = open(&home);
    let rows = [(1, NOW + 600, NOW), (2, NOW - 3 * HOUR, NOW - 4 * HOUR), (3, NOW + 10, NOW - 2 * HOUR)];
    for (id, next_at, first_at) in rows {
        store.write(move |tx| insert_tried(tx, id, at(next_at), at(first_at))).await.unwrap();
    }
    hand.set(at(NOW - HOUR));
    for expected in [[Some(2), Some(3), None], [Some(2), Some(3), None]] {
        let mut after = Some(0);
        for upto in expected {
            let from = after.unwrap();
            after = store.write(move |tx| set_back(tx, 0, from, if from == 0 { 2 } else { 1 }, HOUR * 1_000_000)).await.unwrap();
            assert_eq!(after, upto);
        }
        let first: Vec<i64> = times(&store).await.into_iter().map(|(_, first_at)| first_at).collect();
        assert_eq!(first, [NOW - HOUR, NOW - 4 * HOUR, NOW - 2 * HOUR]);
    }
    let next = times(&store).await.into_iter().map(|(next_at, _)| next_at).max();
    assert!(next < Some(NOW - HOUR + 600), "nothing waits for longer than it should");
}

/// One of handler 7, client 1, never tried, that newer ones stand for.
async fn insert_new(store: &Store, events_row: i64, fold: &'static str) {
    let new = New {
        handlers_id: 7,
        clients_id: 1,
        companies_id: 1,
        seq: events_row,
        events_row,
        place: 0,
        event_id: Uuid::from_u128(events_row.unsigned_abs().into()),
        note: None,
        fold: Some(fold),
        folded: 0,
    };
    store.write(move |tx| insert(tx, new)).await.unwrap();
}

#[tokio::test]
async fn only_what_was_never_tried_is_folded() {
    let home = Home::new();
    let (store, _hand) = open(&home);
    for row in 1..=3 {
        insert_new(&store, row, "clients.update:1").await;
    }
    insert_new(&store, 4, "clients.update:2").await;
    let failed = Failed { dead: false, attempt: 1, next_at: at(NOW), first_at: at(NOW), error: "503".to_owned() };
    store.write(move |tx| fail(tx, 2 * PLACES, &failed)).await.unwrap();
    let folded = store.write(|tx| fold(tx, 7, "clients.update:1", 0)).await.unwrap();
    assert_eq!(folded, (vec![1, 3], 2));
    let left = store.read(|tx| waiting_behind(tx, 7, 0, 10)).await.unwrap();
    assert_eq!(left, [(2 * PLACES, 1), (4 * PLACES, 1)]);
}

#[tokio::test]
async fn the_log_is_numbered_without_a_gap_whoever_writes_it() {
    let home = Home::new();
    let (store, _hand) = open(&home);
    let call = |events_id| executions::Ended {
        dt: at(NOW),
        event_id: Uuid::nil(),
        events_id,
        stage: event::Stage::After,
        handlers_id: 7,
        handlers_name: String::new(),
        object_id: 1,
        clients_id: 1,
        companies_id: 1,
        handlers_companies_id: None,
        attempt: 1,
        status: "success",
        duration_us: 0,
        response_status: None,
        error: None,
        request: None,
        response: None,
        changes: None,
        shadow: false,
    };
    let rows = move || vec![call("clients.update"), call("clients.update")];
    store.write(move |tx| executions::insert(tx, &rows())).await.unwrap();
    for row in 1..=3 {
        insert_event(&store, row).await;
        insert_new(&store, row, "clients.update:1").await;
    }
    store.write(|tx| discard_of_handler(tx, 7, "gone", "discarded")).await.unwrap();
    store.write(move |tx| executions::insert(tx, &rows())).await.unwrap();
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<String>(1)?));
    let log = store.read(move |tx| tx.query("SELECT id, status FROM executions ORDER BY id", &[], read)).await.unwrap();
    let words: Vec<(i64, &str)> = log.iter().map(|(id, status)| (*id, status.as_str())).collect();
    let (told, skipped) = ("success", "skipped");
    assert_eq!(words, [(1, told), (2, told), (3, skipped), (4, skipped), (5, skipped), (6, told), (7, told)]);
}

/// The journal's row of this number.
async fn insert_event(store: &Store, row_id: i64) {
    const SQL: &str = "INSERT INTO events (row_id, id, dt, events_id, object_id, clients_id, companies_id, seq, body)
      VALUES ($1, $2, 0, 'clients.update', 1, 1, 1, $1, '{}')";
    let id = Uuid::from_u128(row_id.unsigned_abs().into());
    store.write(move |tx| tx.put(SQL, params![row_id, id.as_bytes()])).await.unwrap();
}
