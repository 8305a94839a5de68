//! The payload, event by event: `event`, `data`, `previous` and `object` as the contract's table says.
use hookswitch_testkit::{Recorder, Server, Value, after, api::id, assert_has, before, json, with};

const EVENT_KEYS: [&str; 11] =
    ["id", "dt", "events_id", "object_id", "clients_id", "companies_id", "stage", "mode", "seq", "actor", "cause"];

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_event_has_the_members_of_the_contract_and_one_id_before_and_after() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before("clients.create", &asked)).await;
    server.handler(after("clients.create", &told)).await;
    let crm = server.user("crm", "operator", json!(null)).await;
    let client = crm.client("Acme").await;
    let (asked, told) = (asked.wait_exactly(1).await.remove(0).body, told.wait_exactly(1).await.remove(0).body);
    assert_eq!(keys(&told["event"]), EVENT_KEYS);
    assert_eq!(keys(&asked["event"]), EVENT_KEYS.iter().filter(|key| **key != "seq").copied().collect::<Vec<_>>());
    let expected = json!({
        "events_id": "clients.create", "object_id": client, "clients_id": client, "companies_id": 1, "stage": "after",
        "mode": "live", "seq": 1, "actor": {"type": "user", "login": "crm"}, "cause": null,
    });
    assert_has(&told["event"], &expected);
    assert!(told["event"]["actor"]["id"].is_i64());
    assert_eq!((&asked["event"]["id"], &asked["event"]["object_id"]), (&told["event"]["id"], &told["event"]["object_id"]));
    assert_eq!(asked["event"]["stage"], "before");
    let dt = told["event"]["dt"].as_str().unwrap();
    assert!(dt.len() == 25 && dt.ends_with("+00:00"), "whole seconds, +00:00: {dt}");
    assert_eq!(told["event"]["id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn create_carries_the_whole_object_and_no_previous() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    server.handler(after(json!(["clients.create", "clients.accounts.create"]), &told)).await;
    let client = server.ok("clients.create", json!({"name": "Acme", "credit": 5})).await;
    let account = server.account(id(&client), "acme").await;
    let account = server.ok("clients.accounts.get", json!({"id": account})).await;
    let calls = told.wait_exactly(2).await;
    for (call, object) in calls.iter().zip([&client, &account]) {
        assert_eq!(keys(&call.body), ["event", "data", "object"]);
        assert_eq!((&call.body["data"], &call.body["object"]), (object, object));
    }
    assert_eq!(calls[1].body["data"]["password"], "s3cret-s3cret", "a softswitch needs it");
}

#[tokio::test]
async fn an_update_carries_what_changes_what_it_was_and_the_whole_object_as_it_becomes() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before(json!(["clients.update", "clients.accounts.update"]), &asked)).await;
    server.handler(after(json!(["clients.update", "clients.accounts.update"]), &told)).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    let changed = server.ok("clients.update", json!({"id": client, "name": "B", "credit": 0, "notes": "n"})).await;
    let moved = server.ok("clients.accounts.update", json!({"id": account, "accname": "b"})).await;
    for calls in [asked.wait_exactly(2).await, told.wait_exactly(2).await] {
        assert_eq!(keys(&calls[0].body), ["event", "data", "previous", "object"]);
        assert_eq!(calls[0].body["previous"], json!({"name": "Acme", "notes": null}), "credit was 0 already");
        assert_has(&calls[0].body["data"], &json!({"id": client, "name": "B", "notes": "n"}));
        assert_eq!(calls[0].body["object"], changed);
        assert_eq!(calls[1].body["data"], json!({"id": account, "clients_id": client, "accname": "b"}));
        assert_eq!(calls[1].body["previous"], json!({"accname": "acme"}));
        assert_eq!(calls[1].body["object"], moved);
        assert_has(&calls[1].body["event"], &json!({"object_id": account, "clients_id": client}));
    }
}

#[tokio::test]
async fn delete_and_archive_carry_no_data_and_the_object_as_it_was() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    server.handler(after(json!(["clients.archive", "clients.delete", "clients.accounts.delete"]), &told)).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    let as_it_was = server.ok("clients.accounts.get", json!({"id": account})).await;
    server.ok("clients.archive", json!({"id": client})).await;
    server.ok("clients.delete", json!({"id": client})).await;
    let calls = told.wait_exactly(3).await;
    for call in &calls {
        assert_eq!(keys(&call.body), ["event", "data", "object"]);
        assert_eq!(call.body["data"], json!({}));
    }
    assert_eq!(calls[0].body["object"]["status"], "active");
    assert_eq!(calls[1].body["object"], as_it_was, "so a softswitch learns which account is gone");
    assert_eq!(calls[2].body["object"]["status"], "archived");
}

#[tokio::test]
async fn a_balance_event_carries_the_balances_before_and_after() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    server.handler(after(json!(["clients.balance_zero", "clients.balance_notzero"]), &told)).await;
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": 100})).await);
    server.pay(client, "2").await;
    server.pay(client, "-5.5").await;
    server.pay(client, "3.5").await;
    let calls = told.wait_exactly(2).await;
    let zero = json!({
        "id": client, "basis": "live", "balance": -3.5, "credit": 100, "available": 96.5, "previous_balance": 2,
        "previous_available": 102,
    });
    assert_eq!((calls[0].events_id(), &calls[0].body["data"]), ("clients.balance_zero", &zero));
    assert_has(&calls[0].body["object"], &json!({"id": client, "balance": -3.5}));
    let notzero = json!({"id": client, "basis": "live", "balance": 0, "previous_balance": -3.5, "available": 100});
    assert_eq!(calls[1].events_id(), "clients.balance_notzero");
    assert_has(&calls[1].body["data"], &notzero);
    assert_has(&calls[1].body["event"], &json!({"object_id": client, "clients_id": client}));
}

#[tokio::test]
async fn passwords_are_masked_for_a_handler_that_says_so() {
    let server = Server::start().await;
    let (open, masked) = (Recorder::start().await, Recorder::start().await);
    server.handler(after("clients.accounts.*", &open)).await;
    server.handler(with(after("clients.accounts.*", &masked), json!({"passwords": false}))).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    server.ok("clients.accounts.update", json!({"id": account, "password": "an0ther-one"})).await;
    server.ok("clients.accounts.delete", json!({"id": account})).await;
    let calls = open.wait_exactly(3).await;
    assert_has(&calls[1].body, &json!({"data": {"password": "an0ther-one"}, "previous": {"password": "s3cret-s3cret"}}));
    for call in masked.wait_exactly(3).await {
        let text = call.body.to_string();
        assert!(!text.contains("s3cret") && !text.contains("an0ther"), "{text}");
        assert_eq!(call.body["object"]["password"], "********");
    }
}
