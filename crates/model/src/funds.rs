//! The balance edges of contract section 1: edges, not levels.
//!
//! For each client and each basis there are two states, and an edge is the way from one to the other:
//!
//! ```text
//!              a change lowers it to 0 or below: balance_zero
//!   in funds  ------------------------------------------------>  out of funds
//!   (birth)   <------------------------------------------------
//!              a change raises it to 0 or above: balance_notzero
//! ```
//!
//! At exactly 0 both states are possible: which one it is depends on where the balance came from. So the state is
//! stored, never computed. A change that leaves a basis as it is gives no edge for it.
use crate::{handler::Basis, money::Money};

/// What counts for the edges: payments minus charges, and the credit on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balances {
    /// Payments minus charges.
    pub live: Money,
    /// The credit; `None` = unlimited.
    pub credit: Option<Money>,
}

impl Balances {
    /// Live plus credit; `None` = unlimited.
    #[must_use]
    pub fn available(&self) -> Option<Money> {
        self.credit.map(|credit| self.live.saturating_add(credit))
    }
}

/// Which way a state of funds changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// Now out of funds: `clients.balance_zero`.
    Zero,
    /// Now in funds: `clients.balance_notzero`.
    NotZero,
}

/// A state of funds that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Of which balance.
    pub basis: Basis,
    /// Which way.
    pub kind: EdgeKind,
}

/// A client's two states of funds; true = in funds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Funds {
    /// Of payments minus charges.
    pub live: bool,
    /// Of live plus credit.
    pub available: bool,
}

impl Default for Funds {
    /// As at birth: in funds.
    fn default() -> Self {
        Self { live: true, available: true }
    }
}

impl Funds {
    /// The states after a change of balance or credit, and the edges on the way, the live one first.
    #[must_use]
    pub fn step(self, before: Balances, after: Balances) -> (Self, Vec<Edge>) {
        let live = edge(self.live, Some(before.live), Some(after.live));
        let available = edge(self.available, before.available(), after.available());
        let now = |state: bool, edge: Option<EdgeKind>| edge.map_or(state, |kind| kind == EdgeKind::NotZero);
        let of = |basis| move |kind| Edge { basis, kind };
        let edges = live.map(of(Basis::Live)).into_iter().chain(available.map(of(Basis::Available))).collect();
        (Self { live: now(self.live, live), available: now(self.available, available) }, edges)
    }
}

/// The edge of one basis, whose balance is `None` where it is without limit.
fn edge(in_funds: bool, before: Option<Money>, after: Option<Money>) -> Option<EdgeKind> {
    if in_funds {
        (is_above(before, after) && after.is_some_and(|after| after <= Money::ZERO)).then_some(EdgeKind::Zero)
    } else {
        (is_above(after, before) && after.is_none_or(|after| after >= Money::ZERO)).then_some(EdgeKind::NotZero)
    }
}

fn is_above(one: Option<Money>, other: Option<Money>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one > other,
        (None, other) => other.is_some(),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests;
