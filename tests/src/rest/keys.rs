//! Whose request it is: by headers only.
use hookswitch_testkit::{ADMIN_KEY, Server, json};

#[tokio::test]
async fn a_key_comes_in_a_header_and_nowhere_else() {
    let server = Server::start().await;
    let bearer = format!("Bearer {ADMIN_KEY}");
    for headers in [vec![], vec![("x-api-key", ""), ("authorization", &bearer)]] {
        assert_eq!(server.rest_with(&headers, "GET /api/clients", json!(null)).await.status, 200);
    }
    let none = [("x-api-key", ""), ("cookie", "key=x; session=y")];
    let line = format!("GET /api/clients?AUTH={ADMIN_KEY}");
    for (headers, line, body) in [
        (&none[..1], "GET /api/clients", json!(null)),
        (&none[..], "GET /api/clients", json!(null)),
        (&none[..1], "POST /api/clients", json!({"name": "Acme", "AUTH": ADMIN_KEY})),
        (&none[..1], &line, json!(null)),
    ] {
        let answer = server.rest_with(headers, line, body).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer realm=\"hookswitch\""), "{line}");
        assert_eq!(answer.json()["error"]["data"]["code"], "auth-failed");
    }
    let named = server.rest_is(400, "POST /api/clients", json!({"name": "Acme", "AUTH": ADMIN_KEY})).await;
    assert_eq!(named["error"]["data"], json!({"AUTH": "unknown field"}));
    assert_eq!(server.rest_is(200, "GET /api/clients", json!(null)).await, json!([]));
}

#[tokio::test]
async fn guessing_is_slowed_down_over_both_protocols_together() {
    let server = Server::start().await;
    let guesser = server.with_key("wrong-wrong-wrong-wrong-wrong-wrong");
    for number in 0..5 {
        assert_eq!(guesser.rest("GET /api/clients", json!(null)).await.status, 401, "guess {number}");
    }
    let sixth = guesser.rest("DELETE /api/clients/1", json!(null)).await;
    assert_eq!((sixth.status, &sixth.json()["error"]["data"]["code"]), (429, &json!("too_many")));
    assert!((1..=60).contains(&sixth.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(guesser.refused("clients.search", json!({})).await.code, -32029);
    server.rest_is(200, "GET /api/clients", json!(null)).await;
}

#[tokio::test]
async fn another_resellers_objects_are_not_found_and_not_counted() {
    let server = Server::start().await;
    let company = server.company("Lower", 1).await;
    let lower = server.user("lower", "admin", json!(company)).await;
    let other = server.client("Other").await;
    let account = server.account(other, "acme").await;
    for line in [
        format!("GET /api/clients/{other}"),
        format!("PATCH /api/clients/{other}"),
        format!("DELETE /api/clients/{other}?force=true"),
        format!("POST /api/clients/{other}/archive"),
        format!("GET /api/clients/accounts/{account}"),
        format!("DELETE /api/clients/accounts/{account}"),
        format!("GET /api/accounts/{account}"),
    ] {
        let here = lower.rest_is(404, &line, json!(null)).await;
        assert_eq!(here["error"]["data"]["code"], "not_found", "{line}");
    }
    let list = lower.rest("GET /api/clients", json!(null)).await;
    assert_eq!((list.header("x-total-count"), list.json()), ("0", json!([])));
}
