//! A client that was written for the first Core API generation: its names and habits go on working.
use hookswitch_testkit::{
    ADMIN_KEY, Answer, Recorder, Reply, Server, Value, after, api::id, assert_has, before, json, signature, with,
};

/// A call as such a client makes it: a key in `AUTH`, a text as the call's id.
async fn old(server: &Server, method: &str, mut params: Value) -> Answer {
    params["AUTH"] = json!(ADMIN_KEY);
    let body = json!({"jsonrpc": "2.0", "id": "call-1", "method": method, "params": params});
    server.post("/", &[("x-api-key", "")], body.to_string()).await
}

async fn old_ok(server: &Server, method: &str, params: Value) -> Value {
    let answer = old(server, method, params).await;
    let body = answer.json();
    let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((answer.status, members), (200, vec!["jsonrpc", "id", "result"]), "no error member: {body}");
    assert_eq!(body["id"], "call-1");
    body["result"].clone()
}

#[tokio::test]
async fn such_a_client_finds_changes_and_charges_as_ever() {
    let server = Server::start().await;
    let client = old_ok(&server, "clients.create", json!({"name": "Acme"})).await;
    let (number, text) = (id(&client), client["id"].to_string());
    let fields = json!({"clients_id": text, "name": "7", "auth_type": "name", "accname": "100", "tech_prefix": "00"});
    let account = old_ok(&server, "accounts.create", fields).await;
    assert_has(&account, &json!({"clients_id": number, "name": "7", "accname": "100", "tech_prefix": "00"}));

    let found = old_ok(&server, "accounts.search", json!({"id": account["id"].to_string()})).await;
    assert_eq!(found[0], account, "the first element is taken");
    let found = old_ok(&server, "accounts.search", json!({"id": account["id"]})).await;
    assert_eq!(found[0], account);
    let found = old_ok(&server, "accounts.search", json!({"clients_id": [text, "99"], "limit": "5", "accname": "100"})).await;
    assert_eq!(found, json!([account]));
    assert_eq!(old_ok(&server, "accounts.get", json!({"id": account["id"].to_string()})).await, account);
    let changed =
        old_ok(&server, "accounts.update", json!({"id": account["id"].to_string(), "orig_rate_tables_ids": ["1", "2"]})).await;
    assert_eq!(changed["orig_rate_tables_ids"], json!([1, 2]));

    old_ok(&server, "transactions.create", json!({"clients_id": text, "type": "payment", "amount": 5, "external_id": "17"}))
        .await;
    let charge = json!({"clients_id": text, "type": "charge", "amount": -6});
    assert_eq!(old(&server, "transactions.create_no_negative", charge).await.json()["error"]["data"]["code"], "low_balance");
    let transactions = old_ok(&server, "transactions.search", json!({"clients_id": text})).await;
    assert_has(&transactions[0], &json!({"clients_id": number, "amount": 5, "external_id": "17"}));
    assert_eq!(old_ok(&server, "accounts.delete", json!({"id": account["id"].to_string()})).await, json!(1));
}

#[tokio::test]
async fn an_error_is_answered_without_a_result_and_names_the_present_collection() {
    let server = Server::start().await;
    let answer = old(&server, "accounts.get", json!({"id": "7"})).await;
    let body = answer.json();
    assert_eq!((answer.status, body.get("result")), (200, None));
    assert_has(&body["error"], &json!({"code": -32004, "data": {"object_name": "clients.accounts", "object_id": 7}}));
    let wrong = old(&server, "accounts.get", json!({"id": "seven"})).await.json();
    assert_has(&wrong["error"], &json!({"code": -32602, "message": "Invalid request"}));
    let money = old(&server, "transactions.create", json!({"clients_id": "1", "type": "payment", "amount": "5"})).await.json();
    assert_eq!(money["error"]["data"]["amount"], "must be a number", "texts are ids, never amounts");
    assert_eq!(old(&server, "accounts.renew", json!({})).await.json()["error"]["code"], json!(-32601));
}

#[tokio::test]
async fn present_names_stay_strict() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    let refused = server.refused("clients.accounts.get", json!({"id": account.to_string()})).await;
    assert_eq!(refused.fields(), ["id"]);
    server
        .rest_is(400, "POST /api/clients/accounts", json!({"clients_id": "1", "name": "a", "auth_type": "name", "accname": "a"}))
        .await;
}

