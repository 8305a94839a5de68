//! One condition of a query, in two spellings: one by which the engine may find rows through an index, and one by which it
//! can only look whether a row that it has found is a good one.
//!
//! The engine has no statistics: left alone it takes any index that fits, also the one on which half of the rows stand. So
//! a query that knows better (see `way`) spells one condition the first way and all others the second. The second is the first
//! behind a unary plus, which changes no value but is no column any more.
use super::{Bound, Column, column::Index};

/// SQL with a `?` for each of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    pub(super) sql: String,
    pub(super) values: Vec<Bound>,
}

impl Spelling {
    pub(super) fn new(sql: impl Into<String>, values: Vec<Bound>) -> Self {
        Self { sql: sql.into(), values }
    }

    /// Both hold.
    pub(super) fn and(self, other: Self) -> Self {
        Self { sql: format!("{} AND {}", self.sql, other.sql), values: [self.values, other.values].concat() }
    }
}

/// In what order rows come that are found through a condition's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// By the list's key: all have one value of the index.
    InOrder,
    /// In another one: they are sorted.
    Scattered,
    /// The condition is about the key itself.
    ByKey,
}

/// How rows are found by a condition.
#[derive(Debug, Clone)]
pub(super) struct Find {
    /// What finds them.
    pub(super) lead: Spelling,
    /// As much of it as the index alone answers: it may hold for a few more. `None` = counting takes as long as searching.
    pub(super) count: Option<Spelling>,
    pub(super) found: Found,
    /// What the index is on, if that is one column: who sorts by it can go along the same index.
    pub(super) of: Option<String>,
}

/// One condition.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// Looks at a row that was found.
    pub(super) look: Spelling,
    /// Finds rows.
    pub(super) find: Option<Find>,
}

impl Condition {
    /// A condition without an index.
    pub(super) fn look(spelling: Spelling) -> Self {
        Self { look: spelling, find: None }
    }

    /// No row is good.
    pub(super) fn nothing() -> Self {
        Self::look(Spelling::new("1 = 0", Vec::new()))
    }

    /// `subject test`, where there is an index on the subject.
    pub(super) fn found(subject: &str, test: &str, values: Vec<Bound>, found: Found) -> Self {
        let lead = Spelling::new(format!("{subject} {test}"), values.clone());
        let find = Find { count: Some(lead.clone()), lead, found, of: Some(subject.to_owned()) };
        Self { look: Spelling::new(format!("+{subject} {test}"), values), find: Some(find) }
    }

    /// About the list's key.
    pub(super) fn key(key: &str, test: &str, values: Vec<Bound>) -> Self {
        Self::found(key, test, values, Found::ByKey)
    }

    /// A column against values; `test` has a `?` for each.
    pub(super) fn column(column: &Column, test: &str, values: Vec<Bound>, found: Found) -> Self {
        match column.index {
            Index::None => Self::look(Spelling::new(format!("{} {test}", column.sql), values)),
            Index::Plain => Self::found(column.sql, test, values, found),
            Index::ButFor(usual) if values.len() == 1 && values.iter().all(|value| *value != Bound::Int(usual)) => {
                // The engine takes such an index only if it is told that the value is another.
                Self::found(column.sql, &format!("{test} AND {} <> {usual}", column.sql), values, found)
            }
            Index::ButFor(_) => Self::look(Spelling::new(format!("{} {test}", column.sql), values)),
            Index::Loose => Self::found(column.sql, test, values, Found::Scattered),
            Index::Folded => Self::folded(column, test, values, found),
        }
    }

    /// Found without regard to case, then looked at closely.
    fn folded(column: &Column, test: &str, values: Vec<Bound>, found: Found) -> Self {
        let loose = |sql: &str| format!("LOWER({sql}) {}", test.replace('?', "LOWER(?)"));
        if let Some(there) = column.elsewhere {
            let both = [values.clone(), values].concat();
            let inside = format!("IN (SELECT id FROM {} WHERE {} AND {} {test})", there.table, loose(there.sql), there.sql);
            return Self::found(there.key, &inside, both, Found::Scattered);
        }
        let look = Spelling::new(format!("+{} {test}", column.sql), values.clone());
        let count = Spelling::new(loose(column.sql), values);
        let lead = count.clone().and(look.clone());
        let find = Find { lead, count: Some(count), found, of: Some(column.sorted_by()) };
        Self { look, find: Some(find) }
    }

    /// How it reads if nothing speaks against its index.
    pub(super) fn plain(&self) -> &Spelling {
        self.find.as_ref().map_or(&self.look, |find| &find.lead)
    }

    /// True if it is about the list's key.
    pub(super) fn is_by_key(&self) -> bool {
        self.find.as_ref().is_some_and(|find| find.found == Found::ByKey)
    }

    /// True if it is one end of a range of this column.
    pub(super) fn is_range_of(&self, sql: &str) -> bool {
        let test = self.look.sql.trim_start_matches('+').strip_prefix(sql);
        test.is_some_and(|test| test.starts_with(" >= ?") || test.starts_with(" < ?"))
    }

    /// Both ends of one range.
    pub(super) fn and(self, other: Self) -> Self {
        let find = self.find.zip(other.find).map(|(mine, other)| Find {
            lead: mine.lead.and(other.lead),
            count: mine.count.zip(other.count).map(|(mine, other)| mine.and(other)),
            ..mine
        });
        Self { look: self.look.and(other.look), find }
    }
}

/// `IN (?, ?)`; an empty list is [`Condition::nothing`].
pub(super) fn among(count: usize) -> String {
    format!("IN ({})", vec!["?"; count].join(", "))
}
