//! A request that one node takes, and the deliveries that another makes of it.
use std::collections::BTreeSet;

use hookswitch_testkit::{Recorder, after, json};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::wait_shared;
use crate::traces::sink::{Seen, Sink};

const CLIENTS: usize = 16;

#[tokio::test]
async fn what_another_node_delivers_is_in_the_span_of_the_request() {
    let sink = Sink::start().await;
    let first = sink.server().start().await;
    let second = first.beside(sink.server()).await;
    wait_shared(&first, 2).await;
    let told = Recorder::start().await;
    first.handler(after("clients.create", &told)).await;
    for number in 0..CLIENTS {
        let node = if number % 2 == 0 { &first } else { &second };
        node.ok("clients.create", json!({"name": format!("client {number}")})).await;
    }
    told.wait_exactly(CLIENTS).await;
    let spans = sink.wait(2 * CLIENTS, |span| span.name.ends_with("clients.create")).await;
    let node = |span: &Seen| span.resource["service.instance.id"].clone();
    let mut delivered_by = BTreeSet::new();
    for delivery in spans.iter().filter(|span| span.kind == SpanKind::Client) {
        let request = spans.iter().find(|span| span.id == delivery.parent).unwrap();
        assert_eq!((&request.trace, request.kind), (&delivery.trace, SpanKind::Server));
        delivered_by.insert((node(request), node(delivery)));
    }
    assert!(delivered_by.iter().any(|(asked, told)| asked != told), "whoever owns a client delivers: {delivered_by:?}");
}
