//! A place in a trace (W3C Trace Context): what lets a caller, us and an integrator see all their work as one.
//!
//! The trace is the caller's when it gave one. Otherwise it is the request's own where spans are recorded, and the event's id, which
//! is as wide and as random as a trace id must be, where they are not. It is kept with the event: so all calls of an event, before and
//! after, over all attempts, restarts and nodes, are one trace.
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use uuid::Uuid;

const SAMPLED: u8 = 1;

/// One span of a trace, or the trace before it has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: [u8; 16],
    /// 0 = nothing was done in it yet.
    span: [u8; 8],
    /// The span that this one is within; 0 = none.
    parent: [u8; 8],
    sampled: bool,
}

impl Trace {
    /// What an event is kept with has this length.
    pub const BYTES: usize = 25;

    /// The trace of an event that came without one; no span of it is known.
    #[must_use]
    pub fn of(event_id: Uuid) -> Self {
        Self { id: event_id.into_bytes(), span: [0; 8], parent: [0; 8], sampled: true }
    }

    /// A new one, without a span.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Uuid::from_u64_pair(random(), random()))
    }

    /// The span that a caller's `traceparent` header names; `None` if it names none, which is then ignored.
    #[must_use]
    pub fn given(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let version = lower_hex::<1>(parts.next()?)?;
        let id = lower_hex::<16>(parts.next()?)?;
        let span = lower_hex::<8>(parts.next()?)?;
        let [flags] = lower_hex::<1>(parts.next()?)?;
        // Later versions may say more at the end; this one may not, and there is no version ff.
        let ends_well = version != [0] || parts.next().is_none();
        let named = id != [0; 16] && span != [0; 8];
        let sampled = flags & SAMPLED == SAMPLED;
        (version != [0xff] && ends_well && named).then_some(Self { id, span, parent: [0; 8], sampled })
    }

    /// A new span within this one.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: random().to_be_bytes(), parent: self.span, ..self }
    }

    /// The same, recorded or not.
    #[must_use]
    pub fn sampled_if(self, sampled: bool) -> Self {
        Self { sampled, ..self }
    }

    /// The header of a call that is made in this span.
    #[must_use]
    pub fn header(self) -> String {
        let (id, span) = (u128::from_be_bytes(self.id), u64::from_be_bytes(self.span));
        format!("00-{id:032x}-{span:016x}-{:02x}", u8::from(self.sampled))
    }

    /// The trace's id.
    #[must_use]
    pub fn id(self) -> [u8; 16] {
        self.id
    }

    /// The span's id.
    #[must_use]
    pub fn span(self) -> [u8; 8] {
        self.span
    }

    /// The id of the span that it is within, if it is within one.
    #[must_use]
    pub fn parent(self) -> Option<[u8; 8]> {
        (self.parent != [0; 8]).then_some(self.parent)
    }

    /// True if it is to be recorded.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.sampled
    }

    /// As it is kept with an event: what its calls are made within.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.id);
        bytes[16..24].copy_from_slice(&self.span);
        bytes[24] = u8::from(self.sampled);
        bytes
    }

    /// What was kept; `None` if that can't be.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (span, rest) = rest.split_first_chunk::<8>()?;
        let [sampled] = rest else { return None };
        Some(Self { id: *id, span: *span, parent: [0; 8], sampled: *sampled == SAMPLED })
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

/// Must be unique, not unguessable: the hasher's keys differ from call to call, and no system call is made. It must not be 0 either.
fn random() -> u64 {
    RandomState::new().build_hasher().finish() | 1
}

fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_given_trace_is_kept_and_each_call_has_its_own_span() {
        let trace = Trace::given(GIVEN).unwrap();
        let (one, other) = (trace.child(), trace.child());
        assert!(one.header().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && one.header().ends_with("-01"), "{one:?}");
        assert_ne!(one.header(), other.header());
        assert_eq!((one.parent(), other.child().parent()), (Some(trace.span()), Some(other.span())));
        assert_eq!(trace.header(), GIVEN);
    }

    #[test]
    fn an_event_without_a_trace_is_its_own() {
        let id = Uuid::from_u128(0x019a_a9b2_7c1e_7d33_9d0a_3b1f_5c0e_8a11);
        let call = Trace::of(id).child();
        assert!(call.header().starts_with("00-019aa9b27c1e7d339d0a3b1f5c0e8a11-"));
        assert_eq!(call.parent(), None);
    }

    #[test]
    fn what_is_kept_with_an_event_is_the_span_that_its_calls_are_within() {
        for trace in [Trace::given(GIVEN).unwrap(), Trace::new().sampled_if(false), Trace::of(Uuid::from_u128(7)).child()] {
            let kept = Trace::from_bytes(&trace.to_bytes()).unwrap();
            assert_eq!((kept.id(), kept.span(), kept.is_sampled()), (trace.id(), trace.span(), trace.is_sampled()));
        }
        assert!(
            Trace::from_bytes(&[]).is_none() && Trace::from_bytes(&[1; 24]).is_none() && Trace::from_bytes(&[1; 26]).is_none()
        );
    }

    #[test]
    fn what_is_not_a_traceparent_is_ignored() {
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::given(wrong), None, "{wrong}");
        }
        assert!(Trace::given("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_some());
    }
}
