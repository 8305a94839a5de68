//! `hookswitch resync`: counts, begins, shows how far it has come, steers.
use std::process::Output;

use hookswitch_testkit::{
    Api, Recorder, Reply, Server, after,
    api::id,
    json,
    program::{command, run},
};

use super::{resync, wait_state};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn assert_ended(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// The command with these arguments, through this server.
async fn resync_by(server: &Server, args: &[&str]) -> Output {
    let api: &Api = server;
    run(server.home(), &[&["resync"], args, &["--url", api.base(), "--key", api.key()]].concat(), &[]).await
}

async fn handler_and_clients(server: &Server, recorder: &Recorder) -> String {
    for number in 0..5 {
        server.client(&format!("Client {number}")).await;
    }
    server.handler(after("clients.create", recorder)).await.to_string()
}

#[tokio::test]
async fn it_counts_begins_and_looks_on_until_it_is_done() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    let handler = handler_and_clients(&server, &recorder).await;
    let counted = resync_by(&server, &["--handler", &handler, "--clients", "1,3,5", "--count"]).await;
    assert_ended(&counted, 0);
    assert_eq!((text(&counted.stdout).as_str(), recorder.calls().len()), ("3 events\n", 0));
    let condition = ["--handler", &handler, "--company", "1", "--condition", "data.id > 2", "--rate", "9"];
    let done = resync_by(&server, &condition).await;
    assert_ended(&done, 0);
    assert_eq!(text(&done.stdout), "resync 1 has begun: 3 events\nresync 1 is done: 3 of 3 sent, 3 delivered\n");
    assert!(text(&done.stderr).contains("of 3 sent"), "a line where there is no terminal: {}", text(&done.stderr));
    recorder.wait_exactly(3).await;
    assert_eq!(resync(&server, 1).await["rate"], 9);
}

#[tokio::test]
async fn it_pauses_resumes_and_cancels_and_ctrl_c_leaves_it_running() {
    let (server, recorder) = (Server::start().await, Recorder::start().await);
    let handler = handler_and_clients(&server, &recorder).await;
    server.ok("provisioning.handlers.pause", json!({"id": 1})).await;
    let watching = command(server.home())
        .args(["resync", "--handler", &handler, "--url", server.base(), "--key", server.key()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    hookswitch_testkit::wait_until("it has begun", async || {
        server.ok("provisioning.resyncs.search", json!({"state": "waiting"})).await != json!([])
    })
    .await;
    // Its handler of the signal is there as soon as it looks on.
    let pid = nix::unistd::Pid::from_raw(watching.id().unwrap().try_into().unwrap());
    let output = tokio::spawn(watching.wait_with_output());
    hookswitch_testkit::wait_until("it ends", async || {
        let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT);
        output.is_finished()
    })
    .await;
    let output = output.await.unwrap().unwrap();
    let paused = resync_by(&server, &["--pause", "1"]).await;
    assert_ended(&paused, 0);
    assert_eq!(text(&paused.stdout), "resync 1 is paused: 0 of 5 sent, 0 delivered\n");
    if output.status.code().is_some() {
        assert_ended(&output, 0);
        assert!(text(&output.stdout).contains("resync 1 goes on"), "{}", text(&output.stdout));
    }
    server.ok("provisioning.handlers.resume", json!({"id": 1})).await;
    let resumed = resync_by(&server, &["--resume", "1"]).await;
    assert_ended(&resumed, 0);
    assert!(text(&resumed.stdout).ends_with("resync 1 is done: 5 of 5 sent, 5 delivered\n"), "{}", text(&resumed.stdout));
    let over = resync_by(&server, &["--cancel", "1"]).await;
    assert_ended(&over, 1);
    assert!(text(&over.stderr).contains("it is over: done"), "{}", text(&over.stderr));
}

#[tokio::test]
async fn what_does_not_end_well_ends_with_1_and_wrong_usage_with_2() {
    let (server, recorder) = (Server::start().await, Recorder::answering(|_| Reply::status(410)).await);
    let handler = handler_and_clients(&server, &recorder).await;
    let output = resync_by(&server, &["--handler", &handler]).await;
    assert_ended(&output, 1);
    assert!(text(&output.stderr).contains("resync 1 is incomplete") && text(&output.stderr).contains("5 dead"), "{output:?}");
    assert_ended(&resync_by(&server, &["--cancel", "1"]).await, 0);
    wait_state(&server, 1, "cancelled").await;
    assert_ended(&resync_by(&server, &["--watch", "1"]).await, 1);
    let unknown = resync_by(&server, &["--handler", "900001"]).await;
    assert_ended(&unknown, 1);
    for wrong in [&[][..], &["--handler", "x"], &["--watch", "1", "--pause", "1"], &["--watch", "1", "--rate", "5"]] {
        assert_ended(&resync_by(&server, wrong).await, 2);
    }
    assert_ended(&run(server.home(), &["resync", "--handler", "1"], &[]).await, 2);
    let first = server.ok("provisioning.resyncs.search", json!({})).await;
    assert_eq!(id(&first[0]), 1);
}
