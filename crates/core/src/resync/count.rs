//! How many events a resync will have. Without conditions the database counts, out of indexes; with a condition every event is
//! weighed, portion by portion, off the caller's path when that takes long.
use std::sync::Arc;

use hookswitch_hooks::{
    condition::{Condition, Outcome},
    rules::Rule,
};
use hookswitch_model::{
    event::{Actor, Kind, Resync as OfResync},
    objects::{
        client_package,
        resync::{Place, Resync, Selection, State},
    },
    refusal::Refusal,
};
use hookswitch_store::{
    Error, Tx, Vault,
    tables::resyncs::count::{What, by_reseller},
};

use super::{
    Then, change, feed,
    walk::{self, Walk},
};
use crate::{Core, access::Snapshot};

/// Events that are read and weighed at once.
const PORTION: usize = 256;

/// What is counted: a handler's own condition counts as well as that of the selection.
pub(crate) struct Counting {
    pub(crate) rule: Arc<Rule>,
    pub(crate) walk: Walk,
    condition: Option<Condition>,
}

/// What counting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// All of it.
    All(i64),
    /// So many up to there; it was broken off.
    Part(i64),
}

impl Counting {
    /// `None` if the handler takes no event that could tell anything.
    pub(crate) fn new(rule: Arc<Rule>, selection: &Selection, access: Arc<Snapshot>, vault: Vault) -> Option<Self> {
        let walk = Walk::new(&rule.handler, selection, access, vault)?;
        Some(Self { rule, walk, condition: feed::asked(&selection.condition) })
    }

    /// True if the database can't count it alone.
    pub(crate) fn takes_long(&self) -> bool {
        self.rule.condition.is_some() || self.condition.is_some() || self.walk.is_of_clients()
    }

    /// The number of events, by the database alone.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) fn by_database(&self, tx: &Tx) -> Result<i64, Error> {
        let (walk, plan) = (&self.walk, &self.walk.plan);
        let package = |condition, what| (plan.package(condition), what);
        let all: [(Option<Kind>, What); 8] = [
            (plan.client, What::Clients),
            (plan.archived, What::Archived),
            (plan.account, What::Accounts),
            package(client_package::Condition::New, What::NewPackages),
            package(client_package::Condition::Activated, What::Activated),
            package(client_package::Condition::Deactivated, What::Deactivated),
            (plan.balance(true), What::Funds(plan.basis, true)),
            (plan.balance(false), What::Funds(plan.basis, false)),
        ];
        let mut total = 0;
        for (_, what) in all.into_iter().filter(|(kind, _)| kind.is_some()) {
            let chosen = by_reseller(tx, what)?.into_iter().filter(|(companies_id, _)| walk.concerns(*companies_id));
            total += chosen.map(|(_, count)| count).sum::<i64>();
        }
        if plan.custom_fields.is_some() {
            for (companies_id, count) in by_reseller(tx, What::Clients)? {
                if walk.concerns(companies_id) && walk::has_custom_fields(tx, companies_id)? {
                    total += count;
                }
            }
        }
        Ok(total)
    }

    /// The number of events, each of them looked at, unless it is broken off.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) async fn one_by_one(&self, core: &Core, break_off: impl Fn() -> bool) -> Result<Counted, Refusal> {
        let (mut count, mut place) = (0, Place::START);
        while place != walk::END {
            if core.resyncs.is_stopped() || break_off() {
                return Ok(Counted::Part(count));
            }
            let walk = self.walk.clone();
            let found = core.store.search(move |tx| walk.next(tx, place, PORTION)).await?;
            for item in found.items {
                let event = item.event((core.store.clock().now(), core.store.era()), &Actor::Cli, OfResync { id: 0, total: 0 });
                if self.rule.weigh(&event, self.condition.as_ref()).await != Outcome::Fails {
                    count += 1;
                }
            }
            place = found.end.unwrap_or(walk::END);
        }
        Ok(Counted::All(count))
    }
}

/// Counts a resync that has begun; it is begun anew after a crash, since nothing was told yet.
pub(super) async fn under_way(core: &Core, resync: Resync, break_off: impl Fn() -> bool) -> Result<Then, Refusal> {
    let Some(rule) = core.hooks.rules().get(resync.handlers_id).map(Arc::clone) else { return Ok(Then::Look) };
    let counting = Counting::new(rule, &resync.selection, core.access.now(), core.store.vault().clone());
    let counted = match &counting {
        Some(counting) => counting.one_by_one(core, break_off).await?,
        None => Counted::All(0),
    };
    if let Counted::All(total) = counted {
        let counted = move |resync: &mut Resync| (resync.state, resync.total) = (State::Running, Some(total));
        change(core, resync.id, &[State::Counting], counted).await?;
    }
    Ok(Then::Again)
}
