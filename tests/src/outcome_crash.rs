//! `kill -9` at random moments while a handler reserves: whatever it was asked about, it hears in the end whether that was
//! committed, and what it hears is what the journal says. `HOOKSWITCH_CRASH_ROUNDS` sets how often the server is killed,
//! `HOOKSWITCH_TEST_SEED` repeats a run's choices.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hookswitch_testkit::{Api, Call, Chance, Recorder, Reply, Server, Value, before, json, wait_until, with};

const WORKERS: usize = 6;

/// Creates clients and changes them until the server is gone.
async fn work(api: Api, mut chance: Chance) {
    let mut client = None;
    loop {
        let token = format!("{:016x}", chance.number());
        let (method, params) = match client {
            Some(id) if chance.between(0, 3) > 0 => ("clients.update", json!({"id": id, "notes": token})),
            _ => ("clients.create", json!({"name": token})),
        };
        match api.try_call(method, params).await {
            Err(_gone) => return,
            Ok(Ok(result)) if method == "clients.create" => client = result["id"].as_i64(),
            Ok(_) => {}
        }
    }
}

fn rounds() -> usize {
    std::env::var("HOOKSWITCH_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(8)
}

fn is_outcome(call: &Call) -> bool {
    call.event("stage") == "outcome"
}

fn event_id(call: &Call) -> String {
    call.event("id").as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_number_of_crashes_a_handler_has_heard_of_everything_that_it_was_asked_about() {
    let mut chance = Chance::seeded();
    let mut server = Server::start().await;
    // Some outcomes are not taken at first, so that there is always something to be told again.
    let asked = Arc::new(AtomicUsize::new(0));
    let reserving = Recorder::answering({
        let asked = Arc::clone(&asked);
        move |call| {
            asked.fetch_add(usize::from(!is_outcome(call)), Ordering::SeqCst);
            let takes = !is_outcome(call) || call.attempt() > 1 || call.raw.len() % 4 > 0;
            if takes { Reply::ok() } else { Reply::status(503) }
        }
    })
    .await;
    let judging = Recorder::answering(|call| {
        let size = call.raw.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let reply = if size % 5 == 0 { Reply::text(403, "not this one") } else { Reply::ok() };
        reply.after(Duration::from_millis(u64::from(size % 7)))
    })
    .await;
    let events = json!(["clients.create", "clients.update"]);
    let fields = json!({"order": 1, "notify_outcome": true, "timeout_ms": 3_000});
    server.handler(with(before(events.clone(), &reserving), fields)).await;
    server.handler(with(before(events, &judging), json!({"order": 2}))).await;
    for _ in 0..rounds() {
        let workers: Vec<_> = (0..WORKERS).map(|_| tokio::spawn(work((*server).clone(), chance.branch()))).collect();
        let enough = asked.load(Ordering::SeqCst) + usize::try_from(chance.between(10, 100)).unwrap();
        wait_until("it is asked", async || asked.load(Ordering::SeqCst) >= enough).await;
        server.kill9().await;
        for worker in workers {
            worker.await.unwrap();
        }
        server.start_again().await;
    }
    // What was not taken is due again within seconds.
    wait_until("everything was heard", async || server.ok("provisioning.outcomes.search", json!({})).await == json!([])).await;
    assert_told(&server, &reserving.calls()).await;
}

/// What was asked, what was told and what the journal has tell one story.
async fn assert_told(server: &Server, calls: &[Call]) {
    let asked: BTreeSet<String> = calls.iter().filter(|call| !is_outcome(call)).map(event_id).collect();
    let mut told: BTreeMap<String, BTreeSet<(String, Option<i64>)>> = BTreeMap::new();
    for call in calls.iter().filter(|call| is_outcome(call)) {
        let state = call.body["outcome"]["state"].as_str().unwrap().to_owned();
        told.entry(event_id(call)).or_default().insert((state, call.event("seq").as_i64()));
    }
    let journal = journal(server).await;
    for id in &asked {
        assert!(told.contains_key(id), "{id} was asked about, and never told");
    }
    for (id, states) in &told {
        let states: Vec<_> = states.iter().cloned().collect();
        let expected = journal.get(id).map_or(("aborted".to_owned(), None), |seq| ("committed".to_owned(), Some(*seq)));
        assert_eq!(states, [expected], "{id}");
    }
    for id in journal.keys() {
        assert!(asked.contains(id), "{id} was committed without being asked about");
    }
    let outcomes = calls.iter().filter(|call| is_outcome(call)).count();
    eprintln!(
        "{} asked about, {} committed, {} told, {} of them again",
        asked.len(),
        journal.len(),
        told.len(),
        outcomes - told.len()
    );
    assert!(journal.len() < asked.len(), "some were aborted");
}

/// The number of each event in the journal, by its id.
async fn journal(server: &Server) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    loop {
        let page = json!({"limit": 1000, "offset": found.len(), "order": ["id"]});
        let rows = server.ok("provisioning.events.search", page).await;
        let rows: Vec<Value> = rows.as_array().unwrap().clone();
        if rows.is_empty() {
            return found;
        }
        found.extend(rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["seq"].as_i64().unwrap())));
    }
}
