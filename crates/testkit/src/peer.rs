//! A peer that a test writes by hand, byte for byte: for what no HTTP server does, such as never reading.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use nix::sys::socket::{setsockopt, sockopt::TcpMaxSeg};
use tokio::net::{TcpSocket, TcpStream};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;
/// Little room for what is not read, so that a sender notices soon.
const UNREAD_BYTES: u32 = 4_096;
/// A test may hold thousands of connections.
const DESCRIPTORS: u64 = 16_384;
/// Small packets, too: on this machine's own network they are so large that a sender may have a megabyte on the way.
const PACKET_BYTES: u32 = 536;

/// Listens on a free port of this machine.
#[derive(Debug, Clone)]
pub struct Peer {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    /// Does this with each connection, and closes it when that has ended.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let _as_many_as_may_be = rlimit::increase_nofile_limit(DESCRIPTORS);
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(UNREAD_BYTES).expect("a small buffer");
        setsockopt(&socket, TcpMaxSeg, &PACKET_BYTES).expect("small packets");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let listener = socket.listen(BACKLOG).expect("a listener");
        let peer = Self { port: listener.local_addr().expect("a bound address").port(), connections: Arc::default() };
        let connections = Arc::clone(&peer.connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                // A caller that went away is the caller's business.
                let serving = serve(stream);
                tokio::spawn(async move { serving.await.unwrap_or_default() });
            }
        });
        peer
    }

    /// The `task` of a handler.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("127.0.0.1")
    }

    /// The same under a name that leads here.
    #[must_use]
    pub fn url_of(&self, host: &str) -> String {
        format!("http://{host}:{}/hook", self.port)
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
