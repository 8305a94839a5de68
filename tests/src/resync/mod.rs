//! Resync (`provisioning.md`, section 5): a handler is told how things stand, between the live events.
//!
//! | file | subject |
//! |---|---|
//! | `receiver` | a softswitch: keeps the highest `seq` of each object |
//! | `live` | the proof: after a resync under live writes the receiver's state equals ours |
//! | `events` | what a resync event looks like |
//! | `selection` | which objects, and how many; what is refused |
//! | `course` | rate, waiting, pause, resume, cancel, restarts |
//! | `done` | `provisioning.resync_done`, and what holds it back |
//! | `command` | `hookswitch resync` |
mod command;
mod course;
mod done;
mod events;
mod live;
mod receiver;
mod selection;

use hookswitch_testkit::{Api, Value, api::id, json, wait_for, with};

/// All that a softswitch needs.
fn everything() -> Value {
    json!([
        "clients.create",
        "clients.update",
        "clients.delete",
        "clients.archive",
        "clients.accounts.*",
        "clients.balance_zero",
        "clients.balance_notzero",
        "provisioning.resync_done"
    ])
}

/// Begins a resync; gives its id and how many events it is to have.
async fn begin(api: &Api, handler: i64, more: Value) -> (i64, i64) {
    let begun = api.ok("provisioning.handlers.resync", with(json!({"id": handler}), more)).await;
    (id(&begun), begun["total"].as_i64().expect("a total"))
}

async fn resync(api: &Api, id: i64) -> Value {
    api.ok("provisioning.resyncs.get", json!({"id": id})).await
}

/// Waits until a resync stands so, and gives it.
async fn wait_state(api: &Api, id: i64, state: &str) -> Value {
    wait_for(&format!("resync {id} is {state}"), async || {
        let found = resync(api, id).await;
        (found["state"] == state).then_some(found)
    })
    .await
}
