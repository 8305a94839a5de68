//! What Kamailio keeps in memory: a command of ours ends a registration that the database alone would leave standing.
use hookswitch_testkit::{Server, json};

use super::{
    kamailio::Kamailio,
    provision,
    sipp::{Expected::Served, Phone},
};
use crate::sql::target::Target;

#[tokio::test]
async fn whoever_is_deleted_is_unregistered_at_once() {
    let target = Target::postgres();
    let kamailio = Kamailio::start(&target).await;
    let server = Server::start().await;
    provision(&server, &target, "kamailio", json!({})).await;
    let kick = json!({"name": "kick", "event": "clients.accounts.*", "task": format!("kamailio+http://{}/RPC", kamailio.rpc_address()),
        "settings": {"template": "kick", "calls": {"clients.accounts.delete": [{"method": "core.version"}]}}, "retries": [1, 1, 1]});
    let kick = server.handler(kick).await;
    let tried = server.ok("provisioning.handlers.test", json!({"id": kick, "events_id": "clients.accounts.delete"})).await;
    assert_eq!(tried["verdict"], "delivered", "{tried}");
    assert!(tried["response"].as_str().unwrap().contains("kamailio"), "{tried}");
    let client = server.client("Acme").await;
    server.pay(client, "5").await;
    let (alice, bob) = (server.account(client, "alice").await, server.account(client, "bob").await);
    server.wait_all_delivered().await;
    let phones = [Phone::of(&kamailio, "alice").await, Phone::of(&kamailio, "bob").await];
    for phone in &phones {
        phone.registers(Served).await;
    }
    server.ok("clients.accounts.update", json!({"id": bob, "name": "only its title"})).await;
    server.ok("clients.accounts.delete", json!({"id": alice})).await;
    server.wait_all_delivered().await;
    assert!(!kamailio.knows("alice").await && kamailio.knows("bob").await);
    server.ok("clients.accounts.update", json!({"id": bob, "password": "another-one"})).await;
    server.wait_all_delivered().await;
    assert!(!kamailio.knows("bob").await);
    // A command that is not there is a failure, in Kamailio's words.
    let wrong = json!({"clients.accounts.update": [{"method": "no.such_command"}]});
    server.ok("provisioning.handlers.update", json!({"id": kick, "settings": {"calls": wrong}, "retries": []})).await;
    server.ok("clients.accounts.update", json!({"id": bob, "name": "other"})).await;
    let failed = server.wait_log(json!({"handlers_id": kick, "status": "failed"}), 1).await.remove(0);
    let failed = server.ok("provisioning.executions.get", json!({"id": failed["id"]})).await;
    assert!(failed["error"].as_str().unwrap().to_lowercase().contains("not found"), "{failed}");
}
