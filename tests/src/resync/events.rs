//! What a resync event looks like, and by which events a handler is told.
use hookswitch_testkit::{Call, Recorder, Reply, Server, Value, after, api::id, assert_has, json, wait_for, with};

use super::{begin, wait_state};

/// A server with a client that has a bit of everything, and its ids.
async fn furnished() -> (Server, i64, i64) {
    let server = Server::start().await;
    for key in ["sla", "contract"] {
        server.ok("custom_fields.create", json!({"object_type": "clients", "key": key, "title": key})).await;
    }
    let client = server.client("Acme").await;
    server.ok("clients.custom_fields.update", json!({"id": client, "sla": "gold"})).await;
    let account = server.account(client, "acme-100").await;
    server.pay(client, "-5").await;
    (server, client, account)
}

/// A package that costs nothing, and what a client has of it in each condition.
async fn packages(server: &Server, client: i64) -> [i64; 4] {
    let package = id(&server.ok("packages.create", json!({"name": "Calls", "period": "P1M"})).await);
    let dear = id(&server.ok("packages.create", json!({"name": "Dear", "period": "P1M", "period_fee": 1000})).await);
    let mut all = [0; 4];
    for (number, package) in [dear, package, package, package].into_iter().enumerate() {
        let assigned = server.ok("clients.packages.assign", json!({"clients_id": client, "packages_id": package})).await;
        all[number] = id(&assigned);
    }
    for own in &all[1..] {
        wait_for("it is activated", async || {
            let now = server.ok("clients.packages.get", json!({"id": own})).await;
            (now["condition"] == "activated").then_some(())
        })
        .await;
    }
    server.ok("clients.packages.deactivate", json!({"id": all[2]})).await;
    server.ok("clients.packages.close", json!({"id": all[3]})).await;
    all
}

/// What a handler of these events gets, once the resync is over.
async fn told(server: &Server, events: Value, more: Value) -> Vec<Call> {
    let recorder = Recorder::start().await;
    // One after another, so that the order of clients is seen too.
    let handler = server.handler(with(with(after(events, &recorder), json!({"concurrency": 1})), more)).await;
    let (id, total) = begin(server, handler, json!({})).await;
    let over = wait_state(server, id, "done").await;
    assert_has(&over, &json!({"total": total, "sent": total, "delivered": total, "waiting": 0, "dead": 0}));
    recorder.wait_exactly(usize::try_from(total).unwrap()).await
}

fn names(calls: &[Call]) -> Vec<(&str, i64)> {
    calls.iter().map(|call| (call.events_id(), call.event("object_id").as_i64().unwrap())).collect()
}

#[tokio::test]
async fn an_object_comes_whole_by_its_create_with_the_next_seq_and_says_that_it_is_a_resync() {
    let (server, client, account) = furnished().await;
    let last = server.journal(client).await.last().unwrap().1;
    let calls = told(&server, json!(["clients.create", "clients.update", "clients.accounts.*"]), json!({})).await;
    assert_eq!(names(&calls), [("clients.create", client), ("clients.accounts.create", account)]);
    for (call, seq) in calls.iter().zip(last + 1..) {
        assert_eq!(call.seq(), seq);
        assert_eq!(call.body["data"], call.body["object"]);
        assert_has(
            &call.body["event"],
            &json!({"cause": "resync", "resync": {"id": 1, "total": 2}, "stage": "after", "mode": "live"}),
        );
        assert_eq!(call.event("actor")["login"], "admin");
    }
    assert_eq!(calls[0].body["data"], server.ok("clients.get", json!({"id": client})).await);
    assert_eq!(calls[1].body["data"], server.ok("clients.accounts.get", json!({"id": account})).await, "with its password");
    assert_ne!(calls[0].event("id"), calls[1].event("id"));
    let journal = server.ok("provisioning.events.search", json!({"id": calls[0].event("id")})).await;
    assert_eq!((&journal[0]["cause"], &journal[0]["seq"]), (&json!("resync"), &json!(last + 1)));
    let shown = server.ok("provisioning.events.get", json!({"id": calls[1].event("id")})).await;
    assert_eq!((&shown["cause"], &shown["data"]["password"]), (&json!("resync"), &json!("********")));
}

#[tokio::test]
async fn who_takes_no_create_gets_the_update_with_the_whole_object_and_nothing_before_it() {
    let (server, client, account) = furnished().await;
    let calls = told(&server, json!(["clients.update", "clients.accounts.update"]), json!({"passwords": false})).await;
    assert_eq!(names(&calls), [("clients.update", client), ("clients.accounts.update", account)]);
    assert_eq!(calls[0].body["data"], server.ok("clients.get", json!({"id": client})).await);
    assert!(calls.iter().all(|call| call.body.get("previous").is_none()));
    assert_eq!(calls[1].body["data"]["password"], "********");
}

