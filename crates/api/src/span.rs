//! The span of a request, where spans are recorded; in any case the place in a trace that its actions are done within.
//!
//! A request that asks for one method is one span, named after it. Where it runs several (a batch, a page, an action of the Management
//! API), each has a span of its own within it.
use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use hookswitch_model::{refusal::Refusal, trace::Trace};
use hookswitch_traces::{Kind, Span, Traces};
use hyper::{HeaderMap, Method, Uri};

use crate::{connections::Circumstances, metrics::outcome};

/// Asked for all the time by machines, and of interest to nobody.
const LEFT_OUT: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The span of one request; a cheap handle.
#[derive(Debug, Clone, Default)]
pub struct RequestSpan {
    /// Its place; where none are recorded the caller's, if it said so.
    trace: Option<Trace>,
    open: Option<Arc<Mutex<Span>>>,
    has_several: bool,
}

impl RequestSpan {
    /// Begins it. The rest of an address (`?...`) may be secret and is left out.
    pub(crate) fn begin(traces: &Traces, (verb, address): (&Method, &Uri), headers: &HeaderMap, request_id: &str) -> Self {
        let given = headers.get("traceparent").and_then(|header| Trace::given(header.to_str().ok()?));
        if LEFT_OUT.contains(&address.path()) {
            return Self { trace: given, ..Self::default() };
        }
        let trace = traces.of_request(given);
        let verb = verb_of(verb);
        let mut span = trace.map_or_else(Span::none, |trace| traces.begin(trace, Kind::Server, verb));
        if !span.is_recorded() {
            return Self { trace, ..Self::default() };
        }
        span.set("http.request.method", verb);
        span.set("url.path", address.path().to_owned());
        span.set("hookswitch.request_id", request_id.to_owned());
        Self { trace, open: Some(Arc::new(Mutex::new(span))), has_several: false }
    }

    /// The same, of a request that runs several methods.
    #[must_use]
    pub fn of_several(&self) -> Self {
        Self { has_several: true, ..self.clone() }
    }

    /// Names it by what it asks for: one of a few names.
    pub(crate) fn rename(&self, name: impl Into<Cow<'static, str>>) {
        self.with(|span| span.rename(name));
    }

    /// A method is run.
    pub(crate) fn action(&self, traces: &Traces, method: &'static str) -> Action {
        let mut own = Span::none();
        let mut trace = self.trace;
        if self.open.is_some() && self.has_several {
            trace = trace.map(Trace::child);
            own = trace.map_or_else(Span::none, |trace| traces.begin(trace, Kind::Internal, method));
        } else {
            self.rename(method);
        }
        Action { trace, method, own, request: self.clone() }
    }

    /// It is answered.
    pub(crate) fn answered(&self, status: u16) {
        self.with(|span| {
            span.stop();
            span.set("http.response.status_code", i64::from(status));
            if status >= 500 {
                span.failed(|| format!("it was answered with the HTTP status {status}"));
            }
        });
    }

    fn with(&self, tell: impl FnOnce(&mut Span)) {
        if let Some(open) = &self.open {
            tell(&mut open.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// A method that is run.
pub(crate) struct Action {
    trace: Option<Trace>,
    method: &'static str,
    /// Where it is one of several.
    own: Span,
    request: RequestSpan,
}

impl Action {
    /// What is done about it is done within this.
    pub(crate) fn trace(&self) -> Option<Trace> {
        self.trace
    }

    /// It has ended, well or not.
    pub(crate) fn ended(mut self, refusal: Option<&Refusal>) {
        if self.own.is_recorded() {
            return describe(&mut self.own, self.method, refusal);
        }
        self.request.with(|span| describe(span, self.method, refusal));
    }
}

/// A refusal is no failure of ours, unless it is one. Its words may quote the caller or a handler, and are left out.
fn describe(span: &mut Span, method: &'static str, refusal: Option<&Refusal>) {
    let outcome = outcome(refusal);
    span.set("hookswitch.method", method);
    span.set("hookswitch.outcome", outcome);
    if let Some(Refusal::Internal(_) | Refusal::HandlerFailed { .. }) = refusal {
        span.set("error.type", outcome);
        span.failed(|| outcome.to_owned());
    }
}

/// HTTP's own; whatever else a caller makes up must not make new names of spans.
fn verb_of(verb: &Method) -> &'static str {
    match verb.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

/// Notes which of our addresses it was, as it is written in the table of routes.
pub(crate) async fn note_route(request: Request, next: Next) -> Response {
    let (at, route) = (request.extensions().get::<Circumstances>(), request.extensions().get::<MatchedPath>());
    if let (Some(at), Some(route)) = (at, route) {
        let (verb, route) = (verb_of(request.method()), route.as_str());
        at.span.with(|span| {
            span.rename(format!("{verb} {route}"));
            span.set("http.route", route.to_owned());
        });
    }
    next.run(request).await
}
