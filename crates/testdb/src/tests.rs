//! The harness itself: a test that stands on a cluster which does not do what it says proves nothing.
use std::{path::Path, process::Command};

use crate::{Cluster, Engine, Halt, Home, query};

const MAKE: &str = "CREATE TABLE t (n BIGINT PRIMARY KEY); INSERT INTO t VALUES (1)";
const COUNT: &str = "SELECT COUNT(*) FROM t";

#[test]
fn what_was_committed_is_there_after_it_was_stopped_restarted_or_killed() {
    let cluster = Cluster::setup().durable().start();
    assert_eq!(cluster.rows("SHOW fsync"), [["on"]]);
    let fresh = cluster.fresh();
    fresh.rows(MAKE);
    cluster.restart(Halt::Fast);
    cluster.restart(Halt::Immediate);
    cluster.kill9();
    assert!(query::try_rows(fresh.url(), COUNT).is_err(), "it is gone");
    cluster.start_again();
    assert_eq!(fresh.rows(COUNT), [["1"]]);
    assert_eq!(query::rows(&cluster.socket_url(fresh.name()), COUNT), [["1"]]);
    let (name, administration) = (fresh.name().to_owned(), fresh.administration().to_owned());
    drop(fresh);
    assert!(query::rows(&administration, &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).is_empty());
    let folder = cluster.folder().to_owned();
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn a_replica_follows_and_takes_the_place_of_a_lost_one() {
    let cluster = Cluster::start();
    let fresh = cluster.fresh();
    fresh.rows(MAKE);
    let replica = cluster.replica();
    fresh.rows("INSERT INTO t VALUES (2)");
    cluster.wait_until_followed_by(&replica);
    let url = replica.url(fresh.name());
    assert_eq!(query::rows(&url, COUNT), [["2"]]);
    assert!(query::try_rows(&url, "INSERT INTO t VALUES (3)").is_err(), "it only follows");
    cluster.kill9();
    replica.promote();
    query::rows(&url, "INSERT INTO t VALUES (3)");
    assert_eq!(query::rows(&url, COUNT), [["3"]]);
}

#[test]
fn passwords_are_asked_for_where_they_are_to_be() {
    let cluster = Cluster::setup().with_passwords().start();
    assert_eq!(cluster.rows("SELECT 1"), [["1"]]);
    let wrong = cluster.administration().replace(crate::cluster::PASSWORD, "another");
    assert!(query::try_rows(&wrong, "SELECT 1").is_err());
}

#[test]
fn a_home_is_as_the_engine_wants_it_and_goes_with_its_database() {
    let file = Home::on(Engine::Sqlite);
    assert!(file.url().starts_with("sqlite:/") && file.postgres().is_none(), "{}", file.url());
    let home = Home::on(Engine::Postgres);
    let fresh = home.postgres().unwrap();
    assert_eq!((fresh.rows("SELECT current_database()")[0][0].as_str(), home.url()), (fresh.name(), fresh.url().to_owned()));
}

/// Plays the test that is killed below; does nothing in a run of its own.
#[test]
fn holds_a_cluster_until_it_is_killed() {
    let Some(note) = std::env::var_os("TESTDB_NOTE") else { return };
    let cluster = Cluster::start();
    std::fs::write(note, format!("{}\n{}", cluster.folder().display(), cluster.port())).unwrap();
    std::thread::park();
}

#[test]
fn the_cluster_of_a_killed_test_goes_with_it() {
    let home = tempfile::tempdir().unwrap();
    let note = home.path().join("note");
    let mut test = Command::new(std::env::current_exe().unwrap());
    let mut test = test.args(["--exact", "tests::holds_a_cluster_until_it_is_killed"]).env("TESTDB_NOTE", &note).spawn().unwrap();
    crate::replica::wait("it has its cluster", || std::fs::read_to_string(&note).is_ok_and(|text| text.lines().count() == 2));
    let text = std::fs::read_to_string(&note).unwrap();
    let folder = Path::new(text.lines().next().unwrap());
    assert!(folder.exists());
    test.kill().unwrap();
    test.wait().unwrap();
    crate::replica::wait("its cluster is gone", || !folder.exists());
}
