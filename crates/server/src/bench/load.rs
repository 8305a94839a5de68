//! `hookswitch __load`: the load generator, a process of its own. It reads a [`Plan`] as JSON from standard input and
//! prints an [`Outcome`] as JSON.
//!
//! Two ways to load, because they answer two questions. *How much is possible*: every connection sends its next
//! request as soon as it has the answer (`closed`, one thread). *How long does it take at a given rate*: requests
//! have times at which they are due, and an answer's time counts from there even if it could not be sent yet, so
//! that a server that stalls can't hide it (`open`, a thread per connection, because only a sleeping thread is
//! woken more precisely than to the millisecond).
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{
    histogram::Histogram,
    template::{Numbers, Request, Template},
    wire::{Extent, Message, Wire},
};

/// More connections than this are a mistake.
pub(super) const CONNECTIONS_MAX: usize = 1024;
/// An answer that takes longer is an error.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const MESSAGE_BYTES: usize = 256 << 10;

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) request: Request,
    pub(super) connections: usize,
    pub(super) until: Until,
    /// Requests per second over all connections; none = as fast as they are answered.
    pub(super) rate: Option<f64>,
}

/// When it ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Until {
    /// After this time.
    Seconds(f64),
    /// After so many requests.
    Requests(u64),
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Answers with a result.
    pub(super) answered: u64,
    /// Answers with an error.
    pub(super) errors: u64,
    /// The first of them, in its own words.
    pub(super) first_error: Option<String>,
    /// From the first request to the last answer.
    pub(super) seconds: f64,
    /// Of the answers with a result.
    pub(super) latency: Histogram,
}

impl Outcome {
    /// Answers with a result per second.
    pub(super) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.answered as f64 / self.seconds } else { 0.0 }
    }

    fn note(&mut self, took: Duration, answer: Message<'_>) {
        if answer.status() == 200 && !is_error(answer.body) {
            self.answered += 1;
            self.latency.add(took);
        } else {
            self.errors += 1;
            self.first_error.get_or_insert_with(|| {
                let text = [answer.first_line, b" ", &answer.body[..answer.body.len().min(500)]].concat();
                String::from_utf8_lossy(&text).into_owned()
            });
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.answered += other.answered;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or_else(|| other.first_error.clone());
        self.seconds = self.seconds.max(other.seconds);
        self.latency.merge(&other.latency);
    }
}

/// A JSON-RPC answer says within its first bytes which of the two it is.
fn is_error(body: &[u8]) -> bool {
    let start = &body[..body.len().min(64)];
    start.windows(8).any(|word| word == b"\"error\":")
}

/// The process.
///
/// # Errors
/// When the plan can't be read or the server can't be reached.
pub(super) fn process() -> anyhow::Result<()> {
    let plan: Plan = serde_json::from_reader(std::io::stdin().lock()).context("the plan")?;
    anyhow::ensure!((1..=CONNECTIONS_MAX).contains(&plan.connections), "1 to {CONNECTIONS_MAX} connections");
    let outcome = match plan.rate {
        Some(rate) => open(&plan, rate)?,
        None => tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(closed(&plan))?,
    };
    serde_json::to_writer(std::io::stdout().lock(), &outcome)?;
    Ok(())
}

/// What all connections of one run share.
#[derive(Debug)]
struct Run {
    numbers: Numbers,
    started: Instant,
    until: Until,
    sent: AtomicU64,
}

impl Run {
    fn start(plan: &Plan) -> Arc<Self> {
        let numbers = Numbers::new(plan.request.picks.clone());
        Arc::new(Self { numbers, started: Instant::now(), until: plan.until, sent: AtomicU64::new(0) })
    }

    /// The number of the next request; `None` when there is to be none.
    fn take(&self) -> Option<u64> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let go_on = match self.until {
            Until::Seconds(seconds) => self.started.elapsed().as_secs_f64() < seconds,
            Until::Requests(requests) => number < requests,
        };
        go_on.then_some(number)
    }
}

async fn closed(plan: &Plan) -> anyhow::Result<Outcome> {
    let mut wires = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        wires.push(Wire::connect(plan.request.address).await?);
    }
    let (run, template) = (Run::start(plan), Template::new(&plan.request));
    let mut tasks = tokio::task::JoinSet::new();
    for wire in wires {
        tasks.spawn(closed_connection(run.clone(), template.clone(), wire));
    }
    let mut all = Outcome::default();
    while let Some(ended) = tasks.join_next().await {
        all.merge(&ended??);
    }
    Ok(all)
}

async fn closed_connection(run: Arc<Run>, mut template: Template, mut wire: Wire) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    while run.take().is_some() {
        let sent = Instant::now();
        wire.send(template.next(&run.numbers)).await?;
        let answer = wire.receive().await?.context("the server closed the connection")?;
        outcome.note(sent.elapsed(), answer);
    }
    outcome.seconds = run.started.elapsed().as_secs_f64();
    Ok(outcome)
}

fn open(plan: &Plan, rate: f64) -> anyhow::Result<Outcome> {
    anyhow::ensure!(rate > 0.0, "a rate above 0");
    let mut streams = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        let stream = TcpStream::connect(plan.request.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        streams.push(stream);
    }
    let (run, template) = (Run::start(plan), Template::new(&plan.request));
    let threads: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let (run, template) = (run.clone(), template.clone());
            std::thread::spawn(move || open_connection(&run, template, stream, rate))
        })
        .collect();
    let mut all = Outcome::default();
    for thread in threads {
        let ended = thread.join().map_err(|_| anyhow::anyhow!("a connection's thread ended badly"))?;
        all.merge(&ended?);
    }
    Ok(all)
}

/// Each connection takes the next request that is due, whoever is free: a stalled connection does not hold up others'.
fn open_connection(run: &Run, mut template: Template, mut stream: TcpStream, rate: f64) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut bytes = vec![0; MESSAGE_BYTES];
    // Sleeps are rounded up by 50 us otherwise.
    nix::sys::prctl::set_timerslack(1_000)?;
    while let Some(number) = run.take() {
        let due = run.started + Duration::from_secs_f64(number as f64 / rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        stream.write_all(template.next(&run.numbers))?;
        let extent = receive(&mut stream, &mut bytes)?;
        outcome.note(due.elapsed(), Message::at(extent, &bytes));
    }
    outcome.seconds = run.started.elapsed().as_secs_f64();
    Ok(outcome)
}

fn receive(stream: &mut TcpStream, bytes: &mut [u8]) -> anyhow::Result<Extent> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut bytes[filled..])?;
        anyhow::ensure!(read > 0, "the server closed the connection, or its answer is too large");
        filled += read;
        if let Some(extent) = Extent::find(&bytes[..filled])? {
            return Ok(extent);
        }
    }
}
