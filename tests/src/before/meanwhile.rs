//! Nothing is held while a handler is asked: it may work with the very client that the action is about.
use hookswitch_testkit::{Api, Call, Recorder, Reply, Server, after, api::id, assert_has, before, json, with};

/// What a well-behaved handler sends along: the cause that it was given.
fn cause(call: &Call) -> String {
    call.header("hookswitch-cause").unwrap().to_owned()
}

#[tokio::test]
async fn a_handler_may_read_pay_and_change_the_same_client_while_it_is_asked() {
    let server = Server::start().await;
    let (recorder, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before("clients.update", &recorder)).await;
    server.handler(after(json!(["clients.update", "clients.accounts.create"]), &told)).await;
    let client = server.client("Acme").await;
    let api: Api = (*server).clone();
    recorder.answer_later(move |call| {
        let api = api.clone();
        async move {
            let cause = cause(&call);
            let cause = [("hookswitch-cause", cause.as_str())];
            let id = call.clients_id();
            assert_eq!(api.ok("clients.get", json!({"id": id})).await["name"], "Acme", "not yet changed");
            let payment = json!({"clients_id": id, "type": "payment", "amount": 5});
            api.call_with(&cause, "accounting.transactions.create", payment).await.unwrap();
            api.call_with(&cause, "clients.update", json!({"id": id, "notes": "by the handler"})).await.unwrap();
            let account = json!({"clients_id": id, "name": "a", "auth_type": "name", "accname": "made-by-handler"});
            api.call_with(&cause, "clients.accounts.create", account).await.unwrap();
            Reply::ok()
        }
    });
    let changed = server.ok("clients.update", json!({"id": client, "name": "Acme Telecom"})).await;
    assert_has(&changed, &json!({"name": "Acme Telecom", "notes": "by the handler", "balance": 5}));
    let asked = recorder.wait_exactly(1).await.remove(0);
    let calls = told.wait_exactly(3).await;
    let first = asked.event("id");
    assert_has(
        &calls[0].body,
        &json!({"event": {"events_id": "clients.update", "cause": first, "seq": 2}, "data": {"notes": "by the handler"}}),
    );
    assert_has(&calls[1].body, &json!({"event": {"events_id": "clients.accounts.create", "cause": first, "seq": 3}}));
    assert_has(&calls[2].body, &json!({"event": {"id": first, "cause": null, "seq": 4}, "data": {"name": "Acme Telecom"}}));
}

#[tokio::test]
async fn what_changes_meanwhile_in_other_keys_or_in_the_balance_does_not_matter() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(before("clients.update", &recorder)).await;
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": 10})).await);
    let api: Api = (*server).clone();
    recorder.answer_later(move |call| {
        let api = api.clone();
        async move {
            if call.body["data"].get("name").is_some() {
                api.pay(client, "-3").await;
                api.ok("clients.update", json!({"id": client, "credit": 20})).await;
            }
            Reply::ok()
        }
    });
    let changed = server.ok("clients.update", json!({"id": client, "name": "B"})).await;
    assert_has(&changed, &json!({"name": "B", "credit": 20, "balance": -3, "available": 17}));
    assert!(recorder.wait_exactly(2).await.iter().all(|call| call.attempt() == 1));
}

#[tokio::test]
async fn a_hanging_before_handler_blocks_no_read_and_no_unrelated_action() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let recorder = Recorder::answering(|_| Reply::hang()).await;
    server.handler(with(before("clients.create", &recorder), json!({"timeout_ms": 9_000}))).await;
    let hanging: Vec<_> = (0..40)
        .map(|number| {
            let api: Api = (*server).clone();
            tokio::spawn(async move { api.call("clients.create", json!({"name": format!("hanging {number}")})).await })
        })
        .collect();
    recorder.wait(40).await;
    let began = std::time::Instant::now();
    for number in 0..20 {
        server.ok("clients.get", json!({"id": client})).await;
        server.ok("clients.search", json!({})).await;
        server.ok("clients.update", json!({"id": client, "notes": format!("{number}")})).await;
        server.pay(client, "1").await;
        server.account(client, &format!("a{number}")).await;
        server.ok("provisioning.executions.search", json!({})).await;
    }
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_secs(8), "120 requests took {took:?} beside 40 hanging ones");
    assert!(hanging.iter().all(|action| !action.is_finished()), "the actions were still undecided meanwhile");
}

#[tokio::test]
async fn a_key_that_only_a_handler_changes_is_watched_too() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(before("clients.update", &recorder)).await;
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": 4})).await);
    let api: Api = (*server).clone();
    recorder.answer_later(move |call| {
        let api = api.clone();
        async move {
            if call.attempt() == 1 {
                let cause = cause(&call);
                let mine = json!({"id": client, "notes": "mine"});
                api.call_with(&[("hookswitch-cause", cause.as_str())], "clients.update", mine).await.unwrap();
            }
            let notes = call.body["object"]["notes"].as_str().unwrap_or_default();
            Reply::json(&json!({"data": {"notes": format!("{notes}, seen by the handler")}}))
        }
    });
    let changed = server.ok("clients.update", json!({"id": client, "credit": 5})).await;
    assert_has(&changed, &json!({"credit": 5, "notes": "mine, seen by the handler"}));
    let attempts: Vec<_> = recorder.wait_exactly(2).await.iter().map(Call::attempt).collect();
    assert_eq!(attempts, [1, 2]);
}
