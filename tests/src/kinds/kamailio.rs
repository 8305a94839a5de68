//! Kamailio's JSON-RPC, answered as Kamailio answers it.
use hookswitch_testkit::{Recorder, Reply, Server, Value, json, with};

use super::last_call;

fn answer(result: &Value) -> Reply {
    Reply::json(&with(json!({"jsonrpc": "2.0", "id": 1}), result.clone()))
}

#[tokio::test]
async fn whoever_is_renamed_or_deleted_is_unregistered() {
    let (server, there) = (Server::start().await, Recorder::start().await);
    there.answer(|_| answer(&json!({"error": {"code": 404, "message": "AOR not found"}})));
    let task = format!("kamailio+http://127.0.0.1:{}/RPC", there.port());
    let settings = json!({"template": "kick", "domain": "sip.example.net",
        "calls": {"clients.update": [{"method": "htable.reload", "params": ["{{object.name}}"]}]}});
    let kick = server
        .handler(json!({"name": "kick", "event": "clients.*", "task": task, "settings": settings, "passwords": false, "retries": vec![1; 20]}))
        .await;
    let client = server.client("Acme").await;
    let account = json!({"clients_id": client, "name": "a", "accname": "alice", "password": "pw"});
    let account = server.ok("clients.accounts.create", account).await["id"].clone();
    for changes in [json!({"notes": "x"}), json!({"password": "other"}), json!({"accname": "bob"})] {
        server.ok("clients.accounts.update", with(json!({"id": account}), changes)).await;
    }
    server.ok("clients.accounts.delete", json!({"id": account})).await;
    let calls = there.wait_exactly(3).await;
    let asked: Vec<Value> = calls.iter().map(|call| call.body["params"].clone()).collect();
    let aor = |name: &str| json!(["location", format!("{name}@sip.example.net")]);
    assert_eq!(asked, [aor("alice"), aor("alice"), aor("bob")]);
    assert_eq!((&calls[0].body["method"], calls[0].path.as_str()), (&json!("ul.rm"), "/RPC"));
    // An error that is not expected is a failure, in Kamailio's words, although the status is 200.
    there.answer(|_| answer(&json!({"error": {"code": 500, "message": "No such htable"}})));
    server.ok("clients.update", json!({"id": client, "name": "Other"})).await;
    server.wait_log(json!({"handlers_id": kick, "status": "failed"}), 1).await;
    there.answer(|_| answer(&json!({"result": "ok"})));
    let failed = server.wait_log(json!({"handlers_id": kick, "status": "failed"}), 1).await.remove(0);
    let failed = server.ok("provisioning.executions.get", json!({"id": failed["id"]})).await;
    assert!(failed["error"].as_str().unwrap().contains("No such htable"), "{failed}");
    server.wait_log(json!({"handlers_id": kick, "status": "success"}), 7).await;
    let row = last_call(&server, kick, 8).await;
    assert!(row["response"].as_str().unwrap().contains("htable.reload"), "{row}");
}
