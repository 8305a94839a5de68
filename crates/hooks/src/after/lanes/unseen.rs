//! What is in the database only, and how it is found again: lane by lane, and by a look at the whole queue of a reseller.
use std::collections::{HashMap, HashSet, VecDeque};

use hookswitch_model::moment::Moment;

use super::{Entry, Key, LANE_MAX, Lanes, Source, lane::Lane};

/// How far a look at the queue went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::after) struct Reach {
    /// Everything up to this delivery was considered.
    pub(in crate::after) upto: i64,
    /// True if there was nothing behind.
    pub(in crate::after) last: bool,
}

/// What is unseen of the whole queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scan {
    /// Everything up to this delivery was looked at.
    pub(super) mark: i64,
    /// True if a fresh one was left to the database since the last look began.
    pub(super) missed: bool,
}

/// A lane to be loaded: its deliveries behind `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::after) struct Wanted {
    pub(in crate::after) key: Key,
    pub(in crate::after) after: i64,
    /// So many at most.
    pub(in crate::after) limit: usize,
    epoch: u64,
}

/// A look at the whole queue, at what is behind `mark`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::after) struct Look {
    pub(in crate::after) mark: i64,
    epoch: u64,
}

impl<E: Entry> Lanes<E> {
    /// True if [`Lanes::wanted`] would give something.
    pub(super) fn can_load(&self) -> bool {
        let is_settled = |key: &Key| self.lanes.get(key).is_some_and(|lane| lane.is_settled(self.looking));
        self.held < self.sharers.room().held && self.to_load.iter().any(is_settled)
    }

    /// True if [`Lanes::wants_look`] would give one.
    pub(super) fn can_look(&self) -> bool {
        self.scan.is_some() && !self.looking && self.has_low_room()
    }

    /// Lanes to be loaded now, at most `max`. What was taken of them before is written down: the database tells the truth.
    pub(in crate::after) fn wanted(&mut self, max: usize) -> Vec<Wanted> {
        if !self.running {
            return Vec::new();
        }
        let most = self.sharers.room().held;
        // The more lanes wait, the fewer deliveries of each: one read, and one wait for it, is to be worth many of them.
        let at_once = (most.saturating_sub(self.held) / max.min(self.to_load.len()).max(1)).clamp(1, LANE_MAX);
        let (mut wanted, mut not_yet) = (Vec::new(), VecDeque::new());
        while let Some(key) = self.to_load.pop_front() {
            let room = most.saturating_sub(self.held + wanted.len() * at_once);
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            if !lane.is_settled(self.looking) {
                not_yet.push_back(key);
            } else if wanted.len() == max || room == 0 {
                not_yet.push_back(key);
                break;
            } else {
                lane.missed = false;
                wanted.push(Wanted { key, after: lane.seen, limit: at_once, epoch: self.epoch });
            }
        }
        not_yet.append(&mut self.to_load);
        self.to_load = not_yet;
        wanted
    }

    /// What a lane has in the database, from behind what it had seen; fewer than it may be is all.
    pub(in crate::after) fn loaded(&mut self, wanted: Wanted, entries: Vec<E>, now: Moment) {
        let Some(lane) = self.lanes.get_mut(&wanted.key).filter(|_| wanted.epoch == self.epoch) else { return };
        lane.loading = false;
        // One by itself has nothing behind it.
        lane.more = matches!(wanted.key, Key::Client(_)) && (entries.len() >= wanted.limit || lane.missed);
        for entry in entries {
            self.hold(wanted.key, entry, now);
        }
        self.settle_place(wanted.key, now);
    }

    /// A load that failed: it is wanted again.
    pub(in crate::after) fn not_loaded(&mut self, wanted: Wanted) {
        if wanted.epoch == self.epoch {
            self.to_load.push_back(wanted.key);
        }
    }

    /// The look at the whole queue that is to be taken now, if any.
    pub(in crate::after) fn wants_look(&mut self) -> Option<Look> {
        let can_look = self.running && self.can_look();
        let scan = self.scan.as_mut().filter(|_| can_look)?;
        scan.missed = false;
        (self.looking, self.again_from) = (true, None);
        Some(Look { mark: scan.mark, epoch: self.epoch })
    }

    /// A look that failed: it is wanted again.
    pub(in crate::after) fn not_looked(&mut self, look: Look) {
        if look.epoch == self.epoch {
            self.looked();
        }
    }

