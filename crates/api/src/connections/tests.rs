//! Over real sockets. Where a limit of time is tested the clock stands still and jumps on when nothing else happens;
//! the database must not be asked there, because the clock does not wait for its threads.
use std::net::Ipv4Addr;

use axum::{Router, routing::get};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::fixture::Fixture;

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

struct Peer(TcpStream);

impl Peer {
    async fn connect(serving: &Serving) -> Self {
        Self(TcpStream::connect(serving.address()).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next answer: head and body.
    async fn answer(&mut self) -> (String, String) {
        let (mut text, mut byte) = (String::new(), [0]);
        while !text.ends_with("\r\n\r\n") {
            self.0.read_exact(&mut byte).await.unwrap_or_else(|error| panic!("{error} after {text:?}"));
            text.push(byte[0].into());
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (text, String::from_utf8(body).unwrap())
    }

    /// All that still comes until the connection is closed.
    async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        // A reset closes as well as an end does.
        let _reset = self.0.read_to_end(&mut bytes).await;
        String::from_utf8(bytes).unwrap()
    }
}

async fn serve(fixture: &Fixture, connections_max: usize) -> Serving {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    Serving::start_with(fixture.api(), Router::new(), listener, None, connections_max).unwrap()
}

#[tokio::test]
async fn every_answer_names_its_request_and_a_given_name_is_kept() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 8).await;
    let mut peer = Peer::connect(&serving).await;
    for (line, status) in [("GET /healthz", "200"), ("GET /readyz", "200"), ("GET /nothing", "404"), ("GET /api/", "405")] {
        peer.send(&format!("{line} HTTP/1.1\r\nhost: x\r\nx-request-id: mine-1\r\n\r\n")).await;
        let (head, body) = peer.answer().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && head.contains("x-request-id: mine-1\r\n"), "{line}: {head}");
        assert!(status == "200" || body.starts_with("{\"error\":{\"message\":"), "{line}: {body}");
        assert_eq!(head.contains("allow: POST"), status == "405", "{line}: {head}");
    }
    peer.send(HEALTH).await;
    assert!(peer.answer().await.0.contains("x-request-id: "));
}

/// One connection to routes of the test's own; it ends when what is given is dropped.
async fn drive_alone(fixture: &Fixture, routes: Router) -> (Peer, watch::Sender<Ending>) {
    let mut connections = Connections::new(fixture.api(), Router::new(), None);
    connections.routes = TowerToHyperService::new(routes);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let peer = Peer(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
    let (stream, address) = listener.accept().await.unwrap();
    let (ending, seen) = watch::channel(Ending::NotYet);
    tokio::spawn(Arc::new(connections).drive(stream, address, seen));
    (peer, ending)
}

#[tokio::test]
async fn a_panic_is_answered_with_the_name_of_its_request_and_the_connection_goes_on() {
    let fixture = Fixture::open().await;
    let routes = Router::new().route("/", get(|| async { assert!(std::hint::black_box(false), "on purpose") }));
    let (mut peer, ending) = drive_alone(&fixture, routes).await;
    for id in ["one", "two"] {
        peer.send(&format!("GET / HTTP/1.1\r\nhost: x\r\nx-request-id: {id}\r\n\r\n")).await;
        let (head, body) = peer.answer().await;
        assert!(head.starts_with("HTTP/1.1 500 ") && head.contains(&format!("x-request-id: {id}\r\n")), "{head}");
        assert!(body.contains(&format!("\"request_id\":\"{id}\"")) && !body.contains("on purpose"), "{body}");
    }
    drop(ending);
    assert_eq!(peer.rest().await, "");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_is_given_up() {
    let fixture = Fixture::open().await;
    let routes = Router::new().route("/", get(|| async { vec![b'x'; 64 << 20] }));
    let (mut peer, ending) = drive_alone(&fixture, routes).await;
    let began = Instant::now();
    peer.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    ending.closed().await;
    assert!((120..250).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_or_never_begins_is_cut() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 8).await;
    for begun in ["", "POST /api/ HT", "POST /api/ HTTP/1.1\r\nhost: x\r\nx-slow: a"] {
        let mut peer = Peer::connect(&serving).await;
        peer.send(begun).await;
        let began = Instant::now();
        let said = peer.rest().await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{begun:?}: {said}");
        assert!((29..=31).contains(&began.elapsed().as_secs()), "{begun:?}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_answered_and_cut() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 8).await;
    let mut peer = Peer::connect(&serving).await;
    peer.send("POST /api/ HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"jsonrpc\"").await;
    let said = peer.rest().await;
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("-32600"), "{said}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 8).await;
    let mut peer = Peer::connect(&serving).await;
    let head = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(100_000));
    // It may be closed while we still send.
    let _closed = peer.0.write_all(head.as_bytes()).await;
    let said = peer.rest().await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 431 "), "{said}");
}

#[tokio::test]
async fn a_body_that_is_too_large_hears_so_although_it_is_still_being_sent() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 8).await;
    let mut peer = Peer::connect(&serving).await;
    peer.send(&format!("POST /api/ HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 10 << 20)).await;
    peer.send(&"x".repeat(10 << 20)).await;
    let (head, body) = peer.answer().await;
    assert!(head.starts_with("HTTP/1.1 413 ") && body.contains("-32013"), "{head}{body}");
}

#[tokio::test]
async fn for_more_connections_than_places_idle_ones_are_closed() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 2).await;
    // One has been answered, the other has never said anything.
    let mut first = Peer::connect(&serving).await;
    first.send(HEALTH).await;
    first.answer().await;
    let mut silent = Peer::connect(&serving).await;
    for _ in 0..2 {
        let mut next = Peer::connect(&serving).await;
        next.send(HEALTH).await;
        assert!(next.answer().await.0.starts_with("HTTP/1.1 200 "));
        std::mem::forget(next);
    }
    assert_eq!((first.rest().await.as_str(), silent.rest().await.as_str()), ("", ""));
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_request_is_running_keeps_its_place() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 1).await;
    let mut first = Peer::connect(&serving).await;
    first.send("POST /api/ HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n").await;
    let mut second = Peer::connect(&serving).await;
    second.send(HEALTH).await;
    assert!(tokio::time::timeout(std::time::Duration::from_secs(2), second.answer()).await.is_err(), "nobody has taken it yet");
    first.send("{}").await;
    first.answer().await;
    assert!(second.answer().await.0.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(start_paused = true)]
async fn when_it_stops_idle_connections_are_closed_and_what_runs_may_end() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 8).await;
    let address = serving.address();
    let (mut idle, mut fresh, mut busy, mut slow) = (
        Peer::connect(&serving).await,
        Peer::connect(&serving).await,
        Peer::connect(&serving).await,
        Peer::connect(&serving).await,
    );
    idle.send(HEALTH).await;
    idle.answer().await;
    for peer in [&mut busy, &mut slow] {
        peer.send("POST /api/ HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n").await;
        assert_eq!(peer.answer().await.0, "HTTP/1.1 100 Continue\r\n\r\n", "it is running");
    }
    let began = Instant::now();
    let stopping = tokio::spawn(serving.stop(Duration::from_secs(5)));
    assert_eq!((idle.rest().await, fresh.rest().await), (String::new(), String::new()));
    assert_eq!(began.elapsed().as_secs(), 0);
    busy.send("17").await;
    assert!(busy.rest().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(slow.rest().await, "", "cut off");
    stopping.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 5);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}

