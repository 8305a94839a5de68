//! What store, handlers and the process say of themselves at the moment of asking.
use std::{fmt, time::Duration};

use hookswitch_cluster::Seen;
use hookswitch_core::{Core, schedule};
use hookswitch_hooks::{Figures, Times, standing::HandlerFigures};
use hookswitch_store::Error;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric as _, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// The page is wanted most when the database is in trouble: then it comes without what only the database knows.
const DATABASE_MAX: Duration = Duration::from_secs(2);

/// Where things stand.
#[derive(Debug)]
pub(super) struct Standing {
    store: hookswitch_store::Figures,
    hooks: Option<Figures>,
    clock: Option<schedule::Figures>,
    /// None of a node that is alone.
    nodes: Vec<Seen>,
    /// None where spans are not recorded.
    traces: Option<hookswitch_traces::Figures>,
    resident_bytes: Option<u64>,
}

impl Standing {
    /// Asks everybody.
    pub(super) async fn of(core: &Core) -> Self {
        let (hooks, clock, nodes) = tokio::join!(
            in_time("handlers", core.hooks().figures()),
            in_time("the clock", core.clock_figures()),
            in_time("other nodes", core.cluster().members())
        );
        let nodes = nodes.unwrap_or_default();
        let (traces, resident_bytes) = (core.hooks().traces().figures(), resident_bytes());
        Self { store: core.store().figures().await, hooks, clock, nodes, traces, resident_bytes }
    }
}

async fn in_time<T>(whose: &str, figures: impl Future<Output = Result<T, Error>>) -> Option<T> {
    match tokio::time::timeout(DATABASE_MAX, figures).await {
        Ok(Ok(figures)) => return Some(figures),
        Ok(Err(error)) => tracing::warn!(%error, "metrics without those of {whose}"),
        Err(_) => tracing::warn!("metrics without those of {whose}: no answer within {DATABASE_MAX:?}"),
    }
    None
}

/// The process's memory, where the system tells it as Linux does.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

impl Collector for Standing {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        page.store(&self.store)?;
        if let Some(hooks) = &self.hooks {
            page.hooks(hooks)?;
        }
        if let Some(clock) = &self.clock {
            page.clock(clock)?;
        }
        if !self.nodes.is_empty() {
            page.nodes(&self.nodes)?;
        }
        if let Some(traces) = &self.traces {
            let spans = [("exported", traces.exported), ("dropped", traces.dropped)];
            page.counters("trace_spans", "Spans for OpenTelemetry, by what became of them", "state", &spans)?;
        }
        if let Some(bytes) = self.resident_bytes {
            page.gauge("resident_memory", "Memory of the process", Some(&Unit::Bytes), bytes)?;
        }
        Ok(())
    }
}

