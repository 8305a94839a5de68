//! `events tail` and `listen`: begun, looked at, stopped by a signal.
use std::time::Duration;

use hookswitch_testkit::{Recorder, Server, Value, ids, json, signature, wait_until};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout},
    time::timeout,
};

use super::{begun, forbidding};

type Out = Lines<BufReader<ChildStdout>>;
type Errors = Lines<BufReader<ChildStderr>>;

fn lines(child: &mut Child) -> (Out, Errors) {
    let (out, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    (BufReader::new(out).lines(), BufReader::new(errors).lines())
}

async fn line(out: &mut Out) -> String {
    timeout(Duration::from_secs(20), out.next_line()).await.expect("a line in time").unwrap().expect("a line")
}

async fn stop(mut child: Child, signal: Signal) -> Option<i32> {
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), signal).unwrap();
    timeout(Duration::from_secs(20), child.wait()).await.expect("it ends").unwrap().code()
}

#[tokio::test]
async fn the_tail_shows_what_happens_once_and_ends_well_at_ctrl_c() {
    let server = Server::start().await;
    server.client("Before").await;
    let mut child = begun(&server, &["events", "tail", "--event", "clients.*", "--last", "1", "--json"]);
    let (mut out, _errors) = lines(&mut child);
    let mut shown: Vec<Value> = vec![line(&mut out).await.parse().unwrap()];
    assert_eq!(shown[0]["clients_id"], json!(1), "the past one, first");
    // Longer than the overlap, so that the anchor moves on meanwhile.
    for number in 0..70 {
        server.client(&format!("Client {number}")).await;
        server.pay(2, "1").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let of_clients = server.ok("provisioning.events.search", json!({"limit": 1_000})).await;
    let wanted =
        of_clients.as_array().unwrap().iter().filter(|event| event["events_id"].as_str().unwrap().starts_with("clients."));
    let mut wanted: Vec<Value> = wanted.map(|event| event["id"].clone()).collect();
    while shown.len() < wanted.len() {
        shown.push(line(&mut out).await.parse().unwrap());
    }
    let mut found: Vec<Value> = shown.iter().map(|event| event["id"].clone()).collect();
    let by_text = |id: &Value| id.as_str().unwrap().to_owned();
    wanted.sort_by_key(by_text);
    found.sort_by_key(by_text);
    assert_eq!(found, wanted);
    assert!(timeout(Duration::from_secs(1), out.next_line()).await.is_err(), "nothing twice");
    assert_eq!(stop(child, Signal::SIGINT).await, Some(0));
}

#[tokio::test]
async fn a_tail_of_one_client_shows_no_other() {
    let server = Server::start().await;
    let (one, other) = (server.client("One").await, server.client("Other").await);
    let mut child = begun(&server, &["events", "tail", "--client", &one.to_string(), "--last", "1"]);
    let (mut out, _errors) = lines(&mut child);
    assert!(line(&mut out).await.contains(&format!("clients.create client {one} object {one} seq 1 by admin")));
    for id in [other, one] {
        server.ok("clients.update", json!({"id": id, "notes": "changed"})).await;
    }
    assert!(line(&mut out).await.contains(&format!("clients.update client {one} ")));
    assert_eq!(stop(child, Signal::SIGTERM).await, Some(0));
}

#[tokio::test]
async fn listen_sends_each_call_on_byte_for_byte_and_unregisters_at_its_end() {
    let server = Server::start().await;
    let program = Recorder::start().await;
    let forward = program.url();
    let mut child = begun(&server, &["listen", "--event", "clients.*", "--forward", &forward]);
    let (mut out, mut errors) = lines(&mut child);
    let said = async |errors: &mut Errors| timeout(Duration::from_secs(20), errors.next_line()).await.unwrap().unwrap().unwrap();
    let first = said(&mut errors).await;
    assert!(first.starts_with("handler 1 listens on 127.0.0.1:"), "{first}");
    let secret = said(&mut errors).await;
    let secret = secret.rsplit(' ').next().unwrap();
    server.client("Acme").await;
    let shown = line(&mut out).await;
    assert!(shown.contains("clients.create client 1 object 1 seq 1 by admin -> 200 in "), "{shown}");
    let call = program.wait_exactly(1).await.remove(0);
    assert_eq!(call.events_id(), "clients.create");
    assert_eq!(signature::valid_signatures(&call, secret), 1, "body and headers are what the server signed");
    assert_eq!(stop(child, Signal::SIGINT).await, Some(0));
    assert!(ids(&server.ok("provisioning.handlers.search", json!({})).await).is_empty());
}

#[tokio::test]
async fn a_before_handler_that_listens_passes_the_programs_word_on() {
    let server = Server::start().await;
    let program = Recorder::start().await;
    program.answer(|_| forbidding("not today"));
    let forward = program.url();
    let child = begun(&server, &["listen", "--before", "--event", "clients.create", "--forward", &forward]);
    wait_until("the handler is there", || async { !ids(&server.ok("provisioning.handlers.search", json!({})).await).is_empty() })
        .await;
    let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
    assert!(refusal.message.contains("not today"), "{refusal:?}");
    assert_eq!(stop(child, Signal::SIGTERM).await, Some(0));
    server.client("Acme").await;
}
