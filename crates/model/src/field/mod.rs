//! Field tables: what a caller may send for an object, and what is wrong with it.
//!
//! Each object has one table, in the contract's order. Validation, the shape of answers and the descriptions are all
//! read from it, so that they can't drift apart.
//!
//! | file | subject |
//! |---|---|
//! | `check` | a whole object against its table: every wrong field in one answer |
//! | `read` | one value against its kind: checked and normalised |
//! | `common` | fields that many methods share: `id`, `force`, ... |
//! | [`schema`] | a table as JSON Schema, for the descriptions |
mod check;
mod common;
mod read;
pub mod schema;

#[cfg(test)]
mod tests;

use crate::money::Money;

pub(crate) use check::{Checked, survey_create, survey_update};
pub use check::{check_create, check_update};
pub use read::{integer, money};

/// Bytes of a text of 64 KiB: notes.
pub const NOTES_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a legacy value, as it is stored.
pub const LEGACY_BYTES_MAX: usize = 4 * 1024;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// An integer; `5.0` and `5e0` are integers too.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// `true` or `false`.
    Boolean,
    /// One line of text, counted in characters: no control characters; with a `min` above 0 it must not be blank.
    Line {
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// Text of many lines, counted in characters: of the control characters only tabs and line ends.
    Text {
        /// The most characters.
        max: usize,
    },
    /// The same, counted in bytes of UTF-8.
    LongText {
        /// The most bytes.
        bytes: usize,
    },
    /// A word without white space or control characters.
    Word {
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An amount.
    Money {
        /// The least.
        min: Money,
        /// The greatest.
        max: Money,
    },
    /// A list of lines.
    LineList {
        /// The most items.
        items: usize,
        /// The fewest characters of each.
        min: usize,
        /// The most characters of each.
        max: usize,
    },
    /// One line or a list of them, given back as it came.
    LineOrList {
        /// The most items.
        items: usize,
        /// The most characters of each.
        max: usize,
    },
    /// A list of integers.
    IntegerList {
        /// The most items.
        items: usize,
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A list of IPv4 or IPv6 addresses and subnets; host bits are cleared.
    NetList {
        /// The most items.
        items: usize,
        /// True if no two of them may have an address in common.
        apart: bool,
    },
    /// The name of a time zone.
    TimeZone,
    /// A UUID.
    Uuid,
    /// An instant, ISO 8601 with an offset.
    Time,
    /// The same, or a date: its first moment in the reseller's time zone.
    TimeOrDate,
    /// A text of many lines, a number or a boolean, given back as it came, bounded in bytes as JSON.
    Scalar {
        /// The most bytes.
        bytes: usize,
    },
    /// A duration, ISO 8601.
    Duration {
        /// The least: nothing at all, or a second.
        from_a_second: bool,
    },
    /// An object of anything, bounded in bytes as JSON.
    Object {
        /// The most bytes.
        bytes: usize,
    },
    /// An object of scalars and nulls by keys that only the database knows, bounded in bytes as JSON. That each value is one is
    /// for those to say who know the keys, and name a wrong one by its key.
    Values {
        /// The most bytes.
        bytes: usize,
    },
    /// Anything, bounded in bytes as JSON.
    Any {
        /// The most bytes.
        bytes: usize,
    },
}

/// When a field may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// At creation and by updates.
    Free,
    /// The same, and never shown.
    WriteOnly,
    /// At creation only.
    Fixed,
    /// By updates only.
    UpdateOnly,
    /// Never: it is given by the system.
    ReadOnly,
}

/// One field of an object or of a method's parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Its exact name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// When it may be set.
    pub access: Access,
    /// True if creation needs it.
    pub required: bool,
    /// True if it may be null.
    pub null: bool,
    /// What it means, in one line for the descriptions; defaults too.
    pub about: &'static str,
    /// What an answer may hold, where that is more than a caller may set.
    pub shown: Option<Kind>,
}

impl Field {
    /// A field that may be set at any time, is not required and not null.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, access: Access::Free, required: false, null: false, about, shown: None }
    }

    /// An id given by the system, or another object's: 1 or more.
    #[must_use]
    pub const fn id(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Integer { min: 1, max: i64::MAX }, about)
    }

    /// A line of text that may be null.
    #[must_use]
    pub const fn line(name: &'static str, max: usize, about: &'static str) -> Self {
        Self::new(name, Kind::Line { min: 0, max }, about).or_null()
    }

    /// Free text of at most 64 KiB that may be null.
    #[must_use]
    pub const fn notes() -> Self {
        Self::new("notes", Kind::LongText { bytes: NOTES_BYTES_MAX }, "Free text").or_null()
    }

    /// A key of the first API generation: stored as given, never read by us.
    #[must_use]
    pub const fn legacy(name: &'static str) -> Self {
        Self::new(name, Kind::Any { bytes: LEGACY_BYTES_MAX }, "Of the first API generation: any JSON, stored as given").or_null()
    }

    /// Creation needs it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// An answer may hold more than a caller may set.
    #[must_use]
    pub const fn shown_as(mut self, kind: Kind) -> Self {
        self.shown = Some(kind);
        self
    }

    /// It may be null.
    #[must_use]
    pub const fn or_null(mut self) -> Self {
        self.null = true;
        self
    }

    /// It can't be changed once the object is there.
    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.access = Access::Fixed;
        self
    }

    /// It is given by the system.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    /// It is never shown.
    #[must_use]
    pub const fn write_only(mut self) -> Self {
        self.access = Access::WriteOnly;
        self
    }

    /// Only updates take it.
    #[must_use]
    pub const fn update_only(mut self) -> Self {
        self.access = Access::UpdateOnly;
        self
    }

    /// True for a list, which is shown as `[]` when it was never set.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        matches!(self.kind, Kind::LineList { .. } | Kind::IntegerList { .. } | Kind::NetList { .. })
    }
}

/// Finds a field of a table by its name.
#[must_use]
pub fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.name == name)
}
