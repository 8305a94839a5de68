//! The whole core under trouble that is planned from a seed: a store that refuses to write, to flush or to read, a network that
//! refuses, is silent, is late, cuts off and answers with errors, crashes, saved handlers, a clock that is turned on and back.
//!
//! Whatever happened before: once the trouble is over, everything that was committed has been told to every handler, each
//! client's events in their order, and nothing else. What a caller was promised is there; what he was refused is not.
//!
//! The time is a test's: waits of milliseconds pass as soon as nobody has anything to do.
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use hookswitch_cluster::Cluster;
use hookswitch_hooks::{
    Breaker, Retention,
    call::{
        CallerOptions,
        network::{Fate, Planned, What},
        script::Limits,
    },
};
use hookswitch_model::{moment::Moment, refusal::Refusal};
use hookswitch_store::{Clock, Database, Error, Faults, Hand, MasterKey, Place, Store};
use hookswitch_testdb::Home;
use hookswitch_traces::Traces;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{Core, access::Caller, perform::Call, registry};

const CLIENTS: i64 = 4;
const HANDLERS: i64 = 3;
/// How long the store's threads are let work, how often, and what passes in between of the runtime's time.
const MOMENT: Duration = Duration::from_micros(500);
const MOMENTS: usize = 8;
const LATER: Duration = Duration::from_millis(50);
const BEGIN: Moment = Moment(1_795_000_000_000_000);

#[derive(Debug, Clone)]
enum Step {
    /// Somebody changes a client, and is not waited for.
    Change {
        client: i64,
    },
    /// Everybody does what there is to do.
    Settle,
    /// So many transactions come to nothing, at their beginning or at their flush.
    StoreFails {
        place: Place,
        times: i64,
    },
    /// The network is as bad as that, in per cent.
    Network {
        bad: u8,
    },
    /// In seconds; also back.
    Turn {
        seconds: i64,
    },
    SaveHandler {
        handler: i64,
    },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let place = prop_oneof![Just(Place::Begin), Just(Place::Flush), Just(Place::Read)];
    prop_oneof![
        20 => (1..=CLIENTS).prop_map(|client| Step::Change { client }),
        6 => Just(Step::Settle),
        3 => (place, 1i64..4).prop_map(|(place, times)| Step::StoreFails { place, times }),
        3 => (0u8..100).prop_map(|bad| Step::Network { bad }),
        3 => (1i64..30).prop_map(|seconds| Step::Turn { seconds }),
        1 => prop_oneof![Just(3_600i64), Just(-3_600i64)].prop_map(|seconds| Step::Turn { seconds }),
        1 => (1..=HANDLERS).prop_map(|handler| Step::SaveHandler { handler }),
        1 => Just(Step::Crash),
    ]
}

/// A call that a handler has read.
#[derive(Debug, Clone, PartialEq)]
struct Heard {
    handler: i64,
    client: i64,
    seq: i64,
    event: String,
    notes: String,
}

/// What the plans decide by, and what they note.
#[derive(Default)]
struct Plans {
    begins: AtomicI64,
    flushes: AtomicI64,
    reads: AtomicI64,
    network: Mutex<(u8, u64)>,
    heard: Mutex<Vec<Heard>>,
}

impl Plans {
    fn of(&self, place: Place) -> &AtomicI64 {
        match place {
            Place::Begin => &self.begins,
            Place::Flush => &self.flushes,
            Place::Read => &self.reads,
        }
    }

    fn store(&self, place: Place) -> Result<(), Error> {
        let one_less = |left: i64| (left > 0).then_some(left - 1);
        let fails = self.of(place).fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        if fails { Err(Error::Full) } else { Ok(()) }
    }

    fn call(&self, handler: i64, body: &[u8]) -> Fate {
        let chosen = {
            let mut network = self.network.lock().unwrap();
            let (bad, state) = &mut *network;
            // xorshift64: the seed decides, not the machine.
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            (*state % 100 < u64::from(*bad)).then_some(*state / 100 % 7)
        };
        let reply = |status, retry_after_s, cut_at| What::Reply { status, retry_after_s, body: b"as planned".to_vec(), cut_at };
        let fate = match chosen {
            None => Fate::status(204),
            Some(0) => return What::Refused.into(),
            Some(1) => What::Silence.into(),
            Some(2) => reply(500, None, None).into(),
            Some(3) => reply(429, Some(2), None).into(),
            Some(4) => reply(500, None, Some(3)).into(),
            Some(5) => Fate { after: Duration::from_millis(90), what: reply(200, None, None) },
            Some(_) => Fate { after: Duration::from_secs(3_600), what: reply(200, None, None) },
        };
        self.heard.lock().unwrap().push(heard(handler, body));
        fate
    }
}

