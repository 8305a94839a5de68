use std::path::Path;

use super::{
    catalogue::{self, Column, TABLES, Table},
    portion::Portion,
    row::{self, Value},
    *,
};
use crate::{Clock, Database, Error, MasterKey, OpenError, Options, Store, Tx, params, postgres::tests::Bed};

fn options(path: &Path) -> Options {
    let key = MasterKey::from_bytes([7; 32]);
    Options { database: Database::Sqlite(path.to_owned()), key, clock: Clock::system(), faults: None }
}

fn at_server(bed: &Bed) -> Options {
    Options { database: Database::Postgres(bed.url()), ..options(Path::new("")) }
}

fn open(path: &Path) -> Store {
    Store::open(options(path)).unwrap()
}

fn to_fill(path: &Path) -> Store {
    Store::open_to_fill(options(path)).unwrap()
}

/// A value of a column that no other row of the table has; what is counted as money is nothing.
fn made_up(column: &Column, n: i64) -> Value {
    match column.kind {
        row::Kind::Int if ["balance", "amount", "live_in_funds", "available_in_funds"].contains(&column.name) => Value::Int(0),
        row::Kind::Int => Value::Int(n),
        row::Kind::Text => Value::Text(format!("{} {n}: ż \" \\ \n", column.name)),
        row::Kind::Blob => Value::Blob(n.to_be_bytes().to_vec()),
    }
}

fn fill_table(tx: &mut Tx<'_>, table: &'static Table, rows: i64) -> Result<(), Error> {
    let row = |n| table.columns.iter().map(|column| made_up(column, n)).collect();
    Portion { table, rows: (1_000..1_000 + rows).map(row).collect(), is_last: true }.write(tx)
}

/// Fills every table that goes along.
async fn fill(store: &Store, rows: i64) {
    let fill = move |tx: &mut Tx<'_>| catalogue::copied().try_for_each(|table| fill_table(tx, table, rows));
    store.write(fill).await.unwrap();
}

/// Every row of every table that goes along, in order.
async fn dump(store: &Store) -> Vec<String> {
    let all = |tx: &Tx<'_>| {
        let mut lines = Vec::new();
        for table in catalogue::copied() {
            let mut mark = None;
            loop {
                let portion = Portion::read(tx, table, mark.as_deref())?;
                lines.extend(portion.rows.iter().map(|values| format!("{} {}", table.name, row::line(values))));
                mark = portion.mark();
                if portion.is_last {
                    break;
                }
            }
        }
        Ok::<_, Error>(lines)
    };
    store.read_whole(all).await.unwrap()
}

#[tokio::test]
async fn no_table_and_no_column_is_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let store = open(&home.path().join("t.db"));
    const NAMES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut names: Vec<String> = store.read(|tx| tx.query(NAMES, &[], |row| row.get(0))).await.unwrap();
    let mut known: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    known.sort_unstable();
    names.sort_unstable();
    assert_eq!(names, known);
    for table in catalogue::copied() {
        let info = format!("SELECT name, type, pk FROM pragma_table_info('{}')", table.name);
        let columns: Vec<(String, String, i64)> =
            store.read(move |tx| tx.query(&info, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))).await.unwrap();
        let mut there: Vec<(String, String)> = columns.iter().map(|(name, kind, _)| (name.clone(), kind.clone())).collect();
        let mut listed: Vec<(String, String)> = table
            .columns
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    row::Kind::Int => "BIGINT",
                    row::Kind::Text => "TEXT",
                    row::Kind::Blob => "BLOB",
                };
                (column.name.to_owned(), kind.to_owned())
            })
            .collect();
        there.iter_mut().filter(|(_, kind)| kind == "INTEGER").for_each(|(_, kind)| "BIGINT".clone_into(kind));
        there.sort();
        listed.sort();
        assert_eq!(there, listed, "{}", table.name);
        let mut key: Vec<(i64, String)> =
            columns.into_iter().filter(|(.., place)| *place > 0).map(|(name, _, place)| (place, name)).collect();
        key.sort();
        let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
        assert_eq!(key, table.key().iter().map(|column| column.name.to_owned()).collect::<Vec<_>>(), "{}", table.name);
    }
}