/// The page that is being written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn store(&mut self, figures: &hookswitch_store::Figures) -> fmt::Result {
        self.counter("store_writes", "Changes written to the database", figures.writes)?;
        self.counter("store_flushes", "Flushes of the disk that these writes shared", figures.flushes)?;
        self.gauge("store_writes_waiting", "Changes that wait for the writer", None, figures.waiting as u64)?;
        self.gauge("store_size", "Size of the database and its log", Some(&Unit::Bytes), figures.bytes)
    }

    fn hooks(&mut self, figures: &Figures) -> fmt::Result {
        self.counters("before_calls", "Before handlers that were due, by how that ended", "status", &figures.before_calls)?;
        self.histogram("before_call_duration", "Time that calls to before handlers took", &figures.before_time)?;
        let tripped = "Before handlers that are not asked because they failed too often";
        self.gauge("before_handlers_tripped", tripped, None, figures.before_tripped)?;
        let paused = "After handlers that are paused, by hand or because they failed too often";
        self.gauge("after_handlers_paused", paused, None, figures.after_paused)?;
        self.counters("after_calls", "Calls to after handlers, by how they ended", "status", &figures.after_calls)?;
        self.histogram("after_call_duration", "Time that calls to after handlers took", &figures.after_time)?;
        self.gauges("deliveries", "Deliveries that are not done, by state", "state", &figures.deliveries)?;
        let owed = "Outcomes that before handlers have not heard yet, by state";
        self.gauges("outcomes", owed, "state", &figures.outcomes)?;
        self.handlers(&figures.handlers)?;
        let age = "Age of the oldest delivery that is neither done nor dead";
        self.gauge("queue_age", age, Some(&Unit::Seconds), figures.queue_age_seconds)?;
        self.counter("log_rows_dropped", "Calls that the execution log could not keep up with", figures.log_rows_dropped)?;
        let found = [("cut", figures.loops.cut), ("suspected", figures.loops.suspected)];
        self.counters("loops", "Times that handlers were found to answer each other", "state", &found)?;
        self.counter("loop_refusals", "Actions refused because handlers answered each other", figures.loops.refused)
    }

    /// One line for each after handler.
    fn handlers(&mut self, handlers: &[HandlerFigures]) -> fmt::Result {
        type Line = (&'static str, &'static str, Option<&'static Unit>, fn(&HandlerFigures) -> f64);
        let lines: [Line; 4] = [
            ("handler_behind", "Deliveries that wait or are tried again", None, |handler| handler.behind as f64),
            ("handler_dead", "Deliveries that were given up", None, |handler| handler.dead as f64),
            ("handler_lag", "Age of the oldest event it has not heard of", Some(&Unit::Seconds), |handler| {
                handler.behind_seconds
            }),
            ("handler_stopped", "1 while nothing is sent to it", None, |handler| f64::from(u8::from(handler.stopped))),
        ];
        for (name, help, unit, of) in lines {
            let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            for handler in handlers {
                ConstGauge::new(of(handler)).encode(family.encode_family(&[("handler", handler.handler.as_str())])?)?;
            }
        }
        Ok(())
    }

    /// This node's own share and lag, and how many there are: each says it of itself, so that sums are right.
    fn nodes(&mut self, nodes: &[Seen]) -> fmt::Result {
        let alive = nodes.iter().filter(|seen| seen.lease_left_ms > 0).count();
        self.gauge("nodes", "Nodes that share the database", None, alive as i64)?;
        let Some(this) = nodes.iter().find(|seen| seen.is_this) else { return Ok(()) };
        self.gauge("node_shards", "Shards of clients that this node owns, of 256", None, this.shards as i64)?;
        let left = "How long this node may go on without being heard of";
        self.gauge("node_lease_left", left, Some(&Unit::Seconds), this.lease_left_ms.max(0) as f64 / 1e3)?;
        let lag = "How long a notice took to come to this node";
        self.gauge("node_lag", lag, Some(&Unit::Seconds), this.node.lag_us.unwrap_or(0) as f64 / 1e6)
    }

    fn clock(&mut self, figures: &schedule::Figures) -> fmt::Result {
        self.counters("clock_steps", "Steps of client packages that came due, by how they ended", "outcome", &figures.steps)?;
        let lag = "Since when the oldest step has been due that is not taken yet";
        self.gauge("clock_lag", lag, Some(&Unit::Seconds), figures.lag.as_secs_f64())
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(metric)
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&'static str, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, number) in values {
            ConstCounter::new(*number).encode(family.encode_family(&[(label, *value)])?)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: impl EncodeGaugeValue) -> fmt::Result {
        let metric = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }

    fn gauges(&mut self, name: &str, help: &str, label: &str, values: &[(&'static str, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (value, number) in values {
            ConstGauge::new(*number).encode(family.encode_family(&[(label, *value)])?)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, times: &Times) -> fmt::Result {
        let mut buckets = times.buckets.clone();
        if let Some((bound, _)) = buckets.last_mut() {
            // The format knows the bucket without a bound as this only.
            *bound = f64::INFINITY;
        }
        let mut metric = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        metric.encode_histogram::<NoLabelSet>(times.sum_seconds, times.count, &buckets, None)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text::encode, registry::Registry};

    use super::*;

    fn standing() -> Standing {
        let times = Times { sum_seconds: 0.75, count: 3, buckets: vec![(0.1, 1), (1.0, 2), (f64::MAX, 0)] };
        let hooks = Figures {
            before_calls: vec![("success", 3), ("forbidden", 1)],
            before_time: times.clone(),
            before_tripped: 1,
            after_paused: 1,
            after_calls: vec![("success", 7)],
            after_time: times,
            deliveries: vec![("waiting", 5), ("dead", 0)],
            outcomes: vec![("retrying", 2)],
            queue_age_seconds: 1.5,
            handlers: vec![HandlerFigures { handler: "2".into(), behind: 5, behind_seconds: 1.5, stopped: true, dead: 0 }],
            log_rows_dropped: 0,
            loops: hookswitch_hooks::loops::Counted { cut: 2, suspected: 1, refused: 9 },
        };
        let store = hookswitch_store::Figures { engine: "sqlite", writes: 9, flushes: 4, waiting: 2, bytes: 4_096 };
        let clock = schedule::Figures { steps: vec![("taken", 3), ("refused", 1)], lag: Duration::from_millis(2_500) };
        let node = |id: i64, is_this| Seen { node: node(id), shards: 100 + id as usize, lease_left_ms: 9_500, is_this };
        let nodes = vec![node(1, false), node(2, true)];
        let traces = Some(hookswitch_traces::Figures { exported: 40, dropped: 2 });
        Standing { store, hooks: Some(hooks), clock: Some(clock), nodes, traces, resident_bytes: Some(1_024) }
    }

    fn node(id: i64) -> hookswitch_store::tables::nodes::Node {
        let at = hookswitch_model::moment::Moment(5);
        hookswitch_store::tables::nodes::Node {
            id,
            name: "a".to_owned(),
            version: "1".to_owned(),
            epoch: id,
            valid_until: at,
            leaving: false,
            joined_at: at,
            renewed_at: at,
            lag_us: Some(2_500),
        }
    }

    fn written(standing: Standing) -> String {
        let mut registry = Registry::with_prefix("hookswitch");
        registry.register_collector(Box::new(standing));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn everything_is_on_the_page_under_its_name() {
        let text = written(standing());
        for line in [
            "hookswitch_store_flushes_total 4",
            "hookswitch_store_size_bytes 4096",
            "hookswitch_loops_total{state=\"suspected\"} 1",
            "hookswitch_loop_refusals_total 9",
            "hookswitch_before_calls_total{status=\"forbidden\"} 1",
            "hookswitch_before_call_duration_seconds_sum 0.75",
            "hookswitch_before_call_duration_seconds_bucket{le=\"1.0\"} 3",
            "hookswitch_before_call_duration_seconds_bucket{le=\"+Inf\"} 3",
            "hookswitch_before_handlers_tripped 1",
            "hookswitch_deliveries{state=\"waiting\"} 5",
            "hookswitch_outcomes{state=\"retrying\"} 2",
            "hookswitch_queue_age_seconds 1.5",
            "hookswitch_after_handlers_paused 1",
            "hookswitch_handler_behind{handler=\"2\"} 5.0",
            "hookswitch_handler_lag_seconds{handler=\"2\"} 1.5",
            "hookswitch_handler_stopped{handler=\"2\"} 1.0",
            "hookswitch_clock_steps_total{outcome=\"refused\"} 1",
            "hookswitch_clock_lag_seconds 2.5",
            "hookswitch_nodes 2",
            "hookswitch_node_shards 102",
            "hookswitch_node_lease_left_seconds 9.5",
            "hookswitch_node_lag_seconds 0.0025",
            "hookswitch_trace_spans_total{state=\"dropped\"} 2",
            "hookswitch_resident_memory_bytes 1024",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }

    #[test]
    fn what_the_database_did_not_tell_is_left_out() {
        let text = written(Standing { hooks: None, nodes: Vec::new(), ..standing() });
        assert!(text.contains("store_flushes") && !text.contains("deliveries") && !text.contains("node"), "{text}");
    }
}
