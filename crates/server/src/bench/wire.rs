//! As much HTTP/1.1 as the bench has to speak, on both ends.
//!
//! A load generator that shares two cores with what it measures must cost next to nothing. So requests are ready-made
//! bytes, one message is in flight on a connection at a time, and reading one means finding its length.
use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The largest message that is read: far above any payload that the bench causes.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
const BUFFER_BYTES: usize = 32 << 10;

/// Where the parts of one whole message lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    first_line: usize,
    body: usize,
    end: usize,
}

/// One message, still where it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    /// The request line or the status line.
    pub(super) first_line: &'a [u8],
    /// The body.
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    pub(super) fn at(extent: Extent, bytes: &'a [u8]) -> Self {
        Self { first_line: &bytes[..extent.first_line], body: &bytes[extent.body..extent.end] }
    }

    /// The path of a request: its second word.
    pub(super) fn path(&self) -> &'a [u8] {
        self.first_line.split(|byte| *byte == b' ').nth(1).unwrap_or_default()
    }

    /// The status of a response, 0 if there is none.
    pub(super) fn status(&self) -> u16 {
        let word = self.first_line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        std::str::from_utf8(word).ok().and_then(|word| word.parse().ok()).unwrap_or(0)
    }
}

impl Extent {
    /// How many bytes the message takes.
    pub(super) fn len(self) -> usize {
        self.end
    }

    /// Finds the first message in `bytes`; `None` while it is not all there.
    ///
    /// # Errors
    /// When it is chunked or too large.
    pub(super) fn find(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let (mut line_at, mut first_line, mut length) = (0, 0, 0);
        while let Some(line_len) = bytes[line_at..].iter().position(|byte| *byte == b'\n') {
            let line = bytes[line_at..line_at + line_len].trim_ascii_end();
            if line_at == 0 {
                first_line = line.len();
            } else if line.is_empty() {
                let body = line_at + line_len + 1;
                let end = body + length;
                return Ok((bytes.len() >= end).then_some(Self { first_line, body, end }));
            } else if let Some(text) = value_of(line, b"content-length:") {
                length = std::str::from_utf8(text)?.parse().context("content-length")?;
            } else if value_of(line, b"transfer-encoding:").is_some() {
                bail!("a message without content-length");
            }
            line_at += line_len + 1;
        }
        if length.max(bytes.len()) > MESSAGE_BYTES_MAX {
            bail!("a message over {MESSAGE_BYTES_MAX} bytes");
        }
        Ok(None)
    }
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// A connection that carries one message at a time.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    bytes: Vec<u8>,
    filled: usize,
    /// Bytes of the message that was handed out last.
    done: usize,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, bytes: vec![0; BUFFER_BYTES], filled: 0, done: 0 })
    }

    pub(super) async fn connect(address: std::net::SocketAddr) -> anyhow::Result<Self> {
        Self::new(TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?)
    }

    pub(super) async fn send(&mut self, message: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(message).await?)
    }

    /// The next message; `None` when the other side has closed the connection between two.
    pub(super) async fn receive(&mut self) -> anyhow::Result<Option<Message<'_>>> {
        self.bytes.copy_within(self.done..self.filled, 0);
        self.filled -= self.done;
        self.done = 0;
        loop {
            if let Some(extent) = Extent::find(&self.bytes[..self.filled])? {
                self.done = extent.len();
                return Ok(Some(Message::at(extent, &self.bytes)));
            }
            if self.filled == self.bytes.len() {
                self.bytes.resize(self.filled * 2, 0);
            }
            match self.stream.read(&mut self.bytes[self.filled..]).await? {
                0 if self.filled == 0 => return Ok(None),
                0 => bail!("the connection was closed within a message"),
                read => self.filled += read,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n";

    #[test]
    fn a_message_is_found_only_when_it_is_all_there() {
        let whole = Extent::find(TWO).expect("well formed").expect("whole");
        for cut in 0..whole.len() {
            assert_eq!(Extent::find(&TWO[..cut]).expect("well formed"), None, "{cut}");
        }
        let message = Message::at(whole, TWO);
        assert_eq!((message.path(), message.body), (&b"/count"[..], &b"{}"[..]));
        let rest = &TWO[whole.len()..];
        assert_eq!(Extent::find(rest).expect("well formed").map(Extent::len), Some(rest.len()));
    }

    #[test]
    fn a_status_is_read() {
        let bytes = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        let extent = Extent::find(bytes).expect("well formed").expect("whole");
        assert_eq!(Message::at(extent, bytes).status(), 503);
    }
}
