//! The lanes of one reseller's clients to one handler: which delivery may be tried next. A state machine without I/O and
//! without time of its own. [`Turns`] is over all resellers of a handler.
//!
//! A lane is one client's deliveries to this handler (with `ordering: none`, one delivery). Its next one is not tried
//! before the last is done, dead or discarded:
//!
//! ```text
//!              take                          done, or dead                      written down
//!   ready ------------> in flight ----------------------------> ready, or empty ------------> (gone)
//!     ^                    |
//!     |                    | failed: what it holds is forgotten, the database has it
//!     |                    v                    written down                      due
//!     |                settling ------------------------------> blocked until ---------.
//!     |                                                                                |
//!     '---------------------------- loaded <------------------------------- wants loading
//! ```
//!
//! What was taken may also be held back instead of tried: then its lane stands as if it were in flight, takes no place, and is
//! loaded anew when it is let go.
//!
//! **What bounds the memory.** A lane that can't go on holds nothing but its name and a time. The others hold the next few
//! deliveries of theirs, all together at most what their [`Room`] says. The rest stays in the
//! database, where it is found again in two ways: a lane knows that it has `more` there behind what it has seen, and
//! all together know up to which delivery the queue was looked at (`Scan`). While there is something unseen of either kind, a
//! fresh delivery is not taken in but left to be found: it must not overtake.
//!
//! **What is counted on.** Deliveries' ids rise in the order of commits, and fresh ones are handed over in that order, by
//! the store's writer. A delivery that was taken is not loaded again until what became of it is written down; while a look
//! at the queue is under way no lane is forgotten, because what was seen then may have been written down since.
//!
//! **With many writers** ([`Source::Told`]) less can be counted on. Ids rise in the order of commits within one client only: one
//! with a smaller id may turn up behind the place where the queue was looked at, and what is heard of it comes in any order,
//! twice, or never. So nothing comes in by hand. What is heard ([`Lanes::there_is`]) and what a look finds says no more than that
//! a lane has something, and each lane reads its own deliveries, in their order, from behind what it has seen; one that begins
//! reads from the very first. That is right because a lane is known as long as anything of it is under way. What was never heard
//! of is found by going over the queue once more now and then ([`Lanes::look_again`]).
//!
//! | file | subject |
//! |---|---|
//! | here | all lanes of a reseller: what is ready, what ends, what is due |
//! | `turns` | all resellers of a handler: whose turn it is |
//! | `lane` | one lane |
//! | `unseen` | what is in the database only, and how it is found again |
mod lane;
mod turns;
mod unseen;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hookswitch_model::moment::Moment;

use lane::Lane;
pub(super) use lane::{Ended, Entry, Key};
pub(super) use turns::{Counting, Place, Turns};
use unseen::Scan;
pub(super) use unseen::{Choice, Look, Reach, Wanted};

/// Below this share of a bound more is loaded.
const LOW: usize = 2;
/// Deliveries of one lane in memory; few in tests, so that the bound is met all the time.
pub(super) const LANE_MAX: usize = if cfg!(test) { 3 } else { 16 };

/// What may be in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Deliveries.
    held: usize,
    /// Bytes of their payloads.
    bytes: usize,
    /// Lanes known at once, most of them blocked.
    lanes: usize,
}

impl Room {
    /// Of one handler.
    pub(super) const WHOLE: Self = Self { held: if cfg!(test) { 8 } else { 1_024 }, bytes: 4 << 20, lanes: 100_000 };
    /// However many resellers share it: the next delivery, and the names of those that wait.
    const LEAST: Self = Self { held: 1, bytes: 1, lanes: 100 };

    /// What each of so many has.
    fn shared_by(resellers: usize) -> Self {
        let share = |whole: usize, least: usize| (whole / resellers.max(1)).max(least);
        let (whole, least) = (Self::WHOLE, Self::LEAST);
        Self {
            held: share(whole.held, least.held),
            bytes: share(whole.bytes, least.bytes),
            lanes: share(whole.lanes, least.lanes),
        }
    }
}

/// Where deliveries come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// One writer hands them over in the order of commits.
    Handed,
    /// Many write: it is told that there are some, in any order, and they are read.
    Told,
}

/// How many resellers share the room of a handler.
#[derive(Debug, Clone, Default)]
struct Sharers(Arc<AtomicUsize>);

impl Sharers {
    fn room(&self) -> Room {
        Room::shared_by(self.0.load(Ordering::Relaxed))
    }
}

