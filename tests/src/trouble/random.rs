//! Everything at once: many events over many clients, handlers that fail at random in every way there is, `kill -9` again and
//! again. Every handler sees every event, each client's in their order, and nothing else.
//!
//! The oracle: workers note what the server has acknowledged; what is not acknowledged may or may not be there, and the journal
//! tells afterwards. The size and the choices are given by `HOOKSWITCH_TROUBLE_EVENTS`, `HOOKSWITCH_TROUBLE_KILLS` and
//! `HOOKSWITCH_TROUBLE_SEED`.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hookswitch_testkit::{
    Api, Chance, Chaos, Server, Value,
    api::id,
    chaos::{Told, uuid},
    json,
};
use tokio::{sync::watch, time::Instant};

const HANDLERS: usize = 5;
const CLIENTS_MAX: usize = 1_000;
const WORKERS: usize = 16;
/// Of a hundred calls, so many fail.
const FAIL_PER_CENT: i64 = 30;
/// Above any pause that the program makes by itself.
const STANDSTILL_MAX: Duration = Duration::from_secs(60);

/// How much, and by which choices.
struct Size {
    events: usize,
    kills: usize,
    chance: Chance,
}

impl Size {
    fn given() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let small = |name: &str| number(name).and_then(|number| usize::try_from(number).ok());
        let chance = match number("HOOKSWITCH_TROUBLE_SEED") {
            Some(seed) => Chance::from_seed(seed),
            None => Chance::seeded(),
        };
        Self {
            events: small("HOOKSWITCH_TROUBLE_EVENTS").unwrap_or(3_000),
            kills: small("HOOKSWITCH_TROUBLE_KILLS").unwrap_or(3),
            chance,
        }
    }
}

/// What the server has acknowledged, by the token that its event carries.
#[derive(Default)]
struct Acknowledged {
    clients: Vec<i64>,
    tokens: HashMap<u64, i64>,
}

/// The load, shared by its workers.
struct Load {
    wanted: usize,
    begun: AtomicUsize,
    acknowledged: Mutex<Acknowledged>,
    /// Which life of the server, and how it is reached.
    life: watch::Receiver<(usize, Api)>,
}

impl Load {
    /// Does one thing after another until enough was begun; goes on in the server's next life where one ends.
    async fn work(self: Arc<Self>, mut chance: Chance) {
        while self.begun.fetch_add(1, Ordering::Relaxed) < self.wanted {
            let (life, api) = self.life.borrow().clone();
            let token = chance.number();
            let (method, params) = self.choose(&mut chance, token);
            let answered = api.try_call(method, params).await;
            // Only what certainly raises an event counts.
            if answered.is_err() || method.starts_with("accounting.") {
                self.begun.fetch_sub(1, Ordering::Relaxed);
            }
            match answered {
                // It may be there all the same.
                Err(_gone) => drop(self.life.clone().wait_for(|(now, _)| *now > life).await.expect("a next life")),
                Ok(Err(refusal)) => panic!("{method} was refused: {refusal:?}"),
                Ok(Ok(result)) => self.note(method, token, &result),
            }
        }
    }

    fn choose(&self, chance: &mut Chance, token: u64) -> (&'static str, Value) {
        let text = format!("{token:016x}");
        let acknowledged = self.acknowledged.lock().unwrap();
        let clients = &acknowledged.clients;
        if clients.is_empty() || (clients.len() < CLIENTS_MAX.min(self.wanted / 3) && chance.between(0, 2) == 0) {
            return ("clients.create", json!({"name": text, "credit": null}));
        }
        let client = *chance.pick(clients);
        match chance.between(0, 20) {
            0..=2 => {
                ("clients.accounts.create", json!({"clients_id": client, "name": "a", "auth_type": "name", "accname": text}))
            }
            3 => {
                let amount = *chance.pick(&[-2, -1, 1, 2]);
                let kind = if amount < 0 { "charge" } else { "payment" };
                ("accounting.transactions.create", json!({"clients_id": client, "type": kind, "amount": amount}))
            }
            _ => ("clients.update", json!({"id": client, "notes": text})),
        }
    }

    fn note(&self, method: &str, token: u64, result: &Value) {
        let mut acknowledged = self.acknowledged.lock().unwrap();
        let client = match method {
            "clients.create" => {
                acknowledged.clients.push(id(result));
                id(result)
            }
            "clients.update" => id(result),
            "clients.accounts.create" => result["clients_id"].as_i64().unwrap(),
            // Raises an event only if it crosses zero, and that carries no token.
            _ => return,
        };
        acknowledged.tokens.insert(token, client);
    }
}

/// Looks again and again until `done`, as long as `progress` rises.
async fn while_it_rises(what: &str, progress: impl Fn() -> usize, mut done: impl AsyncFnMut() -> bool) {
    let (mut seen, mut since) = (progress(), Instant::now());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while !done().await {
        ticks.tick().await;
        if progress() > seen {
            (seen, since) = (progress(), Instant::now());
        }
        assert!(since.elapsed() < STANDSTILL_MAX, "{what}: after {seen} calls there came no more for {STANDSTILL_MAX:?}");
    }
}

