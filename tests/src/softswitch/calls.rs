//! The story with Kamailio: who may register and call follows from what Hookswitch was told, by way of the database.
use hookswitch_testkit::{Server, json};

use super::{
    kamailio::Kamailio,
    provision, resync,
    sipp::{
        Expected::{Refused, Served},
        Phone,
    },
};
use crate::sql::target::Target;

async fn story(target: Target) {
    let kamailio = Kamailio::start(&target).await;
    let server = Server::start().await;
    let handler = provision(&server, &target, "kamailio", json!({})).await;
    let (client, other) = (server.client("Acme").await, server.client("Other").await);
    server.pay(client, "5").await;
    let (mut alice, bob) = (Phone::of(&kamailio, "alice").await, Phone::of(&kamailio, "bob").await);
    alice.registers(Refused).await;
    // Created.
    let (account, _bob) = (server.account(client, "alice").await, server.account(other, "bob").await);
    server.wait_all_delivered().await;
    alice.registers(Served).await;
    bob.registers(Served).await;
    assert!(kamailio.knows("alice").await && kamailio.knows("bob").await);
    alice.calls("bob", Served).await;
    bob.calls("alice", Served).await;
    // Out of funds, and paid.
    server.pay(client, "-5").await;
    server.wait_all_delivered().await;
    alice.calls("bob", Refused).await;
    alice.registers(Refused).await;
    bob.registers(Served).await;
    // As long as he is registered, he can be called; a command ends that.
    bob.calls("alice", Served).await;
    kamailio.rpc("ul.rm", json!(["location", "alice"])).await;
    assert!(!kamailio.knows("alice").await);
    server.pay(client, "10").await;
    server.wait_all_delivered().await;
    alice.calls("bob", Served).await;
    alice.registers(Served).await;
    // Another password.
    server.ok("clients.accounts.update", json!({"id": account, "password": "another-one"})).await;
    server.wait_all_delivered().await;
    alice.registers(Refused).await;
    alice.enter("another-one");
    alice.calls("bob", Served).await;
    // Everything lost, and told again.
    target.rows("DELETE FROM subscriber");
    bob.registers(Refused).await;
    resync(&server, handler).await;
    bob.registers(Served).await;
    alice.registers(Served).await;
    alice.calls("bob", Served).await;
    // Gone.
    server.ok("clients.accounts.delete", json!({"id": account})).await;
    server.wait_all_delivered().await;
    alice.registers(Refused).await;
    alice.calls("bob", Refused).await;
    bob.registers(Served).await;
}

#[tokio::test]
async fn kamailio_serves_who_may_call_out_of_mariadb() {
    story(Target::mariadb()).await;
}

#[tokio::test]
async fn kamailio_serves_who_may_call_out_of_postgres() {
    story(Target::postgres()).await;
}
