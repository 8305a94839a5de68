//! Who should own which shards: each node as many as any other, give or take one, and no shard moves that need not.
//!
//! Every node works this out for itself from the same two tables and acts on what is its own: it takes what is nobody's up to
//! its share, and hands over what it has beyond. So nobody directs, and nobody's death leaves a plan half done.
use std::collections::BTreeMap;

use crate::shard::{SHARDS, Shard, Shards};

/// What the tables say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct View {
    /// Nodes that live and take shards.
    pub(crate) takers: Vec<i64>,
    /// Whose each shard is, as far as its node lives.
    pub(crate) owners: BTreeMap<Shard, i64>,
}

/// What a node should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    /// Shards that are nobody's and should be its own.
    pub(crate) take: Shards,
    /// Its own shards that should be another's.
    pub(crate) release: Shards,
}

impl View {
    /// What a node owns.
    pub(crate) fn of(&self, node: i64) -> Shards {
        self.owners.iter().filter(|(_, owner)| **owner == node).map(|(shard, _)| *shard).collect()
    }

    /// How many shards each of the takers should have. Who has the most now has one more where they can't be divided evenly: so
    /// the fewest have to move.
    fn quotas(&self) -> BTreeMap<i64, usize> {
        let mut by_owned: Vec<(usize, i64)> = self.takers.iter().map(|node| (self.of(*node).len(), *node)).collect();
        by_owned.sort_unstable_by_key(|(owned, node)| (std::cmp::Reverse(*owned), *node));
        let Some(least) = SHARDS.checked_div(by_owned.len()) else { return BTreeMap::new() };
        let with_one_more = SHARDS % by_owned.len();
        by_owned.iter().enumerate().map(|(at, (_, node))| (*node, least + usize::from(at < with_one_more))).collect()
    }

    /// What this node should do now. One that takes no shards gives back all it has.
    pub(crate) fn plan(&self, me: i64) -> Plan {
        let mine = self.of(me);
        let quota = self.quotas().get(&me).copied().unwrap_or(0);
        // The last ones go, so that the leader's stays where it is as long as it can.
        let release = mine.iter().skip(quota).collect();
        let free = Shard::all().filter(|shard| !self.owners.contains_key(shard));
        let take = free.take(quota.saturating_sub(mine.len())).collect();
        Plan { take, release }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each node in turn does what it should, until nobody has anything to do; gives how many shards changed hands.
    fn settle(view: &mut View, order: &[i64]) -> usize {
        let mut moves = 0;
        for _ in 0..8 {
            for node in order {
                let Plan { take, release } = view.plan(*node);
                assert!(take.is_empty() || release.is_empty());
                take.iter().for_each(|shard| assert_eq!(view.owners.insert(shard, *node), None, "it was nobody's"));
                release.iter().for_each(|shard| assert_eq!(view.owners.remove(&shard), Some(*node), "it was its own"));
                moves += take.len();
            }
        }
        moves
    }

    #[derive(Debug, Clone)]
    enum Step {
        Join(i64),
        Die(i64),
        /// It hands over first.
        Leave(i64),
        /// One node does what it should, by what the tables say now.
        Act(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let node = 1i64..6;
        prop_oneof![
            2 => node.clone().prop_map(Step::Join),
            1 => node.clone().prop_map(Step::Die),
            1 => node.clone().prop_map(Step::Leave),
            6 => node.prop_map(Step::Act),
        ]
    }

    fn run(view: &mut View, step: &Step) {
        match step {
            Step::Join(node) if !view.takers.contains(node) => view.takers.push(*node),
            Step::Die(node) => {
                view.takers.retain(|taker| taker != node);
                view.owners.retain(|_, owner| owner != node);
            }
            Step::Leave(node) => view.takers.retain(|taker| taker != node),
            Step::Act(node) => {
                let Plan { take, release } = view.plan(*node);
                view.owners.extend(take.iter().map(|shard| (shard, *node)));
                view.owners.retain(|shard, _| !release.contains(*shard));
            }
            Step::Join(_) => {}
        }
    }

    proptest! {
        #[test]
        fn whatever_happened_all_shards_are_divided_fairly_in_the_end(
            steps in prop::collection::vec(step(), 0..60),
            order in Just(vec![1i64, 2, 3, 4, 5, 9]).prop_shuffle(),
        ) {
            let mut view = View { takers: vec![9], ..View::default() };
            steps.iter().for_each(|step| run(&mut view, step));
            settle(&mut view, &order);
            prop_assert_eq!(view.owners.len(), SHARDS);
            let counts: Vec<usize> = view.takers.iter().map(|node| view.of(*node).len()).collect();
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{:?}", counts);
            prop_assert_eq!(settle(&mut view, &order), 0, "and then nothing moves any more");
        }

        #[test]
        fn who_joins_or_dies_moves_no_more_than_its_share(nodes in 1i64..7, dies in 0usize..7) {
            let mut view = View { takers: (1..=nodes).collect(), ..View::default() };
            let order: Vec<i64> = (1..=nodes + 1).collect();
            settle(&mut view, &order);
            view.takers.push(nodes + 1);
            let joined = settle(&mut view, &order);
            prop_assert!(joined <= SHARDS.div_ceil(view.takers.len()), "{joined}");
            let dead = view.takers[dies % view.takers.len()];
            let had = view.of(dead).len();
            run(&mut view, &Step::Die(dead));
            prop_assert_eq!(settle(&mut view, &order), had);
        }
    }

    #[test]
    fn the_leader_stays_when_another_joins() {
        let mut view = View { takers: vec![5], ..View::default() };
        settle(&mut view, &[5]);
        view.takers.push(1);
        settle(&mut view, &[5, 1]);
        assert!(view.of(5).contains(Shard::LEADERS) && view.of(1).len() == 128);
    }
}