/// The lanes of one reseller's clients to one handler.
#[derive(Debug)]
pub(super) struct Lanes<E> {
    source: Source,
    sharers: Sharers,
    per_client: bool,
    running: bool,
    lanes: HashMap<Key, Lane<E>>,
    ready: VecDeque<Key>,
    /// Ready, and tried before.
    late: VecDeque<Key>,
    due: BTreeSet<(Moment, Key)>,
    to_load: VecDeque<Key>,
    scan: Option<Scan>,
    /// True while a look at the queue is under way.
    looking: bool,
    /// From where it is to be looked again after that.
    again_from: Option<i64>,
    /// Lanes that were done with meanwhile.
    gone: Vec<Key>,
    /// Counts how often everything was forgotten: what was read before that is of no use.
    epoch: u64,
    /// Deliveries in flight or being written down.
    busy: usize,
    /// What is to be when nothing is busy any more: whether it runs, in the other order.
    turn_over: Option<bool>,
    /// No delivery up to here is fresh any more.
    seen_to: i64,
    held: usize,
    held_bytes: usize,
}

impl<E: Entry> Lanes<E> {
    /// Empty. If `all_is_seen`, nothing of theirs is in the database that was not handed over; else everything is to be looked
    /// at. `epoch` is greater than that of any lanes of this reseller before.
    fn new(source: Source, per_client: bool, running: bool, all_is_seen: bool, epoch: u64, sharers: Sharers) -> Self {
        Self {
            source,
            sharers,
            per_client,
            running,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            late: VecDeque::new(),
            due: BTreeSet::new(),
            to_load: VecDeque::new(),
            scan: (!all_is_seen).then_some(Scan { mark: 0, missed: false }),
            looking: false,
            again_from: None,
            gone: Vec::new(),
            epoch,
            busy: 0,
            turn_over: None,
            seen_to: 0,
            held: 0,
            held_bytes: 0,
        }
    }

    /// True if nothing of theirs is anywhere that is not written down.
    fn is_idle(&self) -> bool {
        self.lanes.is_empty() && self.scan.is_none() && !self.looking && self.turn_over.is_none()
    }

    fn key(&self, entry: &E) -> Key {
        self.key_of(entry.id(), entry.clients_id())
    }

    fn key_of(&self, id: i64, clients_id: i64) -> Key {
        if self.per_client { Key::Client(clients_id) } else { Key::Delivery(id) }
    }

    /// Forgets what is held and looks at everything anew: the rows in the database were changed from outside. What is in
    /// flight or being written down is waited for; if the order changes, before anything else is tried.
    pub(super) fn start_over(&mut self, per_client: bool, running: bool) {
        let waits = per_client != self.per_client && self.busy > 0;
        self.turn_over = waits.then_some(running);
        self.running = running && !waits;
        if !waits {
            self.per_client = per_client;
        }
        self.epoch += 1;
        (self.looking, self.again_from) = (false, None);
        self.gone.clear();
        self.ready.clear();
        self.late.clear();
        self.due.clear();
        self.to_load.clear();
        (self.held, self.held_bytes) = (0, 0);
        self.lanes.retain(|_, lane| {
            let keep = lane.in_flight.is_some() || lane.unsettled > 0;
            let Lane { in_flight, taken, unsettled, .. } = *lane;
            *lane = Lane { in_flight, taken, unsettled, more: true, ..Lane::new(0) };
            keep
        });
        self.scan = Some(Scan { mark: 0, missed: true });
    }

    /// Once nothing is busy any more, the order changes.
    fn turn_over(&mut self) {
        if self.busy == 0
            && let Some(running) = self.turn_over.take()
        {
            self.start_over(!self.per_client, running);
        }
    }

    /// A delivery straight from its commit.
    pub(super) fn fresh(&mut self, entry: E, now: Moment) {
        if entry.id() <= self.seen_to {
            return;
        }
        if let Some(scan) = &mut self.scan {
            scan.missed = true;
            return;
        }
        self.seen_to = entry.id();
        let key = self.key(&entry);
        let full = !self.running || self.is_full();
        self.fold(key, &entry);
        match self.lanes.get_mut(&key) {
            Some(lane) if lane.seen >= entry.id() => {}
            Some(lane) if lane.takes_fresh() && !full => self.hold(key, entry, now),
            Some(lane) => {
                (lane.more, lane.missed) = (true, true);
                self.want_loading(key);
            }
            None if full => self.scan = Some(Scan { mark: entry.id() - 1, missed: true }),
            None => self.hold(key, entry, now),
        }
    }

