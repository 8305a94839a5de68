//! A collector: takes OTLP over HTTP as any does, reads it with the messages of OpenTelemetry's own crate, and keeps the spans.
use std::collections::BTreeMap;

use hookswitch_testkit::{Call, Recorder, Reply, Setup, wait_for};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;

pub(crate) struct Sink {
    recorder: Recorder,
}

/// A span as it came, ids in hexadecimal digits.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty = it has none.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) resource: BTreeMap<String, String>,
    /// The words of a failure.
    pub(crate) error: Option<String>,
    pub(crate) nanos: (u64, u64),
}

impl Sink {
    pub(crate) async fn start() -> Self {
        Self::answering(|_| Reply::ok()).await
    }

    pub(crate) async fn answering(rule: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self { recorder: Recorder::answering(rule).await }
    }

    /// A server that exports here.
    pub(crate) fn server(&self) -> Setup {
        hookswitch_testkit::Server::setup().env("OTEL_EXPORTER_OTLP_ENDPOINT", self.endpoint())
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.recorder.port())
    }

    pub(crate) fn requests(&self) -> Vec<Call> {
        self.recorder.calls()
    }

    /// All spans up to now.
    pub(crate) fn spans(&self) -> Vec<Seen> {
        self.requests().iter().flat_map(|call| read(&call.raw)).collect()
    }

    /// The spans, once there are so many of which this is true.
    pub(crate) async fn wait(&self, count: usize, what: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        wait_for(&format!("{count} spans in {:#?}", self.recorder.url()), async || {
            let found: Vec<Seen> = self.spans().into_iter().filter(&what).collect();
            (found.len() >= count).then_some(found)
        })
        .await
    }
}

impl Seen {
    pub(crate) fn get(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }

    /// What `traceparent` says of it.
    pub(crate) fn header(&self) -> String {
        format!("00-{}-{}-01", self.trace, self.id)
    }
}

fn read(body: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for of_resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let resource = texts(&of_resource.resource.unwrap().attributes);
        for scope in of_resource.scope_spans {
            seen.extend(scope.spans.into_iter().map(|span| one(span, resource.clone())));
        }
    }
    seen
}

fn one(span: Span, resource: BTreeMap<String, String>) -> Seen {
    let status = span.status.clone().unwrap_or_default();
    assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{span:?}");
    Seen {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        kind: span.kind(),
        attributes: texts(&span.attributes),
        resource,
        error: (status.code() == StatusCode::Error).then_some(status.message),
        nanos: (span.start_time_unix_nano, span.end_time_unix_nano),
        name: span.name,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whatever kind of value, as a text; no key is there twice.
fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(yes) => yes.to_string(),
        other => panic!("{other:?}"),
    };
    let all: BTreeMap<String, String> =
        attributes.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref().unwrap().value.as_ref().unwrap()))).collect();
    assert_eq!(all.len(), attributes.len(), "{attributes:?}");
    all
}
