//! What else is a span: scripts, databases, refusals, failures, batches, pages, trials.
use hookswitch_testkit::{
    ADMIN_PASSWORD, Recorder, Reply, after,
    api::{id, request},
    before, json, with,
};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::{of, sink::Sink};
use crate::sessions::sign_in;

#[tokio::test]
async fn scripts_databases_and_ready_made_kinds_have_spans_as_well() {
    let sink = Sink::start().await;
    let server = sink.server().start().await;
    server.scripts().shell("no.sh", "echo 'secret-of-the-script' >&2; exit 4");
    let script = json!({"name": "rates", "event": "clients.create", "type": "after", "task": "script://no.sh", "retries": []});
    server.handler(script).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switch.db");
    rusqlite::Connection::open(&file).unwrap().execute("CREATE TABLE subscriber (id INTEGER, name TEXT)", ()).unwrap();
    let statements = json!({"clients.create": ["INSERT INTO subscriber VALUES ({{object.id}}, {{object.name}})"]});
    let database = json!({"name": "switch", "event": "clients.create", "type": "after", "task": format!("sql://{}?engine=sqlite", file.display()),
        "settings": {"statements": statements}});
    server.handler(database).await;
    let room = Recorder::start().await;
    let settings = json!({"secret": "/services/T0/B0/secret-of-the-room"});
    let task = format!("chat+http://127.0.0.1:{}/base", room.port());
    server.handler(json!({"name": "noc", "event": "clients.create", "task": task, "settings": settings})).await;
    server.client("Acme").await;
    let spans = sink.wait(3, |span| span.kind == SpanKind::Client).await;
    let named = |name: &str| spans.iter().find(|span| span.get("hookswitch.handler.name") == name).unwrap();
    let (script, database, chat) = (named("rates"), named("switch"), named("noc"));
    assert_eq!((script.get("hookswitch.script"), script.get("process.exit.code")), ("no.sh", "4"), "{script:#?}");
    assert_eq!((script.get("hookswitch.status"), script.error.is_some()), ("failed", true));
    assert_eq!((database.get("hookswitch.status"), &database.error), ("success", &None), "{database:#?}");
    assert_eq!(database.get("db.system.name"), "sqlite");
    assert_eq!((chat.get("http.response.status_code"), chat.get("server.address")), ("200", "127.0.0.1"), "{chat:#?}");
    assert_eq!(room.wait_exactly(1).await[0].header("traceparent"), Some(&*chat.header()));
    assert!([database, chat].iter().all(|span| span.parent == script.parent));
    for sent in sink.requests() {
        let text = String::from_utf8_lossy(&sent.raw);
        assert!(["secret-of-the-script", "secret-of-the-room", "/base"].iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

#[tokio::test]
async fn a_handler_that_forbids_has_not_failed_and_one_that_fails_is_why_the_request_did() {
    let sink = Sink::start().await;
    let server = sink.server().start().await;
    let asked = Recorder::answering(|_| Reply::json(&json!({"verdict": "forbid", "message": "not him"}))).await;
    server.handler(before("clients.create", &asked)).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    asked.answer(|_| Reply::status(500));
    server.refused("clients.create", json!({"name": "Acme"})).await;
    let calls = asked.wait_exactly(2).await;
    let spans = sink.wait(4, |span| span.name.ends_with("clients.create")).await;
    let pairs = calls.iter().map(|call| {
        let span = of(&spans, call);
        let request = spans.iter().find(|request| request.id == span.parent).unwrap().clone();
        (span, request)
    });
    let pairs: Vec<_> = pairs.collect();
    let (span, request) = &pairs[0];
    assert_eq!((span.get("hookswitch.status"), &span.error), ("forbidden", &None));
    assert_eq!((request.get("hookswitch.outcome"), &request.error), ("forbidden_by_handler", &None));
    let (span, request) = &pairs[1];
    assert_eq!((span.get("hookswitch.status"), span.error.as_deref().unwrap().contains("500")), ("failed", true), "{span:#?}");
    assert_eq!((request.get("error.type"), request.error.as_deref()), ("handler_failed", Some("handler_failed")));
}

#[tokio::test]
async fn each_call_of_a_batch_is_a_span_within_its_request() {
    let sink = Sink::start().await;
    let server = sink.server().start().await;
    let told = Recorder::start().await;
    server.handler(after("clients.create", &told)).await;
    let batch = json!([request("clients.create", json!({"name": "a"})), request("clients.get", json!({"id": 999}))]);
    assert_eq!(server.post("/api/", &[], batch.to_string()).await.status, 200);
    let call = told.wait_exactly(1).await.remove(0);
    let whole = sink.wait(1, |span| span.name == "batch").await.remove(0);
    let spans = sink.wait(2, |span| span.parent == whole.id).await;
    let outcomes: Vec<_> = spans.iter().map(|span| (span.name.as_str(), span.kind, span.get("hookswitch.outcome"))).collect();
    assert!(outcomes.contains(&("clients.create", SpanKind::Internal, "success")), "{outcomes:?}");
    assert!(outcomes.contains(&("clients.get", SpanKind::Internal, "not_found")), "{outcomes:?}");
    let header = call.header("traceparent").unwrap().to_owned();
    let delivery = sink.wait(1, |span| span.header() == header).await.remove(0);
    assert!(spans.iter().any(|span| span.name == "clients.create" && span.id == delivery.parent));
}

#[tokio::test]
async fn an_address_is_named_by_its_route_and_a_trial_is_within_its_request() {
    let sink = Sink::start().await;
    let server = sink.server().start().await;
    let asked = Recorder::start().await;
    let handler = server.handler(with(before("clients.create", &asked), json!({"name": "crm"}))).await;
    server.get("/nothing/here?key=secret-of-the-url").await;
    server.get("/healthz").await;
    assert_eq!(server.rest_with(&[("x-api-key", "")], "GET /api/clients/7?x=secret-of-the-url", json!(null)).await.status, 401);
    server.ok("provisioning.handlers.test", json!({"id": handler})).await;
    let call = asked.wait_exactly(1).await.remove(0);
    let header = call.header("traceparent").unwrap().to_owned();
    let trial = sink.wait(1, |span| span.header() == header).await.remove(0);
    let spans = sink.wait(4, |span| span.kind == SpanKind::Server).await;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["provisioning.handlers.create", "GET", "GET /api/clients/{id}", "provisioning.handlers.test"]);
    assert_eq!(trial.parent, spans[3].id);
    assert_eq!(spans[2].get("url.path"), "/api/clients/7");
    assert!(sink.requests().iter().all(|sent| !String::from_utf8_lossy(&sent.raw).contains("secret-of-the-url")));
}

#[tokio::test]
async fn a_handler_is_told_how_it_ended_within_the_same_request_and_a_page_shows_what_it_asked() {
    let sink = Sink::start().await;
    let server = sink.server().start().await;
    let asked = Recorder::start().await;
    server.handler(with(before("clients.create", &asked), json!({"notify_outcome": true}))).await;
    server.client("Acme").await;
    let calls = asked.wait_exactly(2).await;
    let spans = sink.wait(3, |span| span.name.ends_with("clients.create")).await;
    let (before, outcome) = (of(&spans, &calls[0]), of(&spans, &calls[1]));
    assert_eq!((before.name.as_str(), outcome.name.as_str()), ("before clients.create", "outcome clients.create"));
    assert_eq!((&before.trace, &before.parent), (&outcome.trace, &outcome.parent));
    assert_eq!(outcome.get("hookswitch.status"), "success");

    let cookie = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    let page =
        server.try_send("GET", "/clients?name=secret-of-the-url", &[("cookie", &cookie), ("x-api-key", "")], "").await.unwrap();
    assert_eq!(page.status, 200);
    let page = sink.wait(1, |span| span.name == "GET /clients").await.remove(0);
    let asked = sink.wait(1, |span| span.parent == page.id).await;
    assert!(asked.iter().any(|span| span.name == "clients.search" && span.kind == SpanKind::Internal), "{asked:#?}");
    for sent in sink.requests() {
        let text = String::from_utf8_lossy(&sent.raw);
        assert!(!text.contains("secret-of-the-url") && !text.contains(cookie.split_once('=').unwrap().1), "{text}");
    }
}

#[tokio::test]
async fn what_comes_of_a_step_of_the_clock_is_within_that_step() {
    let sink = Sink::start().await;
    let server = sink.server().start().await;
    let told = Recorder::start().await;
    server.handler(after("clients.packages.renew", &told)).await;
    let package = json!({"name": "Seconds", "period": "PT1S", "period_fee": 0.01, "advance_renew": "PT0S"});
    let package = id(&server.ok("packages.create", package).await);
    let client = server.client("Acme").await;
    server.pay(client, "100").await;
    server.ok("clients.packages.assign", json!({"clients_id": client, "packages_id": package})).await;
    let call = told.wait(1).await.remove(0);
    let header = call.header("traceparent").unwrap().to_owned();
    let delivery = sink.wait(1, |span| span.header() == header).await.remove(0);
    let step = sink.wait(1, |span| span.id == delivery.parent).await.remove(0);
    assert_eq!((step.name.as_str(), step.kind, step.parent.as_str()), ("clients.packages.step", SpanKind::Internal, ""));
    assert_eq!((step.get("hookswitch.outcome"), &step.trace), ("taken", &delivery.trace));
}
