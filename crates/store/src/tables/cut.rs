//! Cutting a log by its age, a portion at a time. Rows that must be kept are passed over once, not again for each portion: a
//! mark says how far a cut has come.
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

/// What one portion came to. `M` says how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion<M = Mark> {
    /// Rows that were deleted.
    pub cut: u64,
    /// Where the next portion begins; `None` = there is nothing behind.
    pub end: Option<M>,
}

impl<M: Copy> Portion<M> {
    /// Of the rows that were looked at, in order.
    pub(super) fn of(looked_at: &[M], cut: usize, limit: i64) -> Self {
        let whole = i64::try_from(looked_at.len()).unwrap_or(i64::MAX) >= limit;
        Self { cut: cut as u64, end: looked_at.last().copied().filter(|_| whole) }
    }
}
