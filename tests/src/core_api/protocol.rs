//! JSON-RPC 2.0: ids, notifications, batches and the specification's own errors.
use hookswitch_testkit::{Server, Value, api::request, json};

#[tokio::test]
async fn the_id_comes_back_as_it_was_and_errors_have_no_result() {
    let server = Server::start().await;
    for id in [json!(1), json!("text"), json!(-7), json!(9_007_199_254_740_993_i64), json!("1"), json!("")] {
        let mut call = request("clients.search", json!({}));
        call["id"] = id.clone();
        let answer = server.post("/api/", &[], call.to_string()).await.json();
        assert_eq!(answer, json!({"jsonrpc": "2.0", "id": id, "result": []}));
        call["method"] = json!("clients.get");
        let answer = server.post("/api/", &[], call.to_string()).await.json();
        assert_eq!(answer["id"], id);
        assert!(answer.get("result").is_none() && answer["error"]["code"] == json!(-32602), "{answer}");
    }
}

#[tokio::test]
async fn the_bare_host_takes_calls_too() {
    let server = Server::start().await;
    let answer = server.post("/", &[], request("clients.create", json!({"name": "Acme"})).to_string()).await;
    assert_eq!((answer.status, &answer.json()["result"]["name"]), (200, &json!("Acme")));
}

#[tokio::test]
async fn missing_parameters_are_an_empty_object() {
    let server = Server::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "clients.search"});
    assert_eq!(server.post("/api/", &[], body.to_string()).await.json()["result"], json!([]));
}

#[tokio::test]
async fn a_notification_is_carried_out_and_not_answered() {
    let server = Server::start().await;
    let body = json!({"jsonrpc": "2.0", "method": "clients.create", "params": {"name": "Quiet"}});
    let answer = server.post("/api/", &[], body.to_string()).await;
    assert!([200, 202, 204].contains(&answer.status) && answer.text.is_empty(), "{answer:?}");
    assert_eq!(server.ok("clients.search", json!({})).await[0]["name"], "Quiet");
}

#[tokio::test]
async fn a_batch_runs_in_order_and_answers_all_but_its_notifications() {
    let server = Server::start().await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": "a", "method": "clients.create", "params": {"name": "One"}},
        {"jsonrpc": "2.0", "method": "clients.create", "params": {"name": "Two"}},
        {"jsonrpc": "2.0", "id": "b", "method": "clients.create", "params": {"name": "One"}},
        {"jsonrpc": "2.0", "id": "c", "method": "no.such.method"},
        17,
        {"jsonrpc": "2.0", "id": "d", "method": "clients.search", "params": {"order": ["id"]}},
    ]);
    let answers = server.post("/api/", &[], batch.to_string()).await.json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 5);
    assert_eq!((&answers[0]["id"], &answers[0]["result"]["name"]), (&json!("a"), &json!("One")));
    assert_eq!((&answers[1]["id"], &answers[1]["error"]["code"]), (&json!("b"), &json!(-32602)));
    assert_eq!((&answers[2]["id"], &answers[2]["error"]["code"]), (&json!("c"), &json!(-32601)));
    assert_eq!((&answers[3]["id"], &answers[3]["error"]["code"]), (&Value::Null, &json!(-32600)));
    assert_eq!(hookswitch_testkit::names(&answers[4]["result"]), ["One", "Two"]);
}

#[tokio::test]
async fn a_batch_of_notifications_has_no_answer() {
    let server = Server::start().await;
    let quiet = json!({"jsonrpc": "2.0", "method": "clients.search"});
    let answer = server.post("/api/", &[], json!([quiet, quiet]).to_string()).await;
    assert!(answer.text.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn a_batch_is_neither_empty_nor_longer_than_100() {
    let server = Server::start().await;
    let batch = |count: usize| {
        let calls: Vec<_> = (0..count).map(|number| request("clients.create", json!({"name": format!("c{number}")}))).collect();
        json!(calls).to_string()
    };
    assert_eq!(server.post("/api/", &[], batch(0)).await.error_code(), -32600);
    let answer = server.post("/api/", &[], batch(101)).await.json();
    assert!(answer["error"]["code"].is_i64(), "one error for the whole: {answer}");
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]));
    let answers = server.post("/api/", &[], batch(100)).await.json();
    assert_eq!(answers.as_array().unwrap().len(), 100);
    assert_eq!(server.ok("clients.search", json!({"with_total": true})).await["total"], json!(100));
}

#[tokio::test]
async fn the_specifications_own_errors() {
    let server = Server::start().await;
    let cases: &[(&str, i64)] = &[
        ("{", -32700),
        ("", -32700),
        ("nonsense", -32700),
        ("17", -32600),
        ("\"text\"", -32600),
        ("null", -32600),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"clients.search"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":17}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"clients.search"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"clients.search","params":7}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"clients.search","params":[1]}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"clients.nothing"}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":""}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"clients.searchх"}"#, -32601),
    ];
    for (body, code) in cases {
        let answer = server.post("/api/", &[], *body).await;
        assert_eq!(answer.status, 200, "{body}");
        assert_eq!(answer.error_code(), *code, "{body}");
        assert!(answer.json().get("result").is_none());
    }
}
