//! The lanes against a simple oracle: random commits, hand-overs, attempts, failures, writes and reads in any order.
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    id: i64,
    clients_id: i64,
    attempt: i64,
    next_at: Moment,
    latest: bool,
    /// In which it was read.
    turn: u64,
}

impl Entry for Row {
    fn id(&self) -> i64 {
        self.id
    }
    fn clients_id(&self) -> i64 {
        self.clients_id
    }
    fn companies_id(&self) -> i64 {
        reseller(self.clients_id)
    }
    fn attempt(&self) -> i64 {
        self.attempt
    }
    fn next_at(&self) -> Moment {
        self.next_at
    }
    fn size(&self) -> usize {
        1
    }
    fn stands_for(&self, other: &Self) -> bool {
        self.latest && self.clients_id == other.clients_id && other.attempt == 0
    }
}

/// Clients 1 and 2 are one reseller's, 3 and 4 another's; those from 11 on are the first one's too.
fn reseller(clients_id: i64) -> i64 {
    if clients_id > 10 { 1 } else { (clients_id + 1) / 2 }
}

/// Deliveries in flight at most.
const PLACES: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Commit {
        clients_id: i64,
        latest: bool,
    },
    HandOver,
    Take,
    /// The n-th in flight ends: done, or due again after so long.
    End {
        which: usize,
        again_after: Option<i64>,
    },
    /// The n-th in flight is not tried, but held back.
    HoldBack {
        which: usize,
    },
    /// The n-th of those that are held back may go.
    LetGo {
        which: usize,
    },
    WriteDown,
    BeginLoad {
        lanes: usize,
    },
    EndLoad {
        which: usize,
    },
    BeginLook,
    ChooseLook,
    EndLook,
    BeginCount,
    EndCount,
    Wait {
        micros: i64,
    },
    StartOver {
        runs: bool,
    },
    TurnOrder,
    /// The head of some lane, whether it is due or not.
    Probe {
        which: usize,
    },
    /// The n-th in flight is broken off, or was not to be tried.
    PutBack {
        which: usize,
    },
    /// A transaction of a client takes an id; it is not committed yet. With many writers.
    Begin {
        clients_id: i64,
        latest: bool,
    },
    /// The n-th of those that have begun is committed.
    Show {
        which: usize,
    },
    /// Somebody hears of the n-th of those that are committed, so many times.
    Hear {
        which: usize,
        times: usize,
    },
    /// Everything is gone over once more.
    LookAgain,
    /// A client becomes another node's, or comes back.
    Move {
        clients_id: i64,
    },
    /// Another node is done with the head of such a client's.
    Elsewhere {
        clients_id: i64,
    },
}

/// What happens where many write, on a node that is not alone.
fn step_of_many() -> impl Strategy<Value = Step> {
    // Enough of one reseller's that there is no room for all their lanes.
    let client = prop_oneof![1i64..5, 11i64..15];
    prop_oneof![
        24 => step().prop_filter("others commit", |step| !matches!(step, Step::Commit { .. } | Step::HandOver)),
        5 => (client.clone(), prop::bool::weighted(0.1)).prop_map(|(clients_id, latest)| Step::Begin { clients_id, latest }),
        5 => (0usize..4).prop_map(|which| Step::Show { which }),
        5 => (0usize..4, prop_oneof![1 => Just(0), 6 => Just(1), 1 => Just(2)]).prop_map(|(which, times)| Step::Hear { which, times }),
        1 => Just(Step::LookAgain),
        1 => (0usize..4).prop_map(|which| Step::PutBack { which }),
        1 => client.clone().prop_map(|clients_id| Step::Move { clients_id }),
        2 => client.prop_map(|clients_id| Step::Elsewhere { clients_id }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1i64..5, prop::bool::weighted(0.1)).prop_map(|(clients_id, latest)| Step::Commit { clients_id, latest }),
        8 => Just(Step::HandOver),
        8 => Just(Step::Take),
        8 => (0usize..4, prop::option::weighted(0.3, 0i64..20)).prop_map(|(which, again_after)| Step::End { which, again_after }),
        3 => (0usize..4).prop_map(|which| Step::HoldBack { which }),
        3 => (0usize..4).prop_map(|which| Step::LetGo { which }),
        8 => Just(Step::WriteDown),
        4 => (1usize..3).prop_map(|lanes| Step::BeginLoad { lanes }),
        4 => (0usize..3).prop_map(|which| Step::EndLoad { which }),
        4 => Just(Step::BeginLook),
        4 => Just(Step::ChooseLook),
        4 => Just(Step::EndLook),
        2 => Just(Step::BeginCount),
        2 => Just(Step::EndCount),
        4 => (1i64..10).prop_map(|micros| Step::Wait { micros }),
        1 => any::<bool>().prop_map(|runs| Step::StartOver { runs }),
        1 => Just(Step::TurnOrder),
        2 => (0usize..8).prop_map(|which| Step::Probe { which }),
    ]
}