    /// What is behind this delivery is to be looked at, also if that was done already.
    pub(super) fn look_again(&mut self, behind: i64) {
        let mark = self.scan.map_or(behind, |scan| scan.mark.min(behind));
        self.scan = Some(Scan { mark, missed: true });
        if self.looking {
            self.again_from = Some(self.again_from.map_or(behind, |from| from.min(behind)));
        }
    }

    fn looked(&mut self) {
        self.looking = false;
        for key in std::mem::take(&mut self.gone) {
            if self.lanes.get(&key).is_some_and(Lane::is_gone) {
                self.lanes.remove(&key);
            }
        }
    }

    /// Of the deliveries that a look at the queue found, in order of id, those to be loaded; the others are left to their lanes.
    /// Ends where there is no room for more: the next look begins there.
    pub(in crate::after) fn choose(&self, found: &[(i64, i64)]) -> Choice {
        if self.source == Source::Told {
            return self.choose_lanes(found);
        }
        let most = self.sharers.room().held;
        let (mut load, mut per_lane, mut upto) = (HashSet::new(), HashMap::<i64, usize>::new(), None);
        for (id, clients_id) in found {
            if self.held + load.len() >= most {
                return Choice { load, upto, whole: false };
            }
            upto = Some(*id);
            let key = self.key_of(*id, *clients_id);
            let held = self.lanes.get(&key).map_or(0, |lane| if lane.more { LANE_MAX } else { lane.held.len() });
            let chosen = per_lane.entry(*clients_id).or_default();
            if !self.per_client || held + *chosen < LANE_MAX {
                *chosen += 1;
                load.insert(*id);
            }
        }
        Choice { load, upto, whole: true }
    }

    /// As many as there is room for their lanes, which read for themselves.
    fn choose_lanes(&self, found: &[(i64, i64)]) -> Choice {
        let (room, mut new, mut upto) = (self.sharers.room().lanes, HashSet::new(), None);
        for (id, clients_id) in found {
            let key = self.key_of(*id, *clients_id);
            if !self.lanes.contains_key(&key) && new.insert(key) && self.lanes.len() + new.len() > room {
                return Choice { load: HashSet::new(), upto, whole: false };
            }
            upto = Some(*id);
        }
        Choice { load: HashSet::new(), upto, whole: true }
    }

    /// Takes over what a look at the queue found: the chosen ones with their payloads, and of the others that they are there.
    pub(in crate::after) fn found(&mut self, look: Look, found: &[(i64, i64)], entries: Vec<E>, reach: Reach, now: Moment) {
        let Some(scan) = self.scan.filter(|_| look.epoch == self.epoch) else { return };
        let mut entries: HashMap<i64, E> = entries.into_iter().map(|entry| (entry.id(), entry)).collect();
        for (id, clients_id) in found {
            self.found_one(self.key_of(*id, *clients_id), *id, entries.remove(id), now);
        }
        self.seen_to = self.seen_to.max(reach.upto);
        let mark = self.again_from.take().map_or(reach.upto, |from| from.min(reach.upto));
        self.scan = if reach.last && !scan.missed { None } else { Some(Scan { mark, ..scan }) };
        self.looked();
    }

    fn found_one(&mut self, key: Key, id: i64, entry: Option<E>, now: Moment) {
        match (self.lanes.get_mut(&key), entry) {
            // In flight, being written down, held or found already.
            (Some(lane), _) if lane.in_flight == Some(id) || lane.seen >= id => {}
            // Left to a load, which may have been read before this one was there.
            (Some(lane), _) if lane.more => lane.missed |= lane.loading,
            (Some(lane), Some(entry)) if lane.takes_fresh() => self.hold(key, entry, now),
            (None, Some(entry)) => self.hold(key, entry, now),
            (Some(lane), _) => {
                lane.more = true;
                self.want_loading(key);
            }
            // With one writer nothing of this lane is before what was found; with many there may be.
            (None, None) => self.begin(key, if self.source == Source::Handed { id - 1 } else { 0 }),
        }
    }
}

/// What of a look at the queue is to be loaded.
#[derive(Debug)]
pub(in crate::after) struct Choice {
    /// Ids of deliveries.
    pub(in crate::after) load: HashSet<i64>,
    /// The last one that was considered.
    pub(in crate::after) upto: Option<i64>,
    /// True if all were considered.
    pub(in crate::after) whole: bool,
}

impl Choice {
    /// Of nobody's.
    pub(super) fn nothing() -> Self {
        Self { load: HashSet::new(), upto: None, whole: false }
    }
}
