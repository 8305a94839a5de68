//! One client's changes and the calls about them, and whether the changes answer the calls. A state machine without I/O and
//! without a clock: every moment is passed in.
//!
//! ```text
//!              the same request comes back often,      calls held: does it still go on?
//!              each time in answer to a call
//!   watching ------------------------------> holding ----------------------------------> calm (it goes on: no loop)
//!      ^                                        |  quiet until the hold ended
//!      |  no answer follows                     v
//!      '------------------------------------ resumed ---- an answer follows: the first times, hold again;
//!                                                         the last time: found
//! ```
//!
//! That a change comes while a handler is being told proves nothing: a batch job changes one client all day long, and handlers
//! hear of it meanwhile. So it is tried out. The calls about this client are held back for a moment, which harms nobody: a loop
//! stands still then, because nothing answers what was not told, and goes on when the calls do; whatever goes on by itself is
//! none.
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What is looked at.
const WINDOW: Duration = Duration::from_secs(60);
/// So often the same request comes back within it before it is tried out.
const COMES_BACK_MIN: usize = 12;
/// The same for changes of any kind.
const RUNS_MIN: usize = 200;
/// What comes so long after a call's end can still be an answer to it.
const REACTION_MAX: Duration = Duration::from_secs(2);
/// What a machine with much to do may be late by.
const SLACK: Duration = Duration::from_millis(200);
/// Calls are never held longer.
pub(super) const HOLD_MAX: Duration = Duration::from_secs(5);
/// So often it must stand still with the calls, and go on with them.
const TRIALS: u8 = 4;
/// So long nothing is tried out after it went on by itself.
const CALM: Duration = Duration::from_secs(60);
/// How often a call that is held looks whether it may go.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Changes and calls that are remembered.
const STEPS_MAX: usize = 256;
const CALLS_MAX: usize = 64;

/// What goes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The same requests, again and again.
    States,
    /// Ever different ones.
    Rate,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// Which request: method, parameters.
    request: u64,
    arrived: Instant,
    /// How long after the end of the last call it came; zero while one was under way, `None` if it answers none.
    lag: Option<Duration>,
    /// Calls were held before it: the time since the last one says nothing.
    held: bool,
}

#[derive(Debug)]
struct Told {
    number: u64,
    handlers_id: i64,
    began: Instant,
    ended: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    what: Found,
    /// What comes later after the last call is no answer to it.
    answer: Duration,
    /// So long after the last call the next ones are held.
    hold: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Trial {
    Watching,
    Holding { from: Instant, bounds: Bounds },
    Resumed { at: Instant, bounds: Bounds },
}

/// What is known of one client.
#[derive(Debug)]
pub(super) struct Track {
    steps: VecDeque<Step>,
    calls: VecDeque<Told>,
    trial: Trial,
    passed: u8,
    calm_until: Option<Instant>,
    /// When anything happened last.
    pub(super) seen: Instant,
}

impl Track {
    pub(super) fn new(now: Instant) -> Self {
        Self { steps: VecDeque::new(), calls: VecDeque::new(), trial: Trial::Watching, passed: 0, calm_until: None, seen: now }
    }

    /// A handler is being told of something about this client.
    pub(super) fn began(&mut self, number: u64, handlers_id: i64, now: Instant) {
        self.seen = now;
        if self.calls.len() == CALLS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back(Told { number, handlers_id, began: now, ended: None });
    }

    /// It has been told.
    pub(super) fn ended(&mut self, number: u64, now: Instant) {
        if let Some(told) = self.calls.iter_mut().rev().find(|told| told.number == number) {
            told.ended = Some(now);
        }
    }

    /// Who may have sent what arrived at this moment, in answer to a call.
    pub(super) fn answerers(&self, arrived: Instant) -> Vec<i64> {
        let mut handlers: Vec<i64> =
            self.calls.iter().filter(|told| told.lag(arrived).is_some()).map(|told| told.handlers_id).collect();
        handlers.sort_unstable();
        handlers.dedup();
        handlers
    }

    fn lag(&self, arrived: Instant) -> Option<Duration> {
        self.calls.iter().filter_map(|told| told.lag(arrived)).min()
    }

    /// How long a call about this client must wait before it looks again; `None` = it may go.
    pub(super) fn held(&mut self, now: Instant) -> Option<Duration> {
        let Trial::Holding { from, bounds } = self.trial else { return None };
        if now.duration_since(from) >= HOLD_MAX {
            // Calls that were under way took too long: nothing was found out.
            self.calm(now);
            return None;
        }
        if self.calls.iter().any(|told| told.ended.is_none()) {
            return Some(LOOK_EVERY);
        }
        let last = self.calls.iter().filter_map(|told| told.ended).max().map_or(from, |ended| ended.max(from));
        match (last + bounds.hold).checked_duration_since(now) {
            Some(left) if !left.is_zero() => Some(left.min(LOOK_EVERY)),
            _ => {
                self.trial = Trial::Resumed { at: now, bounds };
                None
            }
        }
    }

