//! Reading a body within bounds of size, time and memory.
//!
//! A small body is taken as it comes: how many there can be is bounded by the connections. A larger one first waits
//! for room among all that are being worked on, and keeps it until its request is answered, because what is parsed
//! takes a multiple of what was sent. It takes its room in one piece, so that two half-read bodies never wait for
//! each other.
use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, header},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

/// A body is at most this long.
const BODY_BYTES_MAX: usize = 2 << 20;
/// The whole of it arrives within this time.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);
/// Bodies up to here wait for nobody.
const SMALL_BYTES_MAX: usize = 16 << 10;
/// What the larger ones have together.
const ROOM_BYTES: usize = 32 << 20;
/// So long a larger one waits for room.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(5);
/// So much of a body that is too large is thrown away, so that its sender, still sending, can hear why: a connection
/// that is closed on unread bytes takes the answer with it.
const DISCARDED_BYTES_MAX: usize = 16 << 20;

/// The room for bodies.
pub(crate) struct Bodies(Arc<Semaphore>);

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_BYTES)))
    }
}

/// A body that was read whole.
#[derive(Debug)]
pub(crate) struct Held {
    /// What was sent.
    pub(crate) bytes: Vec<u8>,
    /// To be kept until the request is answered.
    pub(crate) room: Room,
}

/// The share of memory that a request has; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Longer than [`BODY_BYTES_MAX`].
    TooLarge,
    /// It did not arrive within [`ARRIVAL_MAX`].
    TooLate,
    /// Too many large ones at once.
    NoRoom,
    /// The sender went away or broke the rules of HTTP.
    BrokenOff,
}

impl Unread {
    /// Plain words for the sender.
    pub(crate) fn words(self) -> String {
        match self {
            Self::TooLarge => format!("a body has at most {} MiB", BODY_BYTES_MAX >> 20),
            Self::TooLate => format!("the body did not arrive within {} s", ARRIVAL_MAX.as_secs()),
            Self::NoRoom => "too many large requests at once; try again, or send less in one".to_owned(),
            Self::BrokenOff => "the body broke off".to_owned(),
        }
    }
}

impl Bodies {
    /// Reads a body to its end.
    pub(crate) async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<Held, Unread> {
        let deadline = Instant::now() + ARRIVAL_MAX;
        let read = timeout_at(deadline, self.take(&mut body)).await.unwrap_or(Err(Unread::TooLate));
        // Who asked first whether to send has not sent yet.
        if matches!(read, Err(Unread::TooLarge)) && !headers.contains_key(header::EXPECT) {
            let _late = timeout_at(deadline, discard(&mut body)).await;
        }
        read
    }

    async fn take(&self, body: &mut Body) -> Result<Held, Unread> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut room = self.room_for(announced).await?;
        let mut bytes = Vec::with_capacity(announced);
        while let Some(chunk) = next_chunk(body).await? {
            let length = bytes.len() + chunk.len();
            if room.0.is_none() && length > SMALL_BYTES_MAX {
                // Without an announced length it may become as long as any.
                room = self.room_for(length.max(BODY_BYTES_MAX)).await?;
            }
            if length > BODY_BYTES_MAX {
                return Err(Unread::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Held { bytes, room })
    }

    async fn room_for(&self, length: usize) -> Result<Room, Unread> {
        if length > BODY_BYTES_MAX {
            return Err(Unread::TooLarge);
        }
        if length <= SMALL_BYTES_MAX {
            return Ok(Room::default());
        }
        let share = u32::try_from(length).map_err(|_| Unread::TooLarge)?;
        match timeout(ROOM_WAIT_MAX, Arc::clone(&self.0).acquire_many_owned(share)).await {
            Ok(Ok(permit)) => Ok(Room(Some(permit))),
            _ => Err(Unread::NoRoom),
        }
    }
}

/// The next piece; `None` at the end.
async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Unread> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            // Trailers say nothing that we want to know.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => return Err(Unread::BrokenOff),
        }
    }
}

async fn discard(body: &mut Body) {
    let mut left = DISCARDED_BYTES_MAX;
    while let Ok(Some(chunk)) = next_chunk(body).await {
        let Some(less) = left.checked_sub(chunk.len()) else { return };
        left = less;
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};

    use axum::body::HttpBody;
    use hyper::body::Frame;

    use super::*;

    /// A body that comes in pieces without an announced length, and then ends or stays away.
    struct Pieces {
        left: usize,
        piece: Bytes,
        hangs: bool,
    }

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            match self.left.checked_sub(1) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
                }
                None if self.hangs => Poll::Pending,
                None => Poll::Ready(None),
            }
        }
    }

    fn pieces(left: usize, length: usize, hangs: bool) -> Body {
        Body::new(Pieces { left, piece: vec![b'x'; length].into(), hangs })
    }

    async fn read(bodies: &Bodies, body: Body) -> Result<Held, Unread> {
        bodies.read(&HeaderMap::new(), body).await
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_the_limit_announced_or_not() {
        let bodies = Bodies::default();
        for length in [0, 1, SMALL_BYTES_MAX, SMALL_BYTES_MAX + 1, BODY_BYTES_MAX] {
            assert_eq!(read(&bodies, Body::from(vec![b'x'; length])).await.unwrap().bytes.len(), length);
        }
        assert_eq!(read(&bodies, pieces(64, BODY_BYTES_MAX / 64, false)).await.unwrap().bytes.len(), BODY_BYTES_MAX);
    }

    #[tokio::test]
    async fn a_longer_one_is_too_large_announced_or_not() {
        let bodies = Bodies::default();
        assert_eq!(read(&bodies, Body::from(vec![b'x'; BODY_BYTES_MAX + 1])).await.unwrap_err(), Unread::TooLarge);
        assert_eq!(read(&bodies, pieces(65, BODY_BYTES_MAX / 64, false)).await.unwrap_err(), Unread::TooLarge);
        assert_eq!(read(&bodies, pieces(1, BODY_BYTES_MAX + 1, false)).await.unwrap_err(), Unread::TooLarge);
        assert_eq!(bodies.0.available_permits(), ROOM_BYTES);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stays_away_is_too_late() {
        let bodies = Bodies::default();
        let began = Instant::now();
        assert_eq!(read(&bodies, pieces(3, 1, true)).await.unwrap_err(), Unread::TooLate);
        assert_eq!(began.elapsed().as_secs(), ARRIVAL_MAX.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn large_ones_share_their_room_and_small_ones_need_none() {
        let bodies = Bodies::default();
        let large = || Body::from(vec![b'x'; BODY_BYTES_MAX]);
        let mut held = Vec::new();
        for _ in 0..ROOM_BYTES / BODY_BYTES_MAX {
            held.push(read(&bodies, large()).await.unwrap());
        }
        assert_eq!(read(&bodies, large()).await.unwrap_err(), Unread::NoRoom);
        assert!(read(&bodies, Body::from("{}")).await.is_ok());
        held.pop();
        assert!(read(&bodies, large()).await.is_ok());
    }
}
