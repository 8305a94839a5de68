//! One span: begun where something is done, told what came of it, recorded when it is dropped. So what is cut off is recorded, too.
use std::{borrow::Cow, sync::Arc, time::Instant};

use hookswitch_model::{moment::Moment, trace::Trace};

use crate::Shared;

/// A value's text is cut here.
const TEXT_MAX: usize = 1 << 10;

/// What a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request that came in.
    Server,
    /// A call that went out.
    Client,
    /// Something within.
    Internal,
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Letters.
    Text(Cow<'static, str>),
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(mut text: String) -> Self {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
        Self::Text(text.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

/// A span that is being recorded, or nothing at all.
#[derive(Default)]
pub struct Span(Option<Box<Open>>);

struct Open {
    shared: Arc<Shared>,
    started: Instant,
    /// Its end, if that was before it is dropped.
    stopped: bool,
    span: Ended,
}

/// One that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) trace: Trace,
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) began: Moment,
    pub(crate) nanos: u64,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    /// Why it failed, in words.
    pub(crate) error: Option<String>,
}

impl std::fmt::Debug for Span {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Span").field(&self.0.as_ref().map(|open| &open.span)).finish()
    }
}

impl Span {
    /// Nothing is recorded.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn begin(shared: Arc<Shared>, trace: Trace, kind: Kind, name: Cow<'static, str>) -> Self {
        let began = shared.clock.now();
        let span = Ended { trace, name, kind, began, nanos: 0, attributes: Vec::new(), error: None };
        Self(Some(Box::new(Open { shared, started: Instant::now(), stopped: false, span })))
    }

    /// True if it is: what it is to be told need not be made otherwise.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Says more of it. What was said under the same key is kept too: say it once.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(open) = &mut self.0 {
            open.span.attributes.push((key, value.into()));
        }
    }

    /// Names it anew.
    pub fn rename(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(open) = &mut self.0 {
            open.span.name = name.into();
        }
    }

    /// It has failed, with these words, which are made only if somebody reads them.
    pub fn failed(&mut self, words: impl FnOnce() -> String) {
        if let Some(open) = &mut self.0 {
            let mut words = words();
            words.truncate(words.floor_char_boundary(TEXT_MAX));
            open.span.error = Some(words);
        }
    }

    /// It ends now. What came of it can be said until it is dropped.
    pub fn stop(&mut self) {
        if let Some(open) = &mut self.0 {
            open.stop();
        }
    }
}

impl Open {
    fn stop(&mut self) {
        self.span.nanos = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.stopped = true;
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(mut open) = self.0.take() else { return };
        if !open.stopped {
            open.stop();
            if open.span.kind == Kind::Client {
                // Whoever makes a call stops its span: nobody waits for this one any more.
                open.span.error.get_or_insert_with(|| "it was broken off".to_owned());
            }
        }
        let Open { shared, span, .. } = *open;
        shared.record(span);
    }
}