#[tokio::test]
async fn a_table_is_numbered_if_the_catalogue_says_so() {
    let home = tempfile::tempdir().unwrap();
    let store = open(&home.path().join("t.db"));
    const NUMBERED: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' ORDER BY name";
    let numbered: Vec<String> = store.read(|tx| tx.query(NUMBERED, &[], |row| row.get(0))).await.unwrap();
    let mut known: Vec<&str> = TABLES.iter().filter(|table| table.numbered).map(|table| table.name).collect();
    known.sort_unstable();
    assert_eq!(numbered, known);
}

#[tokio::test]
async fn a_copy_is_the_same_in_every_table_and_can_be_served() {
    let home = tempfile::tempdir().unwrap();
    let (source, target) = (open(&home.path().join("a.db")), to_fill(&home.path().join("b.db")));
    fill(&source, 1_100).await;
    let mut told = Vec::new();
    let stand = copy(&source, &target, Kind::Copy, |progress| told.push(progress)).await.unwrap();
    assert_eq!(told.last().map(|last| (last.done, last.all)), Some((stand.all_rows(), stand.all_rows())));
    assert!(told.windows(2).all(|two| two[0].done <= two[1].done));
    let (here, there) = (dump(&source).await, dump(&target).await);
    assert!(here.len() > 1_100 * 20 && here == there);
    target.close().await.unwrap();
    open(&home.path().join("b.db"));
}

#[tokio::test]
async fn numbers_that_the_engine_gives_go_on_behind_those_of_the_source() {
    const EVENT: &str = "INSERT INTO events (id, dt, events_id, object_id, clients_id, companies_id, seq, body)
      VALUES ($1, 0, 'x', 0, 0, 0, $2, '') RETURNING row_id";
    let home = tempfile::tempdir().unwrap();
    let (source, target) = (open(&home.path().join("a.db")), to_fill(&home.path().join("b.db")));
    let event = |n: i64| {
        move |tx: &mut Tx<'_>| tx.returning(EVENT, params![&n.to_be_bytes(), n], |row| row.get::<i64>(0)).map(Option::unwrap)
    };
    let mut last = 0;
    for n in 1..=5 {
        last = source.write(event(n)).await.unwrap();
    }
    // The last numbers were given, and their rows are gone.
    source.write(|tx| tx.execute("DELETE FROM events WHERE seq > 2", &[])).await.unwrap();
    copy(&source, &target, Kind::Copy, |_| {}).await.unwrap();
    assert_eq!(target.write(event(6)).await.unwrap(), last + 1);
}

/// A copy that was broken off after some rows: the source's portions come to a target that stops taking them.
async fn broken_off(home: &Path) -> (Store, std::path::PathBuf) {
    let (source, path) = (open(&home.join("a.db")), home.join("b.db"));
    fill(&source, 1_100).await;
    let target = to_fill(&path);
    let enough = std::rc::Rc::new(tokio::sync::Notify::new());
    let told = std::rc::Rc::clone(&enough);
    // Dropped in the middle, as a killed process drops it.
    tokio::select! {
        biased;
        () = enough.notified() => {}
        over = copy(&source, &target, Kind::Copy, |progress| if progress.done > 10_000 { told.notify_one() }) => panic!("{over:?}"),
    }
    target.close().await.unwrap();
    (source, path)
}

#[tokio::test]
async fn a_copy_that_was_broken_off_is_not_served_and_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let (source, path) = broken_off(home.path()).await;
    let refused = Store::open(options(&path)).err().map(|error| error.to_string());
    assert!(refused.as_ref().is_some_and(|words| words.contains("only a part of a copy")), "{refused:?}");
    let target = to_fill(&path);
    let mut first: Option<i64> = None;
    let stand = copy(&source, &target, Kind::Copy, |progress| first = first.or(Some(progress.done))).await.unwrap();
    assert!(first.unwrap() > 10_000 && first.unwrap() < stand.all_rows(), "{first:?}");
    assert_eq!(dump(&source).await, dump(&target).await);
}

