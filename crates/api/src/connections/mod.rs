//! From the socket to the routes: accepting, TLS, limits of number and time; a request's name; panics.
//!
//! | file | subject |
//! |---|---|
//! | `mod.rs` | the listener: lets connections in, up to a limit, and ends |
//! | [`drive`] | one connection: TLS, HTTP/1.1 or HTTP/2, closed when nobody uses it |
//! | [`request`] | one request: its circumstances, its line in the log, its panic |
//!
//! What is slow on purpose costs its own connection only, and for a bounded time:
//!
//! | a peer that... | is cut after |
//! |---|---|
//! | does not finish the TLS handshake | 10 s |
//! | does not finish the head of a request, or sends none (HTTP/1.1) | 30 s |
//! | does not finish a body | 30 s (`body`) |
//! | sends no request, or takes no answer | 2 to 4 min |
//! | has no request running when there is no place for another | 0.1 s; those that have asked nothing lately go first |
mod drive;
mod request;

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use crate::Api;
use drive::Connections;
pub use request::Circumstances;

/// Connections open at once; for further ones those are closed that have no request running and have asked nothing lately;
/// if there are none, they wait in the system's own queue.
const CONNECTIONS_MAX: usize = 1_024;
/// How often it is looked whether one of them must be asked to go while somebody waits.
const MAKE_ROOM_EVERY: Duration = Duration::from_millis(1);
/// When the system has no more to give (file descriptors, mostly), it is asked again after this.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// How often the log is told that the limit is reached.
const FULL_TOLD_EVERY: Duration = Duration::from_secs(10);

/// A listener with its connections. Dropped without [`Serving::stop`], it closes them all at once.
pub struct Serving {
    address: SocketAddr,
    /// Each connection and the listener hold a receiver, so that this also tells when the last of them is gone.
    ending: watch::Sender<Ending>,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    NotYet,
    /// Nothing new; what is running may end.
    Gracefully,
    Now,
}

impl Serving {
    /// Starts accepting on a bound listener; with TLS if it is given. `pages` are further addresses beside the API's, such as the
    /// web section's. Called within a runtime.
    ///
    /// # Errors
    /// What the system says about the listener.
    pub fn start(
        api: Api,
        pages: Router,
        listener: std::net::TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> io::Result<Self> {
        Self::start_with(api, pages, listener, tls, CONNECTIONS_MAX)
    }

    fn start_with(
        api: Api,
        pages: Router,
        listener: std::net::TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
        connections_max: usize,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let (ending, seen) = watch::channel(Ending::NotYet);
        let connections = Arc::new(Connections::new(api, pages, tls));
        let door =
            Door { listener, connections, places: Arc::new(Semaphore::new(connections_max)), full_told: None, closed_told: None };
        tokio::spawn(door.open_until(seen));
        Ok(Self { address, ending })
    }

    /// Where it listens; the port is the real one, also if 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests in flight end within `grace`, then closes what is left.
    pub async fn stop(self, grace: Duration) {
        self.ending.send_replace(Ending::Gracefully);
        if tokio::time::timeout(grace, self.ending.closed()).await.is_err() {
            tracing::warn!("some requests did not end within {grace:?} and were cut off");
            self.ending.send_replace(Ending::Now);
            self.ending.closed().await;
        }
    }
}

/// Waits until the end has come that far.
async fn reached(ending: &mut watch::Receiver<Ending>, stage: Ending) {
    // Without its sender, whoever serves is gone: that is the end too.
    let _gone = ending.wait_for(|now| *now >= stage).await;
}

/// The listener.
struct Door {
    listener: TcpListener,
    connections: Arc<Connections>,
    places: Arc<Semaphore>,
    full_told: Option<std::time::Instant>,
    /// When the log was told that none can be accepted.
    closed_told: Option<std::time::Instant>,
}

impl Door {
    async fn open_until(mut self, mut ending: watch::Receiver<Ending>) {
        let seen = ending.clone();
        loop {
            let (stream, peer, place) = tokio::select! {
                () = reached(&mut ending, Ending::Gracefully) => return,
                next = self.next() => next,
            };
            let (connections, seen) = (Arc::clone(&self.connections), seen.clone());
            tokio::spawn(async move {
                connections.drive(stream, peer, seen).await;
                drop(place);
            });
        }
    }

    /// The next connection, once there is a place for it; it is taken in first, so that nobody has to go before
    /// somebody comes.
    async fn next(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let (stream, peer) = self.accepted().await;
        let place = self.place().await;
        (stream, peer, place)
    }

    async fn accepted(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                // It was gone before we looked: no fault of ours.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
                Err(error) => {
                    if self.closed_told.is_none_or(|told| told.elapsed() >= FULL_TOLD_EVERY) {
                        self.closed_told = Some(std::time::Instant::now());
                        tracing::warn!(%error, "no connection can be accepted");
                    }
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    async fn place(&mut self) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return place;
        }
        if self.full_told.is_none_or(|told| told.elapsed() >= FULL_TOLD_EVERY) {
            self.full_told = Some(std::time::Instant::now());
            tracing::warn!("as many connections are open as may be; idle ones are closed for further ones");
        }
        let mut place = pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            if let Ok(place) = tokio::time::timeout(MAKE_ROOM_EVERY, place.as_mut()).await {
                return place.expect("the places are never closed");
            }
            self.connections.ask_one_to_go();
        }
    }
}

#[cfg(test)]
mod tests;
