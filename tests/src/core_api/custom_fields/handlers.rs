//! `clients.custom_fields.update` as handlers see it.
use hookswitch_testkit::{Recorder, Reply, Server, after, assert_has, before, json, with};

use super::define;

const EVENT: &str = "clients.custom_fields.update";

#[tokio::test]
async fn handlers_are_asked_and_told_of_what_changes() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before(EVENT, &asked)).await;
    server.handler(after("clients.*", &told)).await;
    let client = server.client("Acme").await;
    define(&server, "crm_id", json!({})).await;
    define(&server, "vip", json!({})).await;
    server.ok(EVENT, json!({"id": client, "crm_id": "A-17"})).await;
    server.ok(EVENT, json!({"id": client, "crm_id": "A-18", "vip": null})).await;
    let calls = asked.wait_exactly(2).await;
    assert_eq!(calls[1].body["data"], json!({"id": client, "crm_id": "A-18"}), "only what changes");
    assert_eq!(calls[1].body["previous"], json!({"crm_id": "A-17"}));
    assert_eq!(calls[0].body["previous"], json!({"crm_id": null}));
    let told = told.wait_exactly(3).await;
    assert_eq!(told[2].events_id(), EVENT);
    assert_has(&told[2].body["event"], &json!({"object_id": client, "clients_id": client, "seq": 3}));
    assert_has(&told[2].body["object"], &json!({"id": client, "name": "Acme", "custom_fields": {"crm_id": "A-18"}}));
}

#[tokio::test]
async fn a_before_handler_changes_values_and_its_mistakes_are_its_own() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| {
        Reply::json(&match call.body["data"]["crm_id"].as_str() {
            Some("forbid") => json!({"verdict": "forbid", "message": "no", "field": "crm_id"}),
            Some("id") => json!({"data": {"id": 1000}}),
            Some("unknown") => json!({"data": {"name": "Beta"}}),
            Some("list") => json!({"data": {"crm_id": [1]}}),
            _ => json!({"data": {"crm_id": "checked", "vip": true}}),
        })
    })
    .await;
    server.handler(before(EVENT, &recorder)).await;
    let client = server.client("Acme").await;
    define(&server, "crm_id", json!({})).await;
    define(&server, "vip", json!({})).await;
    let set = async |value: &str| server.call(EVENT, json!({"id": client, "crm_id": value})).await;
    assert_eq!(set("forbid").await.unwrap_err().word(), "forbidden_by_handler");
    for mistake in ["id", "unknown", "list"] {
        let refusal = set(mistake).await.unwrap_err();
        assert_eq!((refusal.word(), &refusal.data["reason"]), ("handler_failed", &json!("bad_reply")), "{mistake}");
    }
    assert_eq!(server.journal(client).await.len(), 1);
    assert_eq!(set("x").await, Ok(json!(1)));
    let values = server.ok("clients.custom_fields.get", json!({"id": client})).await;
    assert_eq!(values, json!({"crm_id": "checked", "vip": true}));
    server.ok("custom_fields.search", json!({})).await;
}

#[tokio::test]
async fn what_moved_while_handlers_were_asked_is_asked_again_and_nothing_else_is() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    // `status` is a key of the client as well: the two are not confused.
    for key in ["status", "other"] {
        define(&server, key, json!({})).await;
    }
    let api = server.with_key(server.key());
    let meddler = Recorder::start().await;
    meddler.answer_later(move |call| {
        let api = api.clone();
        async move {
            let meddled = match (call.attempt(), call.body["data"]["status"].as_str()) {
                (1, Some("one")) => json!({"id": client, "other": "elsewhere"}),
                (1, Some("two")) => json!({"id": client, "status": "elsewhere"}),
                _ => return Reply::ok(),
            };
            let cause = call.header("hookswitch-cause").unwrap();
            api.call_with(&[("hookswitch-cause", cause)], EVENT, meddled).await.unwrap();
            Reply::ok()
        }
    });
    server.handler(before(EVENT, &meddler)).await;
    server.ok(EVENT, json!({"id": client, "status": "one"})).await;
    assert_eq!(meddler.calls().len(), 1, "another field is none of its business");
    server.ok(EVENT, json!({"id": client, "status": "two"})).await;
    let calls = meddler.wait_exactly(3).await;
    assert_eq!((calls[2].attempt(), &calls[2].body["previous"]), (2, &json!({"status": "elsewhere"})));
}

#[tokio::test]
async fn a_dry_run_shows_and_a_test_tries_it() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"data": {"contract_no": "B-1"}}))).await;
    let handler = server.handler(with(before(EVENT, &recorder), json!({"dry_run": true}))).await;
    let client = server.client("Acme").await;
    define(&server, "contract_no", json!({})).await;
    assert_eq!(server.ok(EVENT, json!({"id": client, "contract_no": "A", "dry_run": true})).await, json!(1));
    assert_eq!(recorder.wait_exactly(1).await[0].event("mode"), "dry_run");
    assert_eq!(server.ok("clients.custom_fields.get", json!({"id": client})).await, json!({"contract_no": null}));
    let tried = server.ok("provisioning.handlers.test", json!({"id": handler})).await;
    assert_has(&tried, &json!({"verdict": "allow", "events_id": EVENT}));
    assert!(tried["changes"]["contract_no"].is_object(), "{tried}");
}
