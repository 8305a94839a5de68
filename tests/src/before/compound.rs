//! A compound action is one action: all are asked, one refusal refuses all, one transaction writes all.
use hookswitch_testkit::{Recorder, Reply, Server, after, before, json};

#[tokio::test]
async fn deleting_a_client_asks_for_each_account_and_then_for_the_client() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    let events = json!(["clients.accounts.delete", "clients.delete"]);
    server.handler(before(events.clone(), &asked)).await;
    server.handler(after(events, &told)).await;
    let client = server.client("Acme").await;
    let accounts = [server.account(client, "a").await, server.account(client, "b").await];
    server.ok("clients.delete", json!({"id": client})).await;
    let expected =
        [("clients.accounts.delete", accounts[0]), ("clients.accounts.delete", accounts[1]), ("clients.delete", client)];
    for calls in [asked.wait_exactly(3).await, told.wait_exactly(3).await] {
        let seen: Vec<_> = calls.iter().map(|call| (call.events_id(), call.event("object_id").as_i64().unwrap())).collect();
        assert_eq!(seen, expected);
    }
    assert_eq!(told.calls().iter().map(hookswitch_testkit::Call::seq).collect::<Vec<_>>(), [4, 5, 6]);
    let pairs = asked.calls().into_iter().zip(told.calls());
    assert!(pairs.into_iter().all(|(asked, told)| asked.event("id") == told.event("id")), "each part has its own event");
}

#[tokio::test]
async fn one_refusal_refuses_all() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let (first, second) = (server.account(client, "a").await, server.account(client, "b").await);
    let recorder =
        Recorder::answering(move |call| if call.event("object_id") == second { Reply::status(403) } else { Reply::ok() }).await;
    server.handler(before("clients.accounts.delete", &recorder)).await;
    assert_eq!(server.refused("clients.delete", json!({"id": client})).await.word(), "forbidden_by_handler");
    for account in [first, second] {
        server.ok("clients.accounts.get", json!({"id": account})).await;
    }
    server.ok("clients.get", json!({"id": client})).await;
    assert_eq!(server.journal(client).await.len(), 3);
}

#[tokio::test]
async fn archiving_leaves_the_accounts_as_they_are() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    server.handler(after(json!(["clients.accounts.*", "clients.archive"]), &told)).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "a").await;
    server.ok("clients.archive", json!({"id": client})).await;
    server.ok("clients.accounts.get", json!({"id": account})).await;
    let calls = told.wait_exactly(2).await;
    assert_eq!(calls[1].events_id(), "clients.archive");
    assert_eq!(calls[1].body["data"], json!({}));
    assert_eq!(calls[1].body["object"]["status"], "active", "the object as it was");
}
