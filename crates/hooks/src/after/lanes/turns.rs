//! Whose turn it is: the resellers of one handler, each with lanes of its own.
//!
//! A reseller that imports a hundred thousand rows fills its own lanes and its own share of the memory; another's single change
//! goes past all that. Whoever has the fewest deliveries in flight is next, so that one whose deliveries take long does not
//! end up with all places.
//!
//! First attempts go ahead of what was tried before: of so many turns one is for the latter, and while these fail they get
//! half of the places at most.
//!
//! Resellers are known once the database was asked which have deliveries that wait (the *census*). Who turns up after that
//! was handed over from the first delivery on, so one who has nothing any more can be forgotten.
use std::{
    collections::{BTreeSet, HashMap},
    sync::atomic::Ordering,
};

use hookswitch_model::moment::Moment;

use super::{Choice, Ended, Entry, Key, Lanes, Look, Reach, Sharers, Source, Wanted};

/// Of so many turns one goes to what was tried before, however much is fresh.
const LATE_EVERY: u32 = 8;

/// Where a delivery that was taken belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::after) struct Place {
    companies_id: i64,
    key: Key,
    /// True if it was tried before.
    late: bool,
}

/// One reseller's part.
#[derive(Debug)]
struct Share<E> {
    lanes: Lanes<E>,
    in_flight: usize,
    /// As it stands in [`Turns::ready`], by first attempts and later ones.
    listed: [Option<(usize, u64)>; 2],
    /// As it stands in [`Turns::due`].
    due: Option<Moment>,
}

/// All lanes of one handler.
#[derive(Debug)]
pub(in crate::after) struct Turns<E> {
    source: Source,
    per_client: bool,
    running: bool,
    shares: HashMap<i64, Share<E>>,
    sharers: Sharers,
    /// Who has something ready, the first attempts and the later ones: by deliveries in flight, then by who waits longest.
    ready: [BTreeSet<(usize, u64, i64)>; 2],
    due: BTreeSet<(Moment, i64)>,
    /// Who wants to be loaded or looked at.
    wanting: BTreeSet<i64>,
    /// Who was served last of those.
    served: i64,
    census: Census,
    late_in_flight: usize,
    /// True if the last one that was tried before failed again.
    late_fails: bool,
    takes: u32,
    turn: u64,
    /// For lanes that begin: greater than any before.
    epoch: u64,
}

/// Whether it is known which resellers have deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Census {
    Wanted,
    /// Begun at that epoch.
    UnderWay(u64),
    Done,
}

/// A census that is to be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::after) struct Counting(u64);

const FRESH: usize = 0;
const LATE: usize = 1;

impl<E: Entry> Turns<E> {
    /// Nothing known.
    pub(in crate::after) fn new(source: Source, per_client: bool, running: bool) -> Self {
        Self {
            source,
            per_client,
            running,
            shares: HashMap::new(),
            sharers: Sharers::default(),
            ready: [BTreeSet::new(), BTreeSet::new()],
            due: BTreeSet::new(),
            wanting: BTreeSet::new(),
            served: 0,
            census: Census::Wanted,
            late_in_flight: 0,
            late_fails: false,
            takes: 0,
            turn: 0,
            epoch: 0,
        }
    }

    /// Forgets what is held and looks at everything anew, see [`Lanes::start_over`].
    pub(in crate::after) fn start_over(&mut self, per_client: bool, running: bool) {
        (self.per_client, self.running, self.census) = (per_client, running, Census::Wanted);
        let all: Vec<i64> = self.shares.keys().copied().collect();
        for companies_id in all {
            self.change(companies_id, |lanes| lanes.start_over(per_client, running));
        }
        // Who has nothing under way will be found again.
        let idle: Vec<i64> = self.shares.iter().filter(|(_, share)| share.lanes.busy == 0).map(|(id, _)| *id).collect();
        idle.into_iter().for_each(|companies_id| self.forget(companies_id));
    }

