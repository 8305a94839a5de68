//! A request as bytes that are made once; only slots of fixed width change from one request to the next.
//!
//! Slots in the body, each written as its mark and replaced by 16 characters:
//!
//! | mark | becomes |
//! |---|---|
//! | `{unique}` | 16 hexadecimal digits that no other request of any run has, in no particular order |
//! | `{micros}` | the time now, in microseconds since 1970: the receiver tells how old an event is |
//! | `{pick}` | one of the plan's numbers, padded with blanks, as JSON allows |
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

const WIDTH: usize = 16;

/// What is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) address: SocketAddr,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// What `{pick}` takes, in turn.
    pub(super) picks: Vec<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Unique,
    Micros,
    Pick,
}

const MARKS: [(&str, Slot); 3] = [("{unique}", Slot::Unique), ("{micros}", Slot::Micros), ("{pick}", Slot::Pick)];

/// The bytes, and where they change.
#[derive(Debug, Clone)]
pub(super) struct Template {
    bytes: Vec<u8>,
    slots: Vec<(usize, Slot)>,
}

impl Template {
    pub(super) fn new(request: &Request) -> Self {
        let (body, slots) = with_slots(&request.body);
        let mut head = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", request.path, request.address);
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len()));
        let slots = slots.into_iter().map(|(at, slot)| (at + head.len(), slot)).collect();
        Self { bytes: [head.into_bytes(), body].concat(), slots }
    }

    /// The bytes of the next request.
    pub(super) fn next(&mut self, numbers: &Numbers) -> &[u8] {
        for (at, slot) in &self.slots {
            let text = numbers.text(*slot);
            self.bytes[*at..*at + WIDTH].copy_from_slice(&text);
        }
        &self.bytes
    }
}

/// Where the slots of all connections take their values from.
#[derive(Debug)]
pub(super) struct Numbers {
    unique: AtomicU64,
    picked: AtomicU64,
    picks: Vec<i64>,
}

impl Numbers {
    pub(super) fn new(picks: Vec<i64>) -> Self {
        // Nanoseconds: two runs of one bench never start in the same one, nor does a run make one a nanosecond.
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        Self { unique: AtomicU64::new(start), picked: AtomicU64::new(0), picks }
    }

    fn text(&self, slot: Slot) -> [u8; WIDTH] {
        let text = match slot {
            // Multiplying by an odd number permutes: as unique as the counter, but without its order, like real names.
            Slot::Unique => {
                format!("{:016x}", self.unique.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15))
            }
            Slot::Micros => format!("{:016}", micros_now()),
            Slot::Pick => {
                let turn = self.picked.fetch_add(1, Ordering::Relaxed) as usize;
                let pick = self.picks.get(turn % self.picks.len().max(1)).copied().unwrap_or_default();
                format!("{pick:16}")
            }
        };
        let mut fixed = [b' '; WIDTH];
        let len = text.len().min(WIDTH);
        fixed[..len].copy_from_slice(&text.as_bytes()[..len]);
        fixed
    }
}

/// Microseconds since 1970 by this machine's clock, which the receiver reads as well.
pub(super) fn micros_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}

fn with_slots(body: &str) -> (Vec<u8>, Vec<(usize, Slot)>) {
    let (mut bytes, mut slots, mut rest) = (Vec::new(), Vec::new(), body);
    while let Some((at, mark, slot)) = first_mark(rest) {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        slots.push((bytes.len(), slot));
        bytes.extend_from_slice(&[b' '; WIDTH]);
        rest = &rest[at + mark.len()..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    (bytes, slots)
}

fn first_mark(text: &str) -> Option<(usize, &'static str, Slot)> {
    MARKS.iter().filter_map(|(mark, slot)| text.find(mark).map(|at| (at, *mark, *slot))).min_by_key(|(at, ..)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str, picks: &[i64]) -> Request {
        let address = SocketAddr::from(([127, 0, 0, 1], 3080));
        Request { address, path: "/api/".into(), headers: Vec::new(), body: body.into(), picks: picks.to_vec() }
    }

    fn body_of(bytes: &[u8]) -> serde_json::Value {
        let extent = super::super::wire::Extent::find(bytes).expect("well formed").expect("whole");
        assert_eq!(extent.len(), bytes.len());
        serde_json::from_slice(super::super::wire::Message::at(extent, bytes).body).expect("JSON")
    }

    #[test]
    fn slots_take_their_values_and_the_length_stays_right() {
        let request = request(r#"{"name":"bench {unique}","id":{pick}}"#, &[7, 8]);
        let (mut template, numbers) = (Template::new(&request), Numbers::new(request.picks.clone()));
        let first = body_of(template.next(&numbers));
        let second = body_of(template.next(&numbers));
        assert_eq!((&first["id"], &second["id"]), (&7.into(), &8.into()));
        assert_ne!(first["name"], second["name"]);
    }
}
