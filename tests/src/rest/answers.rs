//! What stands beside a result: statuses and headers.
use hookswitch_testkit::{Recorder, Reply, Server, Value, before, ids, json, with};

#[tokio::test]
async fn a_small_total_is_told_unasked_and_any_when_asked() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        server.client(name).await;
    }
    for query in ["?limit=2", "?limit=2&with_total=true", "?limit=2&with_total=false"] {
        let page = server.rest(&format!("GET /api/clients{query}"), json!(null)).await;
        assert_eq!((page.header("x-total-count"), ids(&page.json())), ("3", vec![1, 2]), "{query}");
    }
    let other = server.rest("GET /api/clients?name=x", json!(null)).await;
    assert_eq!((other.header("x-total-count"), other.json()), ("0", json!([])));
    assert_eq!(server.rest("GET /api/clients/1", json!(null)).await.header("x-total-count"), "");
    assert!(server.ok("clients.search", json!({})).await.is_array(), "JSON-RPC is asked");
}

#[tokio::test]
async fn warnings_are_a_header_of_json_in_ascii() {
    let server = Server::start().await;
    let said = json!(["Zoë says \"careful\"", "\u{1f4de}"]);
    let told = said.clone();
    let recorder = Recorder::answering(move |_| Reply::json(&json!({"verdict": "allow", "warnings": told}))).await;
    server.handler(before("clients.create", &recorder)).await;
    let made = server.rest("POST /api/clients", json!({"name": "Acme"})).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.header("hookswitch-warnings").parse::<Value>().unwrap(), said);
    assert_eq!(server.rest("GET /api/clients/1", json!(null)).await.header("hookswitch-warnings"), "");
}

#[tokio::test]
async fn many_long_warnings_do_not_make_the_header_too_long() {
    let server = Server::start().await;
    let long = json!(vec!["\u{1f4de}".repeat(500); 20]);
    let recorder = Recorder::answering(move |_| Reply::json(&json!({"verdict": "allow", "warnings": long}))).await;
    server.handler(before("clients.create", &recorder)).await;
    let made = server.rest("POST /api/clients", json!({"name": "Acme"})).await;
    let header = made.header("hookswitch-warnings");
    let warnings: Value = header.parse().unwrap();
    assert!(header.len() < 8_192 && warnings[1] == "and 19 more", "{header}");
}

#[tokio::test]
async fn a_dry_run_makes_nothing_and_is_no_201() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(with(before("clients.create", &recorder), json!({"dry_run": false}))).await;
    let rehearsed = server.rest("POST /api/clients", json!({"name": "Acme", "dry_run": true})).await;
    assert_eq!((rehearsed.status, rehearsed.header("location")), (200, ""), "{rehearsed:?}");
    assert_eq!(rehearsed.json()["name"], "Acme");
    assert!(rehearsed.header("hookswitch-warnings").contains("before"), "who was not asked is named: {rehearsed:?}");
    assert_eq!(server.rest_is(200, "GET /api/clients", json!(null)).await, json!([]));
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let server = Server::start().await;
    let key = [("idempotency-key", "k-1")];
    let first = server.rest_with(&key, "POST /api/clients", json!({"name": "Acme"})).await;
    let again = server.rest_with(&key, "POST /api/clients", json!({"name": "Acme"})).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    assert_eq!(server.ok("clients.create", json!({"name": "Acme", "idempotency_key": "k-1"})).await, first.json());
    let other = server.rest_with(&key, "POST /api/clients", json!({"name": "Beta"})).await;
    assert_eq!((other.status, &other.json()["error"]["data"]["code"]), (422, &json!("idempotency_key_reused")));
    let both = server.rest_with(&key, "POST /api/clients", json!({"name": "Acme", "idempotency_key": "k-2"})).await;
    assert_eq!(both.status, 400, "{both:?}");
}

#[tokio::test]
async fn a_reaction_names_its_cause_and_the_reacting_handler_is_not_called_for_it() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(json!({"name": "crm", "event": "clients.*", "task": recorder.url()})).await;
    server.client("Acme").await;
    let call = recorder.wait(1).await.remove(0);
    let cause = call.header("hookswitch-cause").unwrap();
    let changed = server.rest_with(&[("hookswitch-cause", cause)], "PATCH /api/clients/1", json!({"notes": "seen"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    server.rest_is(200, "PATCH /api/clients/1", json!({"notes": "by hand"})).await;
    server.wait_all_delivered().await;
    let events: Vec<i64> = recorder.calls().iter().map(hookswitch_testkit::Call::seq).collect();
    assert_eq!(events, [1, 3]);
    let rows = server.rest_is(200, "GET /api/provisioning/events?order=seq", json!(null)).await;
    assert_eq!(rows[1]["cause"], *call.event("id"));
}

#[tokio::test]
async fn a_request_keeps_its_id_and_nobody_keeps_its_answer() {
    let server = Server::start().await;
    for line in ["GET /api/clients", "GET /api/clients/1"] {
        let answer = server.rest_with(&[("x-request-id", "mine-1")], line, json!(null)).await;
        assert_eq!((answer.header("x-request-id"), answer.header("cache-control")), ("mine-1", "no-store"), "{line}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn calls_are_counted_whatever_the_protocol() {
    let server = Server::start().await;
    server.rest_is(201, "POST /api/clients", json!({"name": "a"})).await;
    server.client("b").await;
    let page = server.get("/metrics").await.text;
    let line = "hookswitch_actions_total{method=\"clients.create\",outcome=\"success\"} 2";
    assert!(page.lines().any(|found| found == line), "{page}");
}