#[tokio::test]
async fn a_source_that_was_used_meanwhile_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (source, path) = broken_off(home.path()).await;
    source.write(|tx| crate::tables::clock_seen::followed(tx, 0)).await.unwrap();
    let again = copy(&source, &to_fill(&path), Kind::Copy, |_| {}).await;
    assert_eq!(again.unwrap_err(), CopyError::OtherSource);
}

#[tokio::test]
async fn a_target_that_is_in_use_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let (source, used) = (open(&home.path().join("a.db")), open(&home.path().join("b.db")));
    used.write(|tx| fill_table(tx, catalogue::named("users").unwrap(), 1)).await.unwrap();
    let before = dump(&used).await;
    assert_eq!(copy(&source, &used, Kind::Copy, |_| {}).await.unwrap_err(), CopyError::InUse);
    assert_eq!(dump(&used).await, before);
}

#[tokio::test]
async fn a_copy_that_is_not_the_same_says_where() {
    let home = tempfile::tempdir().unwrap();
    let (source, target) = (open(&home.path().join("a.db")), to_fill(&home.path().join("b.db")));
    fill(&source, 3).await;
    source.write(|tx| tx.execute("UPDATE clients SET balance = 5000007 WHERE id = 1001", &[])).await.unwrap();
    let differs = take_over(&source, &target, |_| {}).await.unwrap_err();
    assert_eq!(
        differs,
        CopyError::Differs(vec!["client 1001: the balance is 5000007 millionths, its transactions make 0".to_owned()])
    );
    target.close().await.unwrap();
    assert!(matches!(Store::open(options(&home.path().join("b.db"))), Err(OpenError::Withheld(Kind::Copy))));
}

#[tokio::test]
async fn a_backup_is_one_file_that_is_looked_at_and_never_served() {
    let home = tempfile::tempdir().unwrap();
    let (path, backup) = (home.path().join("a.db"), home.path().join("backup.db"));
    let (source, key, clock) = (open(&path), MasterKey::from_bytes([7; 32]), Clock::system());
    fill(&source, 1_234).await;
    let mut told = Vec::new();
    copy_pages(&path, &backup, |done, all| told.push((done, all))).unwrap();
    // While it is copied and afterwards, the source goes on.
    source.write(|tx| tx.execute("DELETE FROM clients", &[])).await.unwrap();
    let held = finish_backup(&backup, &key, &clock).unwrap();
    assert_eq!((held.clients, held.events, held.deliveries), (1_234, 1_234, 1_234));
    let files: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(files.iter().all(|name| !name.to_string_lossy().starts_with("backup.db-")), "{files:?}");
    assert!(matches!(Store::open(options(&backup)), Err(OpenError::Withheld(Kind::Backup))));
    let looked = Backup::look(&backup, &key, &clock).unwrap().unwrap();
    assert_eq!(looked.made(), held.made);
    assert_eq!(looked.read(|tx| Ok(Stand::of(tx)?.rows_of("clients"))).unwrap(), 1_234);
    let other = MasterKey::from_bytes([8; 32]);
    assert!(matches!(Backup::look(&backup, &other, &clock), Err(OpenError::WrongKey)));
    assert!(Backup::look(&path, &key, &clock).unwrap().is_none());
}

#[tokio::test]
async fn a_file_that_was_cut_is_no_backup() {
    let home = tempfile::tempdir().unwrap();
    let (path, cut) = (home.path().join("a.db"), home.path().join("cut.db"));
    let source = open(&path);
    fill(&source, 1_234).await;
    source.close().await.unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let damaged = copy_pages(&cut, &home.path().join("copy.db"), |_, _| {});
    assert!(matches!(damaged, Err(OpenError::Damaged(_))), "{damaged:?}");
    std::fs::write(&cut, "not a database").unwrap();
    assert!(matches!(copy_pages(&cut, &home.path().join("more.db"), |_, _| {}), Err(OpenError::Damaged(_))));
}

