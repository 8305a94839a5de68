//! Against a real server, whichever engine the run is about.
use std::sync::Arc;

use hookswitch_model::{Object, moment::Moment, objects::client::Client};
use hookswitch_testdb::{Fresh, query};

use crate::{Clock, Database, Error, MasterKey, OpenError, Options, Param, Sequence, Store, Subject, params, tables};

/// A database of its own, gone when this is dropped.
pub(crate) struct Bed(Fresh);

impl Bed {
    pub(crate) fn new() -> Self {
        Self(Fresh::make())
    }

    /// Without tables, whatever the template of this run has.
    pub(crate) fn empty() -> Self {
        let bed = Self::new();
        bed.ask(&format!("DROP DATABASE {}", bed.0.name()));
        bed.ask(&format!("CREATE DATABASE {} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0", bed.0.name()));
        bed
    }

    /// In another database of the server.
    fn ask(&self, sql: &str) {
        query::rows(self.0.administration(), sql);
    }

    pub(crate) fn url(&self) -> String {
        self.0.url().to_owned()
    }

    fn open(&self) -> Result<Store, OpenError> {
        self.open_with(7)
    }

    fn open_with(&self, key: u8) -> Result<Store, OpenError> {
        let (database, key) = (Database::Postgres(self.0.url().to_owned()), MasterKey::from_bytes([key; 32]));
        Store::open(Options { database, key, clock: Clock::system(), faults: None })
    }
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
async fn what_is_written_is_there_after_a_new_start_and_what_fails_is_not() {
    let bed = Bed::new();
    let store = bed.open().unwrap();
    store.write(|tx| tables::clients::insert(tx, &client(1))).await.unwrap();
    let fails = store.write(|tx| {
        tables::clients::insert(tx, &client(2))?;
        Err::<(), _>(Error::Full)
    });
    assert_eq!(fails.await, Err(Error::Full));
    let panics = store.write(|tx| {
        tables::clients::insert(tx, &client(3))?;
        if tx.now() >= Moment(0) {
            panic!("as a test");
        }
        Ok::<(), Error>(())
    });
    assert!(matches!(panics.await, Err(Error::Engine(_))));
    let again = store.write(|tx| tables::clients::insert(tx, &client(1))).await;
    assert!(matches!(&again, Err(Error::Taken { constraint }) if constraint.contains("clients")), "{again:?}");
    store.close().await.unwrap();
    assert_eq!(names(&bed.open().unwrap()).await, ["client 1"]);
}

#[tokio::test]
async fn a_failure_that_is_passed_over_is_no_success() {
    let bed = Bed::new();
    let store = bed.open().unwrap();
    let passed_over = store.write(|tx| {
        let _ = tx.execute("INSERT INTO nowhere VALUES (1)", &[]);
        Ok::<(), Error>(())
    });
    assert!(passed_over.await.is_err());
    let late = store.write(|tx| {
        tables::clients::insert(tx, &client(1))?;
        tx.put("INSERT INTO clients (id) VALUES ($1)", params![5])
    });
    assert!(late.await.is_err());
    assert_eq!(names(&store).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_locked_is_decided_one_after_another() {
    let bed = Bed::new();
    let store = bed.open().unwrap();
    store.write(|tx| tx.put("INSERT INTO counters (name, value) VALUES ('test', $1)", params![0])).await.unwrap();
    let adds = (0..64).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .write(|tx| {
                    tx.lock_shared(Subject::Configuration)?;
                    tx.lock(Subject::Client(7))?;
                    let read = "SELECT value FROM counters WHERE name = 'test'";
                    let value: i64 = tx.first(read, &[], |row| row.get(0))?.unwrap_or(0);
                    tx.put("UPDATE counters SET value = $1 WHERE name = 'test'", params![value + 1])
                })
                .await
        })
    });
    for add in adds.collect::<Vec<_>>() {
        add.await.unwrap().unwrap();
    }
    let read = |tx: &crate::Tx<'_>| tx.first("SELECT value FROM counters WHERE name = 'test'", &[], |row| row.get::<i64>(0));
    assert_eq!(store.read(read).await.unwrap(), Some(64));
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let bed = Bed::new();
    let store = bed.open().unwrap();
    let back = store
        .write(|tx| {
            let sql = "SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BYTEA), CAST($4 AS TEXT), 1 = 1, SUM(x), 7
              FROM (SELECT CAST($5 AS BIGINT) AS x) one";
            let values = [Param::Int(-5), Param::Text("ä'\"\0"), Param::Blob(&[0, 255]), Param::Null, Param::Int(i64::MIN)];
            tx.first(sql, &values, |row| {
                let texts: (String, Option<String>) = (row.get(1)?, row.get(3)?);
                let numbers: (i64, i64, i64) = (row.get(0)?, row.get(5)?, row.get(6)?);
                Ok((texts, numbers, row.get::<Vec<u8>>(2)?, row.get::<bool>(4)?))
            })
        })
        .await
        .unwrap();
    assert_eq!(back, Some((("ä'\"\u{fffd}".to_owned(), None), (-5, i64::MIN, 7), vec![0, 255], true)));
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_broken_off_and_the_next_one_is_not() {
    let bed = Bed::new();
    let store = bed.open().unwrap();
    let slow = store.search(|tx| tx.first("SELECT CAST(pg_sleep(60) AS TEXT)", &[], |row| row.get::<String>(0)));
    assert_eq!(slow.await, Err(Error::TooLong));
    assert_eq!(names(&store).await, Vec::<String>::new());
}

#[tokio::test]
async fn ids_are_given_once_by_several_who_ask() {
    let bed = Bed::new();
    let (one, other) = (bed.open().unwrap(), bed.open().unwrap());
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(one.next_id(Sequence::Clients).await.unwrap());
        ids.push(other.next_id(Sequence::Clients).await.unwrap());
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[tokio::test]
async fn connections_that_were_cut_are_made_again() {
    let bed = Bed::new();
    let store = bed.open().unwrap();
    store.write(|tx| tables::clients::insert(tx, &client(1))).await.unwrap();
    // Each is waited for: one that is still being ended could take the write with it.
    bed.ask(&format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'", bed.0.name()));
    store.write(|tx| tables::clients::insert(tx, &client(2))).await.unwrap();
    assert_eq!(names(&store).await, ["client 1", "client 2"]);
}

#[tokio::test]
async fn many_who_start_at_once_make_one_schema() {
    let bed = Arc::new(Bed::new());
    let starts = (0..4).map(|_| {
        let bed = Arc::clone(&bed);
        tokio::task::spawn_blocking(move || bed.open().map(drop))
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn another_key_file_and_another_encoding_are_refused() {
    let bed = Bed::new();
    drop(bed.open().unwrap());
    assert!(matches!(bed.open_with(8), Err(OpenError::WrongKey)));
    bed.ask(&format!("DROP DATABASE {}", bed.0.name()));
    bed.ask(&format!("CREATE DATABASE {} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", bed.0.name()));
    let words = bed.open().map(drop).unwrap_err().to_string();
    assert!(words.contains("LATIN1"), "{words}");
}
