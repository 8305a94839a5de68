//! How a key is shown, and what happens to wrong ones.
use hookswitch_testkit::{ADMIN_KEY, Server, api::request, json};

fn search() -> String {
    request("clients.search", json!({})).to_string()
}

#[tokio::test]
async fn a_key_comes_as_header_as_bearer_or_as_auth_among_the_parameters() {
    let server = Server::start().await;
    let bearer = format!("Bearer {ADMIN_KEY}");
    for headers in [vec![("x-api-key", ADMIN_KEY)], vec![("x-api-key", ""), ("authorization", &bearer)]] {
        let answer = server.post("/api/", &headers, search()).await;
        assert_eq!((answer.status, &answer.json()["result"]), (200, &json!([])));
    }
    let body = request("clients.create", json!({"name": "Acme", "AUTH": ADMIN_KEY})).to_string();
    let answer = server.post("/api/", &[("x-api-key", "")], body).await;
    assert_eq!(answer.json()["result"]["name"], "Acme", "AUTH is no unknown field");
}

#[tokio::test]
async fn without_a_right_key_the_answer_is_401() {
    let server = Server::start().await;
    for headers in [
        vec![("x-api-key", "")],
        vec![("x-api-key", "wrong-wrong-wrong-wrong-wrong-wrong")],
        vec![("x-api-key", ""), ("cookie", "session=x; key=y")],
    ] {
        let answer = server.post("/api/", &headers, search()).await;
        assert_eq!((answer.status, answer.error_code()), (401, -32001), "{headers:?}");
        let error = answer.json()["error"].clone();
        assert!(error["message"].as_str().unwrap().starts_with("auth-failed: "), "{error}");
        assert_eq!(error["data"]["code"], "auth-failed");
    }
}

#[tokio::test]
async fn a_wrong_auth_within_a_batch_is_that_calls_error() {
    let server = Server::start().await;
    let batch = json!([
        request("clients.create", json!({"name": "One", "AUTH": ADMIN_KEY})),
        request("clients.create", json!({"name": "Two", "AUTH": "wrong-wrong-wrong-wrong-wrong-wrong"})),
        request("clients.create", json!({"name": "Three", "AUTH": ADMIN_KEY})),
    ]);
    let answer = server.post("/api/", &[("x-api-key", "")], batch.to_string()).await;
    assert_eq!(answer.status, 200);
    let answers = answer.json();
    assert_eq!(answers[0]["result"]["name"], "One");
    assert_eq!(answers[1]["error"]["code"], json!(-32001));
    assert_eq!(answers[2]["result"]["name"], "Three");
}

#[tokio::test]
async fn after_five_wrong_keys_a_minute_wrong_ones_get_429_and_a_right_one_works() {
    let server = Server::start().await;
    let wrong = |number: usize| format!("wrong-wrong-wrong-wrong-wrong-wrong-{number}");
    for number in 0..5 {
        let answer = server.with_key(&wrong(number)).post("/api/", &[], search()).await;
        assert_eq!((answer.status, answer.error_code()), (401, -32001), "wrong key {number}");
    }
    for number in 5..8 {
        let answer = server.with_key(&wrong(number)).post("/api/", &[], search()).await;
        assert_eq!(answer.error_code(), -32029, "wrong key {number}: {answer:?}");
    }
    server.ok("clients.search", json!({})).await;
}

#[tokio::test]
async fn no_key_is_ever_stored_in_clear() {
    let mut server = Server::start().await;
    let key = server.user("crm", "readonly", json!(null)).await.key().to_owned();
    server.terminate().await;
    let mut seen = 0;
    for entry in std::fs::read_dir(server.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for secret in [key.as_str(), ADMIN_KEY, "test admin password", "a long enough password"] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in {}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 0);
}
