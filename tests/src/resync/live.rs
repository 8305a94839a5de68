//! The proof: after a resync under live writes the receiver's state equals ours, also when the server is killed in the
//! middle and when the handler fails. `HOOKSWITCH_TEST_SEED` repeats a run's choices.
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use hookswitch_testkit::{Api, Call, Chance, Recorder, Reply, Server, after, api::id, json, with};

use super::{
    begin, everything,
    receiver::{State, assert_rising},
    wait_state,
};

const CLIENTS: usize = 60;
const WRITERS: usize = 4;

/// Who and what is there to be changed.
type Known = Arc<Mutex<(Vec<i64>, Vec<i64>)>>;

/// Clients and accounts from before the handler was there.
async fn populate(api: &Api, known: &Known) {
    for number in 0..CLIENTS {
        let client = api.client(&format!("Client {number}")).await;
        known.lock().unwrap().0.push(client);
        for line in 0..2 {
            let account = api.account(client, &format!("old-{number}-{line}")).await;
            known.lock().unwrap().1.push(account);
        }
        if number % 5 == 0 {
            api.pay(client, "-3.01").await;
        }
    }
}

/// Creates, updates, deletes and charges at random until told to stop, or until the server is gone.
async fn write(api: Api, known: Known, stop: Arc<AtomicBool>, mut chance: Chance) {
    while !stop.load(Ordering::SeqCst) {
        let (clients, accounts) = known.lock().unwrap().clone();
        let token = format!("{:016x}", chance.number());
        let (client, account) = (*chance.pick(&clients), *chance.pick(&accounts));
        let new_account = json!({"clients_id": client, "auth_type": "name", "accname": token, "password": "s3cret"});
        let (method, params) = match chance.between(0, 20) {
            0 => ("clients.create", json!({"name": token})),
            1..=5 => ("clients.update", json!({"id": client, "notes": token})),
            6..=8 => ("clients.accounts.create", new_account),
            9..=13 => ("clients.accounts.update", json!({"id": account, "notes": token})),
            14..=15 => ("clients.accounts.delete", json!({"id": account})),
            16 => ("clients.delete", json!({"id": client, "force": true})),
            // Never to exactly 0, where both states of funds are possible.
            17..=18 => ("accounting.transactions.create", json!({"clients_id": client, "type": "charge", "amount": -3.01})),
            _ => ("accounting.transactions.create", json!({"clients_id": client, "type": "payment", "amount": 10})),
        };
        let mut known = match api.try_call(method, params).await {
            Err(_gone) => return,
            Ok(Err(_somebody_was_quicker)) => continue,
            Ok(Ok(made)) => (known.lock().unwrap(), made),
        };
        match method {
            "clients.create" => known.0.0.push(id(&known.1)),
            "clients.accounts.create" => known.0.1.push(id(&known.1)),
            _ => {}
        }
    }
}

fn start_writers(api: &Api, known: &Known, stop: &Arc<AtomicBool>, chance: &mut Chance) -> Vec<tokio::task::JoinHandle<()>> {
    let writer = |chance: Chance| tokio::spawn(write(api.clone(), Arc::clone(known), Arc::clone(stop), chance));
    (0..WRITERS).map(|_| writer(chance.branch())).collect()
}

async fn assert_in_step(server: &Server, told: &Recorder) -> Vec<Call> {
    server.wait_all_delivered().await;
    let calls = told.calls();
    assert_rising(&calls);
    let (theirs, ours) = (State::told(&calls), State::present(server).await);
    assert_eq!(theirs.clients, ours.clients);
    assert_eq!(theirs.accounts, ours.accounts);
    assert_eq!(theirs.funds, ours.funds);
    assert!(!server.stderr().contains("panicked"));
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_resync_under_live_writes_the_receivers_state_equals_ours() {
    let (mut chance, server, told) = (Chance::seeded(), Server::start().await, Recorder::start().await);
    let known = Known::default();
    populate(&server, &known).await;
    let handler = server.handler(with(after(everything(), &told), json!({"concurrency": 16}))).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = start_writers(&server, &known, &stop, &mut chance);
    let (id, total) = begin(&server, handler, json!({"rate": 150})).await;
    assert!(total > 100, "{total}");
    wait_state(&server, id, "done").await;
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let calls = assert_in_step(&server, &told).await;
    let resynced = calls.iter().filter(|call| call.event("cause") == "resync").count();
    let live = calls.len() - resynced;
    assert!(live > 50 && resynced > 100, "{live} live events beside {resynced} of the resync");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_does_when_every_event_is_weighed_by_conditions_while_its_object_changes() {
    let (mut chance, server, told) = (Chance::seeded(), Server::start().await, Recorder::start().await);
    let known = Known::default();
    populate(&server, &known).await;
    let own = json!({"concurrency": 16, "condition": "event.clients_id >= 0"});
    let handler = server.handler(with(after(everything(), &told), own)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = start_writers(&server, &known, &stop, &mut chance);
    let (id, total) =
        begin(&server, handler, json!({"rate": 300, "condition": "object.id > 0 && event.cause == 'resync'"})).await;
    assert!(total > 100, "{total}");
    wait_state(&server, id, "done").await;
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_in_step(&server, &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_does_when_the_handler_fails_three_times_out_of_ten_and_the_server_is_killed_in_the_middle() {
    let (mut chance, mut server) = (Chance::seeded(), Server::start().await);
    let dice = AtomicU64::new(chance.number());
    let told = Recorder::start().await;
    told.answer(move |_| {
        let thrown = dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        match (thrown >> 32) % 10 {
            0 => Reply::status(500),
            1 => Reply::close(),
            2 => Reply::status(429),
            _ => Reply::ok(),
        }
    });
    let known = Known::default();
    populate(&server, &known).await;
    // Patient enough for any run of bad luck.
    let retries = vec![0; 60];
    let handler = server.handler(with(after(everything(), &told), json!({"concurrency": 16, "retries": retries}))).await;
    let (id, total) = begin(&server, handler, json!({"rate": 60})).await;
    for round in 1..=3 {
        let stop = Arc::new(AtomicBool::new(false));
        let writers = start_writers(&server, &known, &stop, &mut chance);
        let enough = total * round / 5;
        hookswitch_testkit::wait_until("a part of it is sent", async || {
            super::resync(&server, id).await["sent"].as_i64().unwrap() >= enough
        })
        .await;
        server.kill9().await;
        for writer in writers {
            writer.await.unwrap();
        }
        server.start_again().await;
        assert_ne!(super::resync(&server, id).await["state"], "done", "killed in the middle");
    }
    wait_state(&server, id, "done").await;
    let calls = assert_in_step(&server, &told).await;
    let done = calls.iter().filter(|call| call.events_id() == "provisioning.resync_done").count();
    assert!(done >= 1, "it was told that it has all");
}
