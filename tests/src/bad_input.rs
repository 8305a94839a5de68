//! Bad input: a clear error of the contract, nothing changed, nothing logged that should not be, no panic.
use hookswitch_testkit::{Recorder, Reply, Server, Value, before, json};
use proptest::prelude::*;

/// Asserts that nothing is there and that nothing broke inside.
async fn assert_untouched(server: &Server) {
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]));
    assert_eq!(server.ok("provisioning.events.search", json!({})).await, json!([]));
    assert_eq!(server.ok("provisioning.executions.search", json!({})).await, json!([]));
    let log = server.stderr();
    assert!(!log.contains("panicked"), "{log}");
}

fn create(fields: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"clients.create","params":{{{fields}}}}}"#)
}

#[tokio::test]
async fn malformed_bodies_are_parse_errors() {
    let server = Server::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"{\"jsonrpc\":\"2.0\",}".to_vec(),
        b"{'jsonrpc':'2.0'}".to_vec(),
        b"\xff\xfe".to_vec(),
        b"\x00".to_vec(),
        create(r#""name":"x"} trailing"#).into_bytes(),
        [create("\"name\":\"").as_bytes(), b"\xc3\x28"].concat(),
        create("\"name\":\"\\ud800\"").into_bytes(),
        create(r#""name":"a","name":"b""#).into_bytes(),
        create(r#""name":"a","credit":01"#).into_bytes(),
        create(r#""name":"a","credit":NaN"#).into_bytes(),
        create(r#""name":"a","credit":+1"#).into_bytes(),
        create(r#""name":"a","credit":1."#).into_bytes(),
        create("\"name\":\"a\u{1}b\"").into_bytes(),
        deep.into_bytes(),
        create(&format!(r#""name":"x","groups":{}{}"#, "[".repeat(200), "]".repeat(200))).into_bytes(),
        vec![b'a'; 100_000],
    ];
    for body in bodies {
        let shown: String = String::from_utf8_lossy(&body).chars().take(120).collect();
        let answer = server.post("/api/", &[], body).await;
        assert_eq!(answer.error_code(), -32700, "{shown}: {}", answer.text);
        assert_eq!(answer.json()["id"], json!(null), "{shown}");
    }
    assert_untouched(&server).await;
}

#[tokio::test]
async fn wrong_types_and_huge_numbers_are_field_errors() {
    let server = Server::start().await;
    for (fields, wrong) in [
        (r#""name":1"#, "name"),
        (r#""name":null"#, "name"),
        (r#""name":["a"]"#, "name"),
        (r#""name":{}"#, "name"),
        (r#""name":"a","credit":1e999999999"#, "credit"),
        (r#""name":"a","credit":1e-999999999"#, "credit"),
        (r#""name":"a","credit":123456789012345678901234567890123456789012345678901234567890"#, "credit"),
        (r#""name":"a","credit":0.00000000000000000000000000000000000000000000000001"#, "credit"),
        (r#""name":"a","companies_id":9223372036854775808"#, "companies_id"),
        (r#""name":"a","companies_id":-1"#, "companies_id"),
        (r#""name":"a","companies_id":1e30"#, "companies_id"),
        (r#""name":"a","orig_capacity":1e10000000"#, "orig_capacity"),
        (r#""name":"a","tags":[1,2]"#, "tags"),
        (r#""name":"a","tags":{"a":1}"#, "tags"),
        (r#""name":"a","name ":"b""#, "name "),
        (r#""name":"a","NAME":"b""#, "NAME"),
        (r#""name":"a","":1"#, ""),
        (r#""name":"a","__proto__":1"#, "__proto__"),
    ] {
        let answer = server.post("/api/", &[], create(fields)).await.json();
        assert_eq!(answer["error"]["code"], json!(-32602), "{fields}: {answer}");
        let named: Vec<_> = answer["error"]["data"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(named, [wrong], "{fields}");
    }
    assert_untouched(&server).await;
}

#[tokio::test]
async fn texts_are_taken_as_they_are() {
    let server = Server::start().await;
    for name in [
        "'; DROP TABLE clients; --",
        "<script>alert(1)</script>",
        "\u{202e}right to left",
        "a\u{0}b",
        "\\\"/\n\t",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u{1f468}\u{200d}\u{1f469}",
    ] {
        match server.call("clients.create", json!({"name": name})).await {
            Ok(client) => {
                assert_eq!(client["name"], name);
                assert_eq!(server.ok("clients.search", json!({"name": name})).await.as_array().unwrap().len(), 1, "{name:?}");
            }
            Err(refusal) => assert_eq!(refusal.fields(), ["name"], "{name:?}"),
        }
    }
    assert!(!server.stderr().contains("panicked"));
}

#[tokio::test]
async fn a_body_of_10_mb_is_too_large() {
    let server = Server::start().await;
    let body = create(&format!(r#""name":"a","notes":"{}""#, "x".repeat(10 << 20)));
    // The server may answer and close before it has read everything: both are a clear no.
    if let Ok(answer) = server.try_post("/api/", &[], body).await {
        assert!(answer.status == 413 || answer.error_code() == -32013, "{} {}", answer.status, answer.text);
    }
    assert_untouched(&server).await;
}

#[tokio::test]
async fn what_is_no_call_at_all_is_refused_politely() {
    let server = Server::start().await;
    for path in ["/api/%00", "/api/../../etc/passwd", "/nothing", "/api/clients/1/2/3"] {
        let answer = server.get(path).await;
        assert!((400..500).contains(&answer.status), "GET {path}: {answer:?}");
    }
    let answer = server.post("/api/", &[("content-type", "text/plain")], create(r#""name":"Fine""#)).await;
    assert!(answer.status == 200 || answer.status == 415, "{answer:?}");
    let header = "x".repeat(100_000);
    if let Ok(answer) = server.try_post("/api/", &[("x-long", &header)], create(r#""name":"y""#)).await {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    assert!(!server.stderr().contains("panicked"));
}

#[tokio::test]
async fn an_error_shows_no_sql_no_path_and_no_stack() {
    let server = Server::start().await;
    let mut shown = String::new();
    for (method, params) in [
        ("clients.get", json!({"id": 1_i64 << 62})),
        ("clients.search", json!({"order": ["name; SELECT"], "offset": 1_i64 << 62})),
        ("clients.search", json!({"offset": 9_007_199_254_740_993_i64})),
        ("clients.search", json!({"c_dt_from": "9999-12-31T23:59:59+00:00"})),
        ("clients.search", json!({"c_dt_from": "-009999-01-01T00:00:00Z"})),
        ("clients.search", json!({"q": "*".repeat(5_000)})),
        ("clients.search", json!({"id": (0..2_000).collect::<Vec<i64>>()})),
        ("provisioning.events.get", json!({"id": "not-a-uuid"})),
        ("provisioning.handlers.create", json!({"name": "x", "event": "clients.create", "task": "script://../../etc/passwd"})),
    ] {
        if let Err(refusal) = server.call(method, params).await {
            assert_ne!(refusal.code, -32603, "{method}: {refusal:?}");
            shown += &format!("{} {}\n", refusal.message, refusal.data);
        }
    }
    for hidden in
        ["SQLITE", "SELECT ", "sqlite", "rusqlite", "postgres", "relation ", ".rs:", "/tmp/", "panicked", "stack backtrace"]
    {
        assert!(!shown.replace("name; SELECT", "").contains(hidden), "{hidden} in {shown}");
    }
}

#[tokio::test]
async fn a_clock_far_off_is_a_field_error_or_a_plain_answer() {
    let server = Server::start().await;
    for time in
        ["0000-00-00", "2026-13-45", "2026-02-30T00:00:00Z", "99999999-01-01", "2026-01-01T25:00:00Z", "", "now", "1764000000"]
    {
        let refusal = server.refused("clients.search", json!({"c_dt_from": time})).await;
        assert_eq!(refusal.fields(), ["c_dt_from"], "{time}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop_oneof![Just("clients.create"), Just("2.0"), Just("allow"), Just("forbid")].prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let key = prop_oneof![
            Just("jsonrpc"),
            Just("id"),
            Just("method"),
            Just("params"),
            Just("name"),
            Just("credit"),
            Just("verdict"),
            Just("data"),
            Just("warnings"),
            Just("message"),
            Just("event"),
            Just("limit"),
            Just("order"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

#[test]
fn no_request_body_whatever_breaks_the_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let bytes = prop_oneof![
        any_json().prop_map(|body| body.to_string().into_bytes()),
        any_json().prop_map(|params| json!({"jsonrpc": "2.0", "id": 1, "method": "clients.create", "params": params})
            .to_string()
            .into_bytes()),
        any_json().prop_map(|params| json!({"jsonrpc": "2.0", "id": 1, "method": "clients.search", "params": params})
            .to_string()
            .into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..64),
    ];
    proptest!(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }, |(body in bytes)| {
        let answer = runtime.block_on(server.post("/api/", &[], body));
        prop_assert!(answer.status < 500, "{:?}", answer);
        prop_assert!(!answer.text.contains("-32603"), "{:?}", answer);
    });
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
}

#[test]
fn no_reply_of_a_handler_whatever_breaks_the_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let recorder = runtime.block_on(Recorder::start());
    runtime.block_on(server.handler(before("clients.create", &recorder)));
    let replies =
        prop_oneof![any_json().prop_map(|body| body.to_string().into_bytes()), proptest::collection::vec(any::<u8>(), 0..64)];
    let made = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(status in 200_u16..600, body in replies)| {
        recorder.answer(move |_| Reply::text(status, body.clone()));
        let name = format!("client {}", made.replace(made.get() + 1));
        if let Err(refusal) = runtime.block_on(server.call("clients.create", json!({"name": name}))) {
            prop_assert!([-32022, -32053].contains(&refusal.code), "{:?}", refusal);
        }
    });
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
}