    /// The database has this delivery, which may be new, and may stand for those that wait (`latest`): then what is held may be
    /// gone from the database, and is read again. With [`Source::Told`].
    fn there_is(&mut self, key: Key, id: i64, latest: bool) {
        if latest {
            self.read_again(key, id);
        }
        let full = !self.running || self.is_full();
        match self.lanes.get_mut(&key) {
            Some(lane) if lane.seen >= id => {}
            Some(lane) => {
                (lane.more, lane.missed) = (true, true);
                self.want_loading(key);
            }
            None if full => self.look_again(id - 1),
            None => self.begin(key, 0),
        }
    }

    /// Leaves what a lane holds to the database, if this delivery is behind it.
    fn read_again(&mut self, key: Key, id: i64) {
        let lane = self.lanes.get(&key).filter(|lane| lane.seen < id);
        if let Some(first) = lane.and_then(|lane| lane.held.front()).map(Entry::id) {
            self.leave(key, first);
        }
    }

    /// A lane of which nothing is known but that the database has something of it, behind `seen`.
    fn begin(&mut self, key: Key, seen: i64) {
        self.lanes.insert(key, Lane { more: true, ..Lane::new(seen) });
        self.want_loading(key);
    }

    fn is_full(&self) -> bool {
        let room = self.sharers.room();
        self.held >= room.held || self.held_bytes >= room.bytes || self.lanes.len() >= room.lanes
    }

    /// Forgets what a new one stands for; the database has done so already.
    fn fold(&mut self, key: Key, entry: &E) {
        if let Some(lane) = self.lanes.get_mut(&key) {
            let (held, held_bytes) = (&mut self.held, &mut self.held_bytes);
            lane.held.retain(|older| {
                let stays = older.id() >= entry.id() || !entry.stands_for(older);
                *held -= usize::from(!stays);
                *held_bytes -= if stays { 0 } else { older.size() };
                stays
            });
        }
    }

    fn hold(&mut self, key: Key, entry: E, now: Moment) {
        self.held += 1;
        self.held_bytes += entry.size();
        let lane = self.lanes.entry(key).or_insert_with(|| Lane::new(0));
        lane.seen = lane.seen.max(entry.id());
        lane.held.push_back(entry);
        self.settle_place(key, now);
    }

