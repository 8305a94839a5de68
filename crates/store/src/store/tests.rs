use std::sync::{Arc, Mutex};

use hookswitch_model::{Object, moment::Moment, objects::client::Client};
use hookswitch_testdb::Home;

use super::*;
use crate::{
    Place,
    opening::{READERS, SEARCHERS},
    params, tables,
};

fn open(home: &Home) -> Store {
    open_with(home, None)
}

fn open_with(home: &Home, faults: Option<Faults>) -> Store {
    let (database, key) = (Database::at(&home.url()).unwrap(), MasterKey::from_bytes([7; 32]));
    Store::open(Options { database, key, clock: Clock::system(), faults }).unwrap()
}

fn client(id: i64) -> Client {
    let mut client = Client::from_new(id, 1, 1, Moment(0), &Object::new());
    client.name = format!("client {id}");
    client
}

async fn names(store: &Store) -> Vec<String> {
    store.read(|tx| tx.query("SELECT name FROM clients ORDER BY id", &[], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn what_is_written_is_there_after_a_new_start() {
    let home = Home::new();
    let store = open(&home);
    store.write(|tx| tables::clients::insert(tx, &client(1))).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(names(&open(&home)).await, ["client 1"]);
}

#[tokio::test]
async fn a_closure_that_fails_or_panics_undoes_only_itself() {
    let home = Home::new();
    let store = open(&home);
    let good = |id| store.write(move |tx| tables::clients::insert(tx, &client(id)));
    let fails = store.write(|tx| {
        tables::clients::insert(tx, &client(2))?;
        Err::<(), _>(Error::Full)
    });
    let panics = store.write(|tx| {
        tables::clients::insert(tx, &client(3))?;
        if tx.now() >= Moment(0) {
            panic!("as a test");
        }
        Ok::<(), Error>(())
    });
    // All at once, so that they share a transaction.
    let (one, two, three, four) = tokio::join!(good(1), fails, panics, good(4));
    assert!(one.is_ok() && four.is_ok());
    assert_eq!(two, Err(Error::Full));
    assert!(matches!(three, Err(Error::Engine(_))));
    assert_eq!(names(&store).await, ["client 1", "client 4"]);
}

#[tokio::test]
async fn what_must_be_unique_says_so() {
    let home = Home::new();
    let store = open(&home);
    store.write(|tx| tables::clients::insert(tx, &client(1))).await.unwrap();
    let again = store.write(|tx| tables::clients::insert(tx, &Client { id: 2, ..client(1) })).await;
    assert!(
        matches!(again, Err(Error::Taken { constraint }) if constraint.starts_with("clients") && constraint.ends_with("name"))
    );
}

#[tokio::test]
async fn hand_overs_come_in_the_order_of_commits_and_only_for_what_is_committed() {
    let home = Home::new();
    let (store, handed_over) = (open(&home), Arc::new(Mutex::new(Vec::new())));
    let writes = (0..200_i64).map(|number| {
        let (store, handed_over) = (store.clone(), Arc::clone(&handed_over));
        tokio::spawn(async move {
            let seq = store
                .write(move |tx| {
                    let seq = tables::events::next_seq(tx, 1)?;
                    tx.on_commit(move || handed_over.lock().unwrap().push(seq));
                    if number % 7 == 0 { Err(Error::Full) } else { Ok(seq) }
                })
                .await;
            assert_eq!(seq.is_err(), number % 7 == 0);
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
    let handed_over = handed_over.lock().unwrap().clone();
    assert_eq!(handed_over, (1..=171).collect::<Vec<_>>(), "200 less every seventh, without a gap");
}

#[tokio::test]
async fn many_writes_share_a_flush() {
    let home = Home::new();
    let store = open(&home);
    let writes = (1..=300).map(|id| {
        let store = store.clone();
        tokio::spawn(async move { store.write(move |tx| tables::clients::insert(tx, &client(id))).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    let figures = store.figures().await;
    assert_eq!(figures.writes, 300);
    assert!(figures.flushes < 300, "{figures:?}");
}

#[tokio::test]
async fn a_read_sees_a_snapshot_and_waits_for_no_write() {
    let home = Home::new();
    let store = open(&home);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let slow = {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .write(move |tx| {
                    tables::clients::insert(tx, &client(1))?;
                    let _told = wait.recv();
                    Ok::<(), Error>(())
                })
                .await
        })
    };
    assert_eq!(names(&store).await, [] as [&str; 0], "while the write is under way");
    go.send(()).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(names(&store).await, ["client 1"]);
}

#[tokio::test]
async fn ids_are_never_given_twice_neither_after_an_end_nor_after_a_crash() {
    let home = Home::new();
    let mut given = Vec::new();
    for crash in [false, true, false] {
        let store = open(&home);
        for _ in 0..20 {
            given.push(store.next_id(Sequence::Clients).await.unwrap());
        }
        // A crash gives nothing back: the handle is only dropped.
        if !crash {
            store.close().await.unwrap();
        }
    }
    assert!(given.windows(2).all(|pair| pair[0] < pair[1]), "{given:?}");
    assert_eq!(given[..40], (1..=40).collect::<Vec<_>>(), "an orderly end leaves no hole");
}

#[tokio::test]
async fn many_at_once_get_different_ids() {
    let home = Home::new();
    let store = open(&home);
    let ids = (0..500).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.next_id(Sequence::Accounts).await.unwrap() })
    });
    let mut given = Vec::new();
    for id in ids.collect::<Vec<_>>() {
        given.push(id.await.unwrap());
    }
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 500);
}

#[test]
fn another_key_file_is_noticed_before_anything_is_written() {
    let home = Home::new();
    drop(open(&home));
    let (database, key) = (Database::at(&home.url()).unwrap(), MasterKey::from_bytes([8; 32]));
    let opened = Store::open(Options { database, key, clock: Clock::system(), faults: None });
    assert!(matches!(opened, Err(OpenError::WrongKey)));
}

#[tokio::test]
async fn long_searches_keep_no_short_read_waiting() {
    let home = Home::new();
    let store = open(&home);
    let (go_on, told) = std::sync::mpsc::channel::<()>();
    let (begins, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let told = Arc::new(Mutex::new(told));
    // Each holds its thread until it is told; there are more of them than threads.
    let search = |_| {
        let (store, told, begins) = (store.clone(), Arc::clone(&told), begins.clone());
        let hold = move |_: &Tx<'_>| {
            begins.send(()).unwrap();
            told.lock().unwrap().recv().unwrap();
            Ok::<_, Error>(())
        };
        tokio::spawn(async move { store.search(hold).await })
    };
    let searches: Vec<_> = (0..SEARCHERS + READERS).map(search).collect();
    for _ in 0..SEARCHERS {
        begun.recv().await.unwrap();
    }
    assert_eq!(names(&store).await, [] as [String; 0]);
    searches.iter().for_each(|_| go_on.send(()).unwrap());
    for search in searches {
        search.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_statement_is_planned_once_whatever_is_bound_to_it() {
    let home = Home::new();
    let store = open(&home);
    let planned_again = |tx: &Tx<'_>| {
        const SQL: &str = "SELECT id FROM client_packages WHERE clients_id = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT 1";
        for id in 1..5 {
            tx.first(SQL, params![id, id], |row| row.get::<i64>(0))?;
        }
        tx.planned_again(SQL)
    };
    assert_eq!(store.read(planned_again).await.unwrap(), 0);
    assert_eq!(store.write(move |tx| planned_again(tx)).await.unwrap(), 0);
}

#[tokio::test]
async fn every_statement_of_the_queue_runs_by_an_index() {
    let home = Home::new();
    let store = open(&home);
    let plans = [
        "SELECT id, clients_id FROM deliveries WHERE handlers_id = $1 AND id > $2 AND dead = 0 ORDER BY id LIMIT $3",
        "SELECT d.id FROM deliveries d WHERE d.clients_id = $1 AND d.handlers_id = $2 AND d.id > $3 AND d.dead = 0 ORDER BY d.id",
        "SELECT 1 FROM events WHERE clients_id = $1 AND seq > $2 AND object_id = $3",
        "SELECT 1 FROM deliveries WHERE id >= $1 * 65536 AND id < ($2 + 1) * 65536 AND handlers_id <> $3",
    ];
    for sql in plans {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan =
            store.read(move |tx| tx.query(&explain, params![1, 1, 1], |row| row.get::<String>(3))).await.unwrap().join("; ");
        assert!(plan.contains("USING") && !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}

#[tokio::test]
async fn a_transaction_that_fails_at_its_flush_leaves_nothing_hands_nothing_over_and_the_next_one_succeeds() {
    for place in [Place::Begin, Place::Flush] {
        let home = Home::new();
        let fails = Arc::new(Mutex::new(true));
        let plan = Arc::clone(&fails);
        let faults = Faults::new(move |asked| {
            let fails = asked == place && std::mem::take(&mut *plan.lock().unwrap());
            if fails { Err(Error::Full) } else { Ok(()) }
        });
        let (store, handed_over) = (open_with(&home, Some(faults)), Arc::new(Mutex::new(Vec::new())));
        let write = |id: i64| {
            let handed_over = Arc::clone(&handed_over);
            store.write(move |tx| {
                tx.on_commit(move || handed_over.lock().unwrap().push(id));
                tables::clients::insert(tx, &client(id))
            })
        };
        assert_eq!(write(1).await, Err(Error::Full));
        assert!(store.fails_to_write());
        write(2).await.unwrap();
        assert!(!store.fails_to_write());
        assert_eq!((names(&store).await, handed_over.lock().unwrap().clone()), (vec!["client 2".to_owned()], vec![2]));
    }
}

#[tokio::test]
async fn reads_wait_for_no_slow_flush_and_one_that_fails_is_told() {
    let home = Home::new();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (wait, reads) = (Mutex::new(wait), Mutex::new(0));
    let faults = Faults::new(move |place| {
        let is_second_read = place == Place::Read && {
            let mut reads = reads.lock().unwrap();
            *reads += 1;
            *reads == 2
        };
        if place == Place::Flush {
            let _gone = wait.lock().unwrap().recv();
        }
        if is_second_read { Err(Error::Engine("as a test".to_owned())) } else { Ok(()) }
    });
    let store = open_with(&home, Some(faults));
    let slow = {
        let store = store.clone();
        tokio::spawn(async move { store.write(|tx| tables::clients::insert(tx, &client(1))).await })
    };
    assert_eq!(names(&store).await, [] as [&str; 0], "while the flush takes its time");
    let failed = store.read(|tx| tx.query("SELECT 1", &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(failed, Err(Error::Engine(_))), "{failed:?}");
    go.send(()).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(names(&store).await, ["client 1"]);
}
