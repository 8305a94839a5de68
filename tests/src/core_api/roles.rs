//! Roles: `admin` everything, `operator` everything but users and handlers, `readonly` reads.
use hookswitch_testkit::{Recorder, Server, api::id, json};

#[tokio::test]
async fn an_operator_works_with_clients_but_not_with_users_or_the_making_of_handlers() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = server.handler(json!({"name": "crm", "event": "clients.create", "task": recorder.url()})).await;
    let operator = server.user("op", "operator", json!(null)).await;
    let client = operator.client("Acme").await;
    operator.account(client, "acme").await;
    operator.pay(client, "5").await;
    for (method, params) in [
        ("users.create", json!({"login": "x", "role": "admin", "password": "a long enough password"})),
        ("users.update", json!({"id": 1, "role": "admin"})),
        ("users.delete", json!({"id": 1})),
        ("users.rotate_key", json!({"id": 1})),
        ("users.search", json!({})),
        ("provisioning.handlers.create", json!({"name": "x", "event": "clients.create", "task": recorder.url()})),
        ("provisioning.handlers.update", json!({"id": handler, "name": "y"})),
        ("provisioning.handlers.delete", json!({"id": handler})),
        ("provisioning.handlers.rotate_secret", json!({"id": handler})),
    ] {
        let refusal = operator.refused(method, params).await;
        assert_eq!((refusal.code, refusal.word()), (-32003, "access-denied"), "{method}");
        assert!(refusal.message.starts_with("access-denied: "), "{refusal:?}");
    }
    operator.ok("provisioning.handlers.pause", json!({"id": handler})).await;
    operator.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    operator.ok("provisioning.handlers.test", json!({"id": handler})).await;
    operator.ok("provisioning.deliveries.resend", json!({"handlers_id": handler})).await;
    operator.ok("provisioning.deliveries.discard", json!({"handlers_id": handler})).await;
    operator.ok("provisioning.handlers.get", json!({"id": handler})).await;
}

#[tokio::test]
async fn readonly_reads_everything_and_changes_nothing() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let handler = server.handler(json!({"name": "crm", "event": "clients.create", "task": recorder.url()})).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    let reader = server.user("eye", "readonly", json!(null)).await;
    for method in ["clients.search", "clients.accounts.search", "accounting.transactions.search", "companies.search"] {
        reader.ok(method, json!({})).await;
    }
    for list in ["handlers", "events", "executions", "deliveries"] {
        reader.ok(&format!("provisioning.{list}.search"), json!({})).await;
    }
    reader.ok("provisioning.events.list", json!({})).await;
    reader.ok("system.status", json!({})).await;
    for (method, params) in [
        ("clients.create", json!({"name": "x"})),
        ("clients.update", json!({"id": client, "name": "x"})),
        ("clients.archive", json!({"id": client})),
        ("clients.delete", json!({"id": client})),
        ("clients.accounts.create", json!({"clients_id": client})),
        ("clients.accounts.update", json!({"id": account, "name": "x"})),
        ("clients.accounts.delete", json!({"id": account})),
        ("accounting.transactions.create", json!({"clients_id": client, "type": "payment", "amount": 1})),
        ("companies.create", json!({"name": "x"})),
        ("users.create", json!({"login": "x"})),
        ("provisioning.handlers.pause", json!({"id": handler})),
        ("provisioning.deliveries.resend", json!({"handlers_id": handler})),
        ("provisioning.deliveries.discard", json!({"handlers_id": handler})),
    ] {
        assert_eq!(reader.refused(method, params).await.code, -32003, "{method}");
    }
    assert_eq!(server.journal(client).await.len(), 2);
}

#[tokio::test]
async fn readonly_never_sees_the_password_of_an_account() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(json!({"name": "switch", "event": "clients.accounts.create", "task": recorder.url()})).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    let reader = server.user("eye", "readonly", json!(null)).await;
    let event = server.ok("provisioning.events.search", json!({"events_id": "clients.accounts.create"})).await;
    let row = server.wait_log(json!({"events_id": "clients.accounts.create"}), 1).await.remove(0);
    for (method, params) in [
        ("clients.accounts.get", json!({"id": account})),
        ("clients.accounts.search", json!({})),
        ("provisioning.events.get", json!({"id": event[0]["id"]})),
        ("provisioning.executions.get", json!({"id": id(&row)})),
    ] {
        let shown = reader.ok(method, params).await.to_string();
        assert!(!shown.contains("s3cret-s3cret"), "{method}: {shown}");
    }
    let shown = reader.ok("clients.accounts.search", json!({"q": "s3cret*"})).await;
    assert_eq!(shown, json!([]), "a search must not find by what its caller may not see");
    assert_eq!(server.ok("clients.accounts.get", json!({"id": account})).await["password"], "s3cret-s3cret");
}
