//! Traces over OTLP: what a collector gets of a request, of the handlers that are asked and told about it, and of a collector that is
//! not there.
//!
//! | file | what |
//! |---|---|
//! | here | one trace, from the caller's span to the last attempt |
//! | `kinds` | scripts, databases, batches, pages, the clock: what else is a span |
//! | `trouble` | a collector that is down, slow or unwilling |
//! | `sink` | the collector |
mod kinds;
pub(crate) mod sink;
mod trouble;

use std::sync::atomic::{AtomicUsize, Ordering};

use hookswitch_testkit::{Call, Recorder, Reply, Server, after, before, json, with};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use sink::{Seen, Sink};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const SECRETS: [&str; 4] = ["account-passw0rd", "token-of-the-crm", "url-passw0rd", "token-of-the-collector"];

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

/// Fails the first time, by status and with words that are nobody's business.
fn second_time_right() -> impl Fn(&Call) -> Reply + Send + Sync {
    let calls = AtomicUsize::new(0);
    move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::text(503, "account-passw0rd is wrong"),
        _ => Reply::ok(),
    }
}

fn of(spans: &[Seen], call: &Call) -> Seen {
    let header = call.header("traceparent").unwrap();
    let found: Vec<&Seen> = spans.iter().filter(|span| span.header() == header).collect();
    assert_eq!(found.len(), 1, "one span is named by {header}: {spans:#?}");
    found[0].clone()
}

#[tokio::test]
async fn a_request_its_before_handlers_and_every_attempt_of_its_deliveries_are_one_trace() {
    let sink = Sink::start().await;
    let server = sink
        .server()
        .env("OTEL_EXPORTER_OTLP_HEADERS", "X-Token=token-of-the-collector")
        .env("OTEL_SERVICE_NAME", "billing")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test%20bed")
        .start()
        .await;
    let (asked, also, told) = (Recorder::start().await, Recorder::start().await, Recorder::answering(second_time_right()).await);
    let task = asked.url().replace("http://", "http://crm:url-passw0rd@");
    let secret = json!({"task": task, "name": "crm", "headers": {"X-Token": "token-of-the-crm"}, "passwords": true});
    let first = server.handler(with(before("clients.accounts.create", &asked), secret)).await;
    server.handler(with(before("clients.accounts.create", &also), json!({"name": "also"}))).await;
    server
        .handler(with(after("clients.accounts.create", &told), json!({"name": "switch", "retries": [1], "passwords": true})))
        .await;
    let client = server.client("Acme").await;
    let account = json!({"clients_id": client, "type": "sip_login", "accname": "alice", "password": "account-passw0rd"});
    let headers = [("traceparent", &*traceparent("01")), ("x-request-id", "request-7")];
    server.call_with(&headers, "clients.accounts.create", account).await.unwrap();
    let (asked, also, told) = (asked.wait_exactly(1).await, also.wait_exactly(1).await, told.wait_exactly(2).await);
    let spans = sink.wait(5, |span| span.trace == TRACE).await;
    assert_eq!(spans.len(), 5, "{spans:#?}");

    let request = spans.iter().find(|span| span.kind == SpanKind::Server).unwrap();
    assert_eq!((request.name.as_str(), request.parent.as_str(), &request.error), ("clients.accounts.create", CALLER, &None));
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/"),
        ("http.response.status_code", "200"),
        ("hookswitch.method", "clients.accounts.create"),
        ("hookswitch.outcome", "success"),
        ("hookswitch.request_id", "request-7"),
    ] {
        assert_eq!(request.get(key), value, "{key} of {request:#?}");
    }
    for (call, name, stage, attempt, status, code) in [
        (&asked[0], "crm", "before", "1", "success", "200"),
        (&also[0], "also", "before", "1", "success", "200"),
        (&told[0], "switch", "after", "1", "failed", "503"),
        (&told[1], "switch", "after", "2", "success", "200"),
    ] {
        let span = of(&spans, call);
        assert_eq!((span.parent.as_str(), span.kind), (request.id.as_str(), SpanKind::Client), "{span:#?}");
        assert_eq!(span.name, format!("{stage} clients.accounts.create"));
        for (key, value) in [
            ("hookswitch.handler.name", name),
            ("peer.service", name),
            ("hookswitch.event.id", call.event("id").as_str().unwrap()),
            ("hookswitch.event.name", "clients.accounts.create"),
            ("hookswitch.stage", stage),
            ("hookswitch.attempt", attempt),
            ("hookswitch.status", status),
            ("http.response.status_code", code),
            ("server.address", "127.0.0.1"),
        ] {
            assert_eq!(span.get(key), value, "{key} of {span:#?}");
        }
        let words = (status == "failed").then_some("status: it answered with the HTTP status 503");
        assert_eq!(span.error.as_deref(), words);
        assert!(span.nanos.0 <= span.nanos.1 && request.nanos.0 <= span.nanos.0, "{span:#?}");
    }
    assert_eq!(of(&spans, &asked[0]).get("hookswitch.handler.id"), first.to_string());
    for (key, value) in
        [("service.name", "billing"), ("deployment.environment.name", "test bed"), ("service.version", env!("CARGO_PKG_VERSION"))]
    {
        assert_eq!(request.resource[key], value);
    }
    for sent in sink.requests() {
        assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/traces"));
        assert_eq!((sent.header("content-type"), sent.header("x-token")), (Some("application/x-protobuf"), Some(SECRETS[3])));
        let text = String::from_utf8_lossy(&sent.raw);
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)) && !text.contains("alice"), "{text}");
    }
    assert!(SECRETS.iter().all(|secret| !server.stderr().contains(secret)));
}

