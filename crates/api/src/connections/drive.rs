//! One connection, from the first byte to the last.
use std::{
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, middleware::from_fn};
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Notify, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{Ending, reached, request};
use crate::{Api, routes, span};

const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// For the head of a request; under HTTP/1.1 it runs between two requests too.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// A connection without a request begun or running for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// So long it may take to say so to its peer; and if its place is wanted.
const FAREWELL_MAX: Duration = Duration::from_secs(5);
const FAREWELL_IF_CROWDED_MAX: Duration = Duration::from_millis(100);
/// A peer that vanished without a word is noticed after twice this (HTTP/2).
const PING_EVERY: Duration = Duration::from_secs(20);

/// The head of a request, and what is read ahead of a body.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Requests at once over one HTTP/2 connection, and what each may send ahead of being read.
const STREAMS_MAX: u32 = 64;
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 512 << 10;

const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// What all connections have in common.
pub(super) struct Connections {
    pub(super) routes: TowerToHyperService<Router>,
    pub(super) api: Api,
    /// Tells one connection after another that its place is wanted.
    crowded: Notify,
    /// True from then on until it is gone, or stays because it was used.
    asked: AtomicBool,
    tls: Option<TlsAcceptor>,
}

impl Connections {
    pub(super) fn new(api: Api, pages: Router, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let mut routes = routes::routes(api.clone()).merge(pages);
        if api.parts.core.hooks().traces().is_on() {
            routes = routes.layer(from_fn(span::note_route));
        }
        Self {
            routes: TowerToHyperService::new(routes),
            api,
            crowded: Notify::new(),
            asked: AtomicBool::new(false),
            tls: tls.map(|config| TlsAcceptor::from(offering_http_2(config))),
        }
    }

    /// Asks the next connection to go, unless one was asked and is on its way: nobody else need go for that.
    pub(super) fn ask_one_to_go(&self) {
        if !self.asked.swap(true, Ordering::SeqCst) {
            self.crowded.notify_one();
        }
    }

    /// Serves one connection to its end.
    pub(super) async fn drive(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, mut ending: watch::Receiver<Ending>) {
        let common = Arc::clone(&self);
        let _open = common.api.parts.metrics.connection();
        let connection =
            Arc::new(Connection { common: self, peer: peer.ip(), begun: AtomicU64::new(0), running: AtomicUsize::new(0) });
        // Answers are written whole: waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "a connection broke off");
            return;
        }
        let Some(acceptor) = &common.tls else { return http_1(connection, stream, ending).await };
        let handshake = tokio::select! {
            done = timeout(HANDSHAKE_MAX, acceptor.accept(stream)) => done,
            () = reached(&mut ending, Ending::Gracefully) => return,
        };
        match handshake {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(HTTP_2) => http_2(connection, stream, ending).await,
            Ok(Ok(stream)) => http_1(connection, stream, ending).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS connection came about"),
            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
        }
    }
}

/// Both protocols, unless whoever made the configuration has chosen.
fn offering_http_2(config: Arc<rustls::ServerConfig>) -> Arc<rustls::ServerConfig> {
    if !config.alpn_protocols.is_empty() {
        return config;
    }
    let mut config = Arc::unwrap_or_clone(config);
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    Arc::new(config)
}

async fn http_1<S>(connection: Arc<Connection>, stream: S, ending: watch::Receiver<Ending>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
    protocol.max_header_size(HEAD_BYTES_MAX as usize).max_buf_size(HEAD_BYTES_MAX as usize);
    let asked = Arc::clone(&connection);
    let service = service_fn(move |request| request::answer(Arc::clone(&asked), request));
    run(protocol.serve_connection(TokioIo::new(stream), service), &connection, ending).await;
}

async fn http_2<S>(connection: Arc<Connection>, stream: S, ending: watch::Receiver<Ending>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut protocol = http2::Builder::new(TokioExecutor::new());
    protocol.timer(TokioTimer::new()).keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_EVERY);
    protocol.max_concurrent_streams(STREAMS_MAX).max_header_list_size(HEAD_BYTES_MAX);
    protocol.initial_stream_window_size(STREAM_WINDOW_BYTES).initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    let asked = Arc::clone(&connection);
    let service = service_fn(move |request| request::answer(Arc::clone(&asked), request));
    run(protocol.serve_connection(TokioIo::new(stream), service), &connection, ending).await;
}

/// Until it ends by itself, or is asked to and then made to.
async fn run(protocol: impl GracefulConnection, connection: &Connection, mut ending: watch::Receiver<Ending>) {
    let mut protocol = pin!(protocol);
    let farewell = tokio::select! {
        // How a connection breaks is its peer's business.
        _ended = protocol.as_mut() => return,
        () = reached(&mut ending, Ending::Gracefully) => None,
        farewell = connection.idle() => Some(farewell),
    };
    let _leaving = Leaving(&connection.common);
    protocol.as_mut().graceful_shutdown();
    tokio::select! {
        _ended = protocol => {}
        () = reached(&mut ending, Ending::Now) => {}
        () = tokio::time::sleep(farewell.unwrap_or_default()), if farewell.is_some() => {}
    }
}

/// A connection on its way out, until it is gone.
struct Leaving<'a>(&'a Connections);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.asked.store(false, Ordering::SeqCst);
    }
}

/// One connection, as its requests see it.
pub(super) struct Connection {
    pub(super) common: Arc<Connections>,
    pub(super) peer: IpAddr,
    begun: AtomicU64,
    running: AtomicUsize,
}

/// A request that is running.
pub(super) struct Running<'a>(&'a Connection);

impl Connection {
    pub(super) fn begin(&self) -> Running<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// Waits for a whole [`IDLE_MAX`] in which no request began, with none running at its end. That also finds a peer
    /// who does not take its answer. When its place is wanted, the time since it was last asked is enough; those that have
    /// been used since then wait behind all others again. Gives how long its end may take.
    async fn idle(&self) -> Duration {
        // From the connection's beginning: its first request may have come before this was called.
        let mut before = 0;
        loop {
            let wanted = timeout(IDLE_MAX, self.common.crowded.notified()).await.is_ok();
            if self.running.load(Ordering::Relaxed) == 0 && self.begun.load(Ordering::Relaxed) == before {
                return if wanted { FAREWELL_IF_CROWDED_MAX } else { FAREWELL_MAX };
            }
            before = self.begun.load(Ordering::Relaxed);
            if wanted {
                self.common.asked.store(false, Ordering::SeqCst);
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
