//! What is saved on one node counts on all, and everybody sees who is there.
use std::time::{Duration, Instant};

use hookswitch_testkit::{Chance, Recorder, Reply, Server, after, before, json, program::run, wait_until, with};

use super::{
    alive,
    load::{Load, assert_in_order},
    nodes, wait_shared,
};
use crate::{
    pages::walk,
    sessions::{FORM, is_in, sign_in, user},
};

#[tokio::test]
async fn each_clients_events_keep_their_order_whichever_node_takes_the_request_while_nodes_join() {
    let mut chance = Chance::seeded();
    let nodes = nodes(2).await;
    let told =
        Recorder::answering(|call| Reply::ok().after(Duration::from_millis(u64::from(call.raw[call.raw.len() / 2]) % 9))).await;
    nodes[0].handler(after("clients.*", &told)).await;
    let load = Load::start(&[&nodes[0], &nodes[1]], &mut chance).await;
    wait_until("some is done", async || load.acknowledged() > 100).await;
    let third = nodes[0].beside(Server::setup()).await;
    wait_shared(&third, 3).await;
    let so_far = load.acknowledged();
    wait_until("more is done", async || load.acknowledged() > so_far + 100).await;
    let (clients, promised) = load.end().await;
    third.wait_all_delivered().await;
    let repeated = assert_in_order(&nodes[1], &told, &clients, &promised).await;
    eprintln!("{} changes acknowledged over three nodes, {repeated} calls repeated", promised.len());
    assert_eq!(repeated, 0, "nobody has died");
}

#[tokio::test]
async fn a_handler_that_is_saved_on_one_node_counts_on_the_other_from_the_next_event_on() {
    let nodes = nodes(2).await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    let before = nodes[0].handler(before("clients.create", &asked)).await;
    let after = nodes[1].handler(after("clients.create", &told)).await;
    for number in 0..8 {
        nodes[number % 2].client(&format!("Client {number}")).await;
    }
    assert_eq!(asked.calls().len(), 8, "also where it was not saved");
    told.wait_exactly(8).await;
    nodes[1].ok("provisioning.handlers.update", json!({"id": before, "status": "disabled"})).await;
    nodes[0].ok("provisioning.handlers.update", json!({"id": after, "status": "disabled"})).await;
    for number in 8..12 {
        nodes[number % 2].client(&format!("Client {number}")).await;
    }
    assert_eq!(asked.calls().len(), 8);
    nodes[1].ok("provisioning.handlers.update", json!({"id": after, "status": "enabled"})).await;
    nodes[0].client("Client 12").await;
    told.wait(9).await;
}

#[tokio::test]
async fn a_pause_a_resend_and_a_user_count_on_all_nodes() {
    let nodes = nodes(2).await;
    let told = Recorder::answering(|_| Reply::status(410)).await;
    let handler = nodes[0].handler(after("clients.create", &told)).await;
    for number in 0..16 {
        nodes[number % 2].client(&format!("Client {number}")).await;
    }
    wait_until("all are given up", async || {
        nodes[0].ok("provisioning.deliveries.search", json!({"state": "dead", "limit": 100})).await.as_array().unwrap().len()
            == 16
    })
    .await;
    told.answer(|_| Reply::ok());
    nodes[1].ok("provisioning.handlers.pause", json!({"id": handler})).await;
    let resent = nodes[0].ok("provisioning.deliveries.resend", json!({"handlers_id": handler})).await;
    assert_eq!(resent["resent"], 16, "{resent}");
    nodes[0].ok("provisioning.handlers.resume", json!({"id": handler})).await;
    let began = Instant::now();
    told.wait(32).await;
    eprintln!("a resend on one node was delivered by both within {:?}", began.elapsed());
    let user = nodes[0].user("second", "admin", json!(null)).await;
    let there = nodes[1].with_key(user.key());
    wait_until("the other node knows the user", async || matches!(there.try_call("system.status", json!({})).await, Ok(Ok(_))))
        .await;
}

#[tokio::test]
async fn everybody_sees_who_is_there_and_a_notice_comes_fast() {
    let nodes = nodes(2).await;
    wait_until("both have heard themselves", async || alive(&nodes[1]).await.iter().all(|node| node["lag_ms"].is_number())).await;
    for (asked, server) in nodes.iter().enumerate() {
        let seen = alive(server).await;
        assert_eq!(seen.len(), 2);
        assert_eq!(seen.iter().filter(|node| node["this"] == true).count(), 1, "node {asked}: {seen:?}");
        for node in &seen {
            assert!(node["lease_left_ms"].as_i64().unwrap() > 5_000 && node["lag_ms"].as_u64().unwrap() < 1_000, "{node}");
            assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
        }
    }
}

#[tokio::test]
async fn a_tripped_before_handler_is_known_to_all_nodes() {
    let setup = || Server::setup().config("breaker.failures = 3").config("breaker.seconds = 0");
    let first = setup().start().await;
    let second = first.beside(setup()).await;
    let asked = Recorder::answering(|_| Reply::status(500)).await;
    let handler = first.handler(with(before("clients.create", &asked), json!({"on_failure": "allow"}))).await;
    for number in 0..3 {
        first.client(&format!("Client {number}")).await;
    }
    wait_until("the other node knows", async || {
        let status = second.ok("provisioning.handlers.status", json!({"id": handler})).await;
        status["handlers"][0]["tripped_since"].is_string()
    })
    .await;
    let calls = asked.calls().len();
    second.client("Client 3").await;
    assert_eq!(asked.calls().len(), calls, "nobody waits for it there either");
}

#[tokio::test]
async fn a_copied_data_folder_is_refused_and_its_owner_lives_on() {
    let mut node = nodes(1).await.remove(0);
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("data")).unwrap();
    std::fs::copy(node.data().join("node"), copy.path().join("data/node")).unwrap();
    // It goes on in another life than that of the copy, and does so at once.
    node.kill9().await;
    let killed = Instant::now();
    node.start_again().await;
    assert!(killed.elapsed() < Duration::from_secs(8), "it does not wait for the end of its own lease");
    let config = std::fs::read_to_string(node.home().join("hookswitch.toml")).unwrap();
    let key = format!("key_file = '{}'\n", node.data().join("master.key").display());
    std::fs::write(copy.path().join("hookswitch.toml"), config + &key).unwrap();
    let refused = run(copy.path(), &["serve", "--data", "data", "--listen", "127.0.0.1:0"], &[]).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("another node with this id is alive; remove the file `node`"), "{said}");
    wait_shared(&node, 1).await;
    assert!(!node.stderr().contains("taken for dead"), "nobody has ended it");
}

#[tokio::test]
async fn who_is_signed_in_on_one_node_is_so_on_all() {
    let nodes = nodes(2).await;
    user(&nodes[0], "eve").await;
    let eve = sign_in(&nodes[1], "eve", "password of eve").await;
    assert!(is_in(&nodes[0], &eve).await && is_in(&nodes[1], &eve).await);
    nodes[0].try_post("/logout", &[FORM, ("cookie", &eve)], "").await.unwrap();
    assert!(!is_in(&nodes[1], &eve).await);
}

#[tokio::test]
async fn pages_show_what_happens_on_every_node() {
    let nodes = nodes(2).await;
    walk(&nodes[0], "nodes.mjs", &[("ELSEWHERE", nodes[1].base())]).await;
}
