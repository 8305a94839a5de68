//! `hookswitch __receive`: the handler that the bench delivers to, a process of its own and as cheap as can be, so
//! that what is measured is the server. It ends when its standard input does, that is, with the bench.
//!
//! The path says what is done with a post; the answer is always 200 `{}`:
//!
//! | path | does |
//! |---|---|
//! | `/count` | counts |
//! | `/order`, `/order/N` | counts, and checks that each client's `seq` rises by one |
//! | `/rise` | counts, and checks that each client's `seq` rises: a handler that does not get all events sees gaps |
//! | `/delay` | counts, and measures from the time written in the object's name (`{micros}`) to now |
//! | `/hang/MS` | counts, and answers after so many milliseconds |
//! | `/-/tally` | shows what was counted on every path |
//! | `/-/reset` | forgets it |
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

use super::{
    histogram::Histogram,
    template::micros_now,
    wire::{Message, Wire},
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
/// What precedes the time in the name of an object made for `/delay`.
pub(super) const MICROS_PREFIX: &str = "sent at ";
/// Where `seq` and `clients_id` stand in a payload at the latest: `event` comes first.
const HEAD_BYTES: usize = 1024;

/// What came in on one path.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) posts: u64,
    /// Posts whose `seq` was not the one after the client's last (`/rise`: not a higher one).
    pub(super) out_of_order: u64,
    pub(super) delay: Histogram,
}

/// What came in, by path.
pub(super) type Tallies = BTreeMap<String, Tally>;

#[derive(Debug, Default)]
struct Seen {
    tallies: Tallies,
    /// The last `seq` of each client, by path.
    seqs: HashMap<(String, u64), u64>,
}

/// The process: prints where it listens, then serves.
///
/// # Errors
/// When no port is free.
pub(super) fn process() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        super::process::announce(listener.local_addr()?)?;
        let seen = Rc::new(RefCell::new(Seen::default()));
        let ended = super::process::until_input_ends();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = &mut ended => return Ok(()),
                // A connection that breaks off is the caller's business.
                Ok((stream, _)) = listener.accept() => drop(tokio::task::spawn_local(serve(seen.clone(), stream))),
            }
        }
    })
}

async fn serve(seen: Rc<RefCell<Seen>>, stream: TcpStream) -> anyhow::Result<()> {
    let mut wire = Wire::new(stream)?;
    while let Some(message) = wire.receive().await? {
        let path = std::str::from_utf8(message.path())?.to_owned();
        match path.as_str() {
            "/-/tally" => {
                let body = serde_json::to_string(&seen.borrow().tallies)?;
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                wire.send(answer.as_bytes()).await?;
                continue;
            }
            "/-/reset" => *seen.borrow_mut() = Seen::default(),
            _ => seen.borrow_mut().note(&path, message),
        }
        if let Some(time_ms) = path.strip_prefix("/hang/").and_then(|text| text.parse().ok()) {
            tokio::time::sleep(Duration::from_millis(time_ms)).await;
        }
        wire.send(ANSWER).await?;
    }
    Ok(())
}

impl Seen {
    fn note(&mut self, path: &str, message: Message<'_>) {
        if !self.tallies.contains_key(path) {
            self.tallies.insert(path.to_owned(), Tally::default());
        }
        let Some(tally) = self.tallies.get_mut(path) else { return };
        tally.posts += 1;
        let head = &message.body[..message.body.len().min(HEAD_BYTES)];
        match path.split('/').nth(1).unwrap_or_default() {
            "order" => {
                let (client, seq) = (number_after(head, b"\"clients_id\":"), number_after(head, b"\"seq\":"));
                let last = self.seqs.insert((path.to_owned(), client), seq).unwrap_or(0);
                tally.out_of_order += u64::from(seq != last + 1);
            }
            "rise" => {
                let (client, seq) = (number_after(head, b"\"clients_id\":"), number_after(head, b"\"seq\":"));
                let last = self.seqs.insert((path.to_owned(), client), seq).unwrap_or(0);
                tally.out_of_order += u64::from(seq <= last);
            }
            "delay" => {
                let sent = number_after(message.body, MICROS_PREFIX.as_bytes());
                tally.delay.add(Duration::from_micros(micros_now().saturating_sub(sent)));
            }
            _ => {}
        }
    }
}

/// The number that follows the first occurrence of `mark`, 0 if there is none.
fn number_after(bytes: &[u8], mark: &[u8]) -> u64 {
    let Some(at) = bytes.windows(mark.len()).position(|found| found == mark) else { return 0 };
    let digits = bytes[at + mark.len()..].iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(client: u64, seq: u64) -> String {
        format!(r#"{{"event":{{"clients_id":{client},"seq":{seq}}},"data":{{"name":"sent at 0000000000000123 x"}}}}"#)
    }

    #[test]
    fn a_gap_and_a_repeat_are_both_out_of_order() {
        let mut seen = Seen::default();
        for (client, seq) in [(1, 1), (2, 1), (1, 2), (1, 2), (2, 3)] {
            let body = post(client, seq);
            seen.note("/order", Message { first_line: b"", body: body.as_bytes() });
        }
        assert_eq!((seen.tallies["/order"].posts, seen.tallies["/order"].out_of_order), (5, 2));
    }

    #[test]
    fn a_gap_is_in_order_where_only_some_events_come() {
        let mut seen = Seen::default();
        for (client, seq) in [(1, 3), (1, 5), (1, 5), (2, 1), (1, 4)] {
            let body = post(client, seq);
            seen.note("/rise", Message { first_line: b"", body: body.as_bytes() });
        }
        assert_eq!((seen.tallies["/rise"].posts, seen.tallies["/rise"].out_of_order), (5, 2));
    }

    #[test]
    fn numbers_are_read_where_they_stand() {
        assert_eq!(number_after(post(12, 41).as_bytes(), b"\"seq\":"), 41);
        assert_eq!(number_after(post(12, 41).as_bytes(), MICROS_PREFIX.as_bytes()), 123);
        assert_eq!(number_after(b"{}", b"\"seq\":"), 0);
    }
}
