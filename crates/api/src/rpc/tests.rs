//! What HTTP shows of a call, over a real core. What calls do is tested from outside (`tests/`).
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::fixture::{ADMIN_KEY, Fixture, Reply};

const WRONG: (&str, &str) = ("x-api-key", "wrong-wrong-wrong-wrong-wrong-wrong");
const RIGHT: (&str, &str) = ("x-api-key", ADMIN_KEY);

fn create(name: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": name, "method": "clients.create", "params": {"name": name}})
}

async fn names(fixture: &Fixture) -> Vec<Value> {
    let search = json!({"jsonrpc": "2.0", "id": 1, "method": "clients.search", "params": {"order": ["id"]}});
    let found = fixture.post(&[RIGHT], &search).await.json();
    found["result"].as_array().unwrap().iter().map(|client| client["name"].clone()).collect()
}

fn error(reply: &Reply) -> (StatusCode, i64) {
    (reply.status, reply.json()["error"]["code"].as_i64().unwrap())
}

#[tokio::test]
async fn a_wrong_key_is_told_how_to_do_it_and_the_sixth_when_to_try_again() {
    let fixture = Fixture::open().await;
    for headers in [vec![], vec![WRONG], vec![WRONG], vec![WRONG], vec![WRONG], vec![WRONG]] {
        let reply = fixture.post(&headers, &create("a")).await;
        assert_eq!(error(&reply), (StatusCode::UNAUTHORIZED, -32001));
        assert_eq!(reply.json()["id"], "a");
        assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"hookswitch\"");
    }
    let reply = fixture.post(&[WRONG], &create("a")).await;
    assert_eq!(error(&reply), (StatusCode::TOO_MANY_REQUESTS, -32029));
    let seconds: u64 = reply.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds) && !reply.headers.contains_key(header::WWW_AUTHENTICATE), "{reply:?}");
    assert_eq!(fixture.post(&[RIGHT], &create("a")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_notification_is_answered_by_its_status_alone() {
    let fixture = Fixture::open().await;
    let quiet = json!({"jsonrpc": "2.0", "method": "clients.create", "params": {"name": "Quiet"}});
    for (key, status) in [(RIGHT, StatusCode::NO_CONTENT), (WRONG, StatusCode::UNAUTHORIZED)] {
        let reply = fixture.post(&[key], &quiet).await;
        assert_eq!((reply.status, reply.text.as_str()), (status, ""));
        assert!(!reply.headers.contains_key(header::CONTENT_TYPE));
    }
    assert_eq!(fixture.post(&[RIGHT], &json!([quiet])).await.status, StatusCode::NO_CONTENT);
    assert_eq!(names(&fixture).await, ["Quiet"], "the second was taken already");
}

#[tokio::test]
async fn a_batch_needs_a_key_for_all_or_for_some() {
    let fixture = Fixture::open().await;
    for headers in [vec![], vec![WRONG]] {
        let reply = fixture.post(&headers, &json!([create("a"), create("b")])).await;
        assert_eq!((error(&reply), reply.json()["id"].clone()), ((StatusCode::UNAUTHORIZED, -32001), Value::Null));
    }
    let mut own = create("own");
    own["params"]["AUTH"] = json!(ADMIN_KEY);
    let answers = fixture.post(&[], &json!([create("a"), own])).await;
    assert_eq!(answers.status, StatusCode::OK);
    assert_eq!(answers.json()[0]["error"]["code"], -32001);
    assert_eq!(answers.json()[1]["result"]["name"], "own");
    assert_eq!(names(&fixture).await, ["own"]);
}

#[tokio::test]
async fn a_batch_has_no_idempotency_key_of_its_own() {
    let fixture = Fixture::open().await;
    let reply = fixture.post(&[RIGHT, ("idempotency-key", "k")], &json!([create("a")])).await;
    assert_eq!(error(&reply), (StatusCode::BAD_REQUEST, -32600));
    assert_eq!(names(&fixture).await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_batch_is_carried_out_to_its_end_although_its_caller_hangs_up() {
    let fixture = Fixture::open().await;
    let batch = json!([create("a"), create("b"), create("c")]);
    tokio::select! {
        biased;
        reply = fixture.post(&[RIGHT], &batch) => panic!("too fast to hang up: {reply:?}"),
        () = tokio::task::yield_now() => {}
    }
    while names(&fixture).await.len() < 3 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn when_the_answers_to_a_batch_grow_too_long_what_is_left_is_not_carried_out() {
    let fixture = Fixture::open().await;
    for name in ["a", "b", "c", "d", "e"] {
        let mut call = create(name);
        call["params"]["notes"] = json!("x".repeat(65_536));
        fixture.post(&[RIGHT], &call).await;
    }
    let search = json!({"jsonrpc": "2.0", "id": 1, "method": "clients.search"});
    let mut batch = vec![search; 99];
    batch.push(create("f"));
    let answers = fixture.post(&[RIGHT], &batch.into()).await.json();
    assert_eq!(answers[0]["result"].as_array().unwrap().len(), 5);
    assert_eq!((&answers[99]["id"], &answers[99]["error"]["code"]), (&json!("f"), &json!(-32013)));
    assert_eq!(names(&fixture).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn an_idempotency_key_that_is_no_text_is_a_field_error_and_not_overlooked() {
    let fixture = Fixture::open().await;
    let reply = fixture.post(&[RIGHT, ("idempotency-key", "schlüssel")], &create("a")).await;
    assert_eq!(error(&reply), (StatusCode::OK, -32602));
    assert!(reply.json()["error"]["data"]["idempotency_key"].is_string(), "{reply:?}");
}

#[tokio::test]
async fn the_metrics_count_what_was_called_and_want_a_key_of_the_whole_system() {
    let fixture = Fixture::open().await;
    fixture.post(&[RIGHT], &create("a")).await;
    fixture.post(&[RIGHT], &create("a")).await;
    assert_eq!(fixture.get("/metrics", &[]).await.status, StatusCode::UNAUTHORIZED);
    let user = json!({"jsonrpc": "2.0", "id": 1, "method": "users.create",
        "params": {"login": "reseller", "role": "admin", "companies_id": 1, "password": "a long enough password"}});
    let key = fixture.post(&[RIGHT], &user).await.json()["result"]["key"].as_str().unwrap().to_owned();
    assert_eq!(fixture.get("/metrics", &[("x-api-key", &key)]).await.status, StatusCode::FORBIDDEN);
    let page = fixture.get("/metrics", &[RIGHT]).await;
    assert_eq!(page.status, StatusCode::OK);
    for line in [
        "hookswitch_actions_total{method=\"clients.create\",outcome=\"success\"} 1",
        "hookswitch_actions_total{method=\"clients.create\",outcome=\"invalid\"} 1",
        "hookswitch_deliveries{state=\"dead\"} 0",
    ] {
        assert!(page.text.lines().any(|found| found == line), "{line} in {}", page.text);
    }
    assert_eq!(page.text.matches("# EOF").count(), 1);
    assert!(page.text.ends_with("# EOF\n"));
}