    fn forget(&mut self, companies_id: i64) {
        if let Some(share) = self.shares.remove(&companies_id) {
            for (set, listed) in self.ready.iter_mut().zip(share.listed) {
                listed.map(|(in_flight, turn)| set.remove(&(in_flight, turn, companies_id)));
            }
            share.due.map(|due| self.due.remove(&(due, companies_id)));
            self.wanting.remove(&companies_id);
            self.share_room();
        }
    }

    fn share_room(&self) {
        self.sharers.0.store(self.shares.len(), Ordering::Relaxed);
    }

    /// Gives a reseller that has none yet lanes of its own.
    fn know(&mut self, companies_id: i64) {
        if !self.shares.contains_key(&companies_id) {
            self.epoch += 1;
            // Lanes count their own epochs from there.
            let epoch = self.epoch << 32;
            let all_is_seen = self.census == Census::Done;
            let lanes = Lanes::new(self.source, self.per_client, self.running, all_is_seen, epoch, self.sharers.clone());
            self.shares.insert(companies_id, Share { lanes, in_flight: 0, listed: [None, None], due: None });
            self.share_room();
        }
    }

    /// Changes the lanes of a reseller that is known, and puts it where it belongs then.
    fn change<T>(&mut self, companies_id: i64, change: impl FnOnce(&mut Lanes<E>) -> T) -> Option<T> {
        let changed = self.shares.get_mut(&companies_id).map(|share| change(&mut share.lanes));
        self.settle(companies_id);
        changed
    }

    fn settle(&mut self, companies_id: i64) {
        let Some(share) = self.shares.get_mut(&companies_id) else { return };
        if share.lanes.is_idle() && share.in_flight == 0 {
            return self.forget(companies_id);
        }
        for (which, set) in self.ready.iter_mut().enumerate() {
            let listed = share.listed[which].take();
            listed.map(|(in_flight, turn)| set.remove(&(in_flight, turn, companies_id)));
            if share.lanes.has_ready(which == LATE) {
                // Its place among its equals stays until it has had its turn.
                self.turn += 1;
                let turn = listed.map_or(self.turn, |(_, turn)| turn);
                set.insert((share.in_flight, turn, companies_id));
                share.listed[which] = Some((share.in_flight, turn));
            }
        }
        share.due.map(|due| self.due.remove(&(due, companies_id)));
        share.due = share.lanes.next_due();
        share.due.map(|due| self.due.insert((due, companies_id)));
        if share.lanes.wants_tending() {
            self.wanting.insert(companies_id);
        } else {
            self.wanting.remove(&companies_id);
        }
    }

    /// A delivery straight from its commit.
    pub(in crate::after) fn fresh(&mut self, entry: E, now: Moment) {
        let companies_id = entry.companies_id();
        self.know(companies_id);
        self.change(companies_id, |lanes| lanes.fresh(entry, now));
    }

    /// The database has this delivery of a client, which may be new: see [`Lanes::there_is`].
    pub(in crate::after) fn there_is(&mut self, companies_id: i64, clients_id: i64, id: i64, latest: bool) {
        self.know(companies_id);
        self.change(companies_id, |lanes| lanes.there_is(lanes.key_of(id, clients_id), id, latest));
    }

    /// Goes over everything once more, and forgets nothing: some may never have been heard of.
    pub(in crate::after) fn look_again(&mut self) {
        self.census = Census::Wanted;
        let all: Vec<i64> = self.shares.keys().copied().collect();
        for companies_id in all {
            self.change(companies_id, |lanes| lanes.look_again(0));
        }
    }

    /// The next delivery to be tried, of at most so many at once.
    pub(in crate::after) fn take(&mut self, places: usize) -> Option<(Place, E)> {
        let which = self.next_kind(places)?;
        self.takes = self.takes.wrapping_add(1);
        let (_, _, companies_id) = self.ready[which].pop_first()?;
        let share = self.shares.get_mut(&companies_id)?;
        // Behind its equals from now on.
        share.listed[which] = None;
        let taken = share.lanes.take(which == LATE).map(|entry| {
            share.in_flight += 1;
            (Place { companies_id, key: share.lanes.key(&entry), late: which == LATE }, entry)
        });
        self.late_in_flight += taken.as_ref().map_or(0, |_| which);
        self.settle(companies_id);
        taken
    }

