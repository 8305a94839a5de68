//! `provisioning.handlers.test` and `provisioning.events.*`.
use hookswitch_testkit::{Recorder, Reply, Server, after, assert_has, before, json, with};

#[tokio::test]
async fn testing_a_handler_shows_its_verdict_and_stores_nothing() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"data": {"credit": 1}, "warnings": ["w"]}))).await;
    let handler = server.handler(before("clients.create", &recorder)).await;
    let shown = server.ok("provisioning.handlers.test", json!({"id": handler})).await;
    assert!(shown.to_string().contains("credit"), "what it would change: {shown}");
    let call = recorder.wait_exactly(1).await.remove(0);
    assert_has(&call.body["event"], &json!({"mode": "test", "object_id": 0, "events_id": "clients.create", "stage": "before"}));
    recorder.answer(|_| Reply::json(&json!({"verdict": "forbid", "message": "not in a test"})));
    let shown = server.ok("provisioning.handlers.test", json!({"id": handler})).await.to_string();
    assert!(shown.contains("forbid") && shown.contains("not in a test"), "{shown}");
    recorder.answer(|_| Reply::status(500));
    let shown = server.ok("provisioning.handlers.test", json!({"id": handler})).await.to_string();
    assert!(shown.contains("status"), "{shown}");
    for list in
        ["clients.search", "provisioning.executions.search", "provisioning.deliveries.search", "provisioning.events.search"]
    {
        assert_eq!(server.ok(list, json!({})).await, json!([]), "{list}");
    }
}

#[tokio::test]
async fn the_catalogue_lists_every_event_with_its_stages() {
    let server = Server::start().await;
    let list = server.ok("provisioning.events.list", json!({})).await;
    let find = |name: &str| {
        list.as_array().unwrap().iter().find(|row| row["events_id"] == name).cloned().unwrap_or_else(|| panic!("no {name}"))
    };
    for (name, title, object) in [
        ("clients.create", "Clients: create", "clients"),
        ("clients.update", "Clients: update", "clients"),
        ("clients.delete", "Clients: delete", "clients"),
        ("clients.archive", "Clients: archive", "clients"),
        ("clients.custom_fields.update", "Clients: custom fields update", "clients"),
        ("clients.accounts.create", "Accounts: create", "clients.accounts"),
        ("clients.accounts.update", "Accounts: update", "clients.accounts"),
        ("clients.accounts.delete", "Accounts: delete", "clients.accounts"),
    ] {
        assert_has(&find(name), &json!({"title": title, "stages": ["before", "after"], "object": object}));
        assert!(find(name)["schema"].is_object(), "{}", find(name));
    }
    assert_has(&find("clients.balance_zero"), &json!({"title": "Clients: balance became <=0", "stages": ["after"]}));
    assert_has(&find("clients.balance_notzero"), &json!({"title": "Clients: balance became >=0", "stages": ["after"]}));
}

#[tokio::test]
async fn what_happened_is_found_in_the_journal() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(with(after("clients.update", &recorder), json!({"name": "crm"}))).await;
    let (one, two) = (server.client("One").await, server.client("Two").await);
    server.ok("clients.update", json!({"id": one, "notes": "n"})).await;
    let call = recorder.wait_exactly(1).await.remove(0);
    let rows = server.ok("provisioning.events.search", json!({"clients_id": one, "events_id": "clients.update"})).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    let row = &rows[0];
    let expected = json!({
        "id": call.event("id"), "dt": call.event("dt"), "events_id": "clients.update", "object_id": one, "clients_id": one,
        "companies_id": 1, "seq": 2, "actor": call.event("actor"), "cause": null,
        "changed": ["notes"],
    });
    assert_eq!(*row, expected);
    let whole = server.ok("provisioning.events.get", json!({"id": row["id"]})).await;
    assert_has(&whole, row);
    assert_eq!(
        (&whole["data"], &whole["previous"], &whole["object"]),
        (&call.body["data"], &call.body["previous"], &call.body["object"])
    );
    assert_eq!(server.ok("provisioning.events.search", json!({"clients_id": two})).await.as_array().unwrap().len(), 1);
    let refusal = server.refused("provisioning.events.get", json!({"id": "00000000-0000-7000-8000-000000000000"})).await;
    assert_eq!((refusal.code, &refusal.data["object_name"]), (-32004, &json!("provisioning.events")));
}

#[tokio::test]
async fn a_change_of_a_handler_is_tried_before_it_is_saved() {
    let server = Server::start().await;
    let (old, new) = (Recorder::start().await, Recorder::start().await);
    let headers = json!({"headers": {"Authorization": "Bearer sesame"}});
    let handler = server.handler(with(before("clients.create", &old), headers)).await;
    let changes = json!({"task": new.url(), "headers": {"Authorization": "********"}, "method": "PUT"});
    let tried = server.ok("provisioning.handlers.test", json!({"id": handler, "changes": changes})).await;
    assert_eq!(tried["verdict"], "allow", "{tried}");
    let call = new.wait_exactly(1).await.remove(0);
    assert_eq!(call.header("authorization"), Some("Bearer sesame"), "what is masked is that of the saved one");
    let saved = server.ok("provisioning.handlers.get", json!({"id": handler})).await;
    assert_eq!((&saved["method"], &saved["version"]), (&json!("POST"), &json!(1)), "{saved}");
    let wrong = server.refused("provisioning.handlers.test", json!({"id": handler, "changes": {"condition": "data."}})).await;
    assert!(wrong.data["changes.condition"].is_string(), "{wrong:?}");
}

#[tokio::test]
async fn the_scripts_are_listed_with_what_is_wrong_with_them() {
    let server = Server::start().await;
    server.scripts().add("good.sh", "#!/bin/sh\n");
    std::fs::write(server.scripts().path("notes.txt"), "not a program").unwrap();
    let list = server.ok("provisioning.scripts.list", json!({})).await;
    assert_eq!(list[0], json!({"name": "good.sh", "error": null}));
    assert!(list[1]["error"].as_str().unwrap().contains("not executable"), "{list}");
}
