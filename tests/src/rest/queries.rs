//! A list's filters: in the query string, where everything is text, in a JSON body, or in both.
use hookswitch_testkit::{Api, Server, Value, ids, json};

async fn found(api: &Api, query: &str) -> Vec<i64> {
    ids(&api.rest_is(200, &format!("GET /api/clients{query}"), json!(null)).await)
}

async fn wrong(api: &Api, query: &str, body: Value) -> Vec<String> {
    let refused = api.rest_is(400, &format!("GET /api/clients{query}"), body).await;
    refused["error"]["data"].as_object().unwrap().keys().cloned().collect()
}

/// Five clients: `007`, `b`, `c`, `d`, `e`, with credits 0.1, 1, 2, none and without limit.
async fn five(server: &Server) {
    for (name, credit) in [("007", "0.1"), ("b", "1"), ("c", "2"), ("d", "0"), ("e", "null")] {
        let credit: Value = credit.parse().unwrap();
        server.ok("clients.create", json!({"name": name, "credit": credit})).await;
    }
}

#[tokio::test]
async fn numbers_texts_times_booleans_and_null_are_read_as_the_column_has_them() {
    let server = Server::start().await;
    five(&server).await;
    server.ok("clients.archive", json!({"id": 3})).await;
    for (query, expected) in [
        ("?id=2", vec![2]),
        ("?name=007", vec![1]),
        ("?name=7", vec![]),
        ("?credit=0.1", vec![1]),
        ("?credit=0.10", vec![1]),
        ("?credit=1e0", vec![2]),
        ("?credit=null", vec![5]),
        ("?status=archived", vec![3]),
        ("?c_dt_from=2020-01-01&c_dt_to=2020-01-02T00:00:00%2B01:00", vec![]),
        ("?c_dt_from=2020-01-01&id=4", vec![4]),
        ("?q=0*", vec![1]),
        ("?limit=2&order=-id", vec![5, 4]),
        ("?limit=2&offset=1", vec![2, 3]),
        ("?after_id=3", vec![4, 5]),
        ("", vec![1, 2, 3, 4, 5]),
        ("?", vec![1, 2, 3, 4, 5]),
    ] {
        assert_eq!(found(&server, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_repeated_key_is_an_array() {
    let server = Server::start().await;
    five(&server).await;
    assert_eq!(found(&server, "?id=1&id=4&id=99").await, [1, 4]);
    assert_eq!(found(&server, "?name=b&name=e&order=-name").await, [5, 2]);
    server.ok("clients.archive", json!({"id": 4})).await;
    assert_eq!(found(&server, "?order=status&order=-id&limit=3").await, [5, 3, 2]);
    let many = (1..=1_000).map(|number| format!("id={number}")).collect::<Vec<_>>().join("&");
    assert_eq!(found(&server, &format!("?{many}")).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_json_body_says_the_same_and_more_and_both_come_together() {
    let server = Server::start().await;
    five(&server).await;
    let with_body = |query: &str, body| {
        let line = format!("GET /api/clients{query}");
        async { ids(&server.rest_is(200, &{ line }, body).await) }
    };
    assert_eq!(with_body("", json!({"id": [5, 1], "order": ["-id"]})).await, [5, 1]);
    assert_eq!(with_body("?order=-id", json!({"id": [5, 1]})).await, [5, 1]);
    assert_eq!(with_body("", json!({"credit": null, "with_total": true})).await, [5]);
    assert_eq!(wrong(&server, "?id=1&limit=1", json!({"id": 1, "limit": 1, "q": "*"})).await, ["id", "limit"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_so_is_all_else_that_is_wrong() {
    let server = Server::start().await;
    for (query, fields) in [
        ("?id=abc&credit=1,5&with_total=1&limit=0&c_dt_from=yesterday&nothing=1", "c_dt_from credit id limit nothing with_total"),
        ("?id=&id=+1&limit=1&limit=2", "id limit"),
        ("?id=1.5", "id"),
        ("?id=99999999999999999999999999", "id"),
        ("?credit=0.1234567", "credit"),
        ("?id=%00", "id"),
        ("?order=nothing", "order"),
        ("?after_id=1&offset=1", "offset"),
    ] {
        assert_eq!(wrong(&server, query, json!(null)).await.join(" "), fields, "{query}");
    }
}

#[tokio::test]
async fn a_delete_takes_its_parameters_in_the_query_or_in_the_body() {
    let server = Server::start().await;
    for name in ["a", "b"] {
        let client = server.client(name).await;
        server.pay(client, "5").await;
    }
    assert_eq!(server.rest_is(409, "DELETE /api/clients/1", json!(null)).await["error"]["data"]["code"], "conflict");
    let rehearsed = server.rest_is(200, "DELETE /api/clients/1?force=true&dry_run=true", json!(null)).await;
    assert_eq!((rehearsed, found(&server, "").await), (json!(1), vec![1, 2]));
    server.rest_is(200, "DELETE /api/clients/1?force=true", json!(null)).await;
    server.rest_is(200, "DELETE /api/clients/2", json!({"force": true})).await;
    assert_eq!(found(&server, "").await, [0; 0]);
}

#[tokio::test]
async fn a_change_takes_nothing_from_the_query_and_says_so() {
    let server = Server::start().await;
    let refused = server.rest_is(400, "POST /api/clients?dry_run=true", json!({"name": "Acme"})).await;
    assert!(refused["error"]["data"]["dry_run"].as_str().unwrap().contains("body"), "{refused}");
    assert_eq!(found(&server, "").await, [0; 0], "what was meant as a dry run is none by mistake");
}
