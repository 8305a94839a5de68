//! Loops and what only looks like one, millisecond by millisecond.
use super::*;

/// A world of one client whose time is told.
struct World {
    track: Track,
    start: Instant,
    ms: u64,
    calls: u64,
}

impl World {
    fn new() -> Self {
        let start = Instant::now();
        Self { track: Track::new(start), start, ms: 0, calls: 0 }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.ms)
    }

    fn change(&mut self, request: u64) -> Option<Found> {
        let now = self.now();
        self.track.changed(request, now, now, true)
    }

    /// A call that begins as soon as it may, after `ms` at the earliest; how long it was held.
    fn call(&mut self, handlers_id: i64, ms: u64) -> u64 {
        self.ms += ms;
        let due = self.ms;
        while let Some(wait) = self.track.held(self.now()) {
            self.ms += u64::try_from(wait.as_millis()).unwrap().max(1);
        }
        self.calls += 1;
        self.track.began(self.calls, handlers_id, self.now());
        self.ms - due
    }

    fn end(&mut self, ms: u64) {
        self.ms += ms;
        self.track.ended(self.calls, self.now());
    }

    /// Two handlers that set one field to and fro; each answers within its call, or so long after it.
    fn ping_pong(
        &mut self,
        rounds: u64,
        call_ms: u64,
        later_ms: Option<u64>,
        value: impl Fn(u64) -> u64,
    ) -> Option<(u64, Found)> {
        for round in 0..rounds {
            if let Some(found) = self.change(value(round)) {
                return Some((round, found));
            }
            // Who answers within his call ends it when he has been answered.
            if later_ms.is_none() {
                self.end(1);
            }
            self.call(1 + i64::from(round % 2 == 0), 2);
            match later_ms {
                None => self.ms += call_ms,
                Some(later) => {
                    self.end(call_ms);
                    self.ms += later;
                }
            }
        }
        None
    }
}

#[test]
fn two_that_answer_each_other_are_found() {
    for (call_ms, later_ms) in [(3, None), (50, None), (300, None), (3, Some(1)), (20, Some(200)), (5, Some(600))] {
        let mut world = World::new();
        let found = world.ping_pong(200, call_ms, later_ms, |round| round % 2);
        let (round, found) = found.unwrap_or_else(|| panic!("{call_ms} ms, {later_ms:?}"));
        assert_eq!(found, Found::States);
        assert!(round >= COMES_BACK_MIN as u64 && world.ms < 90_000, "{call_ms} {later_ms:?}: {round}, {} ms", world.ms);
        assert_eq!(world.track.round(world.now()), [0, 1]);
    }
}

#[test]
fn what_counts_on_without_coming_back_is_found_as_such() {
    let mut world = World::new();
    let (round, found) = world.ping_pong(1_000, 3, None, |round| round).expect("found");
    assert_eq!(found, Found::Rate);
    assert!(round >= RUNS_MIN as u64);
}

/// A job that sets one field to and fro at its own pace, while a handler hears of it.
fn batch(every_ms: u64, call_ms: u64, jitter_ms: u64, in_order: bool) -> World {
    let mut world = World::new();
    let mut random = 7_u64;
    // Calls that wait, and those under way with the moment at which they end.
    let (mut waiting, mut under_way): (u64, Vec<(u64, u64)>) = (0, Vec::new());
    let (mut next, mut round) = (0, 0);
    while world.ms < 180_000 {
        world.ms += 1;
        if world.ms >= next {
            assert_eq!(world.change(round % 2), None, "every {every_ms} ms, calls of {call_ms} ms, at {} ms", world.ms);
            (round, waiting) = (round + 1, waiting + 1);
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            next = world.ms + every_ms + (random >> 33) % (jitter_ms + 1);
        }
        let (ms, now) = (world.ms, world.now());
        under_way.retain(|(number, end)| {
            if *end <= ms {
                world.track.ended(*number, now);
            }
            *end > ms
        });
        let places = if in_order { 1 } else { 8 };
        while waiting > 0 && under_way.len() < places && world.track.held(now).is_none() {
            world.calls += 1;
            world.track.began(world.calls, 1, now);
            under_way.push((world.calls, ms + call_ms));
            waiting -= 1;
        }
    }
    world
}

#[test]
fn a_busy_job_is_no_loop_however_its_pace_and_the_handlers_fall_together() {
    for every_ms in [20, 50, 100, 300, 700, 1_500] {
        for call_ms in [1, 30, 250, 290, 310, 900] {
            for jitter_ms in [0, 40] {
                for in_order in [true, false] {
                    batch(every_ms, call_ms, jitter_ms, in_order);
                }
            }
        }
    }
}

/// With two trials, each shorter, the first mistake came within 33 hours of this; 600 seeds, which are 333 hours, brought none
/// now.
const SEEDS: u64 = 12;

/// A job that comes by chance, and a handler that writes down each time that it has heard, as many do.
#[test]
fn a_job_by_chance_with_a_handler_that_notes_each_change_is_no_loop() {
    for mean_ms in [40, 150, 400, 1_000, 2_500] {
        for seed in 1..SEEDS {
            let (mut world, mut random) = (World::new(), seed);
            let (mut next, mut waiting) = (0, 0);
            while world.ms < 400_000 {
                world.ms += 1;
                if world.ms >= next {
                    assert_eq!(world.change(7), None, "every {mean_ms} ms, seed {seed}, at {} ms", world.ms);
                    waiting += 1;
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let chance = ((random >> 11) as f64 / (1_u64 << 53) as f64).max(1e-9);
                    next = world.ms + (-chance.ln() * mean_ms as f64) as u64;
                }
                if waiting > 0 && world.track.held(world.now()).is_none() {
                    waiting -= 1;
                    world.calls += 1;
                    world.track.began(world.calls, 1, world.now());
                    world.ms += 2;
                    assert_eq!(world.change(8), None, "every {mean_ms} ms, seed {seed}, at {} ms: what it notes", world.ms);
                    world.end(1);
                }
            }
        }
    }
}

#[test]
fn a_job_in_bursts_is_no_loop() {
    for (burst, pause_ms) in [(20, 10_000), (30, 2_500), (100, 5_000), (13, 1_000)] {
        let mut world = World::new();
        for round in 0..2_000_u64 {
            assert_eq!(world.change(round % 2), None, "{burst} {pause_ms}");
            if world.track.held(world.now()).is_none() {
                world.calls += 1;
                world.track.began(world.calls, 1, world.now());
                world.end(2);
            }
            world.ms += if round % burst == 0 { pause_ms } else { 10 };
        }
    }
}

#[test]
fn calls_are_never_held_for_long() {
    let mut world = World::new();
    let mut longest = 0;
    for round in 0..400 {
        world.change(round % 2);
        world.end(1);
        longest = longest.max(world.call(1, 2));
        world.ms += 3;
    }
    assert!(longest > 0 && longest <= u64::try_from(HOLD_MAX.as_millis()).unwrap(), "{longest}");
}
