//! Name servers that do not answer any more.
//!
//! The server gets a `/etc/resolv.conf` of its own, which names an address of this machine where somebody listens and never
//! answers; that needs root.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hookswitch_testkit::{Peer, Recorder, Reply, Server, after, before, json, program::may_mount, wait_until, with};
use tokio::net::UdpSocket;

/// Handlers with a name that is not known.
const UNKNOWN: usize = 40;
/// Far below the half minute after which the system gives a name up.
const AT_ONCE: Duration = Duration::from_secs(2);

/// For how long an answer is fresh, and somewhat more.
const FRESH: Duration = Duration::from_millis(2_500);

/// A name server that says of every name that it leads here, or nothing.
struct Names {
    address: String,
    answers: Arc<AtomicBool>,
}

impl Names {
    /// `None` where nobody may listen for names.
    async fn start(number: u32) -> Option<Self> {
        if !may_mount() {
            return None;
        }
        // An address of this process's own.
        let place = std::process::id() * 2 + number;
        let address = format!("127.53.{}.{}", place / 250 % 250, place % 250 + 1);
        let Ok(socket) = UdpSocket::bind((address.as_str(), 53)).await else {
            eprintln!("left out: nobody may listen for names here");
            return None;
        };
        let answers = Arc::new(AtomicBool::new(false));
        let names = Self { address, answers: Arc::clone(&answers) };
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                if answers.load(Ordering::SeqCst) {
                    let _gone = socket.send_to(&answer(&query[..length]), from).await;
                }
            }
        });
        Some(names)
    }

    async fn server(&self) -> Server {
        let mounts = format!("echo 'nameserver {}' > resolv.conf; mount --bind resolv.conf /etc/resolv.conf", self.address);
        Server::setup().mounting(&mounts).start().await
    }
}

/// To a query for an IPv4 address: 127.0.0.1. To any other: that there is none.
fn answer(query: &[u8]) -> Vec<u8> {
    // The question is a name, which ends with an empty label, a type and a class.
    let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap_or(0) + 5;
    let is_ipv4 = query[end - 4..end - 2] == [0, 1];
    let mut answer = [&query[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0], &query[12..end]].concat();
    if is_ipv4 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    }
    answer
}

#[tokio::test]
async fn a_handler_that_was_found_before_is_told_while_the_name_servers_are_silent() {
    let Some(names) = Names::start(0).await else { return };
    names.answers.store(true, Ordering::SeqCst);
    let server = names.server().await;
    // Each call needs a new connection, and so the name.
    let told = Recorder::answering(|_| Reply::ok().header("connection", "close")).await;
    let task = format!("http://crm.example.com:{}/", told.port());
    let fields = json!({"name": "n", "event": "clients.create", "task": task, "timeout_ms": 2_000, "retries": []});
    server.handler(fields).await;
    server.client("before").await;
    told.wait(1).await;
    names.answers.store(false, Ordering::SeqCst);
    tokio::time::sleep(FRESH).await;
    let began = Instant::now();
    server.client("meanwhile").await;
    told.wait(2).await;
    assert!(began.elapsed() < AT_ONCE, "told after {:?}", began.elapsed());
}

#[tokio::test]
async fn silent_name_servers_cost_a_handler_its_time_limit_and_others_nothing() {
    let Some(names) = Names::start(1).await else { return };
    let server = names.server().await;
    let healthy = Recorder::start().await;
    for number in 0..UNKNOWN {
        let fields = json!({"name": "n", "task": format!("http://crm-{number}.example.com/"), "event": "clients.create"});
        server.handler(with(fields, json!({"timeout_ms": 200, "retries": [0]}))).await;
    }
    server.handler(after("clients.create", &healthy)).await;
    let began = Instant::now();
    server.client("Acme").await;
    healthy.wait(1).await;
    assert!(began.elapsed() < AT_ONCE, "told after {:?}", began.elapsed());
    wait_until("the others are given up", async || {
        let dead = json!({"state": "dead", "limit": 100});
        server.ok("provisioning.deliveries.search", dead).await.as_array().unwrap().len() == UNKNOWN
    })
    .await;
    let rows = server.log(json!({"status": "failed", "limit": 100})).await;
    assert_eq!(rows.len(), 2 * UNKNOWN);
    assert!(rows.iter().all(|row| row["error"].as_str().unwrap().starts_with("timeout: ")), "{rows:#?}");
    // Callers too wait no longer than the time limit.
    let asked = Peer::start(|_| std::future::pending()).await;
    let task = json!({"task": asked.url_of("crm.example.com"), "timeout_ms": 200});
    server.handler(with(before("clients.update", &healthy), task)).await;
    let began = Instant::now();
    let refused = server.refused("clients.update", json!({"id": 1, "notes": "n"})).await;
    assert_eq!((refused.code, &refused.data["reason"]), (-32053, &json!("timeout")));
    assert!(began.elapsed() < AT_ONCE, "told after {:?}", began.elapsed());
    assert_eq!(asked.connections(), 0);
    assert!(server.client("Beta").await > 0);
}