/// Made for this test, of use to nobody else.
fn tls() -> (Arc<rustls::ServerConfig>, rustls::ClientConfig) {
    let certificate = CertificateDer::from(include_bytes!("test_certificate/cert.der").as_slice());
    let key = PrivatePkcs8KeyDer::from(include_bytes!("test_certificate/key.der").as_slice());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server =
        rustls::ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![certificate.clone()], key.into()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (Arc::new(server), client.with_root_certificates(roots).with_no_client_auth())
}

async fn connect_tls(serving: &Serving, mut client: rustls::ClientConfig, protocols: &[&str]) -> TlsStream<TcpStream> {
    client.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(serving.address()).await.unwrap();
    TlsConnector::from(Arc::new(client)).connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

#[tokio::test]
async fn over_tls_it_speaks_http_2_to_who_offers_it_and_http_1_to_others() {
    let fixture = Fixture::open().await;
    let (server, client) = tls();
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let serving = Serving::start(fixture.api(), Router::new(), listener, Some(server)).unwrap();
    let stream = connect_tls(&serving, client.clone(), &["h2", "http/1.1"]).await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("https://localhost/healthz").body(axum::body::Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, hyper::Version::HTTP_2));
    assert!(response.headers().contains_key("x-request-id"));

    let mut plain = connect_tls(&serving, client, &[]).await;
    plain.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut said = [0; 15];
    plain.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200 OK");
    serving.stop(Duration::from_secs(5)).await;
    connection.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_http_2_connection_that_nobody_uses_is_closed_however_well_it_answers_pings() {
    let fixture = Fixture::open().await;
    let (server, client) = tls();
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let serving = Serving::start(fixture.api(), Router::new(), listener, Some(server)).unwrap();
    let stream = connect_tls(&serving, client, &["h2"]).await;
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, axum::body::Body>(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let began = Instant::now();
    let _ended = connection.await;
    assert!((120..250).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    drop(sender);
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_does_not_begin_is_cut() {
    let fixture = Fixture::open().await;
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let serving = Serving::start(fixture.api(), Router::new(), listener, Some(tls().0)).unwrap();
    let mut peer = Peer::connect(&serving).await;
    let began = Instant::now();
    assert_eq!(peer.rest().await, "");
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn who_has_asked_something_lately_goes_after_those_who_have_not() {
    let fixture = Fixture::open().await;
    let serving = serve(&fixture, 2).await;
    // Older than the silent one, but in use.
    let mut used = Peer::connect(&serving).await;
    used.send(HEALTH).await;
    used.answer().await;
    let mut silent = Peer::connect(&serving).await;
    let mut next = Peer::connect(&serving).await;
    next.send(HEALTH).await;
    assert!(next.answer().await.0.starts_with("HTTP/1.1 200 "));
    assert_eq!(silent.rest().await, "");
    used.send(HEALTH).await;
    assert!(used.answer().await.0.starts_with("HTTP/1.1 200 "));
}