#[tokio::test]
async fn old_names_are_addresses_too() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let fields = json!({"clients_id": client.to_string(), "name": "desk", "auth_type": "name", "accname": "desk"});
    let made = server.rest("POST /api/accounts", fields).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/clients/accounts/1"), "{made:?}");
    assert_eq!(server.rest_is(200, "GET /api/accounts?id=1", json!(null)).await, json!([made.json()]));
    assert_eq!(server.rest_is(200, "PATCH /api/accounts/1", json!({"port": "5060"})).await["port"], json!(5060));
    assert_eq!(server.rest_is(200, "DELETE /api/accounts/1", json!(null)).await, json!(1));
    let payment = json!({"clients_id": "1", "type": "payment", "amount": 5});
    assert_eq!(server.rest_is(201, "POST /api/transactions", payment).await["clients_id"], json!(1));
    server.rest_is(422, "POST /api/transactions/prepaid", json!({"clients_id": "1", "type": "charge", "amount": -6})).await;
    assert_eq!(server.rest_is(200, "GET /api/transactions?clients_id=1", json!(null)).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_handler_saved_with_old_names_hears_those() {
    let server = Server::start().await;
    let asked = Recorder::answering(|_| Reply::json(&json!({"data": {"notes": "checked"}}))).await;
    let told = Recorder::start().await;
    let present = Recorder::start().await;
    server.handler(before("accounts.create", &asked)).await;
    let condition = json!({"condition": "event.events_id.startsWith('accounts.')"});
    let after_old = server.handler(with(after(json!(["accounts.*"]), &told), condition)).await;
    server.handler(with(after("clients.accounts.*", &present), json!({"passwords": false}))).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    server.ok("clients.accounts.delete", json!({"id": account})).await;
    server.wait_all_delivered().await;

    let call = asked.calls().remove(0);
    assert_eq!((call.events_id(), call.header("hookswitch-event")), ("accounts.create", Some("accounts.create")));
    let names = |recorder: &Recorder| -> Vec<(String, String)> {
        let pair =
            |call: &hookswitch_testkit::Call| (call.events_id().to_owned(), call.header("hookswitch-event").unwrap().to_owned());
        recorder.calls().iter().map(pair).collect()
    };
    let twice = |name: &str| (name.to_owned(), name.to_owned());
    assert_eq!(names(&told), [twice("accounts.create"), twice("accounts.delete")]);
    assert_eq!(names(&present), [twice("clients.accounts.create"), twice("clients.accounts.delete")]);
    let (old, new) = (told.calls().remove(0), present.calls().remove(0));
    assert_eq!((&old.body["data"]["password"], &old.body["data"]["notes"]), (&json!("s3cret-s3cret"), &json!("checked")));
    assert_eq!(old.event("id"), new.event("id"));

    let tried = server.ok("provisioning.handlers.test", json!({"id": after_old})).await;
    assert_eq!((&tried["events_id"], &tried["condition"]), (&json!("accounts.create"), &json!(true)));
    let journal: Vec<String> = server.journal(client).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(journal, ["clients.create", "clients.accounts.create", "clients.accounts.delete"]);
    let log = server.wait_log(json!({"handlers_id": after_old}), 2).await;
    assert_eq!(log[0]["events_id"], "clients.accounts.create");
    let sent = server.ok("provisioning.executions.get", json!({"id": log[0]["id"]})).await["request"].to_string();
    assert!(
        sent.contains("accounts.create") && !sent.contains("clients.accounts.create"),
        "what was sent is what is shown: {sent}"
    );
}

#[tokio::test]
async fn a_signed_payload_under_an_old_name_is_signed_as_it_was_sent() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    let fields = after("accounts.create", &told);
    let handler = server.ok("provisioning.handlers.create", fields).await;
    let client = server.client("Acme").await;
    server.account(client, "acme").await;
    let call = told.wait(1).await.remove(0);
    assert_eq!(signature::valid_signatures(&call, handler["secret"].as_str().unwrap()), 1);
}

#[tokio::test]
async fn a_script_hears_the_old_name_too() {
    let server = Server::start().await;
    server.scripts().shell("name.sh", "printf '{\"data\": {\"notes\": \"%s\"}}' \"$HOOKSWITCH_EVENT\"");
    server.handler(json!({"name": "s", "event": "accounts.create", "type": "before", "task": "script://name.sh"})).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    assert_eq!(server.ok("clients.accounts.get", json!({"id": account})).await["notes"], "accounts.create");
}

#[tokio::test]
async fn a_subscription_is_assigned_with_a_plain_date_and_its_handler_hears_its_own_words() {
    let server = Server::start().await;
    let (subscriptions, packages) = (Recorder::start().await, Recorder::start().await);
    server.handler(after("clients.subscriptions.*", &subscriptions)).await;
    server.handler(before("clients_packages.assign", &packages)).await;
    let client = server.client("Acme").await;
    let package = id(&server.ok("packages.create", json!({"name": "Flat", "period": "P1M"})).await);
    let given = json!({"clients_id": client.to_string(), "packages_id": package.to_string(), "stop_dt": "2036-11-23"});
    let assigned = old_ok(&server, "clients_packages.assign", given).await;
    assert_has(&assigned, &json!({"clients_id": client, "packages_id": package}));
    assert!(assigned["stop_dt"].as_str().unwrap().starts_with("2036-11-23T00:00:00"), "{assigned}");
    let found = old_ok(&server, "clients.subscriptions.search", json!({"clients_id": client.to_string()})).await;
    assert_eq!(found[0]["id"], assigned["id"]);
    let made = server.rest("POST /api/clients_packages/assign", json!({"clients_id": "1", "packages_id": "1"})).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/clients/packages/2"), "{made:?}");
    server.rest_is(200, "POST /api/clients/subscriptions/2/close", json!(null)).await;
    server.wait_all_delivered().await;
    assert_eq!(packages.calls()[0].events_id(), "clients_packages.assign");
    let names: Vec<String> = subscriptions.calls().iter().map(|call| call.events_id().to_owned()).collect();
    assert!(names.iter().all(|name| name.starts_with("clients.subscriptions.")), "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "clients.subscriptions.assign").count(), 2, "{names:?}");
}