    /// Whether a first attempt is next or a later one.
    fn next_kind(&self, places: usize) -> Option<usize> {
        let half = (places / 2).max(1);
        let late = !self.ready[LATE].is_empty() && (!self.late_fails || self.late_in_flight < half);
        let fresh = !self.ready[FRESH].is_empty();
        let is_for_late = self.takes.is_multiple_of(LATE_EVERY);
        match (fresh, late) {
            (true, true) => Some(if is_for_late { LATE } else { FRESH }),
            (true, false) => Some(FRESH),
            (false, true) => Some(LATE),
            (false, false) => None,
        }
    }

    /// Up to which delivery a client's were taken; 0 if all that were are written down.
    pub(in crate::after) fn taken(&self, companies_id: i64, clients_id: i64) -> i64 {
        let lane = self.shares.get(&companies_id).and_then(|share| share.lanes.lanes.get(&Key::Client(clients_id)));
        lane.map_or(0, |lane| lane.taken)
    }

    /// True if [`Turns::take`] would give one.
    pub(in crate::after) fn has_ready(&self, places: usize) -> bool {
        self.next_kind(places).is_some()
    }

    /// Takes a delivery past all that is ready, while the handler does not run; `None` if its lane has something under way.
    pub(in crate::after) fn probe(&mut self, entry: &E) -> Option<Place> {
        let companies_id = entry.companies_id();
        self.know(companies_id);
        let place = self.shares.get_mut(&companies_id).and_then(|share| {
            let place = Place { companies_id, key: share.lanes.key(entry), late: false };
            let is_free = share.lanes.probe(entry);
            share.in_flight += usize::from(is_free);
            is_free.then_some(place)
        });
        self.settle(companies_id);
        place
    }

    fn landed(&mut self, place: Place) {
        if let Some(share) = self.shares.get_mut(&place.companies_id) {
            share.in_flight = share.in_flight.saturating_sub(1);
        }
        self.late_in_flight -= usize::from(place.late).min(self.late_in_flight);
    }

    /// An attempt has ended; what became of it is being written down.
    pub(in crate::after) fn ended(&mut self, place: Place, id: i64, ended: Ended, now: Moment) {
        self.landed(place);
        if place.late {
            self.late_fails = matches!(ended, Ended::Again(_));
        }
        self.change(place.companies_id, |lanes| lanes.ended(place.key, id, ended, now));
    }

    /// An attempt was broken off: nothing is written down, its delivery is where it was.
    pub(in crate::after) fn broken_off(&mut self, place: Place, id: i64) {
        self.landed(place);
        self.change(place.companies_id, |lanes| lanes.broken_off(place.key, id));
    }

    /// What was taken was not tried, or its attempt was broken off: its lane goes on by what the database has.
    pub(in crate::after) fn put_back(&mut self, place: Place, id: i64, now: Moment) {
        self.landed(place);
        self.change(place.companies_id, |lanes| lanes.put_back(place.key, id, now));
    }

    /// What was taken is not tried now: its place is another's until it is let go.
    pub(in crate::after) fn held_back(&mut self, place: Place, id: i64) {
        self.landed(place);
        self.change(place.companies_id, |lanes| lanes.held_back(place.key, id));
    }

    /// What was held back may be tried.
    pub(in crate::after) fn let_go(&mut self, place: Place, id: i64, now: Moment) {
        self.change(place.companies_id, |lanes| lanes.let_go(place.key, id, now));
    }

    /// What became of an attempt is written down.
    pub(in crate::after) fn written(&mut self, place: Place, now: Moment) {
        self.change(place.companies_id, |lanes| lanes.written(place.key, now));
    }

    /// Wakes the lanes that are due.
    pub(in crate::after) fn wake(&mut self, now: Moment) {
        while let Some((_, companies_id)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.change(companies_id, |lanes| lanes.wake(now));
        }
    }

    /// When the next lane is due.
    pub(in crate::after) fn next_due(&self) -> Option<Moment> {
        self.due.first().map(|(due, _)| *due)
    }

