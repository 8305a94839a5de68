//! A handler's side of the line: a socket that hears requests and answers what a test says.
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hookswitch_model::handler::Handler;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::call::{
    Call, CallError, Reply,
    fixture::{caller, handler},
};

/// A request, as it came over the line.
#[derive(Debug)]
pub(super) struct Heard {
    /// Such as `POST /path HTTP/1.1`.
    pub(super) line: String,
    /// By their names in lower case; none may come twice.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Reads one request; `None` when the other side has closed.
pub(super) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Option<Heard> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let mut headers = HashMap::new();
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        assert!(headers.insert(name.to_ascii_lowercase(), value.to_owned()).is_none(), "{name} came twice");
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    Some(Heard { line, headers, body })
}

/// A handler's side of the line.
pub(super) struct Receiver {
    pub(super) port: u16,
    pub(super) heard: mpsc::UnboundedReceiver<Heard>,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    /// Does this with each connection.
    pub(super) async fn start<F>(with: impl Fn(TcpStream, mpsc::UnboundedSender<Heard>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (hears, heard) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(with(stream, hears.clone()));
            }
        });
        Self { port, heard, connections }
    }

    /// Answers each request with this, and keeps the connection open.
    pub(super) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::start(move |stream, hears| converse(stream, answer.clone(), hears)).await
    }

    /// Hears one request, writes this and then does that with the connection.
    pub(super) async fn after<F>(answer: impl Into<Vec<u8>>, then: impl Fn(TcpStream) -> F + Copy + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let answer: Arc<[u8]> = answer.into().into();
        Self::start(move |mut stream, hears| {
            let answer = answer.clone();
            async move {
                let _kept = hears.send(hear(&mut stream).await.unwrap());
                stream.write_all(&answer).await.unwrap();
                then(stream).await;
            }
        })
        .await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn handler(&self, more: Value) -> Handler {
        handler(&self.url("/api"), more)
    }

    pub(super) async fn call(&self, call: &Call) -> Result<Reply, CallError> {
        caller().call(&self.handler(json!({})), call).await.result
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(super) async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    answer: Arc<[u8]>,
    hears: mpsc::UnboundedSender<Heard>,
) {
    while let Some(heard) = hear(&mut stream).await {
        let _kept = hears.send(heard);
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// Until the other side closes.
pub(super) async fn closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    let _reset = stream.read_to_end(&mut rest).await;
}

pub(super) async fn stay(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}
