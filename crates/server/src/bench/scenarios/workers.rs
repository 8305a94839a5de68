//! Calls to a script per second: one that stays (`mode: worker`) and, to compare, the same work with a process for each call.
//! Both are Python, drain a queue that has gathered, and are counted by what they have written.
use std::time::{Duration, Instant};

use serde_json::json;

use super::Circumstances;
use crate::bench::{
    report::{Figure, Section},
    subject::Subject,
};

const CALLS_PER_SECOND_WANTED: f64 = 3_000.0;
const CALLS: u64 = 50_000;
/// Fewer where each has to start an interpreter.
const CALLS_ONCE: u64 = 500;
/// A queue that is not empty after this time never will be.
const PATIENCE: Duration = Duration::from_secs(120);

const WORKER: &str = r#"#!/usr/bin/env python3
import json, os, sys
done = os.open("worker.done", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for line in sys.stdin:
    request = json.loads(line)
    assert request["payload"]["event"]["seq"] == 1
    os.write(done, b".")
    print(json.dumps({"call": request["call"]}), flush=True)
"#;

const ONCE: &str = r#"#!/usr/bin/env python3
import json, os, sys
assert json.load(sys.stdin)["event"]["seq"] == 1
os.write(os.open("once.done", os.O_WRONLY | os.O_CREAT | os.O_APPEND), b".")
"#;

pub(super) async fn calls(at: &Circumstances) -> anyhow::Result<Section> {
    let server = at.warm_server().await?;
    let once = drain(&server, "once", ONCE, CALLS_ONCE).await?;
    let busy = server.processor_seconds()?;
    let worker = drain(&server, "worker", WORKER, CALLS).await?;
    // Its part in making the events is in this too; but that is what a queue costs.
    let busy = server.processor_seconds()? - busy;
    let figures = vec![
        Figure::new("a worker's calls", worker, "/s").at_least(CALLS_PER_SECOND_WANTED),
        Figure::new("a process for each call, to compare", once, "/s"),
        Figure::new("the server's processor time per event, made and told", busy * 1e6 / CALLS as f64, "us"),
    ];
    server.end().await?;
    Ok(Section { name: "workers", about: "50,000 events that had gathered for a Python worker, after its resume", figures })
}

/// Lets a queue gather and drain; calls per second.
async fn drain(server: &Subject, mode: &str, script: &str, calls: u64) -> anyhow::Result<f64> {
    let name = format!("{mode}.py");
    server.script(&name, script)?;
    let task = format!("script://{name}");
    let fields = json!({"name": mode, "event": "clients.create", "task": task, "mode": mode, "timeout_ms": 30_000});
    let id = server.handler(fields).await?;
    server.call("provisioning.handlers.pause", json!({"id": id})).await?;
    server.make_clients(calls).await?;
    let done = || server.script_wrote(&format!("{mode}.done"));
    anyhow::ensure!(done() == 0, "a paused handler was called");
    let started = Instant::now();
    server.call("provisioning.handlers.resume", json!({"id": id})).await?;
    while done() < calls {
        anyhow::ensure!(started.elapsed() < PATIENCE, "after {PATIENCE:?} only {} of {calls} calls were made", done());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = started.elapsed().as_secs_f64();
    anyhow::ensure!(done() == calls, "{} calls for {calls} events", done());
    server.call("provisioning.handlers.update", json!({"id": id, "status": "disabled"})).await?;
    Ok(calls as f64 / took)
}
