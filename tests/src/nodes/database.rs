//! The server of the database is lost under load: it is killed and comes back, or its standby takes its place.
use std::time::{Duration, Instant};

use hookswitch_testkit::{
    Chance, Recorder, Reply, Server, after,
    postgres::{Cluster, Halt},
    wait_until,
};

use super::{
    load::{Load, assert_in_order},
    wait_shared,
};

fn slow() -> impl Fn(&hookswitch_testkit::Call) -> Reply {
    |call| Reply::ok().after(Duration::from_millis(u64::from(call.raw[call.raw.len() / 2]) % 9))
}

/// Two nodes on a database that is named so.
async fn two_on(url: &str) -> [Server; 2] {
    let first = Server::setup().env("HOOKSWITCH_DATABASE", url).start().await;
    let key_file = first.data().join("master.key");
    let second = Server::setup().env("HOOKSWITCH_DATABASE", url).env("HOOKSWITCH_KEY_FILE", key_file).start().await;
    wait_shared(&first, 2).await;
    [first, second]
}

/// Loses the server in the middle of a load; gives how long nothing was acknowledged.
async fn lose(nodes: &[Server; 2], lose: impl FnOnce()) -> Duration {
    let mut chance = Chance::seeded();
    let told = Recorder::answering(slow()).await;
    nodes[0].handler(after("clients.*", &told)).await;
    let load = Load::start(&[&nodes[0], &nodes[1]], &mut chance).await;
    wait_until("some is done", async || load.acknowledged() > 100).await;
    let lost = Instant::now();
    // Blocks until the server is back; the load goes on beside it.
    tokio::task::block_in_place(lose);
    let so_far = load.acknowledged();
    wait_until("more is done", async || load.acknowledged() > so_far).await;
    let took = lost.elapsed();
    let so_far = load.acknowledged();
    wait_until("much more is done", async || load.acknowledged() > so_far + 100).await;
    let (clients, promised) = load.end().await;
    wait_shared(&nodes[1], 2).await;
    nodes[1].wait_all_delivered().await;
    let repeated = assert_in_order(&nodes[1], &told, &clients, &promised).await;
    eprintln!("{} changes acknowledged, the first one after {took:?}; {repeated} calls repeated", promised.len());
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_server_that_is_killed_and_comes_back_costs_nothing_that_was_acknowledged() {
    let cluster = Cluster::setup().durable().start();
    let fresh = cluster.fresh();
    let nodes = two_on(fresh.url()).await;
    lose(&nodes, || {
        cluster.kill9();
        cluster.start_again();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_server_that_is_restarted_costs_nothing_that_was_acknowledged() {
    let cluster = Cluster::setup().durable().start();
    let fresh = cluster.fresh();
    let nodes = two_on(fresh.url()).await;
    lose(&nodes, || cluster.restart(Halt::Fast)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_synchronous_standby_takes_the_place_of_its_primary_and_nothing_that_was_acknowledged_is_lost() {
    let primary = Cluster::setup().durable().start();
    let fresh = primary.fresh();
    let standby = primary.replica();
    primary.rows("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.rows("SELECT pg_reload_conf()");
    primary.wait_until_followed_by(&standby);
    let one = format!("127.0.0.1:{}", primary.port());
    let both = format!("{one},127.0.0.1:{}", standby.port());
    let url = format!("{}?target_session_attrs=read-write", fresh.url().replace(&one, &both));
    let nodes = two_on(&url).await;
    lose(&nodes, || {
        primary.kill9();
        standby.promote();
    })
    .await;
}
