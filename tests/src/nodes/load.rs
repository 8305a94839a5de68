//! Changes of clients over all nodes, and the proof that each client's events were told in their order.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hookswitch_testkit::{Api, Call, Chance, Recorder, Server, json};

/// Clients that are changed.
const CLIENTS: usize = 24;
/// Who changes them, at once.
const WORKERS: usize = 6;

/// Load on some nodes, until it is ended.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    workers: Vec<tokio::task::JoinHandle<()>>,
    pub(super) clients: Vec<i64>,
    /// What was acknowledged: the client and its notes.
    promised: Arc<Mutex<Vec<(i64, String)>>>,
}

impl Load {
    /// Each worker takes any node for each change; one that is gone is passed over.
    pub(super) async fn start(nodes: &[&Server], chance: &mut Chance) -> Self {
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            clients.push(nodes[number % nodes.len()].client(&format!("Client {number}")).await);
        }
        let (stop, promised) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let apis: Vec<Api> = nodes.iter().map(|node| (***node).clone()).collect();
        let work = |_| {
            let (apis, clients, chance) = (apis.clone(), clients.clone(), chance.branch());
            tokio::spawn(work(apis, clients, chance, Arc::clone(&stop), Arc::clone(&promised)))
        };
        let workers = (0..WORKERS).map(work).collect();
        Self { stop, workers, clients, promised }
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.promised.lock().unwrap().len()
    }

    /// Ends it, and gives what was acknowledged.
    pub(super) async fn end(self) -> (Vec<i64>, Vec<(i64, String)>) {
        self.stop.store(true, Ordering::SeqCst);
        for worker in self.workers {
            worker.await.unwrap();
        }
        let promised = self.promised.lock().unwrap().clone();
        (self.clients, promised)
    }
}

async fn work(
    apis: Vec<Api>,
    clients: Vec<i64>,
    mut chance: Chance,
    stop: Arc<AtomicBool>,
    promised: Arc<Mutex<Vec<(i64, String)>>>,
) {
    while !stop.load(Ordering::SeqCst) {
        let (api, client) = (chance.pick(&apis).clone(), *chance.pick(&clients));
        let notes = format!("{:016x}", chance.number());
        let change = api.try_call("clients.update", json!({"id": client, "notes": notes}));
        // A node that is frozen answers nobody.
        match tokio::time::timeout(Duration::from_secs(1), change).await {
            Ok(Ok(Ok(_))) => promised.lock().unwrap().push((client, notes)),
            Ok(Ok(Err(refusal))) => assert!([-32_009, -32_603, -32_000].contains(&refusal.code), "{refusal:?}"),
            Ok(Err(_)) | Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Each client's events were told whole and in their order, each for the first time before any later one; all that was promised
/// is among them. Gives how many calls were repeated.
pub(super) async fn assert_in_order(api: &Api, told: &Recorder, clients: &[i64], promised: &[(i64, String)]) -> usize {
    let calls = told.calls();
    let mut by_client: BTreeMap<i64, Vec<&Call>> = BTreeMap::new();
    calls.iter().for_each(|call| by_client.entry(call.clients_id()).or_default().push(call));
    for client in clients {
        let of_client = by_client.remove(client).unwrap_or_default();
        let (mut seen, mut first) = (BTreeSet::new(), Vec::new());
        for call in &of_client {
            if seen.insert(call.seq()) {
                first.push(call.seq());
            }
        }
        let journal: Vec<i64> = api.journal(*client).await.into_iter().map(|(_, seq)| seq).collect();
        assert_eq!(first, journal, "client {client} was told in order, and whole");
        let notes: BTreeSet<&str> = of_client.iter().filter_map(|call| call.body["data"]["notes"].as_str()).collect();
        for (_, promise) in promised.iter().filter(|(of, _)| of == client) {
            assert!(notes.contains(promise.as_str()), "{promise} of client {client} was acknowledged and never told");
        }
    }
    let distinct: BTreeSet<(i64, i64)> = calls.iter().map(|call| (call.clients_id(), call.seq())).collect();
    calls.len() - distinct.len()
}
