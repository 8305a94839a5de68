//! One process that takes one call after another.
//!
//! Its standard error is read for as long as a call lasts, and between calls whenever the pool looks at it. What it writes there
//! between two calls is dropped: it may be about the call before, whose secrets the log of the next one would not mask.
//! Whatever is read outside of waiting is read directly, because the runtime may not have noticed yet that there is something.
use std::{
    convert::Infallible,
    io,
    os::fd::AsFd,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::unix::pipe,
    signal::unix::{self, SignalKind},
    sync::watch,
};

use super::protocol::{self, Answer};
use crate::call::{
    BODY_BYTES_MAX, Call,
    script::{
        end_of,
        folder::Print,
        pipes::{CHUNK_BYTES, Output, Tail},
        starter::{self, Running},
    },
};

/// How long one that closed its standard output is given to say how it ended.
const LAST_WORD: Duration = Duration::from_millis(200);

/// How long one that is no longer needed is given to end by itself.
const FAREWELL: Duration = Duration::from_millis(500);

/// Reads at once, outside of waiting: more than fits into a pipe.
const READS_MAX: usize = 512;

/// A request that was longer than this gives its memory back.
const REQUEST_KEPT_MAX: usize = 64 << 10;

/// Why a process gave no answer. It has been killed.
#[derive(Debug)]
pub(super) enum Broken {
    /// It ended.
    Ended(WaitStatus),
    /// The same, and of the call it has not read a byte.
    Unread(WaitStatus),
    /// Its standard output is closed, and it goes on.
    Closed,
    /// The line has no end.
    Overflow,
    /// It did something else: what.
    Garbage(String),
    /// Our own trouble.
    Unseen(String),
}

/// How a process took a call.
pub(super) struct Taken {
    pub(super) result: Result<Answer, Broken>,
    /// The process, if it can take another one.
    pub(super) worker: Option<Worker>,
}

/// A process. Dropped, its whole group is killed.
pub(super) struct Worker {
    /// The file that it was started from.
    pub(super) print: Print,
    /// When it was started.
    pub(super) began: Instant,
    /// When it answered last.
    pub(super) idle_since: Instant,
    /// How many calls it has answered.
    pub(super) calls: u64,
    running: Running,
    stdin: pipe::Sender,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    children: unix::Signal,
    request: Vec<u8>,
}

/// What came of waiting.
enum Heard {
    /// A line that ends here.
    Line(usize),
    Overflow,
    Closed,
    Ended(WaitStatus),
    Unseen(String),
}

impl Worker {
    pub(super) fn new(mut running: Running, print: Print) -> io::Result<Self> {
        let (stdin, stdout, stderr) = running.pipes.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let now = Instant::now();
        Ok(Self {
            print,
            began: now,
            idle_since: now,
            calls: 0,
            stdin: pipe::Sender::from_owned_fd(stdin.into())?,
            stdout: pipe::Receiver::from_owned_fd(stdout.into())?,
            stderr: pipe::Receiver::from_owned_fd(stderr.into())?,
            children: unix::signal(SignalKind::child())?,
            running,
            request: Vec::new(),
        })
    }

    /// Gives it a call, and waits for the answer. Broken off, it is killed.
    pub(super) async fn take(mut self, call: &Call, output: &mut Output) -> Taken {
        let number = self.calls + 1;
        protocol::write_request(&mut self.request, number, call);
        let mut written = 0;
        let heard = self.converse(&mut written, output).await;
        let whole = written == self.request.len();
        let (line_end, status) = match heard {
            Heard::Line(end) => (Some(end), None),
            Heard::Overflow => return Broken::Overflow.into(),
            Heard::Unseen(error) => return Broken::Unseen(error).into(),
            Heard::Ended(status) => (self.last_line(output), Some(status)),
            Heard::Closed => match tokio::time::timeout(LAST_WORD, end_of(self.running.pid, &mut self.children)).await {
                Ok(Ok(status)) => (None, Some(status)),
                _ => (None, None),
            },
        };
        drain(&self.stderr, |bytes| output.stderr.push(bytes));
        let (Some(line_end), status) = (line_end, status) else {
            let unread = output.stdout.is_empty() && self.unread() == Some(written);
            return match status {
                Some(status) if unread => Broken::Unread(status),
                Some(status) => Broken::Ended(status),
                None => Broken::Closed,
            }
            .into();
        };
        let answer = match protocol::read_answer(&output.stdout[..line_end], number) {
            Ok(answer) => answer,
            Err(words) => return Broken::Garbage(words).into(),
        };
        // What follows the answer, nobody has asked for: the answer counts, the process goes.
        let in_step = status.is_none() && whole && output.stdout.len() == line_end + 1;
        self.calls = number;
        self.idle_since = Instant::now();
        if self.request.capacity() > REQUEST_KEPT_MAX {
            self.request = Vec::new();
        }
        Taken { result: Ok(answer), worker: in_step.then_some(self) }
    }

