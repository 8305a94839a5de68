//! A disk that is full: callers are told, nothing is half-written, and it goes on by itself when there is room.
use std::{fs, io::Write as _, path::PathBuf};

use hookswitch_testkit::{
    Api, Call, Gate, Recorder, Reply, Server, after, json,
    program::{may_mount, run},
    wait_until, with,
};

const CLIENTS: i64 = 4;

/// A server with clients, and a handler that answers once it may.
struct Scene {
    server: Server,
    told: Recorder,
    gate: Gate,
    /// What was answered with success, by client.
    kept: Vec<Vec<String>>,
    refused: Vec<String>,
    changes: usize,
}

impl Scene {
    async fn of(server: Server) -> Self {
        let gate = Gate::shut();
        let behind = gate.clone();
        let told = Recorder::answering(move |_| Reply::ok().behind(&behind)).await;
        let retries = vec![0; 100];
        server.handler(with(after("clients.update", &told), json!({"timeout_ms": 30_000, "retries": retries}))).await;
        for number in 1..=CLIENTS {
            server.client(&format!("client {number}")).await;
        }
        Self { server, told, gate, kept: vec![Vec::new(); CLIENTS as usize], refused: Vec::new(), changes: 0 }
    }

    /// Changes the next client; true if that was answered with success.
    async fn change(&mut self) -> bool {
        self.changes += 1;
        let client = self.changes % CLIENTS as usize;
        let notes = format!("{} {}", self.changes, "x".repeat(8_000));
        match self.server.call("clients.update", json!({"id": client + 1, "notes": notes})).await {
            Ok(_) => self.kept[client].push(notes),
            Err(refusal) => {
                assert_eq!((refusal.code, refusal.message.as_str()), (-32603, "An unexpected error occurred"));
                let data = refusal.data.as_object().unwrap();
                assert_eq!(data.keys().collect::<Vec<_>>(), ["code", "request_id"], "no word of the inside");
                self.refused.push(notes);
                return false;
            }
        }
        true
    }

    async fn change_until(&mut self, succeeds: bool) {
        let began = std::time::Instant::now();
        while self.change().await != succeeds {
            assert!(began.elapsed().as_secs() < 60, "{} were kept, {} refused", self.kept.concat().len(), self.refused.len());
        }
    }

    async fn ready(&self) -> u16 {
        self.server.get("/readyz").await.status
    }

    /// From outside everything is as it was promised; and so says `hookswitch check`.
    async fn end(mut self) {
        self.server.wait_all_delivered().await;
        let calls = self.told.calls();
        for (client, kept) in self.kept.iter().enumerate() {
            assert_eq!(&told_to(&calls, client as i64 + 1), kept, "client {}", client + 1);
            let now = self.server.ok("clients.get", json!({"id": client + 1})).await;
            assert_eq!(now["notes"].as_str(), kept.last().map(String::as_str), "the last one kept");
        }
        assert!(!self.server.stderr().contains("panicked"));
        self.server.terminate().await;
    }
}

/// What a client's changes were, in the order in which they were told first.
fn told_to(calls: &[Call], client: i64) -> Vec<String> {
    let mut told: Vec<(i64, String)> = Vec::new();
    for call in calls.iter().filter(|call| call.clients_id() == client) {
        let last = told.last().map_or(0, |(seq, _)| *seq);
        if call.seq() > last {
            told.push((call.seq(), call.body["data"]["notes"].as_str().unwrap().to_owned()));
        }
    }
    told.into_iter().map(|(_, notes)| notes).collect()
}

#[tokio::test]
async fn on_a_full_disk_callers_are_told_and_it_goes_on_by_itself_when_there_is_room() {
    if !may_mount() {
        return;
    }
    let server = Server::setup().mounting("mkdir -m 700 data; mount -t tmpfs -o size=16m,mode=700 tmpfs data").start().await;
    let balloon: PathBuf = server.seen_by_it(&server.data().join("balloon"));
    let mut scene = Scene::of(server).await;
    scene.change_until(true).await;
    let mut file = fs::File::create(&balloon).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
    // What is left takes a small change here and there.
    while scene.ready().await == 200 {
        scene.change_until(false).await;
    }
    // Handlers are told meanwhile, whether that can be written down or not.
    let kept = scene.kept.concat().len();
    scene.gate.open();
    scene.told.wait(kept).await;
    scene.change_until(false).await;
    fs::remove_file(&balloon).unwrap();
    drop(file);
    scene.change_until(true).await;
    wait_until("it is ready", async || scene.ready().await == 200).await;
    scene.change().await;
    scene.end().await;
}

#[tokio::test]
async fn at_a_limit_of_file_size_callers_are_told_and_the_next_start_finds_everything() {
    let server = Server::start().await;
    let mut scene = Scene::of(server).await;
    scene.change_until(true).await;
    let files = fs::read_dir(scene.server.data()).unwrap();
    let longest = files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap();
    scene.server.limit_file_size(Some(longest + 200_000));
    while scene.ready().await == 200 {
        scene.change_until(false).await;
    }
    // The machine fails on top of it.
    scene.server.kill9().await;
    scene.gate.open();
    scene.server.start_again().await;
    scene.change().await;
    let home = scene.server.home().to_owned();
    let server_api: Api = (*scene.server).clone();
    assert_eq!(server_api.get("/readyz").await.status, 200);
    scene.server.wait_all_delivered().await;
    scene.server.terminate().await;
    let checked = run(&home, &["check", "--data", "data"], &[]).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    scene.server.start_again().await;
    scene.end().await;
}
