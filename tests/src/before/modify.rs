//! Before handlers that change the data.
use hookswitch_testkit::{Recorder, Reply, Server, Value, after, api::id, assert_has, before, json, with};

fn data(data: Value) -> Reply {
    Reply::json(&json!({"data": data}))
}

#[tokio::test]
async fn keys_that_are_present_replace_ours_and_absent_ones_stay() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| data(json!({"credit": 250, "notes": "by crm"}))).await;
    let told = Recorder::start().await;
    let handler = server.handler(before("clients.create", &recorder)).await;
    server.handler(after("clients.create", &told)).await;
    let client = server.ok("clients.create", json!({"name": "Acme", "credit": 1000, "c_city": "Oslo"})).await;
    assert_has(&client, &json!({"name": "Acme", "credit": 250, "available": 250, "notes": "by crm", "c_city": "Oslo"}));
    assert_eq!(server.ok("clients.get", json!({"id": id(&client)})).await, client);
    let event = told.wait_exactly(1).await.remove(0).body;
    assert_eq!((&event["data"], &event["object"]), (&client, &client));
    let row = server.wait_log(json!({"handlers_id": handler}), 1).await.remove(0);
    let changes = server.ok("provisioning.executions.get", json!({"id": id(&row)})).await["changes"].to_string();
    for part in ["credit", "1000", "250", "notes", "by crm"] {
        assert!(changes.contains(part), "{part} in {changes}");
    }
    assert!(!changes.contains("Oslo"));
}

#[tokio::test]
async fn the_whole_payload_sent_back_with_one_key_changed_changes_that_key() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| {
        let mut body = call.body.clone();
        body["data"]["credit"] = json!(42);
        body["object"]["credit"] = json!(43);
        body["event"]["object_id"] = json!(44);
        Reply::json(&body)
    })
    .await;
    server.handler(before(json!(["clients.create", "clients.update"]), &recorder)).await;
    let client = server.ok("clients.create", json!({"name": "Acme"})).await;
    assert_eq!(client["credit"], json!(42));
    let changed = server.ok("clients.update", json!({"id": id(&client), "name": "B", "credit": 7})).await;
    assert_has(&changed, &json!({"id": id(&client), "name": "B", "credit": 42}));
}

#[tokio::test]
async fn a_handler_may_add_to_an_update_what_the_caller_did_not_send() {
    let server = Server::start().await;
    let (recorder, told) = (Recorder::answering(|_| data(json!({"tags": ["renamed"]}))).await, Recorder::start().await);
    server.handler(before("clients.update", &recorder)).await;
    server.handler(after("clients.update", &told)).await;
    let client = server.client("Acme").await;
    let changed = server.ok("clients.update", json!({"id": client, "name": "B"})).await;
    assert_has(&changed, &json!({"name": "B", "tags": ["renamed"]}));
    let call = told.wait_exactly(1).await.remove(0);
    assert_eq!(call.body["data"], json!({"id": client, "name": "B", "tags": ["renamed"]}));
    assert_eq!(call.body["previous"]["name"], "Acme");
    assert!(call.body["previous"].get("tags").is_some());
}

#[tokio::test]
async fn each_handler_sees_the_data_as_the_one_before_left_it() {
    let server = Server::start().await;
    let append = |letter: &'static str| {
        Recorder::answering(move |call| {
            let notes = call.body["data"]["notes"].as_str().unwrap_or_default();
            assert_eq!(call.body["object"]["notes"], call.body["data"]["notes"]);
            data(json!({"notes": format!("{notes}{letter}")}))
        })
    };
    let handlers = [append("c").await, append("a").await, append("b").await];
    for (recorder, order) in handlers.iter().zip([30, 10, 20]) {
        server.handler(with(before("clients.create", recorder), json!({"order": order}))).await;
    }
    assert_eq!(server.ok("clients.create", json!({"name": "Acme"})).await["notes"], "abc");
}

#[tokio::test]
async fn only_writable_keys_may_change_and_an_equal_value_is_no_change() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(with(before("clients.create", &recorder), json!({"writable": ["notes"]}))).await;
    recorder.answer(|call| data(with(call.body["data"].clone(), json!({"notes": "fine"}))));
    let client = server.ok("clients.create", json!({"name": "Acme", "credit": 100})).await;
    assert_has(&client, &json!({"notes": "fine", "credit": 100}));
    recorder.answer(|_| Reply::text(200, r#"{"data":{"credit":1.00e2,"name":"Beta","notes":"too"}}"#));
    assert_eq!(server.ok("clients.create", json!({"name": "Beta", "credit": 100})).await["notes"], "too");
    recorder.answer(|_| data(json!({"credit": 99})));
    let refusal = server.refused("clients.create", json!({"name": "Gamma", "credit": 100})).await;
    assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "bad_reply"}));
}

#[tokio::test]
async fn a_masked_password_that_comes_back_counts_as_unchanged() {
    let server = Server::start().await;
    let recorder = Recorder::answering(Reply::echo).await;
    server.handler(with(before("clients.accounts.*", &recorder), json!({"passwords": false}))).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    assert_eq!(server.ok("clients.accounts.get", json!({"id": account})).await["password"], "s3cret-s3cret");
    server.ok("clients.accounts.update", json!({"id": account, "password": "an0ther-one", "name": "b"})).await;
    assert_eq!(server.ok("clients.accounts.get", json!({"id": account})).await["password"], "an0ther-one");
    for call in recorder.wait_exactly(2).await {
        assert_eq!(call.body["data"]["password"], "********");
        assert!(!String::from_utf8_lossy(&call.raw).contains("s3cret"), "{}", call.body);
    }
}

