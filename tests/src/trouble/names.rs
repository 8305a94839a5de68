//! Name servers that do not answer any more.
//!
//! The server gets a `/etc/resolv.conf` of its own, which names an address of this machine where somebody listens and never
//! answers; that needs root.
use std::time::{Duration, Instant};

use hookswitch_testkit::{Peer, Recorder, Server, after, before, json, program::may_mount, wait_until, with};
use tokio::net::UdpSocket;

/// Handlers with a name that is not known.
const UNKNOWN: usize = 40;
/// Far below the half minute after which the system gives a name up.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn silent_name_servers_cost_a_handler_its_time_limit_and_others_nothing() {
    if !may_mount() {
        return;
    }
    // An address of this process's own.
    let silent = format!("127.53.{}.{}", std::process::id() / 250 % 250, std::process::id() % 250 + 1);
    let Ok(_listens) = UdpSocket::bind((silent.as_str(), 53)).await else {
        return eprintln!("left out: nobody may listen for names here");
    };
    let mounts = format!("echo 'nameserver {silent}' > resolv.conf; mount --bind resolv.conf /etc/resolv.conf");
    let server = Server::setup().mounting(&mounts).start().await;
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
