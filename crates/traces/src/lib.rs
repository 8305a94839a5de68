//! Spans of requests and of calls to handlers, exported over OTLP to whatever collects them (OpenTelemetry).
//!
//! | file | subject |
//! |---|---|
//! | here | whether spans are recorded, and of which traces |
//! | [`span`] | one span, recorded when it is dropped |
//! | [`settings`] | OpenTelemetry's own variables of the environment |
//! | `sampler` | which traces are recorded |
//! | `exporter` | from the queue to the collector: batches, repetitions, what is lost |
//! | `otlp` | spans as OTLP has them |
//!
//! A span is recorded by hand where the thing is done that it tells of, and its place in the trace ([`Trace`]) is a value that is
//! passed along and kept with events: a delivery is made hours later, after a restart or by another node, and the `traceparent` that its
//! handler gets must name the very span that is exported. Contexts that hang on a thread or task can't give that.
//!
//! **Nobody waits for a collector.** The queue has a bound; what finds no room in it is lost, and counted. Off, a span is nothing.
mod exporter;
mod otlp;
mod sampler;
pub mod settings;
pub mod span;

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use hookswitch_model::trace::Trace;
use hookswitch_store::Clock;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use exporter::Exporter;
use sampler::Sampler;
pub use settings::Settings;
pub use span::{Kind, Span, Value};

/// Spans that wait for the exporter: some seconds of them under full load, in a few megabytes.
const QUEUE_MAX: usize = 16_384;

/// Records spans, or doesn't; a cheap handle.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Shared>>);

struct Shared {
    queue: mpsc::Sender<span::Ended>,
    sampler: Sampler,
    clock: Clock,
    counts: Counts,
}

/// What became of spans since the start.
#[derive(Debug, Default)]
struct Counts {
    exported: AtomicU64,
    dropped: AtomicU64,
}

/// What became of spans since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The collector has them.
    pub exported: u64,
    /// They are lost: the collector did not take them, or the queue was full.
    pub dropped: u64,
}

impl fmt::Debug for Traces {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.is_on() { "Traces(on)" } else { "Traces(off)" })
    }
}

impl Traces {
    /// Nothing is recorded, and that costs nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Records from now on, and exports in a task of its own. Called within a runtime.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn start(settings: Settings, clock: Clock) -> Result<(Self, Exporter), reqwest::Error> {
        let (queue, spans) = mpsc::channel(QUEUE_MAX);
        let shared = Arc::new(Shared { queue, sampler: settings.sampler, clock, counts: Counts::default() });
        let exporter = Exporter::start(settings, spans, Arc::clone(&shared))?;
        Ok((Self(Some(shared)), exporter))
    }

    /// True if spans are recorded at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of a request that came with this. Off, the request is in the caller's span as far as handlers can see.
    #[must_use]
    pub fn of_request(&self, given: Option<Trace>) -> Option<Trace> {
        let Some(shared) = &self.0 else { return given };
        Some(match given {
            Some(given) => given.sampled_if(shared.sampler.within(given)).child(),
            None => shared.begun(Trace::new()).child(),
        })
    }

    /// What calls about an event are made within: what it was kept with, else a trace of its own.
    #[must_use]
    pub fn of_event(&self, kept: Option<Trace>, event_id: Uuid) -> Trace {
        kept.unwrap_or_else(|| {
            let own = Trace::of(event_id);
            self.0.as_ref().map_or(own, |shared| shared.begun(own))
        })
    }

    /// Begins a span. It ends, and is recorded, when it is dropped.
    #[must_use]
    pub fn begin(&self, trace: Trace, kind: Kind, name: impl Into<Cow<'static, str>>) -> Span {
        match &self.0 {
            Some(shared) if trace.is_sampled() => Span::begin(Arc::clone(shared), trace, kind, name.into()),
            _ => Span::none(),
        }
    }

    /// What became of spans; `None` if they are not recorded.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        self.0.as_ref().map(|shared| shared.counts.figures())
    }
}

impl Shared {
    /// A trace that begins here, recorded or not.
    fn begun(&self, trace: Trace) -> Trace {
        trace.sampled_if(self.sampler.begins(trace))
    }

    fn record(&self, ended: span::Ended) {
        if self.queue.try_send(ended).is_err() {
            self.counts.dropped(1);
        }
    }
}

impl Counts {
    fn exported(&self, spans: usize) {
        self.exported.fetch_add(spans as u64, Ordering::Relaxed);
    }

    fn dropped(&self, spans: usize) {
        self.dropped.fetch_add(spans as u64, Ordering::Relaxed);
    }

    fn figures(&self) -> Figures {
        Figures { exported: self.exported.load(Ordering::Relaxed), dropped: self.dropped.load(Ordering::Relaxed) }
    }
}