#[tokio::test]
async fn without_a_caller_a_request_begins_a_trace_of_its_own() {
    let sink = Sink::start().await;
    let server = sink.server().start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before("clients.create", &asked)).await;
    server.handler(after("clients.create", &told)).await;
    server.client("Acme").await;
    server.client("Emca").await;
    let (asked, told) = (asked.wait_exactly(2).await, told.wait_exactly(2).await);
    let spans = sink.wait(6, |span| span.name.ends_with("clients.create")).await;
    let mut traces = Vec::new();
    for call in &asked {
        let span = of(&spans, call);
        let after = told.iter().find(|told| told.event("id") == call.event("id")).unwrap();
        let request = spans.iter().find(|request| request.id == span.parent).unwrap();
        assert_eq!((request.kind, request.parent.as_str(), &request.trace), (SpanKind::Server, "", &span.trace));
        assert_eq!((of(&spans, after).parent, of(&spans, after).trace), (request.id.clone(), request.trace.clone()));
        traces.push(span.trace);
    }
    assert_ne!(traces[0], traces[1]);
}

#[tokio::test]
async fn what_a_caller_or_the_sampler_leaves_out_is_not_recorded_and_handlers_are_told_so() {
    let sink = Sink::start().await;
    let server =
        sink.server().env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio").env("OTEL_TRACES_SAMPLER_ARG", "0").start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before("clients.create", &asked)).await;
    server.handler(after("clients.create", &told)).await;
    let call = |name: &'static str, traceparent: String| {
        let server = &server;
        async move { server.call_with(&[("traceparent", &traceparent)], "clients.create", json!({"name": name})).await.unwrap() }
    };
    call("not", traceparent("00")).await;
    server.client("neither").await;
    call("recorded", traceparent("01")).await;
    for calls in [asked.wait_exactly(3).await, told.wait_exactly(3).await] {
        let flags = calls.iter().map(|call| call.header("traceparent").unwrap().rsplit_once('-').unwrap().1);
        // Of different clients, so told in any order.
        let mut flags: Vec<&str> = flags.collect();
        flags.sort_unstable();
        assert_eq!(flags, ["00", "00", "01"]);
        assert_eq!(calls.iter().filter(|call| call.header("traceparent").unwrap().contains(TRACE)).count(), 2);
    }
    sink.wait(3, |span| span.trace == TRACE).await;
    assert_eq!(sink.spans().len(), 3, "{:#?}", sink.spans());
}

#[tokio::test]
async fn a_delivery_that_is_tried_after_a_crash_belongs_to_the_same_span() {
    let sink = Sink::start().await;
    let mut server = sink.server().start().await;
    let told = Recorder::answering(|_| Reply::status(500)).await;
    server.handler(with(after("clients.create", &told), json!({"retries": [1, 1, 1, 1, 1, 1, 1, 1]}))).await;
    let headers = [("traceparent", &*traceparent("01"))];
    server.call_with(&headers, "clients.create", json!({"name": "Acme"})).await.unwrap();
    let request = sink.wait(1, |span| span.trace == TRACE && span.kind == SpanKind::Server).await.remove(0);
    told.wait(1).await;
    server.kill9().await;
    told.answer(|_| Reply::ok());
    let before = told.calls().len();
    server.start_again().await;
    let calls = told.wait(before + 1).await;
    server.wait_all_delivered().await;
    let header = calls[before].header("traceparent").unwrap().to_owned();
    let span = sink.wait(1, |span| span.header() == header).await.remove(0);
    assert_eq!((span.trace.as_str(), &span.parent), (TRACE, &request.id), "{span:#?}");
    assert_eq!(span.get("hookswitch.attempt"), calls[before].attempt().to_string());
}

#[tokio::test]
async fn without_a_collector_all_of_an_events_calls_are_still_in_the_callers_trace() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before("clients.create", &asked)).await;
    server.handler(after("clients.create", &told)).await;
    let headers = [("traceparent", &*traceparent("01"))];
    server.call_with(&headers, "clients.create", json!({"name": "Acme"})).await.unwrap();
    server.client("Emca").await;
    for calls in [asked.wait_exactly(2).await, told.wait_exactly(2).await] {
        for call in calls {
            let given = call.header("traceparent").unwrap().split('-').nth(1).unwrap().to_owned();
            let own = call.event("id").as_str().unwrap().replace('-', "");
            let is_first = call.body["data"]["name"] == "Acme";
            assert_eq!(given, if is_first { TRACE.to_owned() } else { own }, "{call:?}");
        }
    }
    assert!(!server.get("/metrics").await.text.contains("trace_spans"));
}