#[tokio::test]
async fn a_handler_that_takes_a_name_which_is_in_use_has_failed() {
    let server = Server::start().await;
    server.client("Taken").await;
    let recorder = Recorder::answering(|_| data(json!({"name": "Taken"}))).await;
    server.handler(before("clients.create", &recorder)).await;
    let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
    assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "bad_reply"}));
}

#[tokio::test]
async fn delete_and_archive_have_no_data_to_change() {
    let server = Server::start().await;
    let recorder = Recorder::answering(Reply::echo).await;
    server.handler(before(json!(["clients.archive", "clients.delete"]), &recorder)).await;
    let client = server.client("Acme").await;
    assert_eq!(server.ok("clients.archive", json!({"id": client})).await, json!(1));
    assert_eq!(server.ok("clients.delete", json!({"id": client})).await, json!(1));
    let calls = recorder.wait_exactly(2).await;
    assert!(calls.iter().all(|call| call.body["data"] == json!({})), "{calls:#?}");
    assert_has(&calls[0].body["object"], &json!({"id": client, "name": "Acme", "status": "active"}));
    assert_has(&calls[1].body["object"], &json!({"id": client, "name": "Acme", "status": "archived"}));
}

#[tokio::test]
async fn money_passes_through_a_handler_exactly() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::text(200, r#"{"data":{"credit":999999999.999999}}"#)).await;
    server.handler(before("clients.create", &recorder)).await;
    assert_eq!(server.ok("clients.create", json!({"name": "Acme"})).await["credit"].to_string(), "999999999.999999");
    recorder.answer(|_| Reply::text(200, r#"{"data":{"credit":0.0000001}}"#));
    assert_eq!(server.refused("clients.create", json!({"name": "Beta"})).await.word(), "handler_failed");
}

#[tokio::test]
async fn a_handler_that_changes_the_data_back_to_what_is_stored_has_undone_the_change() {
    let server = Server::start().await;
    let (recorder, told) = (Recorder::answering(|_| data(json!({"credit": 100}))).await, Recorder::start().await);
    server.handler(before("clients.update", &recorder)).await;
    server.handler(after("clients.update", &told)).await;
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": 100})).await);
    let unchanged = server.ok("clients.update", json!({"id": client, "credit": 200})).await;
    assert_eq!(unchanged["credit"], json!(100));
    assert_eq!(recorder.wait_exactly(1).await[0].attempt(), 1, "nobody changed anything meanwhile");
    let changed = server.ok("clients.update", json!({"id": client, "credit": 200, "notes": "n"})).await;
    assert_has(&changed, &json!({"credit": 100, "notes": "n"}));
    assert_eq!(told.wait_exactly(1).await[0].body["data"], json!({"id": client, "notes": "n"}));
}

#[tokio::test]
async fn a_handler_cannot_move_an_object_to_another_client_or_reseller() {
    let server = Server::start().await;
    let (mine, other) = (server.client("Mine").await, server.client("Other").await);
    let company = server.company("Victim", 1).await;
    let recorder = Recorder::answering(move |call| match call.events_id() {
        "clients.create" => data(json!({"companies_id": company})),
        _ => data(json!({"clients_id": other})),
    })
    .await;
    server.handler(before(json!(["clients.create", "clients.accounts.create"]), &recorder)).await;
    let account = json!({"clients_id": mine, "name": "a", "auth_type": "name", "accname": "a"});
    for (method, params) in [("clients.accounts.create", account), ("clients.create", json!({"name": "New"}))] {
        let refusal = server.refused(method, params).await;
        assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "bad_reply"}));
    }
    assert_eq!(server.ok("clients.accounts.search", json!({})).await, json!([]));
}

#[tokio::test]
async fn the_next_handler_of_an_undone_change_still_sees_which_object_it_is_about() {
    let server = Server::start().await;
    let (first, second) = (Recorder::answering(|_| data(json!({"credit": 6}))).await, Recorder::start().await);
    server.handler(with(before("clients.update", &first), json!({"order": 1}))).await;
    server.handler(with(before("clients.update", &second), json!({"order": 2}))).await;
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": 6})).await);
    server.ok("clients.update", json!({"id": client, "credit": 9})).await;
    let call = second.wait_exactly(1).await.remove(0);
    assert_eq!((&call.body["data"], &call.body["previous"]), (&json!({"id": client}), &json!({})));
}

#[tokio::test]
async fn the_whole_object_sent_back_as_data_is_no_change() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| data(call.body["object"].clone())).await;
    server.handler(before(json!(["clients.create", "clients.update"]), &recorder)).await;
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": 4})).await);
    let changed = server.ok("clients.update", json!({"id": client, "credit": 5})).await;
    assert_has(&changed, &json!({"name": "Acme", "credit": 5}));
    recorder.answer(|_| data(json!({"balance": 0, "available": 6})));
    assert_has(&server.ok("clients.update", json!({"id": client, "credit": 6})).await, &json!({"credit": 6}));
    recorder.answer(|_| data(json!({"balance": 1})));
    assert_eq!(server.refused("clients.update", json!({"id": client, "credit": 7})).await.word(), "handler_failed");
}
