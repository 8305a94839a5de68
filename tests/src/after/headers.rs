//! The headers of every call.
use hookswitch_testkit::{Recorder, Server, after, before, json, with};

#[tokio::test]
async fn every_call_carries_the_headers_of_the_contract() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before("clients.create", &asked)).await;
    server.handler(after("clients.create", &told)).await;
    server.client("Acme").await;
    for (call, stage) in [(asked.wait_exactly(1).await.remove(0), "before"), (told.wait_exactly(1).await.remove(0), "after")] {
        let id = call.event("id").as_str().unwrap().to_owned();
        for (name, value) in [
            ("content-type", "application/json"),
            ("hookswitch-event", "clients.create"),
            ("hookswitch-stage", stage),
            ("hookswitch-attempt", "1"),
            ("webhook-id", id.as_str()),
        ] {
            assert_eq!(call.header(name), Some(value), "{name}");
        }
        assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/hook"));
        assert!(call.header("user-agent").unwrap().starts_with("hookswitch/"), "{call:?}");
        assert!(call.header("hookswitch-cause").unwrap().starts_with(&format!("{id}.")), "{call:?}");
        assert_eq!(call.header("hookswitch-deadline-ms").is_some(), stage == "before", "{call:?}");
        assert!(call.header("hookswitch-resend").is_none());
        let trace: Vec<_> = call.header("traceparent").unwrap().split('-').map(str::len).collect();
        assert_eq!(trace, [2, 32, 16, 2]);
        let sent: u64 = call.header("webhook-timestamp").unwrap().parse().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(sent) < 60, "{sent} is not now");
    }
}

#[tokio::test]
async fn own_headers_are_added_and_cannot_replace_ours() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    let own = json!({"Authorization": "Bearer token-of-the-crm", "X-Realm": "voice"});
    let handler = server.ok("provisioning.handlers.create", with(after("clients.create", &told), json!({"headers": own}))).await;
    assert_eq!(handler["headers"], json!({"Authorization": "********", "X-Realm": "********"}), "masked when shown");
    server.client("Acme").await;
    let call = told.wait_exactly(1).await.remove(0);
    assert_eq!((call.header("authorization"), call.header("x-realm")), (Some("Bearer token-of-the-crm"), Some("voice")));
    let ours = json!({"Webhook-Signature": "v1,forged", "Content-Type": "text/plain", "hookswitch-stage": "before", "Host": "elsewhere"});
    let forged = with(after("clients.update", &told), json!({"headers": ours}));
    match server.call("provisioning.handlers.create", forged).await {
        Err(refusal) => assert_eq!(refusal.fields(), ["headers"]),
        Ok(_) => {
            told.forget();
            server.ok("clients.update", json!({"id": 1, "notes": "n"})).await;
            let call = told.wait_exactly(1).await.remove(0);
            assert_eq!((call.header("content-type"), call.header("hookswitch-stage")), (Some("application/json"), Some("after")));
            assert!(!call.header("webhook-signature").unwrap().contains("forged"));
        }
    }
}

#[tokio::test]
async fn a_masked_header_value_that_is_sent_back_keeps_the_old_one() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    let handler = server
        .ok("provisioning.handlers.create", with(after("clients.create", &told), json!({"headers": {"X-Token": "t0ken"}})))
        .await;
    let update = json!({"id": handler["id"], "headers": handler["headers"], "notes": "changed in a form"});
    server.ok("provisioning.handlers.update", update).await;
    server.client("Acme").await;
    assert_eq!(told.wait_exactly(1).await[0].header("x-token"), Some("t0ken"));
}

#[tokio::test]
async fn a_handler_may_be_called_with_put_or_patch() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    for method in ["PUT", "PATCH"] {
        server.handler(with(after("clients.create", &told), json!({"method": method, "name": method}))).await;
    }
    server.client("Acme").await;
    let mut methods: Vec<_> = told.wait_exactly(2).await.into_iter().map(|call| call.method).collect();
    methods.sort();
    assert_eq!(methods, ["PATCH", "PUT"]);
}
