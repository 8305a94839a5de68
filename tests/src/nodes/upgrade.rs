//! A rolling upgrade, as the nodes of this version see it: the next one has brought the schema further and works beside them, and they
//! go on, also after a restart.
use std::time::Duration;

use hookswitch_testkit::query;
use hookswitch_testkit::{Chance, Recorder, Reply, after, json, wait_until};

use super::{
    load::{Load, assert_in_order},
    nodes, wait_shared,
};

/// What a migration of the next version may do: add tables, indexes, and columns that have a default or may be empty.
const NEXT: &str = "BEGIN;
  SET LOCAL lock_timeout = '2s';
  ALTER TABLE clients ADD COLUMN of_next_version TEXT, ADD COLUMN counted_by_next_version BIGINT NOT NULL DEFAULT 0;
  ALTER TABLE deliveries ADD COLUMN of_next_version BIGINT;
  ALTER TABLE nodes ADD COLUMN of_next_version BIGINT NOT NULL DEFAULT 7;
  CREATE TABLE of_next_version (id BIGINT PRIMARY KEY);
  CREATE INDEX of_next_version_events ON events (dt, clients_id);
  INSERT INTO migrations (number, name, hash, dt, oldest) SELECT MAX(number) + 1, 'next', 'x', 0, MAX(number) FROM migrations;
  COMMIT";
/// One that this version can't work with.
const AFTER_NEXT: &str = "INSERT INTO migrations (number, name, hash, dt, oldest)
  SELECT MAX(number) + 1, 'after_next', 'x', 0, MAX(number) FROM migrations";

fn slow() -> impl Fn(&hookswitch_testkit::Call) -> Reply {
    |call| Reply::ok().after(Duration::from_millis(u64::from(call.raw[call.raw.len() / 2]) % 9))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_go_on_and_start_again_on_the_schema_of_the_next_version_but_not_on_the_one_after_it() {
    let mut chance = Chance::seeded();
    let mut nodes = nodes(2).await;
    let database = nodes[0].database().postgres().expect("a shared database").url().to_owned();
    let told = Recorder::answering(slow()).await;
    nodes[0].handler(after("clients.*", &told)).await;
    let load = Load::start(&[&nodes[0], &nodes[1]], &mut chance).await;
    wait_until("some is done", async || load.acknowledged() > 100).await;
    // As the program does it: whoever is in the way of those who work gives up, and tries again.
    let tried = (0..30).map(|_| query::try_rows(&database, NEXT)).find(Result::is_ok);
    assert!(tried.is_some(), "{:?}", query::try_rows(&database, NEXT));
    // What nodes of the next version tell each other, in words that this one does not know.
    query::rows(&database, "SELECT pg_notify('hookswitch', 'word of the next version 1 2 3')");
    let so_far = load.acknowledged();
    wait_until("more is done on the newer schema", async || load.acknowledged() > so_far + 100).await;
    let (clients, promised) = load.end().await;
    // One after another, as an operator upgrades; these come back as they were.
    for node in &mut nodes {
        let (status, _) = node.terminate().await;
        assert!(status.success());
        node.start_again().await;
        assert!(node.stderr().contains("a newer version has brought the schema further"), "{}", node.stderr());
        wait_shared(node, 2).await;
    }
    nodes[1].wait_all_delivered().await;
    let repeated = assert_in_order(&nodes[1], &told, &clients, &promised).await;
    assert_eq!(repeated, 0, "nobody has died");
    nodes[0].client("made on the newer schema").await;

    query::rows(&database, AFTER_NEXT);
    let (status, _) = nodes[1].terminate().await;
    assert!(status.success());
    let home = nodes[1].home().to_owned();
    let refused = hookswitch_testkit::program::run(&home, &["serve", "--data", "data", "--listen", "127.0.0.1:0"], &[]).await;
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("newer version"), "{words}");
    let status = nodes[0].ok("system.status", json!({})).await;
    assert_eq!(status["database"], "postgres", "the node that runs goes on");
}
