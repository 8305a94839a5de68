//! Loops: handlers that answer each other through our API, each change causing the next.
//!
//! | | how it is found | what is done |
//! |---|---|---|
//! | with `Hookswitch-Cause` | by the depth of its causes, exactly | refused at depth 8 (`depth`) |
//! | without, the same states again and again | tried out: it stands still while its calls are held | refused (`states`) |
//! | without, ever new values, such as a counter | the same | shown (`rate`): who counts may be right to |
//!
//! To refuse what is right is worse than to find a loop late. So without the header nothing is refused that was not tried out
//! several times in a row (see [`track`]), and then only that very request, in answer to a call, until there was none for a
//! minute.
//!
//! **What it costs.** Changes of which no after handler hears are not looked at. For the others a number is counted up;
//! only a client that is changed several times within half a minute has a [`track`], of which there are few, each of a bounded
//! size.
//!
//! | file | subject |
//! |---|---|
//! | here | which clients are looked at; which requests are refused |
//! | [`track`] | one client: does it answer the calls? |
//! | `heat` | who may be one |
//! | `record`, `step` | what is written down, and the way it ran |
mod heat;
mod record;
mod step;
mod track;

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hookswitch_model::{
    Object,
    event::{Actor, Event},
};
use hookswitch_store::{Store, tables::loops::Seen};
use serde_json::Value;
use uuid::Uuid;

use heat::Heat;
pub(crate) use step::Step;
use track::{Found, HOLD_MAX, Track};

/// Changes of a client within half a minute from which on it is looked at.
const HOT: u64 = 6;
/// Clients that are looked at, at most.
const TRACKS_MAX: usize = 256;
/// One of which nothing was heard for so long is forgotten...
const FORGET_AFTER: Duration = Duration::from_secs(90);
/// ...or, if there is no room for another one, for so long.
const FORGET_SOONER: Duration = Duration::from_secs(5);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Requests that are refused, at most.
const CUTS_MAX: usize = 1_024;
/// A request that answered no call for so long is let through again.
const QUIET: Duration = Duration::from_secs(60);
/// Refusals within so long are written down together.
const GATHER: Duration = Duration::from_millis(500);
/// Steps that are shown.
const WAY_MAX: usize = 24;

/// The guard; a cheap handle.
#[derive(Clone)]
pub struct Loops(Arc<Shared>);

struct Shared {
    store: Store,
    hasher: RandomState,
    heat: Heat,
    /// How many clients are looked at: mostly none, and then nothing is locked.
    tracked: AtomicUsize,
    clients: Mutex<Clients>,
    /// How many requests are refused: the same.
    refusing: AtomicUsize,
    cuts: Mutex<HashMap<u64, Cut>>,
    calls: AtomicU64,
    /// Whose calls are held, and since when: one client's at a time.
    trying: Mutex<Option<(i64, Instant)>>,
    refused: AtomicU64,
    found: [AtomicU64; 2],
}

struct Clients {
    by_id: HashMap<i64, Client>,
    looked_at: Instant,
}

struct Client {
    track: Track,
    way: VecDeque<Object>,
}

/// A request that is refused.
struct Cut {
    clients_id: i64,
    /// When it answered a call last.
    last: Instant,
    /// How often since that was written down last.
    unwritten: i64,
    seen: Seen,
}

/// A request that may be part of a loop.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    request: u64,
    arrived: Instant,
}

/// A call under way; it has ended when this is dropped.
pub struct Telling {
    loops: Loops,
    clients_id: i64,
    number: u64,
}

/// Why a request is refused: who answers whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Their ids, in order.
    pub handlers: Vec<i64>,
}

/// Loops since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Found and cut.
    pub cut: u64,
    /// Found and let run.
    pub suspected: u64,
    /// Actions refused because of one.
    pub refused: u64,
}

