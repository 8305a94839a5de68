//! What a [`Recorder`](crate::Recorder) does with a request: answer, wait, or misbehave.
use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::watch,
    time::Instant,
};

use crate::Call;
use serde_json::Value;

/// What a [`Recorder`](crate::Recorder) does with a request.
#[derive(Debug, Clone)]
pub struct Reply {
    how: How,
    after: Duration,
    gate: Option<Gate>,
}

#[derive(Debug, Clone)]
enum How {
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    Endless,
    Hang,
    Close,
    Reset,
}

impl Reply {
    /// Any status with any body.
    #[must_use]
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { how: How::Answer { status, headers: Vec::new(), body: body.into() }, after: Duration::ZERO, gate: None }
    }

    /// 200 with a JSON body.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self::text(200, body.to_string())
    }

    /// 200 without a body.
    #[must_use]
    pub fn ok() -> Self {
        Self::text(200, "")
    }

    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::text(status, "")
    }

    /// What was sent comes straight back, as the first handler of many an integrator does.
    #[must_use]
    pub fn echo(call: &Call) -> Self {
        Self::text(200, call.raw.clone())
    }

    /// No answer, the connection stays open.
    #[must_use]
    pub fn hang() -> Self {
        Self { how: How::Hang, ..Self::ok() }
    }

    /// No answer, the connection is closed.
    #[must_use]
    pub fn close() -> Self {
        Self { how: How::Close, ..Self::ok() }
    }

    /// No answer, the connection is reset.
    #[must_use]
    pub fn reset() -> Self {
        Self { how: How::Reset, ..Self::ok() }
    }

    /// 200 and a body without end.
    #[must_use]
    pub fn endless() -> Self {
        Self { how: How::Endless, ..Self::ok() }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let How::Answer { headers, .. } = &mut self.how {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Not before this time has passed.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// Not before this gate is open.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Does it; true if the connection can be used again.
    pub(crate) async fn send(self, stream: &mut BufReader<TcpStream>) -> std::io::Result<bool> {
        tokio::time::sleep_until(Instant::now() + self.after).await;
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        write(stream, self.how).await
    }
}

/// Holds replies back until the test opens it: the way to be sure that something happens meanwhile.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// Shut.
    #[must_use]
    pub fn shut() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets all through, from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    async fn pass(&self) {
        // The sender lives in `self`, so waiting can't fail.
        let mut seen = self.0.subscribe();
        let _open = seen.wait_for(|open| *open).await;
    }
}

/// True if the connection can be used again.
async fn write(stream: &mut BufReader<TcpStream>, how: How) -> std::io::Result<bool> {
    match how {
        How::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n", body.len());
            if status == 204 {
                head = format!("HTTP/1.1 {status} Told\r\n");
            }
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            stream.write_all(&[head.as_bytes(), &body].concat()).await?;
            return Ok(true);
        }
        How::Endless => {
            stream.write_all(b"HTTP/1.1 200 Told\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        }
        How::Hang => {
            // Ends when the caller gives up and closes.
            let _closed = stream.read(&mut [0; 1]).await?;
        }
        How::Close => {}
        How::Reset => stream.get_ref().set_zero_linger()?,
    }
    Ok(false)
}
