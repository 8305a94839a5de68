//! What handlers get, before and after, fits the files in `docs/schemas`.
use std::{collections::BTreeSet, fs};

use hookswitch_testkit::{Call, Recorder, Server, Value, after, before, companion::repository, json, wait_for, with};

use super::described::{assert_fits, close, validator};

/// Events that a caller brings about at once.
const EXPECTED: &[&str] = &[
    "clients.create",
    "clients.update",
    "clients.archive",
    "clients.delete",
    "clients.custom_fields.update",
    "clients.balance_zero",
    "clients.balance_notzero",
    "clients.accounts.create",
    "clients.accounts.update",
    "clients.accounts.delete",
    "clients.packages.assign",
    "clients.packages.activate",
    "clients.packages.renew",
    "clients.packages.deactivate",
    "clients.packages.close",
];

#[tokio::test]
async fn every_payload_fits_the_schema_of_its_event() {
    let (server, asked, told) = (Server::start().await, Recorder::start().await, Recorder::start().await);
    server.handler(with(before(json!(["clients.*"]), &asked), json!({"dry_run": true, "notify_outcome": true}))).await;
    server.handler(after(json!(["clients.*"]), &told)).await;
    bring_about(&server).await;
    server.wait_all_delivered().await;
    let told = wait_for("every event", async || {
        let calls = told.calls();
        (names(&calls).len() >= EXPECTED.len()).then_some(calls)
    })
    .await;
    assert_eq!(names(&told), EXPECTED.iter().map(|name| (*name).to_owned()).collect());
    wait_for("an outcome", async || asked.calls().into_iter().find(|call| call.event("stage") == "outcome")).await;
    told.iter().chain(&asked.calls()).for_each(assert_fits_its_schema);
}

fn assert_fits_its_schema(call: &Call) {
    let name = if call.event("stage") == "outcome" { "outcome" } else { call.events_id() };
    let path = repository().join(format!("docs/schemas/{name}.json"));
    let mut schema: Value = fs::read_to_string(&path).unwrap().parse().unwrap();
    close(&mut schema);
    assert_fits(name, &validator(&schema), &call.body);
}

#[tokio::test]
async fn what_a_resync_tells_fits_the_same_schemas() {
    let (server, told) = (Server::start().await, Recorder::start().await);
    server.ok("custom_fields.create", json!({"object_type": "clients", "key": "sla", "title": "Service level"})).await;
    let (client, gone) = (server.client("Acme").await, server.client("Gone").await);
    server.account(client, "acme-100").await;
    server.ok("clients.archive", json!({"id": gone})).await;
    let package = server.ok("packages.create", json!({"name": "Calls", "period": "P1M"})).await;
    server.ok("clients.packages.assign", json!({"clients_id": client, "packages_id": package["id"]})).await;
    let creates = json!(["clients.*", "provisioning.resync_done"]);
    let updates = json!(["clients.update", "clients.accounts.update", "clients.packages.renew"]);
    for events in [creates, updates] {
        let handler = server.handler(after(events, &told)).await;
        server.ok("provisioning.handlers.resync", json!({"id": handler})).await;
    }
    let told = wait_for("every event", async || {
        let calls = told.calls();
        let has_all = names(&calls).contains("provisioning.resync_done") && names(&calls).contains("clients.accounts.update");
        has_all.then_some(calls)
    })
    .await;
    told.iter().for_each(assert_fits_its_schema);
}

fn names(calls: &[Call]) -> BTreeSet<String> {
    calls.iter().map(|call| call.events_id().to_owned()).collect()
}

/// A client's life in which everything happens once.
async fn bring_about(server: &Server) {
    server.ok("custom_fields.create", json!({"object_type": "clients", "key": "sla", "title": "Service level"})).await;
    server.ok("clients.create", json!({"name": "Only tried", "dry_run": true})).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme-100").await;
    server.ok("clients.update", json!({"id": client, "name": "Acme Telecom", "tags": ["a"]})).await;
    server.ok("clients.custom_fields.update", json!({"id": client, "sla": "gold"})).await;
    server.ok("clients.accounts.update", json!({"id": account, "password": "another-s3cret"})).await;
    server.pay(client, "50").await;
    live_with_a_package(server, client).await;
    server.pay(client, "-50").await;
    server.pay(client, "5").await;
    server.ok("clients.accounts.delete", json!({"id": account})).await;
    server.ok("clients.archive", json!({"id": client})).await;
    server.ok("clients.delete", json!({"id": client, "force": true})).await;
}

/// A package that may be renewed at once, because it is paid so far ahead.
async fn live_with_a_package(server: &Server, client: i64) {
    let package = json!({"name": "Calls", "period": "P1M", "advance_renew": "P2M"});
    let package = server.ok("packages.create", package).await;
    let assigned = server.ok("clients.packages.assign", json!({"clients_id": client, "packages_id": package["id"]})).await;
    let id = &assigned["id"];
    wait_for("an activated client package", async || {
        let now = server.ok("clients.packages.get", json!({"id": id})).await;
        (now["condition"] == "activated").then_some(())
    })
    .await;
    for step in ["renew", "deactivate", "close"] {
        // The clock may have taken it already.
        let _taken = server.call(&format!("clients.packages.{step}"), json!({"id": id})).await;
    }
}