    /// A change was made by a request that arrived then. `may_try` = calls may be held for it.
    pub(super) fn changed(&mut self, request: u64, arrived: Instant, now: Instant, may_try: bool) -> Option<Found> {
        self.seen = now;
        let lag = self.lag(arrived);
        if self.steps.len() == STEPS_MAX {
            self.steps.pop_front();
        }
        let held = matches!(self.trial, Trial::Resumed { .. });
        self.steps.push_back(Step { request, arrived, lag, held });
        let found = self.judge(arrived, lag, now);
        if found.is_none()
            && may_try
            && matches!(self.trial, Trial::Watching)
            && self.calm_until.is_none_or(|until| now >= until)
            && let Some(bounds) = self.suspicion(request, now)
        {
            self.trial = Trial::Holding { from: now, bounds };
        }
        found
    }

    /// What a change says about the trial under way.
    fn judge(&mut self, arrived: Instant, lag: Option<Duration>, now: Instant) -> Option<Found> {
        match self.trial {
            Trial::Watching => None,
            Trial::Holding { bounds, .. } => {
                // One that was under way when the hold began answers what came before it.
                if lag.is_none_or(|lag| lag > bounds.answer) {
                    self.calm(now);
                }
                None
            }
            Trial::Resumed { at, bounds } => {
                self.trial = Trial::Watching;
                let since = self.calls.iter().filter(|told| told.began >= at).filter_map(|told| told.lag(arrived)).min();
                if since.is_none_or(|lag| lag > bounds.answer) {
                    self.calm(now);
                    return None;
                }
                self.passed += 1;
                if self.passed < TRIALS {
                    return None;
                }
                self.passed = 0;
                Some(bounds.what)
            }
        }
    }

    fn calm(&mut self, now: Instant) {
        (self.trial, self.passed, self.calm_until) = (Trial::Watching, 0, Some(now + CALM));
    }

    /// True while calls are held, or one more change decides.
    pub(super) fn is_trying(&self, now: Instant) -> bool {
        let since = match self.trial {
            Trial::Watching => return false,
            Trial::Holding { from, .. } => from,
            Trial::Resumed { at, .. } => at,
        };
        now.duration_since(since) < HOLD_MAX
    }

    fn within(&self, now: Instant) -> impl DoubleEndedIterator<Item = &Step> + Clone {
        self.steps.iter().filter(move |step| now.duration_since(step.arrived) <= WINDOW)
    }

    /// Whether it looks like a loop, and how that is tried out.
    fn suspicion(&self, request: u64, now: Instant) -> Option<Bounds> {
        let same = self.within(now).filter(|step| step.request == request);
        let (what, first) = if let Some(first) = first_answer(same, COMES_BACK_MIN) {
            (Found::States, first)
        } else {
            (Found::Rate, first_answer(self.within(now), RUNS_MIN)?)
        };
        let bounds = bounds(what, self.within(now).filter(|step| step.arrived >= first));
        // Too slow to be tried out in time.
        (bounds.hold + Duration::from_millis(500) <= HOLD_MAX).then_some(bounds)
    }

    /// The requests that go round.
    pub(super) fn round(&self, now: Instant) -> Vec<u64> {
        let mut requests: Vec<u64> = self.within(now).map(|step| step.request).collect();
        requests.sort_unstable();
        let runs = requests.chunk_by(|one, other| one == other);
        runs.filter(|run| run.len() >= COMES_BACK_MIN / 2).map(|run| run[0]).collect()
    }
}

impl Told {
    fn lag(&self, arrived: Instant) -> Option<Duration> {
        let after = match self.ended {
            _ if self.began > arrived => return None,
            Some(ended) => arrived.saturating_duration_since(ended),
            None => Duration::ZERO,
        };
        (after <= REACTION_MAX).then_some(after)
    }
}

/// When the last `least` of these began, if all but one are answers: that one may have set it off.
fn first_answer<'a>(steps: impl DoubleEndedIterator<Item = &'a Step> + Clone, least: usize) -> Option<Instant> {
    let others = steps.clone().filter(|step| step.lag.is_none()).count();
    let first = steps.rev().filter(|step| step.lag.is_some()).nth(least - 1);
    first.map(|step| step.arrived).filter(|_| others <= 1)
}

/// The hold goes beyond the last possible answer by three times the longest that nothing came for: whoever goes on by himself is
/// seen to, however unevenly.
fn bounds<'a>(what: Found, steps: impl Iterator<Item = &'a Step> + Clone) -> Bounds {
    let lag = steps.clone().filter_map(|step| step.lag).max().unwrap_or_default();
    let gaps = steps.clone().zip(steps.skip(1)).filter(|(_, later)| !later.held);
    let longest = gaps.map(|(step, later)| later.arrived.saturating_duration_since(step.arrived)).max().unwrap_or_default();
    let answer = 2 * lag + SLACK;
    Bounds { what, answer, hold: answer + (3 * longest).max(answer / 2) }
}

#[cfg(test)]
mod tests;