    /// True if something is to be read: the one who tends the queue should look.
    pub(in crate::after) fn wants_tending(&self) -> bool {
        self.running && (self.census == Census::Wanted || !self.wanting.is_empty())
    }

    /// Whether it is to be found out now which resellers have deliveries.
    pub(in crate::after) fn wants_census(&mut self) -> Option<Counting> {
        (self.running && self.census == Census::Wanted).then(|| {
            self.epoch += 1;
            self.census = Census::UnderWay(self.epoch);
            Counting(self.epoch)
        })
    }

    /// These have deliveries.
    pub(in crate::after) fn counted(&mut self, counting: Counting, resellers: &[i64]) {
        if self.census == Census::UnderWay(counting.0) {
            for companies_id in resellers {
                self.know(*companies_id);
                self.settle(*companies_id);
            }
            self.census = Census::Done;
        }
    }

    /// A census that failed: it is wanted again.
    pub(in crate::after) fn not_counted(&mut self, counting: Counting) {
        if self.census == Census::UnderWay(counting.0) {
            self.census = Census::Wanted;
        }
    }

    /// Who wants something read, in turn.
    fn wanting(&self) -> Vec<i64> {
        let (first, then) = (self.wanting.range(self.served + 1..), self.wanting.range(..=self.served));
        first.chain(then).copied().collect()
    }

    /// Lanes to be loaded now, at most `max`, each with its reseller.
    pub(in crate::after) fn wanted(&mut self, max: usize) -> Vec<(i64, Wanted)> {
        let mut all = Vec::new();
        for companies_id in self.wanting() {
            let wanted = self.change(companies_id, |lanes| lanes.wanted(max - all.len())).unwrap_or_default();
            all.extend(wanted.into_iter().map(|wanted| (companies_id, wanted)));
            if all.len() == max {
                self.served = companies_id;
                break;
            }
        }
        all
    }

    /// What a lane has in the database, see [`Lanes::loaded`].
    pub(in crate::after) fn loaded(&mut self, (companies_id, wanted): (i64, Wanted), entries: Vec<E>, now: Moment) {
        self.change(companies_id, |lanes| lanes.loaded(wanted, entries, now));
    }

    /// A load that failed: it is wanted again.
    pub(in crate::after) fn not_loaded(&mut self, (companies_id, wanted): (i64, Wanted)) {
        self.change(companies_id, |lanes| lanes.not_loaded(wanted));
    }

    /// The look at a reseller's queue that is to be taken now, if any.
    pub(in crate::after) fn wants_look(&mut self) -> Option<(i64, Look)> {
        let look = self.wanting().into_iter().find_map(|id| self.change(id, Lanes::wants_look).flatten().map(|look| (id, look)));
        self.served = look.map_or(self.served, |(companies_id, _)| companies_id);
        look
    }

    /// A look that failed: it is wanted again.
    pub(in crate::after) fn not_looked(&mut self, (companies_id, look): (i64, Look)) {
        self.change(companies_id, |lanes| lanes.not_looked(look));
    }

    /// Of what a look found, those to be loaded.
    pub(in crate::after) fn choose(&self, companies_id: i64, found: &[(i64, i64)]) -> Choice {
        self.shares.get(&companies_id).map_or_else(Choice::nothing, |share| share.lanes.choose(found))
    }

    /// Takes over what a look found, see [`Lanes::found`].
    pub(in crate::after) fn found(
        &mut self,
        (companies_id, look): (i64, Look),
        found: &[(i64, i64)],
        entries: Vec<E>,
        reach: Reach,
        now: Moment,
    ) {
        self.change(companies_id, |lanes| lanes.found(look, found, entries, reach, now));
    }
}

#[cfg(test)]
impl<E: Entry> Turns<E> {
    pub(super) fn source(&self) -> Source {
        self.source
    }

    pub(super) fn held(&self) -> usize {
        self.shares.values().map(|share| share.lanes.held).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        let nothing_ready = self.ready.iter().all(BTreeSet::is_empty);
        self.shares.is_empty() && nothing_ready && self.due.is_empty() && self.wanting.is_empty() && self.late_in_flight == 0
    }
}
