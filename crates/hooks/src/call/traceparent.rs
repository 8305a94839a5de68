//! `traceparent` (W3C Trace Context): what lets an integrator see our call and his own work as one trace.
//!
//! The trace is the caller's when it gave one. Otherwise it is the event's id, which is as wide and as random as a
//! trace id must be: so all calls of an event, before and after, over all attempts and restarts, are one trace
//! without anything being kept for it.
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use uuid::Uuid;

/// One trace; every call within it gets its own span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: [u8; 16],
    flags: u8,
}

const SAMPLED: u8 = 1;

impl Trace {
    /// The trace of an event that came without one.
    #[must_use]
    pub fn of(event_id: Uuid) -> Self {
        Self { id: event_id.into_bytes(), flags: SAMPLED }
    }

    /// The trace that a caller's `traceparent` header names; `None` if it isn't one, which is then ignored.
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
        (version != [0xff] && ends_well && named).then_some(Self { id, flags: flags & SAMPLED })
    }

    /// The header of one call: this trace, a new span.
    #[must_use]
    pub fn call(&self) -> String {
        // Must be unique, not unguessable: the hasher's keys differ from call to call, and no system call is made. It must
        // not be all zero either.
        let span = RandomState::new().build_hasher().finish() | 1;
        format!("00-{:032x}-{span:016x}-{:02x}", u128::from_be_bytes(self.id), self.flags)
    }
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
        let (one, other) = (trace.call(), trace.call());
        assert!(one.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && one.ends_with("-01"), "{one}");
        assert_ne!(one, other);
        assert_eq!(Trace::given(&one), Some(trace));
    }

    #[test]
    fn an_event_without_a_trace_is_its_own() {
        let id = Uuid::from_u128(0x019a_a9b2_7c1e_7d33_9d0a_3b1f_5c0e_8a11);
        assert!(Trace::of(id).call().starts_with("00-019aa9b27c1e7d339d0a3b1f5c0e8a11-"));
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
