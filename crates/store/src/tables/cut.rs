//! Cutting a log by its age, a portion at a time: what may go is found by reading, and only that is written. Rows that must be
//! kept are passed over once, not again for each portion: a mark says how far a cut has come.
use hookswitch_model::moment::Moment;

/// The last row that was looked at, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its time.
    pub dt: Moment,
    /// Its number.
    pub id: i64,
}

impl Mark {
    /// Before every row.
    pub const START: Self = Self { dt: Moment(i64::MIN), id: 0 };
}

/// Rows that may go, found in one portion of a walk. `M` says how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<M = Mark> {
    /// Their numbers, the oldest first.
    pub rows: Vec<i64>,
    /// Where the next portion begins; `None` = there is nothing behind.
    pub end: Option<M>,
}

impl<M: Copy> Found<M> {
    /// Of the rows that were looked at, in order: each with its number and whether it must be kept.
    pub(super) fn among(looked_at: &[(M, i64, bool)], limit: i64) -> Self {
        let whole = i64::try_from(looked_at.len()).unwrap_or(i64::MAX) >= limit;
        let rows = looked_at.iter().filter(|(.., is_needed)| !is_needed).map(|(_, row, _)| *row).collect();
        Self { rows, end: looked_at.last().map(|(mark, ..)| *mark).filter(|_| whole) }
    }
}