/// What happens where many write and nothing goes wrong.
fn calm_step() -> impl Strategy<Value = Step> {
    let client = prop_oneof![1i64..3, 11i64..17];
    prop_oneof![
        6 => client.prop_map(|clients_id| Step::Begin { clients_id, latest: false }),
        6 => (0usize..6).prop_map(|which| Step::Show { which }),
        6 => (0usize..6).prop_map(|which| Step::Hear { which, times: 1 }),
        3 => Just(Step::Take),
        3 => (0usize..4, prop::option::weighted(0.2, 0i64..20)).prop_map(|(which, again_after)| Step::End { which, again_after }),
        3 => Just(Step::WriteDown),
        5 => (1usize..3).prop_map(|lanes| Step::BeginLoad { lanes }),
        5 => (0usize..3).prop_map(|which| Step::EndLoad { which }),
        2 => Just(Step::BeginLook),
        2 => Just(Step::ChooseLook),
        2 => Just(Step::EndLook),
        2 => (1i64..10).prop_map(|micros| Step::Wait { micros }),
    ]
}

/// A look at the queue on its way: begun, then found and chosen, then read.
enum Looking {
    Begun((i64, Look), Vec<(i64, i64)>),
    Chosen((i64, Look), Vec<(i64, i64)>, Vec<Row>, Reach),
}

/// Rows that one look finds at most.
fn look_max(source: Source) -> usize {
    // Few, so that much happens between two looks.
    if source == Source::Told { 2 } else { 6 }
}

struct World {
    lanes: Turns<Row>,
    per_client: bool,
    runs: bool,
    now: Moment,
    last_id: i64,
    /// What the database has.
    rows: BTreeMap<i64, Row>,
    /// What is committed and not over yet, by delivery: the truth.
    open: BTreeMap<i64, Row>,
    /// Those that a newer one stands for. The lanes know it when that one is handed over, so they may still be tried.
    folded: BTreeSet<i64>,
    committed: VecDeque<Row>,
    in_flight: Vec<(Place, Row)>,
    held_back: Vec<(Place, Row)>,
    /// Ended, on the way to the database: the row as it will be.
    ended: VecDeque<(Place, i64, Option<Row>)>,
    loads: Vec<((i64, Wanted), Vec<Row>)>,
    looking: Option<Looking>,
    counting: Option<(Counting, Vec<i64>)>,
    /// Not committed yet.
    begun: Vec<Row>,
    /// Committed, and nobody has heard of it.
    unheard: Vec<Row>,
    /// Clients of another node.
    elsewhere: BTreeSet<i64>,
    turn: u64,
    /// True once something was never heard of.
    lost: bool,
}

impl World {
    fn new(source: Source) -> Self {
        Self {
            lanes: Turns::new(source, true, true),
            per_client: true,
            runs: true,
            now: Moment(0),
            last_id: 0,
            rows: BTreeMap::new(),
            open: BTreeMap::new(),
            folded: BTreeSet::new(),
            committed: VecDeque::new(),
            in_flight: Vec::new(),
            held_back: Vec::new(),
            ended: VecDeque::new(),
            loads: Vec::new(),
            looking: None,
            counting: None,
            begun: Vec::new(),
            unheard: Vec::new(),
            elsewhere: BTreeSet::new(),
            turn: 0,
            lost: false,
        }
    }

