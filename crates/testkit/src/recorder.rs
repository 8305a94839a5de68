//! A handler over HTTP that keeps what it was sent and answers as told.
//!
//! It speaks HTTP/1.1 by hand over a bare socket, because much of what it must do is what no HTTP library does for
//! you: break off, reset, never answer, or answer without end.
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use crate::Reply;

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Call {
    /// `POST`, `PUT` or `PATCH`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// In their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it was.
    pub raw: Vec<u8>,
    /// The body as JSON, null when it is not.
    pub body: Value,
    /// When it was read whole.
    pub at: Instant,
}

impl Call {
    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A member of `event`.
    #[must_use]
    pub fn event(&self, key: &str) -> &Value {
        &self.body["event"][key]
    }

    /// `event.events_id`.
    #[must_use]
    pub fn events_id(&self) -> &str {
        self.event("events_id").as_str().unwrap_or_default()
    }

    /// `event.seq`, or 0.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.event("seq").as_i64().unwrap_or_default()
    }

    /// `event.clients_id`, or 0.
    #[must_use]
    pub fn clients_id(&self) -> i64 {
        self.event("clients_id").as_i64().unwrap_or_default()
    }

    /// `Hookswitch-Attempt`, or 0.
    #[must_use]
    pub fn attempt(&self) -> i64 {
        self.header("hookswitch-attempt").and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

type Answering = Pin<Box<dyn Future<Output = Reply> + Send>>;
type Answerer = Arc<dyn Fn(Call) -> Answering + Send + Sync>;

/// A handler on a free port of this machine.
#[derive(Clone)]
pub struct Recorder {
    port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
    answerer: Arc<Mutex<Answerer>>,
}

impl Recorder {
    /// Answers 200 with an empty body: allow, delivered.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let recorder = Self { port, calls: Arc::default(), answerer: Arc::new(Mutex::new(answerer(|_| Reply::ok()))) };
        tokio::spawn(recorder.clone().listen(listener));
        recorder
    }

    /// With a rule from the start.
    pub async fn answering(rule: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let recorder = Self::start().await;
        recorder.answer(rule);
        recorder
    }

    /// From now on answers by this rule.
    pub fn answer(&self, rule: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        *locked(&self.answerer) = answerer(rule);
    }

    /// From now on answers with what this future gives: for handlers that call back into the API while asked.
    pub fn answer_later<F>(&self, rule: impl Fn(Call) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        *locked(&self.answerer) = Arc::new(move |call| Box::pin(rule(call)));
    }

    /// Where it listens: the `task` of a handler.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All calls up to now, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        locked(&self.calls).clone()
    }

    /// Forgets the calls up to now.
    pub fn forget(&self) {
        locked(&self.calls).clear();
    }

    /// Waits until at least this many calls have come in, and returns all.
    pub async fn wait(&self, count: usize) -> Vec<Call> {
        crate::wait_for(&format!("{count} calls to a handler"), || async {
            let calls = self.calls();
            (calls.len() >= count).then_some(calls)
        })
        .await
    }

    /// Waits for exactly this many calls.
    ///
    /// # Panics
    /// When there are already more.
    pub async fn wait_exactly(&self, count: usize) -> Vec<Call> {
        let calls = self.wait(count).await;
        assert_eq!(calls.len(), count, "calls: {:#?}", calls.iter().map(|call| &call.body).collect::<Vec<_>>());
        calls
    }

    async fn listen(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let recorder = self.clone();
            // A caller that went away is the caller's business.
            tokio::spawn(async move { recorder.serve(stream).await.unwrap_or_default() });
        }
    }

    async fn serve(self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(call) = read_call(&mut stream).await? {
            locked(&self.calls).push(call.clone());
            let answering = locked(&self.answerer).clone()(call);
            if !answering.await.send(&mut stream).await? {
                break;
            }
        }
        Ok(())
    }
}

fn answerer(rule: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Answerer {
    Arc::new(move |call| {
        let reply = rule(&call);
        Box::pin(async move { reply })
    })
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next request on this connection; `None` when the caller has closed it.
pub(crate) async fn read_call(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Call>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
    let mut raw = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut raw).await?;
    let body = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    Ok(Some(Call { method, path, headers, raw, body, at: Instant::now() }))
}