fn handler(chaos: &Chaos) -> Value {
    let events =
        json!(["clients.create", "clients.update", "clients.accounts.*", "clients.balance_zero", "clients.balance_notzero"]);
    let retries: Vec<u32> = (0..100).map(|n| u32::from(n % 2 == 1)).collect();
    json!({"name": "chaos", "event": events, "task": chaos.url(), "timeout_ms": 250, "concurrency": 32, "retries": retries})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_random_failures_and_kills_every_handler_sees_every_event_in_order_and_nothing_else() {
    let Size { events, kills, mut chance } = Size::given();
    let began = Instant::now();
    let mut server = Server::start().await;
    let mut handlers = Vec::new();
    for _ in 0..HANDLERS {
        let chaos = Chaos::start(chance.branch(), FAIL_PER_CENT).await;
        server.handler(handler(&chaos)).await;
        handlers.push(chaos);
    }
    let (lives, life) = watch::channel((0, (*server).clone()));
    let load = Arc::new(Load { wanted: events, begun: AtomicUsize::new(0), acknowledged: Mutex::default(), life });
    let workers: Vec<_> = (0..WORKERS).map(|_| tokio::spawn(Arc::clone(&load).work(chance.branch()))).collect();
    // By what handlers have heard: while there is load, and while only the queue is worked off.
    let heard = || handlers.iter().map(Chaos::count).sum::<usize>();
    let mut moments: Vec<usize> = (0..kills).map(|_| usize::try_from(chance.between(0, events as i64 * 6)).unwrap()).collect();
    moments.sort_unstable();
    for (kill, moment) in moments.into_iter().enumerate() {
        while_it_rises("the next kill", heard, async || heard() >= moment).await;
        server.kill9().await;
        server.start_again().await;
        lives.send_replace((kill + 1, (*server).clone()));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let is_told = async || server.ok("provisioning.deliveries.search", json!({"limit": 1})).await == json!([]);
    while_it_rises("everything is delivered", heard, is_told).await;
    let told: Vec<Vec<Told>> = handlers.iter().map(Chaos::told).collect();
    let journal = Journal::read(&server, &load, &told).await;
    let repeats: Vec<usize> = told.iter().map(|told| journal.compare(told)).collect();
    let happened: HashSet<(u64, i64)> = told[0].iter().map(|call| (call.token, call.clients_id)).collect();
    for (token, client) in &load.acknowledged.lock().unwrap().tokens {
        assert!(happened.contains(&(*token, *client)), "what client {client} was promised ({token:016x}) did not happen");
    }
    assert!(!server.stderr().contains("panicked"));
    report(&journal, &load, &handlers, &repeats, kills, began.elapsed());
}

fn report(journal: &Journal, load: &Load, handlers: &[Chaos], repeats: &[usize], kills: usize, took: Duration) {
    let deeds: Vec<_> = handlers.iter().map(|chaos| chaos.deeds().into_values().sum::<u64>()).collect();
    eprintln!(
        "{} events of {} clients, {} acknowledged; {} handlers; {kills} kills; {:.1} s",
        journal.total,
        journal.events.len(),
        load.acknowledged.lock().unwrap().tokens.len(),
        handlers.len(),
        took.as_secs_f64(),
    );
    eprintln!("calls {deeds:?}, of which repeats {repeats:?}; the first handler: {:?}", handlers[0].deeds());
}

/// The truth: each client's events, by number.
struct Journal {
    events: BTreeMap<i64, Vec<u128>>,
    total: usize,
}

impl Journal {
    async fn read(server: &Server, load: &Load, told: &[Vec<Told>]) -> Self {
        let mut clients: BTreeSet<i64> = load.acknowledged.lock().unwrap().clients.iter().copied().collect();
        clients.extend(told.iter().flatten().map(|call| call.clients_id));
        let total = server.ok("provisioning.events.search", json!({"with_total": true, "limit": 1})).await["total"].clone();
        let mut events = BTreeMap::new();
        for client in clients {
            events.insert(client, of_client(server, client).await);
        }
        Self { events, total: usize::try_from(total.as_u64().unwrap()).unwrap() }
    }

    /// What one handler was told, less repeats, is each client's events in their order; gives the number of repeats.
    fn compare(&self, told: &[Told]) -> usize {
        let (mut first, mut repeats) = (BTreeMap::<i64, Vec<Told>>::new(), 0);
        for call in told {
            let seen = first.entry(call.clients_id).or_default();
            match usize::try_from(call.seq - 1).ok().and_then(|place| seen.get(place)) {
                Some(known) => {
                    assert_eq!(known, call, "a repeat is the same event");
                    repeats += 1;
                }
                None => {
                    assert_eq!(call.seq, seen.len() as i64 + 1, "client {} out of order", call.clients_id);
                    seen.push(*call);
                }
            }
        }
        let ids = |told: &Vec<Told>| told.iter().map(|call| call.event_id).collect::<Vec<_>>();
        let first: BTreeMap<i64, Vec<u128>> = first.iter().map(|(client, told)| (*client, ids(told))).collect();
        for (client, events) in &self.events {
            assert_eq!(first.get(client), Some(events), "client {client}: what was told is not what happened");
        }
        assert_eq!(first.values().map(Vec::len).sum::<usize>(), self.total, "nothing else happened, and nothing else was told");
        repeats
    }
}

/// A client's events in order of their number, which has no gap.
async fn of_client(server: &Server, client: i64) -> Vec<u128> {
    let (mut events, mut page) = (Vec::new(), Vec::new());
    loop {
        let params = json!({"clients_id": client, "order": ["seq"], "limit": 1000, "offset": events.len()});
        let rows = server.ok("provisioning.events.search", params).await;
        page.clear();
        page.extend(rows.as_array().unwrap().iter().map(|row| (row["seq"].as_u64().unwrap(), uuid(row["id"].as_str().unwrap()))));
        if page.is_empty() {
            return events;
        }
        for (seq, event) in &page {
            assert_eq!(*seq, events.len() as u64 + 1, "the journal of client {client} has no gap");
            events.push(*event);
        }
    }
}
