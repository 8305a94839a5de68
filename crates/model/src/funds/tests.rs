use proptest::prelude::*;

use super::*;

fn money(amount: i64) -> Money {
    Money::from_micros(amount)
}

fn balances(live: i64, credit: Option<i64>) -> Balances {
    Balances { live: money(live), credit: credit.map(money) }
}

/// A client that goes from one state to the next; its edges as words.
struct Story {
    funds: Funds,
    now: Balances,
}

impl Story {
    fn begins(live: i64, credit: Option<i64>) -> Self {
        Self { funds: Funds::default(), now: balances(live, credit) }
    }

    fn then(&mut self, live: i64, credit: Option<i64>) -> Vec<(&'static str, EdgeKind)> {
        let next = balances(live, credit);
        let (funds, edges) = self.funds.step(self.now, next);
        (self.funds, self.now) = (funds, next);
        edges.into_iter().map(|edge| (edge.basis.word(), edge.kind)).collect()
    }
}

use EdgeKind::{NotZero, Zero};

#[test]
fn down_to_exactly_zero_is_out_of_funds_and_up_to_exactly_zero_is_in_funds() {
    let mut story = Story::begins(5, None);
    assert_eq!(story.then(0, None), [("live", Zero)]);
    assert_eq!(story.then(-5, None), [], "further down is no second edge");
    assert_eq!(story.then(0, None), [("live", NotZero)]);
    assert_eq!(story.then(0, None), [], "nothing moved");
    assert_eq!(story.then(-1, None), [("live", Zero)]);
    assert_eq!(story.then(3, None), [("live", NotZero)]);
    assert_eq!(story.then(1, None), [], "down, but still above zero");
}

#[test]
fn a_new_client_is_in_funds_with_nothing() {
    let mut story = Story::begins(0, Some(0));
    assert_eq!(story.then(10, Some(0)), []);
    let mut story = Story::begins(0, Some(0));
    assert_eq!(story.then(-10, Some(0)), [("live", Zero), ("available", Zero)]);
}

#[test]
fn the_two_bases_cross_on_their_own_the_live_one_first() {
    let mut story = Story::begins(10, Some(100));
    assert_eq!(story.then(-10, Some(100)), [("live", Zero)]);
    assert_eq!(story.then(-100, Some(100)), [("available", Zero)]);
    assert_eq!(story.then(5, Some(100)), [("live", NotZero), ("available", NotZero)]);
}

#[test]
fn a_credit_moves_the_available_basis_only() {
    let mut story = Story::begins(-10, Some(20));
    assert_eq!(story.then(-10, Some(10)), [("available", Zero)]);
    assert_eq!(story.then(-10, Some(11)), [("available", NotZero)]);
    assert_eq!(story.then(-20, Some(11)), [("live", Zero), ("available", Zero)]);
    assert_eq!(story.then(-20, None), [("available", NotZero)], "without limit is always in funds");
    assert_eq!(story.then(-30, None), []);
    assert_eq!(story.then(-30, Some(30)), [("available", Zero)], "a limit lowers it");
    assert_eq!(story.then(-29, Some(29)), [], "balance and credit moved, available did not");
}

fn any_balances() -> impl Strategy<Value = Balances> {
    // Small numbers: zero, equal and opposite ones come up all the time.
    (-4_i64..=4, prop_oneof![Just(None), (0_i64..=4).prop_map(Some)]).prop_map(|(live, credit)| balances(live, credit))
}

/// True, false, or `None` at exactly 0, where both are possible.
fn truth(balance: Option<Money>) -> Option<bool> {
    match balance {
        None => Some(true),
        Some(balance) if balance.is_zero() => None,
        Some(balance) => Some(balance > Money::ZERO),
    }
}

proptest! {
    #[test]
    fn edges_alternate_and_the_last_one_is_the_truth(steps in proptest::collection::vec(any_balances(), 1..60)) {
        let mut now = balances(0, Some(0));
        let mut funds = Funds::default();
        let mut last = [(Basis::Live, NotZero), (Basis::Available, NotZero)];
        for next in steps {
            let (stepped, edges) = funds.step(now, next);
            for edge in &edges {
                let slot = last.iter_mut().find(|(basis, _)| *basis == edge.basis).expect("both are there");
                prop_assert_ne!(slot.1, edge.kind, "the same edge twice in a row");
                slot.1 = edge.kind;
                let (old, new) = match edge.basis {
                    Basis::Live => (Some(now.live), Some(next.live)),
                    Basis::Available => (now.available(), next.available()),
                };
                prop_assert_ne!(old, new, "an edge without a change");
                let crossed = new.is_none_or(|new| if edge.kind == Zero { new <= Money::ZERO } else { new >= Money::ZERO });
                prop_assert!(crossed, "an edge on the wrong side of zero");
            }
            prop_assert!(edges.windows(2).all(|pair| pair[0].basis == Basis::Live && pair[1].basis == Basis::Available));
            prop_assert_eq!(stepped.live, last[0].1 == NotZero);
            prop_assert_eq!(stepped.available, last[1].1 == NotZero);
            prop_assert!(truth(Some(next.live)).is_none_or(|truth| truth == stepped.live));
            prop_assert!(truth(next.available()).is_none_or(|truth| truth == stepped.available));
            (now, funds) = (next, stepped);
        }
    }

    #[test]
    fn a_basis_that_did_not_move_has_no_edge(live in any::<bool>(), available in any::<bool>(), at in any_balances()) {
        let funds = Funds { live, available };
        prop_assert_eq!(funds.step(at, at), (funds, Vec::new()));
    }
}
