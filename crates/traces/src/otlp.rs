//! Spans as OTLP has them: the messages are those of `opentelemetry-proto`.
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::SpanKind, status::StatusCode},
};
use prost::Message as _;

use crate::span::{Ended, Kind, Value};

/// `flags`: the caller's own, and that it is known whether the parent is another process's; it is not told.
const SAMPLED: u32 = 1;

/// The body of one export.
pub(crate) fn body(resource: &[(String, String)], spans: Vec<Ended>) -> Vec<u8> {
    let attributes = resource.iter().map(|(key, value)| pair(key, any_value::Value::StringValue(value.clone()))).collect();
    let scope = InstrumentationScope {
        name: "hookswitch".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans { scope: Some(scope), spans: spans.into_iter().map(span).collect(), schema_url: String::new() };
    let resource = Resource { attributes, ..Resource::default() };
    let spans = ResourceSpans { resource: Some(resource), scope_spans: vec![spans], schema_url: String::new() };
    ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec()
}

fn span(ended: Ended) -> Span {
    let Ended { trace, name, kind, began, nanos, attributes, error } = ended;
    let began = u64::try_from(began.0).unwrap_or(0).saturating_mul(1_000);
    let status = error.map(|message| Status { message, code: StatusCode::Error.into() });
    Span {
        trace_id: trace.id().to_vec(),
        span_id: trace.span().to_vec(),
        parent_span_id: trace.parent().map(Vec::from).unwrap_or_default(),
        flags: SAMPLED,
        name: name.into_owned(),
        kind: kind_of(kind).into(),
        start_time_unix_nano: began,
        end_time_unix_nano: began.saturating_add(nanos),
        attributes: attributes.into_iter().map(|(key, value)| pair(key, value_of(value))).collect(),
        status,
        ..Span::default()
    }
}

fn kind_of(kind: Kind) -> SpanKind {
    match kind {
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
        Kind::Internal => SpanKind::Internal,
    }
}

fn value_of(value: Value) -> any_value::Value {
    match value {
        Value::Text(text) => any_value::Value::StringValue(text.into_owned()),
        Value::Int(number) => any_value::Value::IntValue(number),
        Value::Bool(yes) => any_value::Value::BoolValue(yes),
    }
}

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
