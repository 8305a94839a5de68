//! A resync runs on one node and is steered from any; another goes on with it where the first was.
use hookswitch_testkit::{Recorder, after, api::id, json, wait_for, wait_until};

use super::{nodes, wait_shared};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resync_is_paused_resumed_and_finished_by_other_nodes_than_the_one_that_runs_it() {
    const CLIENTS: usize = 120;
    let mut nodes = nodes(2).await;
    let told = Recorder::start().await;
    for number in 0..CLIENTS {
        nodes[number % 2].client(&format!("Client {number}")).await;
    }
    let handler = nodes[0].handler(after(json!(["clients.create", "provisioning.resync_done"]), &told)).await;
    let begun = nodes[0].ok("provisioning.handlers.resync", json!({"id": handler, "rate": 20})).await;
    let resync = id(&begun);
    told.wait(10).await;
    for pausing in 0..2 {
        nodes[pausing].ok("provisioning.resyncs.pause", json!({"id": resync})).await;
        let sent = wait_for("it stands", async || {
            let found = nodes[1 - pausing].ok("provisioning.resyncs.get", json!({"id": resync})).await;
            (found["state"] == "paused").then(|| found["sent"].as_u64().unwrap())
        })
        .await;
        // What was sent is delivered, and nothing comes behind it.
        nodes[0].wait_all_delivered().await;
        let found = nodes[0].ok("provisioning.resyncs.get", json!({"id": resync})).await;
        assert_eq!(found["sent"], json!(sent), "{found}");
        nodes[1 - pausing].ok("provisioning.resyncs.resume", json!({"id": resync})).await;
        let calls = told.calls().len();
        told.wait(calls + 5).await;
    }
    // Whoever runs it, one of the two nodes does when the other has stopped.
    nodes[0].terminate().await;
    wait_shared(&nodes[1], 1).await;
    wait_until("it is done", async || nodes[1].ok("provisioning.resyncs.get", json!({"id": resync})).await["state"] == "done")
        .await;
    nodes[1].wait_all_delivered().await;
    let calls = told.calls();
    let creates: std::collections::BTreeSet<i64> =
        calls.iter().filter(|call| call.events_id() == "clients.create").map(|call| call.clients_id()).collect();
    assert_eq!(creates.len(), CLIENTS, "everybody was named");
    assert_eq!(calls.iter().filter(|call| call.events_id() == "provisioning.resync_done").count(), 1);
}