    /// Writes the request and reads what comes, until there is a line or the process has ended.
    async fn converse(&mut self, written: &mut usize, output: &mut Output) -> Heard {
        let Self { running, stdin, stdout, stderr, children, request, .. } = self;
        let Output { stdout: line, stderr: tail } = output;
        let talk = talk(read_line(stdout, line), feed(stdin, request, written));
        tokio::select! {
            // Standard error first: what was written before the answer is heard before it.
            biased;
            never = listen(stderr, tail) => match never {},
            heard = talk => heard,
            ended = end_of(running.pid, children) => ended.map_or_else(|error| Heard::Unseen(error.desc().to_owned()), Heard::Ended),
        }
    }

    /// The line that a process left behind when it ended, if there is one.
    fn last_line(&self, output: &mut Output) -> Option<usize> {
        // What it has left running may hold the pipe, and must not write on.
        starter::kill_group(self.running.pid);
        drain(&self.stdout, |bytes| {
            let room = (BODY_BYTES_MAX + 1).saturating_sub(output.stdout.len());
            output.stdout.extend_from_slice(&bytes[..bytes.len().min(room)]);
        });
        memchr::memchr(b'\n', &output.stdout)
    }

    /// How much of what was written is still in the pipe.
    fn unread(&self) -> Option<usize> {
        rustix::io::ioctl_fionread(&self.stdin).ok().and_then(|bytes| usize::try_from(bytes).ok())
    }

    /// True if it waits for a call: it lives, and has said nothing unasked. Called between calls, also so that one who writes
    /// to standard error all the time is not held up for ever.
    pub(super) fn waits(&self) -> bool {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        if !matches!(waitid(Id::Pid(self.running.pid), look), Ok(WaitStatus::StillAlive)) {
            return false;
        }
        drain(&self.stderr, |_| {});
        let read = rustix::io::read(&self.stdout, &mut [0; 1]);
        read == Err(rustix::io::Errno::AGAIN)
    }

    /// Lets it end by itself: its standard input is closed. Killed if it does not.
    pub(super) fn dismiss(self, leaving: &Leaving) {
        // Without a runtime it is killed at once.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let counted = leaving.count();
            runtime.spawn(async move {
                let Self { running, stdin, mut children, .. } = self;
                drop(stdin);
                let _in_time = tokio::time::timeout(FAREWELL, end_of(running.pid, &mut children)).await;
                drop((running, counted));
            });
        }
    }
}

impl From<Broken> for Taken {
    fn from(broken: Broken) -> Self {
        Self { result: Err(broken), worker: None }
    }
}

/// Both at once: a worker may begin to answer before it has read all. With its answer it must have read all, or the next call
/// would begin in the middle of this one.
async fn talk(read: impl Future<Output = Heard>, feed: impl Future<Output = ()>) -> Heard {
    let (mut read, mut feed) = (pin!(read), pin!(feed));
    let mut fed = false;
    let heard = loop {
        tokio::select! {
            heard = &mut read => break heard,
            () = &mut feed, if !fed => fed = true,
        }
    };
    if !fed && matches!(heard, Heard::Line(_)) {
        feed.await;
    }
    heard
}

async fn read_line(stdout: &mut pipe::Receiver, line: &mut Vec<u8>) -> Heard {
    loop {
        let seen = line.len();
        line.reserve(CHUNK_BYTES);
        match stdout.read_buf(line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Heard::Closed,
        }
        let end = memchr::memchr(b'\n', &line[seen..]).map(|at| seen + at);
        if end.unwrap_or(line.len()) > BODY_BYTES_MAX {
            line.truncate(BODY_BYTES_MAX);
            return Heard::Overflow;
        }
        if let Some(end) = end {
            return Heard::Line(end);
        }
    }
}

/// That it closed the pipe is seen by what was not written.
async fn feed(stdin: &mut pipe::Sender, request: &[u8], written: &mut usize) {
    while let Ok(count @ 1..) = stdin.write(&request[*written..]).await {
        *written += count;
    }
}

async fn listen(stderr: &mut pipe::Receiver, tail: &mut Tail) -> Infallible {
    let mut chunk = Vec::new();
    loop {
        chunk.clear();
        match stderr.read_buf(&mut chunk).await {
            Ok(1..) => tail.push(&chunk),
            Ok(0) | Err(_) => return std::future::pending().await,
        }
        chunk.reserve(CHUNK_BYTES);
    }
}

/// Reads what is there right now.
fn drain(pipe: impl AsFd, mut take: impl FnMut(&[u8])) {
    let mut chunk = [0; 4 << 10];
    for _ in 0..READS_MAX {
        match rustix::io::read(&pipe, &mut chunk) {
            Ok(length @ 1..) => take(&chunk[..length]),
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) | Err(_) => break,
        }
    }
}

/// Those that have been told to end; a cheap handle.
#[derive(Clone)]
pub(in crate::call) struct Leaving(Arc<watch::Sender<usize>>);

/// One of them, until it is gone.
struct Counted(Leaving);

impl Default for Leaving {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Leaving {
    fn count(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.clone())
    }

    /// Waits until they are gone, killed if need be.
    pub(in crate::call) async fn gone(&self) {
        let mut count = self.0.subscribe();
        // Only with us does the sender end.
        let _all = tokio::time::timeout(2 * FAREWELL, count.wait_for(|count| *count == 0)).await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
