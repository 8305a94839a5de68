//! When what was shown to the chain is no longer so at commit, it is asked a second time, and then no more.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use hookswitch_testkit::{Api, Recorder, Reply, Server, Value, assert_has, before, json};

/// A handler of `event` which, at each call about `about`, first does the next of these, with its cause.
async fn meddler(server: &Server, event: &str, meddling: Vec<(&'static str, Value)>) -> Recorder {
    let recorder = Recorder::start().await;
    server.handler(before(event, &recorder)).await;
    let (api, calls): (Api, _) = ((**server).clone(), Arc::new(AtomicUsize::new(0)));
    recorder.answer_later(move |call| {
        let api = api.clone();
        let next = meddling.get(calls.fetch_add(1, Ordering::SeqCst)).cloned();
        async move {
            if let Some((method, params)) = next {
                let cause = call.header("hookswitch-cause").unwrap();
                api.call_with(&[("hookswitch-cause", cause)], method, params).await.unwrap();
            }
            Reply::ok()
        }
    });
    recorder
}

#[tokio::test]
async fn a_key_that_changed_meanwhile_is_asked_about_a_second_time() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = meddler(&server, "clients.update", vec![("clients.update", json!({"id": client, "name": "Meddled"}))]).await;
    let changed = server.ok("clients.update", json!({"id": client, "name": "Wanted"})).await;
    assert_eq!(changed["name"], "Wanted");
    let calls = recorder.wait_exactly(2).await;
    assert_eq!(calls[0].event("id"), calls[1].event("id"));
    assert_eq!(calls[0].event("object_id"), calls[1].event("object_id"));
    assert_eq!((calls[0].attempt(), calls[1].attempt()), (1, 2));
    assert_eq!(calls[0].body["previous"], json!({"name": "Acme"}));
    assert_eq!(calls[1].body["previous"], json!({"name": "Meddled"}));
    let left = |index: usize| calls[index].header("hookswitch-deadline-ms").unwrap().parse::<i64>().unwrap();
    assert!(left(1) <= left(0), "what is left of the same budget");
}

#[tokio::test]
async fn changed_again_is_a_conflict() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let meddling = vec![
        ("clients.update", json!({"id": client, "name": "Once"})),
        ("clients.update", json!({"id": client, "name": "Twice"})),
    ];
    let recorder = meddler(&server, "clients.update", meddling).await;
    let refusal = server.refused("clients.update", json!({"id": client, "name": "Wanted"})).await;
    assert_eq!((refusal.code, refusal.word()), (-32009, "conflict"));
    assert_eq!(recorder.calls().len(), 2);
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["name"], "Twice");
}

#[tokio::test]
async fn a_changed_status_is_asked_about_again() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = meddler(&server, "clients.update", vec![("clients.update", json!({"id": client, "status": "stopped"}))]).await;
    server.ok("clients.update", json!({"id": client, "notes": "n"})).await;
    let calls = recorder.wait_exactly(2).await;
    assert_eq!((&calls[0].body["object"]["status"], &calls[1].body["object"]["status"]), (&json!("active"), &json!("stopped")));
}

#[tokio::test]
async fn an_object_that_went_away_meanwhile_is_not_changed() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    meddler(&server, "clients.update", vec![("clients.delete", json!({"id": client}))]).await;
    let refusal = server.refused("clients.update", json!({"id": client, "notes": "n"})).await;
    assert!([-32004, -32009].contains(&refusal.code), "{refusal:?}");
    let told: Vec<_> = server.journal(client).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, ["clients.create", "clients.delete"]);
}

#[tokio::test]
async fn a_name_that_became_taken_is_a_field_error() {
    let server = Server::start().await;
    meddler(&server, "clients.create", vec![("clients.create", json!({"name": "Acme"}))]).await;
    let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
    assert_eq!(refusal.fields(), ["name"]);
    assert_eq!(server.ok("clients.search", json!({})).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_that_came_to_a_client_while_its_deletion_was_asked_about_is_asked_about_too() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account = json!({"clients_id": client, "name": "late", "auth_type": "name", "accname": "late"});
    let recorder = meddler(&server, "clients.delete", vec![("clients.accounts.create", account)]).await;
    let parts = Recorder::start().await;
    server.handler(before("clients.accounts.delete", &parts)).await;
    server.ok("clients.delete", json!({"id": client})).await;
    assert_eq!(recorder.calls().iter().map(hookswitch_testkit::Call::attempt).collect::<Vec<_>>(), [1, 2]);
    assert_has(&parts.wait_exactly(1).await[0].body["object"], &json!({"accname": "late"}));
    assert_eq!(server.ok("clients.accounts.search", json!({})).await, json!([]));
}