#[tokio::test]
async fn from_one_engine_into_the_other_and_back_nothing_changes() {
    let home = tempfile::tempdir().unwrap();
    let (bed, source) = (Bed::new(), open(&home.path().join("a.db")));
    fill(&source, 1_100).await;
    let server = Store::open_to_fill(at_server(&bed)).unwrap();
    let there = copy(&source, &server, Kind::Copy, |_| {}).await.unwrap();
    let back = to_fill(&home.path().join("b.db"));
    let again = copy(&server, &back, Kind::Copy, |_| {}).await.unwrap();
    assert_eq!(there, again, "the numbers that the engine gives, too");
    let here = dump(&source).await;
    assert!(here == dump(&server).await && here == dump(&back).await);
    drop(server);
    Store::open(at_server(&bed)).unwrap();
}

#[tokio::test]
async fn a_server_that_is_read_is_left_as_it_is() {
    let (bed, home) = (Bed::empty(), tempfile::tempdir().unwrap());
    assert!(matches!(Store::open_to_read(at_server(&bed)), Err(OpenError::Older)), "an empty database has no tables");
    let used = Store::open(at_server(&bed)).unwrap();
    fill(&used, 10).await;
    let (read, path) = (Store::open_to_read(at_server(&bed)).unwrap(), home.path().join("backup.db"));
    let file = to_fill(&path);
    copy(&read, &file, Kind::Copy, |_| {}).await.unwrap();
    file.close().await.unwrap();
    let (key, clock) = (MasterKey::from_bytes([7; 32]), Clock::system());
    assert_eq!(finish_backup(&path, &key, &clock).unwrap().clients, 10);
    assert!(Backup::look(&path, &key, &clock).unwrap().is_some());
    let wrong = Options { key: MasterKey::from_bytes([8; 32]), ..at_server(&bed) };
    assert!(matches!(Store::open_to_read(wrong), Err(OpenError::WrongKey)));
}

#[tokio::test]
async fn a_half_filled_server_is_not_served_and_one_in_use_is_not_filled() {
    let home = tempfile::tempdir().unwrap();
    let (bed, source) = (Bed::new(), open(&home.path().join("a.db")));
    source.write(|tx| fill_table(tx, catalogue::named("clients").unwrap(), 3)).await.unwrap();
    source.write(|tx| tx.execute("UPDATE clients SET balance = 1 WHERE id = 1001", &[])).await.unwrap();
    let server = Store::open_to_fill(at_server(&bed)).unwrap();
    take_over(&source, &server, |_| {}).await.unwrap_err();
    assert!(matches!(Store::open(at_server(&bed)), Err(OpenError::Withheld(Kind::Copy))));
    let used = Bed::new();
    let other = Store::open(at_server(&used)).unwrap();
    other.write(|tx| fill_table(tx, catalogue::named("users").unwrap(), 1)).await.unwrap();
    assert_eq!(copy(&source, &other, Kind::Copy, |_| {}).await.unwrap_err(), CopyError::InUse);
}

#[tokio::test]
async fn what_was_used_meanwhile_is_not_taken_over() {
    const SERVED: &str = "INSERT INTO counters (name, value) VALUES ('era', 5)";
    let home = tempfile::tempdir().unwrap();
    let (source, used) = (open(&home.path().join("a.db")), home.path().join("b.db"));
    fill(&source, 10).await;
    let target = to_fill(&used);
    let (writer, mut is_first) = (source.clone(), true);
    let taken = take_over(&source, &target, |_| {
        if std::mem::take(&mut is_first) {
            let writer = writer.clone();
            let write = async move { writer.write(|tx| tx.execute(SERVED, &[])).await.unwrap() };
            std::thread::scope(|scope| {
                let one = || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(write);
                scope.spawn(one).join().unwrap();
            });
        }
    });
    assert_eq!(taken.await.unwrap_err(), CopyError::Used);
    target.close().await.unwrap();
    assert!(matches!(Store::open(options(&used)), Err(OpenError::Withheld(Kind::Copy))));
    let fresh = home.path().join("c.db");
    let target = to_fill(&fresh);
    take_over(&source, &target, |_| {}).await.unwrap();
    target.close_whole().await.unwrap();
    open(&fresh);
}

#[test]
fn a_password_is_in_no_debug_output() {
    let shown =
        format!("{:?}", Options { database: Database::Postgres("postgres://a:s3cret@h/d".to_owned()), ..options(Path::new("")) });
    assert!(shown.contains("Postgres") && !shown.contains("s3cret"), "{shown}");
}
