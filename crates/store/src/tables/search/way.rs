//! Which way leads to a page soonest.
//!
//! SQLite has no statistics here (gathered ones age, and with them every statement would be planned again for every value). It
//! takes any index that fits, also one on which half of the table stands. So a query with more than one way looks first: each
//! condition that has an index is counted there, up to [`FEW`] rows, which takes a fraction of a millisecond.
//!
//! ```text
//!   a condition holds for few rows          ->  go through them, look at the others, sort           Few
//!   all hold for many:
//!     by key, and one is of one value       ->  along its index, which is in the order of keys      Through
//!     by the column of one of them          ->  along its index                                     Through
//!     else, where the order has an index    ->  walk some rows in that order; if they don't make    Walk
//!                                               a page, go through a condition after all
//!   words at the beginning, not counted     ->  the same
//!   words anywhere                          ->  through the condition that holds for the fewest     Few
//! ```
//!
//! PostgreSQL has statistics, and gets every query as it is written.
use super::{
    Query,
    condition::{Find, Found, Spelling},
    order::Walked,
    statement::Statement,
};
use crate::{Error, Tx};

/// So many rows are gone through and sorted within a few milliseconds. (Tests have small tables that are to see every way.)
const FEW: i64 = if cfg!(test) { 6 } else { 8_000 };
/// So many rows are walked before another way is tried, and so many more for each row of the page.
const WALK: i64 = if cfg!(test) { 5 } else { 4_000 };
const WALK_PER_ROW: i64 = if cfg!(test) { 1 } else { 10 };

/// Where no way is a short one, conditions are counted up to here to find the one that holds for the fewest rows.
const MANY: i64 = if cfg!(test) { 20 } else { 64_000 };

/// A way; the numbers are those of the condition that leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// There is no choice.
    AsWritten,
    /// Through a condition that holds for few rows.
    Few(usize),
    /// Along a condition's index.
    Through(usize),
    /// Along the order that is asked for.
    Walk,
}

impl Query {
    /// Finds one.
    pub(super) fn way(&self, tx: &Tx<'_>) -> Result<Way, Error> {
        if tx.has_statistics() {
            return Ok(Way::AsWritten);
        }
        let leading: Vec<(usize, &Find)> = self.leading().collect();
        let others = self.conditions.iter().filter(|condition| !condition.is_by_key()).count();
        match leading.as_slice() {
            [] => return Ok(Way::AsWritten),
            [(_, find)] if others == 1 && find.found == Found::InOrder && self.order.walked == Walked::ByKey => {
                return Ok(Way::AsWritten);
            }
            _ => {}
        }
        let (mut fewest, mut leads) = (FEW, None);
        for (at, count) in leading.iter().filter_map(|(at, find)| Some((at, find.count.as_ref()?))) {
            let rows = self.count_up_to(tx, count, fewest)?;
            if rows < fewest {
                (fewest, leads) = (rows, Some(*at));
            }
        }
        if let (None, true) = (leads, self.words) {
            // Words may be nowhere: then the order is of no use, and every row is read.
            leads = self.of_fewest_rows(tx)?;
        }
        Ok(leads.map_or_else(|| self.among_many(&leading), Way::Few))
    }

    /// The conditions that have an index.
    fn leading(&self) -> impl Iterator<Item = (usize, &Find)> {
        let finds = self.conditions.iter().enumerate().filter_map(|(at, condition)| Some((at, condition.find.as_ref()?)));
        finds.filter(|(_, find)| find.found != Found::ByKey)
    }

    fn count_up_to(&self, tx: &Tx<'_>, count: &Spelling, most: i64) -> Result<i64, Error> {
        let mut statement = Statement::default();
        statement.push(&format!("SELECT COUNT(*) FROM (SELECT 1 FROM {} WHERE ", self.list.table));
        statement.spelling(count);
        statement.push(&format!(" LIMIT {most}) counted"));
        statement.number(tx)
    }

    fn among_many(&self, leading: &[(usize, &Find)]) -> Way {
        if leading.iter().any(|(_, find)| find.count.is_none()) && self.order.walked != Walked::Sorted {
            return Way::Walk;
        }
        let in_order = leading.iter().find(|(_, find)| find.found == Found::InOrder);
        let of_order = leading.iter().find(|(_, find)| find.of.as_deref().is_some_and(|of| self.order.begins_with(of)));
        let through = |(at, _): &(usize, &Find)| Way::Through(*at);
        match self.order.walked {
            Walked::ByKey => in_order.map_or(Way::Walk, through),
            Walked::ByIndex => of_order.map_or(Way::Walk, through),
            Walked::Sorted => in_order.or(leading.first()).map_or(Way::AsWritten, through),
        }
    }

    /// How far a walk goes.
    pub(super) fn walk_rows(&self) -> i64 {
        WALK + WALK_PER_ROW * self.limit + self.offset
    }

    /// What to do when a walk has not found a whole page: what was not counted may hold for few.
    pub(super) fn instead_of_walking(&self, tx: &Tx<'_>) -> Result<Way, Error> {
        let uncounted = self.leading().find(|(_, find)| find.count.is_none());
        let in_order = || self.leading().find(|(_, find)| find.found == Found::InOrder);
        let leads = match uncounted.or_else(in_order) {
            Some((at, _)) => Some(at),
            None => self.of_fewest_rows(tx)?.or_else(|| self.leading().next().map(|(at, _)| at)),
        };
        Ok(leads.map_or(Way::AsWritten, Way::Few))
    }

    /// Of several conditions the one that holds for the fewest rows, as far as it is worth while to count them.
    fn of_fewest_rows(&self, tx: &Tx<'_>) -> Result<Option<usize>, Error> {
        let leading: Vec<(usize, &Find)> = self.leading().collect();
        let (mut fewest, mut leads) = (MANY, None);
        if leading.len() < 2 {
            return Ok(None);
        }
        for (at, count) in leading.iter().filter_map(|(at, find)| Some((at, find.count.as_ref()?))) {
            let rows = self.count_up_to(tx, count, fewest)?;
            if rows < fewest {
                (fewest, leads) = (rows, Some(*at));
            }
        }
        Ok(leads)
    }
}