    /// A row with its id, on its way into the database.
    fn new_row(&mut self, clients_id: i64, latest: bool) -> Row {
        self.last_id += 1;
        Row { id: self.last_id, clients_id, attempt: 0, next_at: self.now, latest, turn: 0 }
    }

    fn commit(&mut self, row: Row) {
        if row.latest {
            self.fold(row.clients_id);
        }
        self.rows.insert(row.id, row);
        self.open.insert(row.id, row);
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Commit { clients_id, latest } => {
                let row = self.new_row(clients_id, latest);
                self.commit(row);
                self.committed.push_back(row);
            }
            Step::HandOver => {
                if let Some(row) = self.committed.pop_front() {
                    self.lanes.fresh(row, self.now);
                }
            }
            Step::Take => self.take(),
            Step::End { which, again_after } => self.end(which, again_after),
            Step::HoldBack { which } => {
                if !self.in_flight.is_empty() {
                    let (place, row) = self.in_flight.remove(which % self.in_flight.len());
                    self.lanes.held_back(place, row.id);
                    self.held_back.push((place, row));
                }
            }
            Step::LetGo { which } => {
                if !self.held_back.is_empty() {
                    let (place, row) = self.held_back.remove(which % self.held_back.len());
                    self.lanes.let_go(place, row.id, self.now);
                }
            }
            Step::WriteDown => self.write_down(),
            Step::BeginLoad { lanes } => {
                let all_wanted = self.lanes.wanted(lanes);
                for wanted in all_wanted {
                    let rows = self.rows.values().copied().filter(|row| match wanted.1.key {
                        Key::Client(clients_id) => row.clients_id == clients_id && row.id > wanted.1.after,
                        Key::Delivery(id) => row.id == id,
                    });
                    let rows = rows.filter(|row| !self.elsewhere.contains(&row.clients_id));
                    let rows = rows.take(wanted.1.limit).map(|row| Row { turn: self.turn, ..row }).collect();
                    self.loads.push((wanted, rows));
                }
            }
            Step::EndLoad { which } => {
                if !self.loads.is_empty() {
                    let (wanted, rows) = self.loads.remove(which % self.loads.len());
                    self.lanes.loaded(wanted, rows, self.now);
                }
            }
            Step::BeginLook => {
                if self.looking.is_none()
                    && let Some(look) = self.lanes.wants_look()
                {
                    let (companies_id, behind) = (look.0, look.1.mark + 1);
                    let rows = self.rows.range(behind..).map(|(id, row)| (*id, row.clients_id));
                    let found = rows
                        .filter(|(_, client)| reseller(*client) == companies_id)
                        .take(look_max(self.lanes.source()))
                        .collect();
                    self.looking = Some(Looking::Begun(look, found));
                }
            }
            Step::BeginCount => {
                if let Some(counting) = self.lanes.wants_census() {
                    let resellers: BTreeSet<i64> = self.rows.values().map(|row| reseller(row.clients_id)).collect();
                    self.counting = Some((counting, resellers.into_iter().collect()));
                }
            }
            Step::EndCount => {
                if let Some((counting, resellers)) = self.counting.take() {
                    self.lanes.counted(counting, &resellers);
                }
            }
            Step::ChooseLook => self.choose(),
            Step::EndLook => match self.looking.take() {
                Some(Looking::Chosen(look, found, rows, reach)) => self.lanes.found(look, &found, rows, reach, self.now),
                other => self.looking = other,
            },
            Step::Wait { micros } => {
                self.now = Moment(self.now.0 + micros);
                self.lanes.wake(self.now);
            }
            Step::StartOver { runs } => {
                self.runs = runs;
                self.lanes.start_over(self.per_client, runs);
            }
            Step::Probe { which } => self.probe(which),
            Step::TurnOrder => {
                (self.per_client, self.runs) = (!self.per_client, true);
                self.lanes.start_over(self.per_client, true);
            }
            Step::PutBack { which } => {
                if !self.in_flight.is_empty() {
                    let (place, row) = self.in_flight.remove(which % self.in_flight.len());
                    self.lanes.put_back(place, row.id, self.now);
                }
            }
            Step::Begin { clients_id, latest } => {
                // Only one transaction of a client at once.
                if self.begun.iter().all(|row| row.clients_id != clients_id) {
                    let row = self.new_row(clients_id, latest);
                    self.begun.push(row);
                }
            }
            Step::Show { which } => {
                if !self.begun.is_empty() {
                    let row = self.begun.remove(which % self.begun.len());
                    self.commit(row);
                    self.unheard.push(row);
                }
            }
            Step::Hear { which, times } => {
                if !self.unheard.is_empty() {
                    let row = self.unheard.remove(which % self.unheard.len());
                    self.lost |= times == 0;
                    self.hear(row, times);
                }
            }
            Step::LookAgain => self.lanes.look_again(),
            Step::Move { clients_id } => self.move_client(clients_id),
            Step::Elsewhere { clients_id } => {
                let head = self.rows.values().find(|row| row.clients_id == clients_id).map(|row| row.id);
                if let Some(id) = head.filter(|_| self.elsewhere.contains(&clients_id)) {
                    self.rows.remove(&id);
                    self.open.remove(&id);
                }
            }
        }
        let held = self.lanes.held();
        assert!(held <= Room::WHOLE.held + 2 * LANE_MAX, "{held} held");
    }

    fn hear(&mut self, row: Row, times: usize) {
        for _ in 0..times {
            if !self.elsewhere.contains(&row.clients_id) {
                self.lanes.there_is(row.companies_id(), row.clients_id, row.id, row.latest);
            }
        }
    }

    /// It goes when nothing of it is under way; it comes back at any time.
    fn move_client(&mut self, clients_id: i64) {
        let under_way = |(_, row): &(Place, Row)| row.clients_id == clients_id;
        let is_busy = self.in_flight.iter().chain(&self.held_back).any(under_way)
            || self.ended.iter().any(|(_, id, _)| self.rows.get(id).is_none_or(|row| row.clients_id == clients_id));
        if self.elsewhere.remove(&clients_id) {
            self.turn += 1;
        } else if !is_busy {
            self.elsewhere.insert(clients_id);
        } else {
            return;
        }
        self.lanes.start_over(self.per_client, self.runs);
    }

    fn choose(&mut self) {
        match self.looking.take() {
            Some(Looking::Begun(look, mut found)) => {
                let (is_all, read_to) =
                    (found.len() < look_max(self.lanes.source()), found.last().map_or(look.1.mark, |(id, _)| *id));
                found.retain(|(_, clients_id)| !self.elsewhere.contains(clients_id));
                let Choice { load, upto, whole } = self.lanes.choose(look.0, &found);
                let upto = if whole { read_to } else { upto.unwrap_or(look.1.mark) };
                found.retain(|(id, _)| *id <= upto);
                let rows = self.rows.values().copied().filter(|row| load.contains(&row.id)).collect();
                self.looking = Some(Looking::Chosen(look, found, rows, Reach { upto, last: whole && is_all }));
            }
            other => self.looking = other,
        }
    }

    /// What the database does with those that a new one stands for.
    fn fold(&mut self, clients_id: i64) {
        let waits = |row: &Row| row.clients_id == clients_id && row.attempt == 0;
        let folded: Vec<i64> = self.rows.values().filter(|row| waits(row)).map(|row| row.id).collect();
        for id in folded {
            self.rows.remove(&id);
            self.open.remove(&id);
            self.folded.insert(id);
        }
    }

    /// What is promised of every attempt.
    fn take(&mut self) {
        if self.in_flight.len() == PLACES {
            return;
        }
        let Some((place, row)) = self.lanes.take(PLACES) else { return };
        let was_told = self.lanes.source() == Source::Told;
        if was_told && (row.turn != self.turn || self.elsewhere.contains(&row.clients_id)) {
            // Nobody has the right to try it.
            return self.lanes.put_back(place, row.id, self.now);
        }
        let row = Row { turn: 0, ..row };
        let is_known = self.open.get(&row.id) == Some(&row) || self.folded.contains(&row.id);
        assert!(is_known, "{row:?} is over already, or not as the last attempt left it: {:?}", self.open.get(&row.id));
        assert!(row.next_at <= self.now, "{row:?} is not due at {:?}", self.now);
        assert!(self.in_flight.iter().all(|(_, other)| other.id != row.id), "{row:?} is in flight already");
        assert!(self.held_back.iter().all(|(_, other)| other.id != row.id), "{row:?} is held back");
        if self.per_client {
            assert!(self.in_flight.iter().all(|(_, other)| other.clients_id != row.clients_id), "one at a time: {row:?}");
            let earlier = self.open.range(..row.id).find(|(_, other)| other.clients_id == row.clients_id);
            assert!(earlier.is_none(), "{row:?} before {earlier:?}");
        }
        self.in_flight.push((place, row));
    }

    fn probe(&mut self, which: usize) {
        let heads: Vec<Row> = self
            .rows
            .values()
            .filter(|row| !self.per_client || !self.rows.range(..row.id).any(|(_, other)| other.clients_id == row.clients_id))
            .copied()
            .collect();
        let Some(head) = heads.get(which % heads.len().max(1)).filter(|head| self.open.get(&head.id) == Some(head)) else {
            return;
        };
        if self.elsewhere.contains(&head.clients_id) {
            return;
        }
        if let Some(place) = self.lanes.probe(head) {
            self.in_flight.push((place, *head));
        }
    }

    fn end(&mut self, which: usize, again_after: Option<i64>) {
        if self.in_flight.is_empty() {
            return;
        }
        let (key, row) = self.in_flight.remove(which % self.in_flight.len());
        let again = again_after.map(|wait| Row { attempt: row.attempt + 1, next_at: Moment(self.now.0 + wait), ..row });
        match again {
            Some(_) if self.folded.contains(&row.id) => {}
            Some(again) => drop(self.open.insert(row.id, again)),
            None => drop(self.open.remove(&row.id)),
        }
        let ended = again.map_or(Ended::Over, |again| Ended::Again(again.next_at));
        self.lanes.ended(key, row.id, ended, self.now);
        self.ended.push_back((key, row.id, again));
    }

    /// The one writer hands over what it has committed before it commits anything else.
    fn write_down(&mut self) {
        while !self.committed.is_empty() {
            self.run(Step::HandOver);
        }
        if let Some((key, id, again)) = self.ended.pop_front() {
            match again {
                Some(_) if self.folded.contains(&id) => {}
                Some(again) => drop(self.rows.insert(id, again)),
                None => drop(self.rows.remove(&id)),
            }
            self.lanes.written(key, self.now);
        }
    }

    /// Everybody does his work until nothing is left to do.
    fn finish(&mut self) {
        while !self.begun.is_empty() {
            self.run(Step::Show { which: 0 });
        }
        while !self.unheard.is_empty() {
            self.run(Step::Hear { which: 0, times: 1 });
        }
        let moved: Vec<i64> = self.elsewhere.iter().copied().collect();
        moved.into_iter().for_each(|clients_id| self.run(Step::Move { clients_id }));
        // Whatever was heard of is found without going over everything.
        if self.lost {
            self.run(Step::LookAgain);
        }
        // What has got stuck stays stuck unless it was stopped before.
        if !self.runs {
            self.lanes.start_over(self.per_client, true);
        }
        for _ in 0..2_000 {
            if self.open.is_empty() && self.ended.is_empty() && self.in_flight.is_empty() {
                return;
            }
            let steps = [
                Step::HandOver,
                Step::BeginCount,
                Step::EndCount,
                Step::Take,
                Step::End { which: 0, again_after: None },
                Step::LetGo { which: 0 },
                Step::WriteDown,
                Step::BeginLoad { lanes: 2 },
                Step::EndLoad { which: 0 },
                Step::BeginLook,
                Step::ChooseLook,
                Step::EndLook,
                Step::Wait { micros: 1 },
            ];
            steps.into_iter().for_each(|step| self.run(step));
        }
        panic!("never done: {:?}\n{:#?}", self.open, self.lanes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn each_delivery_is_tried_in_its_turn_and_none_is_forgotten(steps in prop::collection::vec(step(), 0..150)) {
        let mut world = World::new(Source::Handed);
        steps.into_iter().for_each(|step| world.run(step));
        world.finish();
    }

    #[test]
    fn the_same_where_many_write_and_what_is_heard_comes_in_any_order_or_not_at_all(
        steps in prop::collection::vec(step_of_many(), 0..200),
    ) {
        let mut world = World::new(Source::Told);
        steps.into_iter().for_each(|step| world.run(step));
        world.finish();
    }

    /// Nothing is started over and nothing gone over once more: whatever is heard of is found by that alone.
    #[test]
    fn what_is_heard_of_is_found_whatever_was_being_read_at_that_moment(steps in prop::collection::vec(calm_step(), 0..80)) {
        let mut world = World::new(Source::Told);
        world.lanes = told();
        steps.into_iter().for_each(|step| world.run(step));
        world.finish();
    }
}

#[test]
fn what_is_done_leaves_nothing_behind() {
    let mut world = World::new(Source::Handed);
    world.run(Step::BeginLook);
    world.run(Step::ChooseLook);
    world.run(Step::EndLook);
    for clients_id in 1..4 {
        world.run(Step::Commit { clients_id, latest: false });
        world.run(Step::HandOver);
    }
    world.finish();
    assert!(world.lanes.is_empty(), "{:?}", world.lanes);
}

#[test]
fn a_paused_handler_holds_nothing() {
    let mut lanes = Turns::new(Source::Handed, true, false);
    for id in 1..100 {
        lanes.fresh(Row { id, clients_id: id, attempt: 0, next_at: Moment(0), latest: false, turn: 0 }, Moment(0));
    }
    assert!(lanes.held() == 0 && lanes.take(PLACES).is_none() && lanes.wants_look().is_none() && !lanes.wants_tending());
}

/// Lanes that know of everything there is.
fn counted() -> Turns<Row> {
    let mut lanes = Turns::new(Source::Handed, true, true);
    let counting = lanes.wants_census().unwrap();
    lanes.counted(counting, &[]);
    lanes
}

fn fresh(id: i64, clients_id: i64) -> Row {
    Row { id, clients_id, attempt: 0, next_at: Moment(0), latest: false, turn: 0 }
}

#[test]
fn a_single_change_goes_past_another_resellers_flood() {
    let mut lanes = counted();
    for id in 1..=1_000 {
        lanes.fresh(fresh(id, 1 + id % 2), Moment(0));
    }
    let first = lanes.take(PLACES).unwrap();
    lanes.fresh(fresh(1_001, 3), Moment(0));
    assert_eq!(lanes.take(PLACES).unwrap().1.clients_id, 3, "whoever has nothing in flight is next");
    lanes.ended(first.0, first.1.id, Ended::Over, Moment(0));
    assert_eq!(reseller(lanes.take(PLACES).unwrap().1.clients_id), 1);
}

#[test]
fn what_is_held_back_takes_no_place_and_comes_first_when_it_is_let_go() {
    let mut lanes = counted();
    let late = |id| Row { attempt: 3, ..fresh(id, id) };
    (1..=3).for_each(|id| lanes.fresh(late(id), Moment(0)));
    let (place, row) = lanes.take(PLACES).unwrap();
    lanes.ended(place, row.id, Ended::Again(Moment(9)), Moment(0));
    // Half of the places are for those that failed before, and one of them is held back.
    let (place, held) = lanes.take(2).unwrap();
    assert!(!lanes.has_ready(2));
    lanes.held_back(place, held.id);
    assert_ne!(lanes.take(2).unwrap().1.id, held.id);
    lanes.fresh(Row { id: 4, ..held }, Moment(0));
    assert!(lanes.take(PLACES).is_none() && lanes.wanted(9).is_empty(), "its lane stands");
    lanes.let_go(place, held.id, Moment(0));
    let wanted = lanes.wanted(9).remove(0);
    assert_eq!(wanted.1.after, held.id - 1);
    lanes.loaded(wanted, vec![held, Row { id: 4, ..held }], Moment(0));
    assert_eq!(lanes.take(PLACES).unwrap().1, held);
}

#[test]
fn what_fails_again_and_again_leaves_half_of_the_places_to_first_attempts() {
    let mut lanes = counted();
    let late = |id| Row { attempt: 3, ..fresh(id, id) };
    for id in 1..=4 {
        lanes.fresh(late(id), Moment(0));
    }
    let (place, row) = lanes.take(PLACES).unwrap();
    lanes.ended(place, row.id, Ended::Again(Moment(9)), Moment(0));
    assert!(lanes.take(PLACES).is_some() && lanes.take(PLACES).is_some(), "half of them");
    assert!(lanes.take(PLACES).is_none() && !lanes.has_ready(PLACES));
    lanes.fresh(fresh(5, 9), Moment(0));
    assert_eq!(lanes.take(PLACES).unwrap().1.clients_id, 9);
}

#[test]
fn the_latest_stands_for_those_that_wait_and_not_for_the_one_under_way() {
    let mut lanes = counted();
    let latest = |id| Row { latest: true, ..fresh(id, 1) };
    lanes.fresh(latest(1), Moment(0));
    let (place, first) = lanes.take(PLACES).unwrap();
    (2..=20).for_each(|id| lanes.fresh(latest(id), Moment(0)));
    assert_eq!(lanes.held(), 1);
    lanes.ended(place, first.id, Ended::Over, Moment(0));
    lanes.written(place, Moment(0));
    assert_eq!(lanes.take(PLACES).unwrap().1.id, 20);
    assert_eq!(lanes.held(), 0);
}

proptest! {
    #[test]
    fn nobody_has_two_places_while_another_who_waits_has_none(ends in prop::collection::vec(0usize..PLACES, 0..100)) {
        let (mut lanes, mut in_flight) = (counted(), Vec::new());
        (1..=8).for_each(|client| lanes.fresh(fresh(client, client), Moment(0)));
        for end in ends {
            while in_flight.len() < PLACES && let Some(taken) = lanes.take(PLACES) {
                in_flight.push(taken);
            }
            let mut places = HashMap::<i64, usize>::new();
            in_flight.iter().for_each(|(_, row)| *places.entry(row.companies_id()).or_default() += 1);
            prop_assert!(places.values().all(|count| *count == 1), "{places:?}");
            let (place, row) = in_flight.remove(end % in_flight.len());
            lanes.ended(place, row.id, Ended::Over, Moment(0));
            lanes.written(place, Moment(0));
            lanes.fresh(Row { id: row.id + 8, ..row }, Moment(0));
        }
    }
}

/// Lanes that know of everything there is, and hear of the rest.
fn told() -> Turns<Row> {
    let mut lanes = Turns::new(Source::Told, true, true);
    let counting = lanes.wants_census().unwrap();
    lanes.counted(counting, &[]);
    lanes
}

#[test]
fn a_lane_that_is_heard_of_reads_its_own_from_the_first_and_once() {
    let mut lanes = told();
    lanes.there_is(1, 1, 7, false);
    lanes.there_is(1, 1, 5, false);
    lanes.there_is(1, 1, 7, false);
    let wanted = lanes.wanted(9);
    assert_eq!(wanted.iter().map(|(_, wanted)| wanted.after).collect::<Vec<_>>(), [0]);
    lanes.loaded(wanted[0], vec![fresh(5, 1), fresh(7, 1)], Moment(0));
    // Heard of since the read began: it is read once more from behind what was seen.
    assert_eq!(lanes.take(PLACES).unwrap().1.id, 5);
    lanes.there_is(1, 1, 7, false);
    assert!(lanes.wanted(9).is_empty());
}

#[test]
fn what_turns_up_behind_the_place_of_a_look_is_found_although_there_was_no_room_for_its_lane() {
    let mut lanes = told();
    lanes.look_again();
    let counting = lanes.wants_census().unwrap();
    lanes.counted(counting, &[1]);
    let look = lanes.wants_look().unwrap();
    lanes.start_over(true, false);
    lanes.there_is(1, 2, 3, false);
    lanes.start_over(true, true);
    lanes.found(look, &[(9, 1)], Vec::new(), Reach { upto: 9, last: true }, Moment(0));
    let counting = lanes.wants_census().unwrap();
    lanes.counted(counting, &[1]);
    assert_eq!(lanes.wants_look().unwrap().1.mark, 0);
}

#[test]
fn a_look_that_is_under_way_goes_back_to_what_is_heard_of_meanwhile() {
    let mut lanes = Lanes::<Row>::new(Source::Told, true, true, false, 0, Sharers::default());
    let first = lanes.wants_look().unwrap();
    lanes.look_again(3);
    lanes.found(first, &[(9, 1)], Vec::new(), Reach { upto: 9, last: true }, Moment(0));
    assert_eq!(lanes.wants_look().unwrap().mark, 3);
    lanes.look_again(1);
    lanes.look_again(2);
    let failed = lanes.scan.unwrap();
    assert_eq!(failed.mark, 1);
}

#[test]
fn what_a_newer_one_may_stand_for_is_read_again_before_it_is_tried() {
    let mut lanes = told();
    lanes.there_is(1, 1, 5, true);
    let wanted = lanes.wanted(9).remove(0);
    lanes.loaded(wanted, vec![fresh(5, 1)], Moment(0));
    assert!(lanes.has_ready(PLACES));
    // It stands for 5, which is gone.
    lanes.there_is(1, 1, 7, true);
    assert!(lanes.take(PLACES).is_none() && lanes.held() == 0);
    let wanted = lanes.wanted(9).remove(0);
    assert_eq!(wanted.1.after, 4);
    lanes.loaded(wanted, vec![fresh(7, 1)], Moment(0));
    lanes.there_is(1, 1, 7, true);
    assert_eq!(lanes.take(PLACES).unwrap().1.id, 7, "heard of twice, read once");
}

#[test]
fn a_lane_that_a_look_finds_reads_its_own_from_the_first() {
    let mut lanes = Lanes::<Row>::new(Source::Told, true, true, false, 0, Sharers::default());
    let look = lanes.wants_look().unwrap();
    // One with a smaller id may have become visible behind the place of the look before.
    lanes.found(look, &[(9, 1)], Vec::new(), Reach { upto: 9, last: true }, Moment(0));
    assert_eq!(lanes.wanted(9)[0].after, 0);
}

#[test]
fn what_is_heard_of_while_there_is_no_room_is_looked_for_from_right_before_it() {
    let mut lanes = Lanes::<Row>::new(Source::Told, true, true, true, 0, Sharers::default());
    for client in 1..=3 {
        lanes.there_is(Key::Client(client), client * 10, false);
        let wanted = lanes.wanted(1).remove(0);
        let rows = (0..3).map(|more| fresh(client * 10 + more, client)).collect();
        lanes.loaded(wanted, rows, Moment(0));
    }
    assert!(lanes.is_full() && lanes.scan.is_none());
    lanes.there_is(Key::Client(9), 50, false);
    assert_eq!(lanes.scan, Some(Scan { mark: 49, missed: true }));
    lanes.there_is(Key::Client(8), 40, false);
    assert_eq!(lanes.scan, Some(Scan { mark: 39, missed: true }), "it only goes down");
    lanes.there_is(Key::Client(7), 60, false);
    assert_eq!(lanes.scan, Some(Scan { mark: 39, missed: true }));
}
