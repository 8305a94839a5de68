//! Several nodes on one PostgreSQL: real processes, joined, stopped, killed and frozen under load.
//!
//! | file | subject |
//! |---|---|
//! | here | what they have in common |
//! | `load` | changes of clients over all nodes, and the proof of their order |
//! | `together` | what is saved on one counts on all; who is there |
//! | `database` | the server is lost and comes back, or its standby takes its place |
//! | `ends` | a node that stops, dies, freezes: who takes over, and when |
//! | `traces` | a request and its deliveries are one trace, whoever makes them |
//! | `steps` | the clock's steps happen once |
//! | `resyncs` | a resync is steered from any node |
//! | `upgrade` | the schema of the next version comes while they run |
mod database;
mod ends;
mod load;
mod resyncs;
mod steps;
mod together;
mod traces;
mod upgrade;

use hookswitch_testkit::{Api, Server, Value, json, wait_until};

/// So many nodes on one new database.
async fn nodes(count: usize) -> Vec<Server> {
    let mut nodes = vec![Server::start().await];
    while nodes.len() < count {
        let next = nodes[0].beside(Server::setup()).await;
        nodes.push(next);
    }
    wait_shared(&nodes[0], count).await;
    nodes
}

/// The nodes that live, as this one sees them.
async fn alive(api: &Api) -> Vec<Value> {
    let status = api.ok("system.status", json!({})).await;
    status["nodes"].as_array().unwrap().iter().filter(|node| node["state"] == "alive").cloned().collect()
}

/// Waits until so many nodes share all shards evenly.
async fn wait_shared(api: &Api, count: usize) {
    wait_until(&format!("{count} nodes share the clients"), async || {
        let shards: Vec<u64> = alive(api).await.iter().map(|node| node["shards"].as_u64().unwrap()).collect();
        let fair = 256 / count as u64;
        shards.len() == count && shards.iter().sum::<u64>() == 256 && shards.iter().all(|own| (fair..=fair + 1).contains(own))
    })
    .await;
}
