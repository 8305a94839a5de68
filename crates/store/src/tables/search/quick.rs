//! The quick search: words that may stand anywhere in one of some columns, or a pattern with `*`.
//!
//! For words in the middle of a text every row is looked at: a tenth of a second for half a million accounts, which is enough, and
//! costs nothing when they are written. (An index of all three-letter pieces would cost more at each write than all others
//! together.) Words at the beginning (`acme*`) are a range of an index without regard to case.
use super::{
    Bound, Column, List,
    column::Index,
    condition::{Condition, Find, Found, Spelling},
};

/// Behind all texts that begin alike.
const BEHIND_ALL: char = '\u{10FFFF}';

impl List {
    /// Contains the words, or matches the pattern if it has a `*`.
    pub(super) fn quick(&self, words: &str) -> Condition {
        let columns: Vec<&Column> = self.columns.iter().filter(|column| column.quick).collect();
        let look = look(&columns, &like(words));
        let (beginning, rest) = words.split_once('*').unwrap_or_default();
        let count = if beginning.is_empty() { None } else { count(&columns, beginning) };
        let find = count.map(|count| {
            let lead = if rest.is_empty() { count.clone() } else { count.clone().and(look.clone()) };
            Find { lead, count, found: Found::Scattered, of: None }
        });
        Condition { look, find }
    }
}

/// A row with a column that matches.
fn look(columns: &[&Column], pattern: &str) -> Spelling {
    const MATCHES: &str = "LIKE ? ESCAPE '\\'";
    let alternative = |column: &&Column| match column.elsewhere {
        Some(there) => format!("{} IN (SELECT id FROM {} WHERE {} {MATCHES})", there.key, there.table, there.sql),
        None => format!("{} {MATCHES}", column.sql),
    };
    let alternatives: Vec<String> = columns.iter().map(alternative).collect();
    Spelling::new(format!("({})", alternatives.join(" OR ")), vec![Bound::Text(pattern.to_owned()); columns.len()])
}

/// A row with a column that begins so; `None` if one of the columns has no index for that.
fn count(columns: &[&Column], beginning: &str) -> Option<Spelling> {
    let range = |sql: &str| format!("(LOWER({sql}) >= LOWER(?) AND LOWER({sql}) < LOWER(?))");
    let alternative = |column: &&Column| match (column.index, column.elsewhere) {
        (_, Some(there)) => Some(format!("{} IN (SELECT id FROM {} WHERE {})", there.key, there.table, range(there.sql))),
        (Index::Folded, None) => Some(range(column.sql)),
        _ => None,
    };
    let alternatives: Option<Vec<String>> = columns.iter().map(alternative).collect();
    let ends = [Bound::Text(beginning.to_owned()), Bound::Text(format!("{beginning}{BEHIND_ALL}"))];
    Some(Spelling::new(format!("({})", alternatives?.join(" OR ")), columns.iter().flat_map(|_| ends.clone()).collect()))
}

/// A pattern for LIKE: `*` matches anything; without one the words may stand anywhere.
fn like(words: &str) -> String {
    let mut pattern = String::with_capacity(words.len() + 2);
    for character in words.chars() {
        match character {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            other => pattern.push(other),
        }
    }
    if words.contains('*') { pattern } else { format!("%{pattern}%") }
}
