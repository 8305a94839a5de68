//! A handler that misbehaves at random, from a seed, and keeps what it was sent in little room.
//!
//! It is there for proofs over hundreds of thousands of calls: of each call that came in whole it keeps who, which and what in
//! 48 bytes. What it does with a call is chosen before that is read, so that one may also be lost half-way in.
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hookswitch_testdb::Port;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Notify,
};

use crate::{Call, Chance, recorder::read_call};

/// How long nothing listens when it is down.
const DOWN_MS: (i64, i64) = (5, 30);
/// It is down this much less often than it fails in any other way, because everybody who comes meanwhile is refused.
const DOWN_RARELY: i64 = 6;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// What can happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// It is answered with 200.
    Taken,
    /// The connection is closed, and for some milliseconds nobody listens: further connections are refused.
    Down,
    /// The connection is reset before the call was read.
    ResetUnread,
    /// The connection is reset after the call was read.
    Reset,
    /// No answer.
    Hang,
    /// 500.
    Broken,
    /// 429 with a `Retry-After` of 0 or 1 s.
    TooMany,
    /// The answer breaks off within its head.
    HalfHead,
    /// The answer, 500, breaks off within its body.
    HalfBody,
}

const TROUBLES: [Deed; 7] =
    [Deed::ResetUnread, Deed::Reset, Deed::Hang, Deed::Broken, Deed::TooMany, Deed::HalfHead, Deed::HalfBody];

/// A call that came in whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Told {
    /// `event.clients_id`.
    pub clients_id: i64,
    /// `event.seq`.
    pub seq: i64,
    /// `event.id`.
    pub event_id: u128,
    /// A fingerprint of `data`.
    pub data: u64,
    /// The first of `data`'s notes, accname and name, read as a number in hexadecimal: what a test recognises its call by.
    pub token: u64,
}

impl Told {
    fn of(call: &Call) -> Self {
        let data = &call.body["data"];
        let mut hasher = DefaultHasher::new();
        data.to_string().hash(&mut hasher);
        let token = ["notes", "accname", "name"].iter().find_map(|key| u64::from_str_radix(data[*key].as_str()?, 16).ok());
        Self {
            clients_id: call.clients_id(),
            seq: call.seq(),
            event_id: uuid(call.event("id").as_str().unwrap_or_default()),
            data: hasher.finish(),
            token: token.unwrap_or_default(),
        }
    }
}

/// A UUID's text as a number; 0 if it is none.
#[must_use]
pub fn uuid(text: &str) -> u128 {
    u128::from_str_radix(&text.replace('-', ""), 16).unwrap_or_default()
}

/// A handler that misbehaves, on a port of its own.
#[derive(Clone)]
pub struct Chaos(Arc<Shared>);

struct Shared {
    port: Port,
    per_cent: i64,
    kept: Mutex<Kept>,
    goes_down: Notify,
}

struct Kept {
    chance: Chance,
    told: Vec<Told>,
    deeds: BTreeMap<Deed, u64>,
}

impl Chaos {
    /// Something else than 200 happens to so many calls of a hundred.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(chance: Chance, per_cent: i64) -> Self {
        let kept = Mutex::new(Kept { chance, told: Vec::new(), deeds: BTreeMap::new() });
        let chaos = Self(Arc::new(Shared { port: Port::take(), per_cent, kept, goes_down: Notify::new() }));
        let listener = chaos.listener().expect("a free port");
        tokio::spawn(chaos.clone().listen(listener));
        chaos
    }

    /// Where it listens, most of the time: the `task` of a handler.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.0.port.number)
    }

    /// The calls that came in whole, in their order.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.kept().told.clone()
    }

    /// How many these are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kept().told.len()
    }

    /// What happened to calls, and how often.
    #[must_use]
    pub fn deeds(&self) -> BTreeMap<Deed, u64> {
        self.kept().deeds.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next deed, counted.
    fn deed(&self) -> Deed {
        let mut kept = self.kept();
        let deed = if kept.chance.between(0, 100 * DOWN_RARELY) < self.0.per_cent {
            Deed::Down
        } else if kept.chance.between(0, 100) < self.0.per_cent {
            *kept.chance.pick(&TROUBLES)
        } else {
            Deed::Taken
        };
        *kept.deeds.entry(deed).or_default() += 1;
        deed
    }

    fn listener(&self) -> std::io::Result<TcpListener> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(([127, 0, 0, 1], self.0.port.number).into())?;
        socket.listen(BACKLOG)
    }

    async fn listen(self, mut listener: TcpListener) {
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    let chaos = self.clone();
                    // A caller that went away is the caller's business.
                    tokio::spawn(async move { chaos.serve(stream).await.unwrap_or_default() });
                },
                () = self.0.goes_down.notified() => {
                    drop(listener);
                    let ms = self.kept().chance.between(DOWN_MS.0, DOWN_MS.1);
                    tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
                    listener = self.listener().expect("nobody else takes this port");
                }
            }
        }
    }

    async fn serve(self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        // Waits for the first byte: a connection that is kept is no call.
        while !stream.fill_buf().await?.is_empty() {
            let deed = self.deed();
            if deed == Deed::ResetUnread {
                return stream.get_ref().set_zero_linger();
            }
            let Some(call) = read_call(&mut stream).await? else { break };
            self.kept().told.push(Told::of(&call));
            if !self.answer(deed, &mut stream).await? {
                break;
            }
        }
        Ok(())
    }

    /// True if the connection can be used again.
    async fn answer(&self, deed: Deed, stream: &mut BufReader<TcpStream>) -> std::io::Result<bool> {
        let (answer, keep) = match deed {
            Deed::Taken => ("HTTP/1.1 200 Told\r\ncontent-length: 0\r\n\r\n".to_owned(), true),
            Deed::Broken => ("HTTP/1.1 500 Told\r\ncontent-length: 2\r\n\r\nno".to_owned(), true),
            Deed::TooMany => {
                let seconds = self.kept().chance.between(0, 2);
                (format!("HTTP/1.1 429 Told\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n"), true)
            }
            Deed::HalfHead => ("HTTP/1.1 200 Told\r\nconte".to_owned(), false),
            Deed::HalfBody => ("HTTP/1.1 500 Told\r\ncontent-length: 100\r\n\r\nno".to_owned(), false),
            Deed::Hang => {
                // Ends when the caller gives up and closes.
                let _closed = stream.read(&mut [0; 1]).await?;
                return Ok(false);
            }
            Deed::Reset | Deed::ResetUnread => return stream.get_ref().set_zero_linger().map(|()| false),
            Deed::Down => {
                self.0.goes_down.notify_one();
                return Ok(false);
            }
        };
        stream.write_all(answer.as_bytes()).await?;
        Ok(keep)
    }
}
