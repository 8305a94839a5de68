//! REST: fields are mapped, the product's own ways (create what is missing, take what is gone for deleted) are configured, and values stay in
//! their places.
use hookswitch_testkit::{Peer, Recorder, Reply, Server, Value, json, with};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{last_call, response};

fn crm(port: u16) -> Value {
    json!({"name": "crm", "event": ["clients.create", "clients.update", "clients.delete"], "retries": [1, 1, 1], "passwords": false,
    "task": format!("rest+http://127.0.0.1:{port}/api/v2"),
    "headers": {"X-Portal": "77"},
    "settings": {
        "token": "tok-12345-secret",
        "source": "hookswitch",
        "fields": {"name": "{{object.name}}", "external_id": "{{object.id}}", "credit": "{{object.credit}}", "source": "{{settings.source}}"},
        "requests": {
            "clients.create": [{"path": "/companies"}],
            "clients.update": [{"method": "PATCH", "path": "/companies/{{object.id}}?name={{object.name}}",
                "missing": {"path": "/companies"}}],
            "clients.delete": [{"method": "DELETE", "path": "/companies/{{object.id}}", "accept": [404]}]
        }}})
}

#[tokio::test]
async fn a_crm_is_kept_as_it_wants_to_be() {
    let (server, there) = (Server::start().await, Recorder::start().await);
    there.answer(|call| Reply::text(if call.method == "POST" { 201 } else { 404 }, r#"{"id": 5}"#));
    let handler = server.handler(crm(there.port())).await;
    let client = created(&server, "Café & Söhne/x?").await;
    let made = there.wait(1).await.remove(0);
    assert_eq!((made.method.as_str(), made.path.as_str()), ("POST", "/api/v2/companies"));
    let wanted = json!({"name": "Café & Söhne/x?", "external_id": client, "credit": 12.5, "source": "hookswitch"});
    assert_eq!(made.body, wanted);
    assert_eq!((made.header("authorization"), made.header("x-portal")), (Some("Bearer tok-12345-secret"), Some("77")));
    assert!(made.header("idempotency-key").is_some_and(|key| key.ends_with("-1")) && made.header("traceparent").is_some());
    // What is not there is created in the place of its change.
    server.ok("clients.update", json!({"id": client, "notes": "x"})).await;
    let calls = there.wait(3).await;
    assert_eq!((calls[1].method.as_str(), calls[2].method.as_str()), ("PATCH", "POST"));
    assert_ne!(calls[1].header("idempotency-key"), calls[2].header("idempotency-key"));
    assert_eq!(calls[1].path, format!("/api/v2/companies/{client}?name=Caf%C3%A9%20%26%20S%C3%B6hne%2Fx%3F"));
    server.ok("clients.delete", json!({"id": client})).await;
    assert_eq!(there.wait(4).await[3].method, "DELETE");
    let row = last_call(&server, handler, 3).await;
    assert_eq!((&row["status"], &row["response_status"]), (&json!("success"), &json!(404)));
    assert!(!row.to_string().contains("tok-12345"), "{row}");
    assert_eq!(response(&row)["requests"][0]["path"], format!("/companies/{client}"));
}

async fn created(server: &Server, name: &str) -> i64 {
    server.ok("clients.create", json!({"name": name, "credit": 12.5})).await["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_refusal_is_told_again_and_a_test_changes_nothing() {
    let (server, there) = (Server::start().await, Recorder::start().await);
    there.answer(|_| Reply::text(422, r#"{"message": "the name is taken"}"#));
    let fields = with(
        crm(there.port()),
        json!({"event": "clients.create", "settings": {"requests": {"clients.create": [
        {"path": "/a"}, {"path": "/b", "body": {"x": 1}, "when": "object.credit > 100.0"}]}, "test": {"method": "GET", "path": "/me"}}}),
    );
    let handler = server.handler(fields).await;
    created(&server, "Acme").await;
    let row = last_call(&server, handler, 1).await;
    assert_eq!((&row["status"], &row["response_status"]), (&json!("failed"), &json!(422)));
    assert!(row["response"].as_str().unwrap().contains("the name is taken"), "{row}");
    there.answer(|_| Reply::ok());
    server.wait_log(json!({"handlers_id": handler, "status": "success"}), 1).await;
    assert!(there.calls().iter().all(|call| call.path == "/api/v2/a"));
    there.forget();
    let tried = server.ok("provisioning.handlers.test", json!({"id": handler, "events_id": "clients.create"})).await;
    assert_eq!(tried["verdict"], "delivered", "{tried}");
    assert!(tried["response"].as_str().unwrap().contains("a test changes nothing there"), "{tried}");
    assert!(tried["response"].as_str().unwrap().contains(r#""applied":false"#), "{tried}");
    assert_eq!(there.calls().iter().map(|call| call.path.as_str()).collect::<Vec<_>>(), ["/api/v2/me"]);
}

/// A product that says done and never ends its answer has done it; what it repeats of a secret is not kept.
#[tokio::test]
async fn a_status_counts_although_the_answer_does_not_end_and_repeats_a_digest() {
    let (server, there) = (Server::start().await, Recorder::start().await);
    let requests =
        json!({"clients.accounts.create": [{"body": {"ha1": "{{ha1('a', 'b', object.password)}}"}}, {"path": "/second"}]});
    let fields = json!({"event": "clients.accounts.create", "passwords": true, "settings": {"requests": requests}});
    let handler = server.handler(with(crm(there.port()), fields)).await;
    there.answer(|call| Reply::text(201, call.raw.clone()));
    let client = server.client("Acme").await;
    server.account(client, "alice").await;
    let digest = there.wait(2).await[0].body["ha1"].as_str().unwrap().to_owned();
    let row = last_call(&server, handler, 1).await;
    assert!(digest.len() == 32 && !row.to_string().contains(&digest), "{row}");
    let slow = Peer::start(|mut stream| async move {
        let _head = stream.read(&mut [0; 4_096]).await?;
        stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{").await?;
        std::future::pending().await
    })
    .await;
    let task = json!({"id": handler, "task": format!("rest+{}", slow.url()), "timeout_ms": 500, "settings": {"requests": {
        "clients.accounts.create": [{"path": "/made"}]}}});
    server.ok("provisioning.handlers.update", task).await;
    server.account(client, "bob").await;
    server.wait_log(json!({"handlers_id": handler, "status": "success"}), 2).await;
}

#[tokio::test]
async fn a_product_can_say_that_it_is_hopeless_and_a_repeat_is_the_same_to_the_letter() {
    let (server, there) = (Server::start().await, Recorder::start().await);
    let requests = json!({"clients.create": [{"body": {"all": "{{object}}"}}]});
    let fields = json!({"event": "clients.create", "settings": {"requests": requests}});
    server.handler(with(crm(there.port()), fields)).await;
    there.answer(|_| Reply::status(500));
    server.client("Acme").await;
    there.wait(2).await;
    there.answer(|_| Reply::text(422, r#"{"retry": false}"#));
    let calls = there.wait(3).await;
    assert!(calls.iter().all(|call| call.raw == calls[0].raw), "{calls:#?}");
    let dead =
        async || server.ok("provisioning.deliveries.search", json!({"state": "dead"})).await.as_array().map(Vec::len) == Some(1);
    hookswitch_testkit::wait_until("a dead delivery", dead).await;
}

#[tokio::test]
async fn what_can_not_work_is_refused_naming_what_is_wrong() {
    let server = Server::start().await;
    for (more, field, words) in [
        (json!({"settings": {}}), "settings", "must have requests"),
        (
            json!({"settings": {"requests": {"clients.create": [{"path": "companies"}]}}}),
            "settings",
            "number 1: path must begin with /",
        ),
        (json!({"settings": {"requests": {"clients.create": [{"metod": "PUT"}]}}}), "settings", "metod"),
        (json!({"settings": {"requests": {"clients.create": [{}], "clients.nothing": [{}]}}}), "settings", "which is no event"),
        (json!({"settings": {"requests": {"clients.create": [{}]}, "token": "a\nb"}}), "settings", "token"),
        (
            json!({"settings": {"requests": {"clients.create": [{"body": {"a": "{{object.name +}}"}}]}}}),
            "settings",
            "object.name +",
        ),
        (json!({"task": "rest+https://crm.example.net/api?x=1"}), "task", "end with the path"),
        (json!({"event": ["clients.*", "accounts.create"]}), "event", "first API generation"),
    ] {
        let refusal = server.refused("provisioning.handlers.create", with(crm(1), more.clone())).await;
        assert!(refusal.fields().contains(&field.to_owned()), "{more}: {refusal:?}");
        assert!(format!("{refusal:?}").contains(words), "{words}: {refusal:?}");
    }
}