    /// Puts a lane where it belongs: among the ready, the due, those to be loaded, or nowhere.
    fn settle_place(&mut self, key: Key, now: Moment) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        if lane.in_flight.is_some() || lane.queued || lane.blocked.is_some() {
            return;
        }
        match lane.held.front() {
            // What was never tried has no clock that runs: it is due, also by a clock that was set back since its commit.
            Some(head) if head.attempt() > 0 && head.next_at() > now => {
                lane.blocked = Some(head.next_at());
                self.due.insert((head.next_at(), key));
            }
            Some(head) => {
                lane.queued = true;
                if head.attempt() > 0 { self.late.push_back(key) } else { self.ready.push_back(key) }
            }
            None if lane.more => self.want_loading(key),
            None if lane.is_gone() && self.looking => self.gone.push(key),
            None if lane.is_gone() => drop(self.lanes.remove(&key)),
            None => {}
        }
    }

    fn want_loading(&mut self, key: Key) {
        if let Some(lane) = self.lanes.get_mut(&key)
            && !lane.loading
            && lane.held.is_empty()
            && lane.in_flight.is_none()
            && lane.blocked.is_none()
        {
            lane.loading = true;
            self.to_load.push_back(key);
        }
    }

    /// The next delivery to be tried, of those that are tried the first time or of the others.
    fn take(&mut self, late: bool) -> Option<E> {
        if !self.running {
            return None;
        }
        while let Some(key) = if late { self.late.pop_front() } else { self.ready.pop_front() } {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            lane.queued = false;
            // What a newer one stands for is gone.
            let Some(entry) = lane.held.pop_front() else { continue };
            (lane.in_flight, lane.taken) = (Some(entry.id()), entry.id());
            self.busy += 1;
            self.held -= 1;
            self.held_bytes -= entry.size();
            return Some(entry);
        }
        None
    }

    /// Takes a delivery past all that is ready, while the handler does not run: true if nothing else of its lane is under way.
    pub(super) fn probe(&mut self, entry: &E) -> bool {
        let key = self.key(entry);
        let is_busy = |lane: &Lane<E>| lane.in_flight.is_some() || lane.unsettled > 0;
        if self.running || self.lanes.get(&key).is_some_and(is_busy) {
            return false;
        }
        let lane = self.lanes.entry(key).or_insert_with(|| Lane { more: true, ..Lane::new(0) });
        (lane.in_flight, lane.taken) = (Some(entry.id()), entry.id());
        self.busy += 1;
        true
    }

    /// True if [`Lanes::take`] would give one.
    fn has_ready(&self, late: bool) -> bool {
        self.running && !(if late { self.late.is_empty() } else { self.ready.is_empty() })
    }

    /// An attempt has ended; what became of it is being written down.
    pub(super) fn ended(&mut self, key: Key, id: i64, ended: Ended, now: Moment) {
        let Some(lane) = self.lanes.get_mut(&key).filter(|lane| lane.in_flight == Some(id)) else { return };
        lane.in_flight = None;
        lane.unsettled += 1;
        if let Ended::Again(due) = ended {
            lane.blocked = Some(due);
            self.leave(key, id);
        } else {
            self.settle_place(key, now);
        }
    }

    /// An attempt was broken off: nothing is written down, its delivery is where it was.
    pub(super) fn broken_off(&mut self, key: Key, id: i64) {
        if let Some(lane) = self.lanes.get_mut(&key).filter(|lane| lane.in_flight == Some(id)) {
            (lane.in_flight, lane.more) = (None, true);
            self.busy -= 1;
            self.turn_over();
        }
    }

    /// What was taken was not tried, or its attempt was broken off, and its lane goes on: by what the database has.
    pub(super) fn put_back(&mut self, key: Key, id: i64, now: Moment) {
        self.held_back(key, id);
        self.let_go(key, id, now);
    }

    /// What was taken is not tried now. Until it is let go its lane stands, and holds nothing.
    pub(super) fn held_back(&mut self, key: Key, id: i64) {
        if self.lanes.get(&key).is_some_and(|lane| lane.in_flight == Some(id)) {
            self.leave(key, id);
        }
    }

    /// Leaves this delivery and what is behind it to the database.
    fn leave(&mut self, key: Key, id: i64) {
        if let Some(lane) = self.lanes.get_mut(&key) {
            let dropped = std::mem::take(&mut lane.held);
            self.held -= dropped.len();
            self.held_bytes -= dropped.iter().map(Entry::size).sum::<usize>();
            (lane.more, lane.seen) = (true, lane.seen.min(id - 1));
        }
    }

    /// What was held back may be tried: it is where it was.
    pub(super) fn let_go(&mut self, key: Key, id: i64, now: Moment) {
        if let Some(lane) = self.lanes.get_mut(&key).filter(|lane| lane.in_flight == Some(id)) {
            lane.in_flight = None;
            self.busy -= 1;
            self.settle_place(key, now);
            self.turn_over();
        }
    }

    /// What became of an attempt is written down.
    pub(super) fn written(&mut self, key: Key, now: Moment) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.unsettled -= 1;
        self.busy -= 1;
        match lane.blocked {
            Some(due) if lane.unsettled == 0 && due > now => drop(self.due.insert((due, key))),
            Some(due) if lane.unsettled == 0 => {
                self.due.remove(&(due, key));
                lane.blocked = None;
                self.settle_place(key, now);
            }
            _ => self.settle_place(key, now),
        }
        self.turn_over();
    }

    /// Wakes the lanes that are due.
    pub(super) fn wake(&mut self, now: Moment) {
        while let Some((due, key)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, key));
            // One that has failed is due when that is written down, not before.
            if let Some(lane) = self.lanes.get_mut(&key).filter(|lane| lane.unsettled == 0 || !lane.held.is_empty()) {
                lane.blocked = lane.blocked.filter(|blocked| *blocked != due);
                self.settle_place(key, now);
            }
        }
    }

    /// True if something is to be loaded: the one who tends the queue should look.
    pub(super) fn wants_tending(&self) -> bool {
        self.running && (self.can_load() || self.can_look())
    }

    fn has_low_room(&self) -> bool {
        let room = self.sharers.room();
        self.held <= room.held / LOW && self.held_bytes <= room.bytes / LOW && self.lanes.len() < room.lanes
    }

    /// When the next lane is due.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.due.first().map(|(due, _)| *due).filter(|_| self.running)
    }
}

#[cfg(test)]
mod tests;
