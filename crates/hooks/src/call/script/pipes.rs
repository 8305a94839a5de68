//! What goes into a script and what comes out of it, within bounds: the payload on standard input, at most 1 MiB of
//! standard output, the first line and the end of standard error.
//!
//! While the script runs, its pipes are read as they fill. When its first process has ended they are read once more,
//! but never waited for: a process that it left behind may hold them open for as long as it likes.
use std::{
    fs::File,
    io::{self, Read as _},
    process::{ChildStderr, ChildStdin, ChildStdout},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::unix::pipe,
};

use crate::call::{BODY_BYTES_MAX, STDERR_BYTES_MAX};

/// How much of standard error is handed over: more than is logged, so that a secret that lies across the cut is still
/// found and masked.
const TAIL_BYTES: usize = 2 * STDERR_BYTES_MAX;

/// Longer first lines are cut.
const FIRST_LINE_BYTES_MAX: usize = 1 << 10;

pub(super) const CHUNK_BYTES: usize = 8 << 10;

/// Standard output was longer than [`BODY_BYTES_MAX`].
#[derive(Debug)]
pub(super) struct Overflow;

/// What has come out so far.
#[derive(Default)]
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Tail,
}

/// The first line and the end of what may be endless.
#[derive(Default)]
pub(super) struct Tail {
    first: Vec<u8>,
    first_ended: bool,
    end: Vec<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !self.first_ended {
            let line = memchr::memchr(b'\n', bytes);
            let room = FIRST_LINE_BYTES_MAX - self.first.len();
            self.first.extend_from_slice(&bytes[..line.unwrap_or(bytes.len()).min(room)]);
            self.first_ended = line.is_some() || self.first.len() == FIRST_LINE_BYTES_MAX;
        }
        self.end.extend_from_slice(bytes);
        // Cut now and then rather than each time.
        if self.end.len() > 2 * TAIL_BYTES {
            self.end.drain(..cut(&self.end));
        }
    }

    pub(super) fn first_line(&self) -> String {
        String::from_utf8_lossy(&self.first).trim().to_owned()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.end[cut(&self.end)..]).into_owned()
    }
}

/// Where the last [`TAIL_BYTES`] begin; not within a character, of which 3 bytes at most follow the first.
fn cut(text: &[u8]) -> usize {
    let cut = text.len().saturating_sub(TAIL_BYTES);
    let within = |byte: &&u8| cut > 0 && **byte & 0xc0 == 0x80;
    cut + text[cut..].iter().take(3).take_while(within).count()
}

/// Our ends of a script's pipes.
pub(super) struct Pipes {
    stdin: Option<pipe::Sender>,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
}

impl Pipes {
    pub(super) fn new((stdin, stdout, stderr): (ChildStdin, ChildStdout, ChildStderr)) -> io::Result<Self> {
        Ok(Self {
            stdin: Some(pipe::Sender::from_owned_fd(stdin.into())?),
            stdout: pipe::Receiver::from_owned_fd(stdout.into())?,
            stderr: pipe::Receiver::from_owned_fd(stderr.into())?,
        })
    }

    /// Writes the payload and reads what comes, until all pipes are closed. Nothing is lost when it is cancelled.
    pub(super) async fn pump(&mut self, payload: &Bytes, output: &mut Output) -> Result<(), Overflow> {
        let stdin = self.stdin.take();
        let stdout = async {
            let mut chunk = vec![0; CHUNK_BYTES];
            loop {
                match self.stdout.read(&mut chunk).await {
                    Ok(0) | Err(_) => return Ok(()),
                    Ok(length) => keep(&mut output.stdout, &chunk[..length])?,
                }
            }
        };
        let stderr = async {
            let mut chunk = vec![0; CHUNK_BYTES];
            while let Ok(length @ 1..) = self.stderr.read(&mut chunk).await {
                output.stderr.push(&chunk[..length]);
            }
            Ok(())
        };
        tokio::try_join!(feed(stdin, payload), stdout, stderr).map(|_| ())
    }

    /// Reads what is in the pipes right now.
    pub(super) fn drain(self, output: &mut Output) -> Result<(), Overflow> {
        drain(self.stderr, |bytes| {
            output.stderr.push(bytes);
            Ok(())
        })?;
        drain(self.stdout, |bytes| keep(&mut output.stdout, bytes))
    }
}

/// A script need not read what it is sent: that it closed the pipe is no error.
async fn feed(stdin: Option<pipe::Sender>, payload: &Bytes) -> Result<(), Overflow> {
    if let Some(mut stdin) = stdin {
        let _closed = stdin.write_all(payload).await;
    }
    Ok(())
}

fn keep(stdout: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Overflow> {
    let room = BODY_BYTES_MAX - stdout.len();
    stdout.extend_from_slice(&bytes[..bytes.len().min(room)]);
    if bytes.len() > room { Err(Overflow) } else { Ok(()) }
}

/// Directly rather than through the runtime, which may not have noticed yet that there is something to read. Bounded
/// by what fits into a pipe, because its writers have been killed; and in any case by as much as a reply may be.
fn drain(pipe: pipe::Receiver, mut keep: impl FnMut(&[u8]) -> Result<(), Overflow>) -> Result<(), Overflow> {
    let Ok(fd) = pipe.into_nonblocking_fd() else { return Ok(()) };
    let mut pipe = File::from(fd);
    let mut chunk = vec![0; CHUNK_BYTES];
    for _ in 0..=BODY_BYTES_MAX / CHUNK_BYTES {
        match pipe.read(&mut chunk) {
            Ok(length @ 1..) => keep(&chunk[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The end, or nothing more for now.
            Ok(_) | Err(_) => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_endless_text_the_first_line_and_the_end_are_kept() {
        let mut tail = Tail::default();
        tail.push(b"no ");
        tail.push(b"more credit\nand so on\n");
        for number in 0..10_000 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        assert_eq!(tail.first_line(), "no more credit");
        assert!(tail.text().ends_with("line 9999\n") && tail.text().len() == TAIL_BYTES);
        assert!(tail.end.capacity() <= 8 * TAIL_BYTES);
    }

    #[test]
    fn a_text_is_not_cut_within_a_character() {
        let mut tail = Tail::default();
        tail.push("é".repeat(TAIL_BYTES).as_bytes());
        tail.push(b".");
        assert!(!tail.text().contains('\u{fffd}'), "{}", &tail.text()[..10]);
        assert!(tail.first_line().len() <= FIRST_LINE_BYTES_MAX);
    }
}
