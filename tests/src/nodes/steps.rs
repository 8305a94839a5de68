//! The clock's steps happen once, on whichever node, also when one dies or freezes.
use hookswitch_testkit::{Recorder, after, api::id, json, program::run, wait_until};

use super::{nodes, wait_shared};
use crate::package_crash::assert_sound;

const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_period_is_charged_once_over_two_nodes_of_which_one_dies_and_one_freezes() {
    let mut nodes = nodes(2).await;
    let recorder = Recorder::start().await;
    nodes[0].handler(after("clients.packages.*", &recorder)).await;
    let package = json!({"name": "Seconds", "period": "PT1S", "period_fee": 0.01, "activation_fee": 1, "advance_renew": "PT0S"});
    let package = id(&nodes[1].ok("packages.create", package).await);
    let mut owned = Vec::new();
    for number in 0..CLIENTS {
        // Assigned on one node, its steps are taken by the owner of its client.
        let client = nodes[number % 2].client(&format!("Client {number}")).await;
        nodes[(number / 2) % 2].pay(client, "100").await;
        let own = nodes[number % 2].ok("clients.packages.assign", json!({"clients_id": client, "packages_id": package})).await;
        owned.push((client, id(&own)));
    }
    let go_on = async |what: &str, more: usize| {
        let heard = recorder.calls().len();
        wait_until(what, async || recorder.calls().len() >= heard + more).await;
    };
    go_on("steps are taken", 3 * CLIENTS).await;
    nodes[1].freeze();
    wait_shared(&nodes[0], 1).await;
    go_on("steps go on without a frozen node", 2 * CLIENTS).await;
    nodes[1].thaw();
    wait_shared(&nodes[0], 2).await;
    go_on("steps go on with it", 2 * CLIENTS).await;
    nodes[0].kill9().await;
    wait_shared(&nodes[1], 1).await;
    go_on("steps go on without a dead node", 2 * CLIENTS).await;
    for (_, own) in &owned {
        let condition = async || nodes[1].ok("clients.packages.get", json!({"id": own})).await["condition"] == "activated";
        wait_until("it is on", condition).await;
        nodes[1].ok("clients.packages.close", json!({"id": own})).await;
    }
    nodes[1].wait_all_delivered().await;
    for (client, own) in owned {
        assert_sound(&nodes[1], &recorder, client, own).await;
    }
    nodes[1].terminate().await;
    let checked = run(nodes[1].home(), &["check", "--data", "data"], &[]).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