fn heard(handler: i64, body: &[u8]) -> Heard {
    let body: Value = serde_json::from_slice(body).unwrap();
    let (event, text) = (&body["event"], |value: &Value| value.as_str().unwrap_or_default().to_owned());
    let number = |key: &str| event[key].as_i64().unwrap();
    let (client, seq) = (number("clients_id"), number("seq"));
    Heard { handler, client, seq, event: text(&event["id"]), notes: text(&body["data"]["notes"]) }
}

struct World {
    home: Home,
    clock: Clock,
    hand: Hand,
    plans: Arc<Plans>,
    life: Option<(Runtime, Core)>,
    /// What was asked for, and what came of it.
    asked: Vec<(String, JoinHandle<Result<Value, Refusal>>)>,
    promised: Vec<String>,
    refused: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let (clock, hand) = Clock::manual(BEGIN);
        let plans = Arc::new(Plans { network: Mutex::new((0, seed | 1)), ..Plans::default() });
        let home = Home::new();
        let (asked, promised, refused) = Default::default();
        let mut world = Self { home, clock, hand, plans, life: None, asked, promised, refused };
        world.start();
        for number in 1..=HANDLERS {
            let retries = vec![3; 100];
            let event = json!(["clients.create", "clients.update"]);
            let task = format!("http://planned.invalid/{number}");
            let fields =
                json!({"name": "h", "event": event, "task": task, "timeout_ms": 100, "concurrency": 2, "retries": retries});
            world.done("provisioning.handlers.create", fields);
        }
        for number in 1..=CLIENTS {
            world.done("clients.create", json!({"name": format!("client {number}")}));
        }
        world
    }

    fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (plans, faults) = (Arc::clone(&self.plans), Arc::clone(&self.plans));
        let core = runtime.block_on(core(
            &self.home,
            self.clock.clone(),
            Faults::new(move |place| faults.store(place)),
            Planned::new(move |handler, call| plans.call(handler.id, &call.body)),
        ));
        self.life = Some((runtime, core));
    }

    fn begin(&self, method: &str, params: Value) -> JoinHandle<Result<Value, Refusal>> {
        let (runtime, core) = self.life.as_ref().unwrap();
        let method = registry::find(method).unwrap();
        let Value::Object(params) = params else { panic!("an object") };
        let (core, call) = (core.clone(), Call::new(method, params, Arc::new(Caller::command_line())));
        runtime.spawn(async move { core.perform(call).await.map(|answer| answer.result) })
    }

    fn done(&self, method: &str, params: Value) -> Value {
        let call = self.begin(method, params);
        self.life.as_ref().unwrap().0.block_on(call).unwrap().unwrap()
    }

    /// Lets everybody work. The runtime's own time stands still while the store's threads have a moment of real time, and then
    /// passes for whatever waits for it.
    fn settle(&mut self) {
        self.life.as_ref().unwrap().0.block_on(async {
            for _ in 0..MOMENTS {
                let moment = tokio::task::spawn_blocking(|| std::thread::sleep(MOMENT));
                moment.await.unwrap();
                tokio::time::sleep(LATER).await;
            }
        });
        self.note();
    }

    /// Notes what came of those calls that have ended.
    fn note(&mut self) {
        let (ended, running): (Vec<_>, Vec<_>) = self.asked.drain(..).partition(|(_, call)| call.is_finished());
        self.asked = running;
        for (token, call) in ended {
            match self.life.as_ref().unwrap().0.block_on(call) {
                Ok(Ok(_)) => self.promised.push(token),
                Ok(Err(refusal)) => {
                    assert!(matches!(refusal, Refusal::Internal(_)), "{refusal:?}");
                    self.refused.push(token);
                }
                // Its life ended: it may be there or not.
                Err(_) => {}
            }
        }
    }

    fn run(&mut self, number: usize, step: &Step) {
        match step {
            Step::Change { client } => {
                let token = format!("change {number}");
                let call = self.begin("clients.update", json!({"id": client, "notes": token}));
                self.asked.push((token, call));
            }
            Step::Settle => self.settle(),
            Step::StoreFails { place, times } => self.plans.of(*place).store(*times, Ordering::SeqCst),
            Step::Network { bad } => self.plans.network.lock().unwrap().0 = *bad,
            Step::Turn { seconds } => {
                self.hand.advance(seconds * 1_000);
                // It is noticed within a second.
                if *seconds < 0 {
                    self.settle();
                }
            }
            Step::SaveHandler { handler } => {
                // Whether it succeeds is the store's business.
                let call = self.begin("provisioning.handlers.update", json!({"id": handler, "notes": format!("saved {number}")}));
                let _saved = self.life.as_ref().unwrap().0.block_on(call).unwrap();
            }
            Step::Crash => self.crash(),
        }
    }

    fn crash(&mut self) {
        self.note();
        self.heal();
        let (runtime, core) = self.life.take().unwrap();
        let store = core.store().clone();
        runtime.shutdown_background();
        drop(core);
        self.asked.clear();
        // A process takes its writer with it; here that ends once it has done what it was handed.
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(store.close()).unwrap();
        self.start();
    }

    fn heal(&self) {
        for place in [Place::Begin, Place::Flush, Place::Read] {
            self.plans.of(place).store(0, Ordering::SeqCst);
        }
        self.plans.network.lock().unwrap().0 = 0;
    }

    /// The trouble is over: everything comes to its end.
    fn finish(&mut self) {
        self.heal();
        for _ in 0..200 {
            self.settle();
            let waits = self.done("provisioning.deliveries.search", json!({}));
            if waits == json!([]) && self.asked.is_empty() {
                return;
            }
            self.hand.advance(5_000);
        }
        panic!("never done: {}", self.done("provisioning.deliveries.search", json!({})));
    }

    fn check(&self) {
        let params = json!({"order": ["clients_id", "seq"], "limit": 1000});
        let journal = self.done("provisioning.events.search", params);
        let mut truth = BTreeMap::<i64, Vec<String>>::new();
        for row in journal.as_array().unwrap() {
            let events = truth.entry(row["clients_id"].as_i64().unwrap()).or_default();
            events.push(row["id"].as_str().unwrap().to_owned());
            assert_eq!(row["seq"], json!(events.len()), "without a gap");
        }
        let heard = self.plans.heard.lock().unwrap();
        for handler in 1..=HANDLERS {
            let mut told = BTreeMap::<i64, Vec<String>>::new();
            for call in heard.iter().filter(|call| call.handler == handler) {
                let events = told.entry(call.client).or_default();
                if usize::try_from(call.seq).unwrap() > events.len() {
                    assert_eq!(call.seq, events.len() as i64 + 1, "in order: {call:?}");
                    events.push(call.event.clone());
                } else {
                    assert_eq!(events[usize::try_from(call.seq).unwrap() - 1], call.event, "a repeat is the same event");
                }
            }
            assert_eq!(told, truth, "handler {handler}: whole, in order, and nothing else");
        }
        let notes: HashSet<&str> = heard.iter().map(|call| call.notes.as_str()).collect();
        self.promised.iter().for_each(|token| assert!(notes.contains(token.as_str()), "{token} was promised"));
        self.refused.iter().for_each(|token| assert!(!notes.contains(token.as_str()), "{token} was refused"));
    }
}

