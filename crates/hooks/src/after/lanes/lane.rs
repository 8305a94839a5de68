//! One lane: what it holds, what is under way, what it knows to be in the database only.
use std::collections::VecDeque;

use hookswitch_model::moment::Moment;

use super::LANE_MAX;

/// What orders deliveries among each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::after) enum Key {
    /// One client's, in order.
    Client(i64),
    /// One by itself.
    Delivery(i64),
}

/// What a lane must know of a delivery.
pub(in crate::after) trait Entry {
    fn id(&self) -> i64;
    fn clients_id(&self) -> i64;
    /// The client's reseller.
    fn companies_id(&self) -> i64;
    /// Attempts made.
    fn attempt(&self) -> i64;
    /// When the next is due.
    fn next_at(&self) -> Moment;
    /// Bytes of its payload.
    fn size(&self) -> usize;
    /// True if this one stands for the other, which waits before it.
    fn stands_for(&self, other: &Self) -> bool;
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::after) enum Ended {
    /// It is done, or dead: the next one may go.
    Over,
    /// It is due again then.
    Again(Moment),
}

/// One client's deliveries to one handler, or one delivery.
#[derive(Debug)]
pub(super) struct Lane<E> {
    pub(super) held: VecDeque<E>,
    /// The delivery that is being tried.
    pub(super) in_flight: Option<i64>,
    /// Those up to here were taken.
    pub(super) taken: i64,
    /// Attempts that have ended and are not yet written down.
    pub(super) unsettled: u32,
    /// When its first delivery is due again.
    pub(super) blocked: Option<Moment>,
    /// True if the database may have deliveries of it behind `seen`.
    pub(super) more: bool,
    /// Those up to here were held, taken or are being written down.
    pub(super) seen: i64,
    /// True while it is being loaded, or waits for that.
    pub(super) loading: bool,
    /// True if a fresh one was left to the database since the load began.
    pub(super) missed: bool,
    /// True while it stands in one of the queues of lanes that are ready.
    pub(super) queued: bool,
}

impl<E> Lane<E> {
    pub(super) fn new(seen: i64) -> Self {
        Self {
            held: VecDeque::new(),
            in_flight: None,
            taken: 0,
            unsettled: 0,
            blocked: None,
            more: false,
            seen,
            loading: false,
            missed: false,
            queued: false,
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.held.is_empty() && self.in_flight.is_none() && self.unsettled == 0 && self.blocked.is_none() && !self.more
    }

    /// True if the database tells the truth about it. One that was started over has forgotten what it had seen: what is
    /// still being written down would be read as it was before, and a look under way may have read it so already.
    pub(super) fn is_settled(&self, looking: bool) -> bool {
        self.seen > 0 || (self.unsettled == 0 && !looking)
    }

    /// True if a fresh delivery would come right behind what it holds.
    pub(super) fn takes_fresh(&self) -> bool {
        !self.more && self.blocked.is_none() && self.held.len() < LANE_MAX
    }
}
