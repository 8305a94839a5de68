//! Odd input: answered, never with a 500, and never taken for something else.
use hookswitch_testkit::{Server, json};

#[tokio::test]
async fn an_id_that_is_none_is_a_field_error_or_not_found() {
    let server = Server::start().await;
    server.client("Acme").await;
    let long = format!("GET /api/clients/{}", "9".repeat(5_000));
    let letters = format!("GET /api/clients/{}", "x".repeat(5_000));
    for line in [
        "GET /api/clients/abc",
        "GET /api/clients/0",
        "GET /api/clients/-1",
        "GET /api/clients/1.5",
        "GET /api/clients/01",
        "GET /api/clients/+1",
        "GET /api/clients/%31%00",
        "GET /api/clients/%ff",
        "GET /api/clients/1%2F2",
        "GET /api/clients/null",
        "GET /api/clients/9223372036854775808",
        "POST /api/clients/x/archive",
        "GET /api/provisioning/events/12",
        &long,
        &letters,
    ] {
        let refused = server.rest_is(400, line, json!(null)).await;
        assert!(refused["error"]["data"]["id"].is_string(), "{line}: {refused}");
    }
    server.rest_is(404, "GET /api/clients/9223372036854775807", json!(null)).await;
    assert_eq!(server.rest_is(200, "GET /api/clients/%31", json!(null)).await["name"], "Acme");
    assert_eq!(server.rest_is(200, "GET /api/clients/1.0", json!(null)).await["name"], "Acme", "as in JSON");
}

#[tokio::test]
async fn broken_encodings_are_refused_and_odd_ones_are_text() {
    let server = Server::start().await;
    server.client("a b&c=Ü%").await;
    for query in ["name=a+b%26c%3D%C3%9C%25", "name=a%20b%26c=%C3%9c%", "q=%C3%9C"] {
        let found = server.rest_is(200, &format!("GET /api/clients?{query}"), json!(null)).await;
        assert_eq!(found.as_array().unwrap().len(), 1, "{query}");
    }
    for query in ["name=%ff", "%C3%28=1", "q=%ED%A0%80"] {
        let refused = server.rest_is(400, &format!("GET /api/clients?{query}"), json!(null)).await;
        assert_eq!(refused["error"]["data"], json!({"query": "is not UTF-8"}), "{query}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_named_and_an_empty_one_is_one() {
    let server = Server::start().await;
    for body in ["[]", "7", "null", "\"x\"", "{", "{} {}", "{\"name\":\"a\",\"name\":\"b\"}", "name=Acme"] {
        let answer = server.post("/api/clients", &[], body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["error"]["data"]["body"].is_string(), "{body}: {answer:?}");
    }
    let empty = server.post("/api/clients", &[], "").await;
    assert_eq!(empty.json()["error"]["data"], json!({"name": "is required"}));
    assert_eq!(server.post("/api/clients", &[("content-type", "")], "{\"name\":\"Acme\"}").await.status, 201);
}

#[tokio::test]
async fn an_id_that_is_said_twice_must_be_the_same() {
    let server = Server::start().await;
    server.client("a").await;
    server.client("b").await;
    for (line, body) in [
        ("PATCH /api/clients/1", json!({"id": 2, "name": "x"})),
        ("PATCH /api/clients/1", json!({"id": "1", "name": "x"})),
        ("DELETE /api/clients/1?id=2", json!(null)),
        ("GET /api/clients/1?id=2", json!(null)),
        ("POST /api/clients/1/archive", json!({"id": 2})),
    ] {
        let refused = server.rest_is(400, line, body).await;
        assert_eq!(refused["error"]["data"], json!({"id": "differs from the id in the path"}), "{line}");
    }
    server.rest_is(200, "PATCH /api/clients/1", json!({"id": 1, "name": "x"})).await;
    assert_eq!(server.rest_is(200, "GET /api/clients/1?id=1", json!(null)).await["name"], "x");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let server = Server::start().await;
    server.client("Acme").await;
    let (get, head) = (server.rest("GET /api/clients", json!(null)).await, server.rest("HEAD /api/clients", json!(null)).await);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for name in ["content-type", "content-length", "x-total-count"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(server.rest("HEAD /api/clients/7", json!(null)).await.status, 404);
    assert_eq!(server.rest("HEAD /api/clients/1/archive", json!(null)).await.status, 405);
}