impl Loops {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(Shared {
            store,
            hasher: RandomState::new(),
            heat: Heat::default(),
            tracked: AtomicUsize::new(0),
            clients: Mutex::new(Clients { by_id: HashMap::new(), looked_at: Instant::now() }),
            refusing: AtomicUsize::new(0),
            cuts: Mutex::default(),
            calls: AtomicU64::new(0),
            trying: Mutex::default(),
            refused: AtomicU64::new(0),
            found: Default::default(),
        }))
    }

    /// A request that came just now, and of which after handlers would hear.
    #[must_use]
    pub fn watch(&self, method: &str, params: &Object) -> Watched {
        let text = serde_json::to_string(params).unwrap_or_default();
        Watched { request: self.0.hasher.hash_one((method, text)), arrived: Instant::now() }
    }

    /// Lets a request pass, unless it is one that goes round and answers a call.
    ///
    /// # Errors
    /// Who goes round.
    pub fn admit(&self, watched: Watched) -> Result<(), Round> {
        if self.0.refusing.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let now = Instant::now();
        let mut cuts = locked(&self.0.cuts);
        cuts.retain(|_, cut| now.duration_since(cut.last) < QUIET);
        self.0.refusing.store(cuts.len(), Ordering::Release);
        let Some(cut) = cuts.get_mut(&watched.request) else { return Ok(()) };
        let answers = locked(&self.0.clients).by_id.get(&cut.clients_id).map(|client| client.track.answerers(watched.arrived));
        if answers.is_none_or(|handlers| handlers.is_empty()) {
            return Ok(());
        }
        cut.last = now;
        cut.unwritten += 1;
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        if cut.unwritten == 1 {
            tokio::spawn(self.clone().write_down(watched.request));
        }
        Err(Round { handlers: cut.seen.handlers.clone() })
    }

    /// Writes down how often a request was refused, all that came within a moment together.
    async fn write_down(self, request: u64) {
        tokio::time::sleep(GATHER).await;
        let counted = locked(&self.0.cuts).get_mut(&request).map(|cut| Seen {
            count: std::mem::take(&mut cut.unwritten),
            way: Vec::new(),
            ..cut.seen.clone()
        });
        if let Some(seen) = counted {
            record::write(&self.0.store, seen);
        }
    }

    /// A watched request was carried out: these are its events of which handlers are told.
    pub fn changed<'a>(&self, watched: Watched, events: impl Iterator<Item = &'a Event>) {
        let now = Instant::now();
        for event in events.filter(|event| matches!(event.actor, Actor::User { .. })) {
            self.changed_one(watched, event, now);
        }
    }

    fn changed_one(&self, watched: Watched, event: &Event, now: Instant) {
        let is_hot = self.0.heat.count(event.clients_id, now) >= HOT;
        // Also who is looked at may look cold: in the next half minute.
        if !is_hot && self.0.tracked.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut clients = locked(&self.0.clients);
        self.forget(&mut clients, now);
        if !clients.by_id.contains_key(&event.clients_id) {
            if !is_hot || clients.by_id.len() >= TRACKS_MAX {
                return;
            }
            clients.by_id.insert(event.clients_id, Client { track: Track::new(now), way: VecDeque::new() });
            self.0.tracked.store(clients.by_id.len(), Ordering::Release);
        }
        let Some(client) = clients.by_id.get_mut(&event.clients_id) else { return };
        let answers = client.track.answerers(watched.arrived);
        if client.way.len() == WAY_MAX {
            client.way.pop_front();
        }
        client.way.push_back(Step::of(event).shown(&answers));
        let mut trying = locked(&self.0.trying);
        // One that has ended in the middle of it is not waited for.
        let is_anothers = trying.is_some_and(|(whose, since)| whose != event.clients_id && now.duration_since(since) <= HOLD_MAX);
        let found = client.track.changed(watched.request, watched.arrived, now, !is_anothers);
        if !is_anothers {
            *trying = client.track.is_trying(now).then_some((event.clients_id, now));
        }
        drop(trying);
        if let Some(found) = found {
            let (seen, requests) = (seen(found, event, &client.way), client.track.round(now));
            drop(clients);
            self.found(found, seen, &requests, now);
        }
    }

    /// Forgets those of which nothing is heard any more.
    fn forget(&self, clients: &mut Clients, now: Instant) {
        if now.duration_since(clients.looked_at) >= LOOK_EVERY {
            clients.looked_at = now;
            let after = if clients.by_id.len() < TRACKS_MAX { FORGET_AFTER } else { FORGET_SOONER };
            clients.by_id.retain(|_, client| now.duration_since(client.track.seen) < after);
            self.0.tracked.store(clients.by_id.len(), Ordering::Release);
        }
    }

    fn found(&self, found: Found, seen: Seen, requests: &[u64], now: Instant) {
        self.0.found[usize::from(found == Found::Rate)].fetch_add(1, Ordering::Relaxed);
        tracing::warn!(clients_id = seen.clients_id, handlers = ?seen.handlers, found_by = seen.found_by, "handlers answer each other");
        record::write(&self.0.store, seen.clone());
        if found == Found::States {
            let mut cuts = locked(&self.0.cuts);
            for request in requests.iter().take(CUTS_MAX.saturating_sub(cuts.len())) {
                let cut = Cut { clients_id: seen.clients_id, last: now, unwritten: 0, seen: seen.clone() };
                cuts.insert(*request, cut);
            }
            self.0.refusing.store(cuts.len(), Ordering::Release);
        }
    }

    /// Waits while calls about this client are held.
    pub(crate) async fn wait(&self, clients_id: i64) {
        while let Some(wait) = self.held(clients_id) {
            tokio::time::sleep(wait).await;
        }
    }

    /// How long a call about this client waits before it looks again; `None` = it may go.
    pub(crate) fn held(&self, clients_id: i64) -> Option<Duration> {
        if self.0.tracked.load(Ordering::Acquire) == 0 {
            return None;
        }
        locked(&self.0.clients).by_id.get_mut(&clients_id)?.track.held(Instant::now())
    }

    /// A handler is being told of something about this client.
    pub(crate) fn telling(&self, clients_id: i64, handlers_id: i64) -> Option<Telling> {
        if self.0.tracked.load(Ordering::Acquire) == 0 {
            return None;
        }
        let (number, now) = (self.0.calls.fetch_add(1, Ordering::Relaxed), Instant::now());
        let mut clients = locked(&self.0.clients);
        self.forget(&mut clients, now);
        clients.by_id.get_mut(&clients_id)?.track.began(number, handlers_id, now);
        Some(Telling { loops: self.clone(), clients_id, number })
    }

    /// A chain of causes was cut: from this event on, to which this handler reacted.
    pub(crate) fn too_deep(&self, event_id: Uuid, handlers_id: i64, asked: Vec<Step>) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        self.0.found[0].fetch_add(1, Ordering::Relaxed);
        record::write_chain(&self.0.store, event_id, handlers_id, asked);
    }

    /// Since the start.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        Counted { cut: count(&self.0.found[0]), suspected: count(&self.0.found[1]), refused: count(&self.0.refused) }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some(client) = locked(&self.loops.0.clients).by_id.get_mut(&self.clients_id) {
            client.track.ended(self.number, Instant::now());
        }
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seen(found: Found, event: &Event, way: &VecDeque<Object>) -> Seen {
    let mut handlers: Vec<i64> =
        way.iter().filter_map(|step| step.get("handlers")?.as_array()).flatten().filter_map(Value::as_i64).collect();
    handlers.sort_unstable();
    handlers.dedup();
    Seen {
        found_by: if found == Found::States { "states" } else { "rate" },
        companies_id: event.companies_id,
        clients_id: event.clients_id,
        events_id: event.kind.events_id.to_owned(),
        object_id: event.object_id,
        handlers,
        count: 1,
        way: way.iter().cloned().collect(),
    }
}