#[tokio::test]
async fn custom_fields_come_with_every_key_that_is_defined() {
    let (server, client, _) = furnished().await;
    let calls = told(&server, json!("clients.custom_fields.update"), json!({})).await;
    assert_eq!(names(&calls), [("clients.custom_fields.update", client)]);
    assert_eq!(calls[0].body["data"], json!({"id": client, "sla": "gold", "contract": null}));
}

#[tokio::test]
async fn a_handler_of_balance_events_gets_the_state_that_holds() {
    let (server, out, _) = furnished().await;
    let in_funds = server.client("Rich").await;
    let both = json!(["clients.balance_zero", "clients.balance_notzero"]);
    let calls = told(&server, both, json!({})).await;
    assert_eq!(names(&calls), [("clients.balance_zero", out), ("clients.balance_notzero", in_funds)]);
    let data = json!({"id": out, "basis": "live", "balance": -5, "credit": 0, "available": -5, "previous_balance": -5,
        "previous_available": -5});
    assert_eq!(calls[0].body["data"], data);
    let calls = told(&server, json!("clients.balance_zero"), json!({"balance_basis": "available"})).await;
    assert_eq!(names(&calls), [("clients.balance_zero", out)], "of one event, those for whom it holds");
    assert_eq!(calls[0].body["data"]["basis"], "available");
}

#[tokio::test]
async fn a_client_package_comes_as_fits_its_condition_and_a_closed_one_not_at_all() {
    let (server, client, _) = furnished().await;
    let [new, activated, deactivated, _] = packages(&server, client).await;
    let calls = told(&server, json!("clients.packages.*"), json!({})).await;
    let expected = [
        ("clients.packages.assign", new),
        ("clients.packages.activate", activated),
        ("clients.packages.deactivate", deactivated),
    ];
    assert_eq!(names(&calls), expected);
    for call in &calls {
        let own = server.ok("clients.packages.get", json!({"id": call.event("object_id")})).await;
        assert_eq!(call.body["data"], own);
    }
    let calls = told(&server, json!("clients.packages.assign"), json!({})).await;
    assert_eq!(names(&calls), [new, activated, deactivated].map(|id| ("clients.packages.assign", id)));
    let calls = told(&server, json!("clients.packages.activate"), json!({})).await;
    assert_eq!(names(&calls), [("clients.packages.activate", activated)]);
}

#[tokio::test]
async fn an_archived_client_is_told_as_what_it_is_and_that_it_is_archived() {
    let server = Server::start().await;
    let client = server.client("Gone").await;
    server.ok("clients.archive", json!({"id": client})).await;
    let calls = told(&server, json!("clients.create"), json!({})).await;
    assert_eq!((names(&calls), &calls[0].body["data"]["status"]), (vec![("clients.create", client)], &json!("archived")));
    let calls = told(&server, json!(["clients.create", "clients.archive"]), json!({})).await;
    assert_eq!(names(&calls), [("clients.create", client), ("clients.archive", client)]);
    assert_eq!(calls[1].body["data"], json!({}));
}

#[tokio::test]
async fn only_that_handler_gets_it_and_another_ones_dead_delivery_is_not_overtaken_by_it() {
    let server = Server::start().await;
    let other = Recorder::answering(|_| Reply::status(410)).await;
    let others = server.handler(after("clients.create", &other)).await;
    let client = server.client("Acme").await;
    server.wait_log(json!({"handlers_id": others}), 1).await;
    assert_eq!(told(&server, json!("clients.create"), json!({})).await.len(), 1);
    assert_eq!(other.calls().len(), 1);
    other.answer(|_| Reply::ok());
    let again = server.ok("provisioning.deliveries.resend", json!({"clients_id": client})).await;
    assert_eq!(again, json!({"resent": 1, "overtaken": 0}));
}

#[tokio::test]
async fn a_handlers_answer_to_a_resync_event_is_a_reaction_like_any_other() {
    let (server, client, _) = furnished().await;
    let (recorder, third) = (Recorder::start().await, Recorder::start().await);
    let events = json!(["clients.create", "clients.update"]);
    let handler = server.handler(after(events, &recorder)).await;
    server.handler(after("clients.update", &third)).await;
    begin(&server, handler, json!({})).await;
    let call = recorder.wait_exactly(1).await.remove(0);
    let cause = call.header("hookswitch-cause").expect("a cause").to_owned();
    let notes = json!({"id": client, "notes": "provisioned"});
    server.call_with(&[("hookswitch-cause", &cause)], "clients.update", notes).await.unwrap();
    let heard = third.wait_exactly(1).await;
    assert_eq!(heard[0].event("cause"), call.event("id"));
    server.wait_all_delivered().await;
    recorder.wait_exactly(1).await;
}

#[tokio::test]
async fn a_handler_of_the_first_generation_hears_its_own_names() {
    let (server, client, account) = furnished().await;
    packages(&server, client).await;
    let own = json!({"condition": "event.events_id == 'accounts.create'"});
    let calls = told(&server, json!(["accounts.*", "clients.subscriptions.*"]), own).await;
    assert_eq!(names(&calls), [("accounts.create", account)]);
}