async fn core(home: &Home, clock: Clock, faults: Faults, network: Planned) -> Core {
    let (database, key) = (Database::at(&home.url()).unwrap(), MasterKey::from_bytes([7; 32]));
    let store = Store::open(hookswitch_store::Options { database, key, clock, faults: Some(faults) }).unwrap();
    let caller = CallerOptions {
        user_agent: "hookswitch/test".to_owned(),
        reseller_networks: Vec::new(),
        scripts_dir: home.path().to_owned(),
        data_dir: home.path().to_owned(),
        program: None,
        script_limits: Limits::default(),
        extra_roots_pem: Vec::new(),
        network: Some(network),
        traces: Traces::off(),
    };
    let hooks = hookswitch_hooks::Options {
        cluster: Cluster::alone(),
        caller,
        breaker: Breaker::default(),
        retention: Retention::default(),
    };
    Core::open(crate::Options { store, hooks, before_budget: Duration::from_secs(10) }).await.unwrap()
}

/// A case takes a third of a second; `PROPTEST_CASES` sets how many there are.
fn config() -> ProptestConfig {
    let default = ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases: 24, ..default } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_the_store_and_the_network_do_nothing_is_lost_invented_or_out_of_order(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut world = World::new(seed);
        steps.iter().enumerate().for_each(|(number, step)| world.run(number, step));
        world.finish();
        world.check();
    }
}
