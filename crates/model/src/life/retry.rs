//! When a step of the clock that handlers have refused is tried again, and for how long they may put one off.
use super::{Next, Reason, Scene, Step, calendar};
use crate::{
    moment::Moment,
    objects::client_package::{ClientPackage, Hold},
};

/// Waiting times between two tries, in seconds; the last one repeats.
const WAITS_S: [i64; 6] = [1, 5, 30, 120, 600, 3_600];
/// For so long a deactivation or a closing can be put off.
const PUT_OFF_MAX_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why a step was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A handler has forbidden it.
    Forbidden,
    /// A handler that must be asked has failed.
    Undecided,
    /// Anything else: it was changed meanwhile, too many wait, the disk is full.
    Other,
}

/// The client package after a step was refused: when it is tried again, and what is remembered of the refusal.
#[must_use]
pub fn after_refusal(own: &ClientPackage, scene: &Scene<'_>, step: Step, refused: Refused) -> ClientPackage {
    let mut after = own.clone();
    let ends_something = matches!(step, Step::Deactivate(_) | Step::Close(_));
    if ends_something != own.planned.put_off_since.is_some() {
        // Another kind of step than the one that was refused before: its tries are counted from the first.
        after.planned.tries = 0;
    }
    after.planned.put_off_since = ends_something.then(|| own.planned.put_off_since.unwrap_or(scene.now));
    let wait_s = WAITS_S[(after.planned.tries as usize).min(WAITS_S.len() - 1)];
    after.planned.tries = after.planned.tries.saturating_add(1);
    let again = scene.now.plus_millis(wait_s * 1_000);
    let latest = latest(&after, scene, step, refused);
    after.planned.due = Some(latest.filter(|latest| *latest > scene.now).map_or(again, |latest| again.min(latest)));
    if step == Step::Deactivate(Reason::LowBalance) {
        // A payment still renews it.
        after.hold = Some(Hold::Funds);
    }
    if step == Step::Renew {
        let hold = match refused {
            Refused::Forbidden => Some(Hold::Forbidden),
            Refused::Undecided => Some(Hold::Undecided),
            Refused::Other => own.hold.filter(|hold| *hold != Hold::Funds),
        };
        after.hold = hold;
        after.reason = match hold {
            Some(Hold::Forbidden) => Some(Reason::Forbidden.word().to_owned()),
            Some(Hold::Undecided) => Some(Reason::HandlerFailed.word().to_owned()),
            _ => None,
        };
    }
    after
}

/// When something else is due at the latest: the period's end, its expiry, the end of all putting off, the closing.
fn latest(own: &ClientPackage, scene: &Scene<'_>, step: Step, refused: Refused) -> Option<Moment> {
    let of_step = match (step, &own.paid) {
        (Step::Renew, Some(paid)) if refused == Refused::Forbidden => Some(paid.stop),
        (Step::Renew | Step::Activate, Some(paid)) => calendar::expires(paid, scene),
        (Step::Renew | Step::Activate, None) => None,
        (Step::Deactivate(_) | Step::Close(_), _) => own.planned.put_off_since.map(put_off_until),
    };
    let stop = own.stop.filter(|stop| *stop > scene.now);
    [of_step, stop].into_iter().flatten().min()
}

fn put_off_until(since: Moment) -> Moment {
    since.plus_millis(PUT_OFF_MAX_MS)
}

/// True if handlers have put this step off for as long as they may: it is taken without asking them.
#[must_use]
pub fn is_overdue(own: &ClientPackage, next: &Next, now: Moment) -> bool {
    let ends_something = matches!(next, Next::Take(Step::Deactivate(_) | Step::Close(_), _));
    ends_something && own.planned.put_off_since.is_some_and(|since| put_off_until(since) <= now)
}
