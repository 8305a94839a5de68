//! The quick search: words that may stand anywhere in one of some columns, or a pattern with `*`.
//!
//! For words in the middle of a text every row is looked at: a tenth of a second for half a million accounts, which is enough, and
//! costs nothing when they are written. (An index of all three-letter pieces would cost more at each write than all others
//! together.) Words at the beginning (`acme*`) are a range of an index without regard to case.
use super::{
    Bound, Column, List,
    column::{Elsewhere, Index},
    condition::{Condition, Find, Found, Spelling},
};

/// Behind all texts that begin alike.
const BEHIND_ALL: char = '\u{10FFFF}';

impl List {
    /// Contains the words, or matches the pattern if it has a `*`.
    pub(super) fn quick(&self, words: &str) -> Condition {
        let columns: Vec<&Column> = self.columns.iter().filter(|column| column.quick).collect();
        let (beginning, rest) = words.split_once('*').unwrap_or_default();
        let look = look(&columns, &like(words), beginning);
        let begins = if beginning.is_empty() { None } else { begins_somewhere(&columns, beginning) };
        let find = begins.map(|begins| {
            let lead = if rest.is_empty() { begins } else { begins.and(look.clone()) };
            Find { lead, count: None, found: Found::Scattered, of: None }
        });
        Condition { look, find }
    }
}

/// A row with a column that matches. What matches elsewhere is looked for once: by its beginning, if that is known.
fn look(columns: &[&Column], pattern: &str, beginning: &str) -> Spelling {
    const MATCHES: &str = "LIKE ? ESCAPE '\\'";
    let matches = |sql: &str| Spelling::new(format!("{sql} {MATCHES}"), vec![Bound::Text(pattern.to_owned())]);
    let alternatives: Vec<Spelling> = columns
        .iter()
        .map(|column| match column.elsewhere {
            Some(there) if beginning.is_empty() => among_those(there, matches(there.sql)),
            Some(there) => among_those(there, begins(there.sql, beginning).and(matches(there.sql))),
            None => matches(column.sql),
        })
        .collect();
    any(alternatives)
}

/// A row with a column that begins so; `None` if one of the columns has no index for that.
fn begins_somewhere(columns: &[&Column], beginning: &str) -> Option<Spelling> {
    let alternative = |column: &&Column| match (column.index, column.elsewhere) {
        (_, Some(there)) => Some(among_those(there, begins(there.sql, beginning))),
        (Index::Folded, None) => Some(begins(column.sql, beginning)),
        _ => None,
    };
    columns.iter().map(alternative).collect::<Option<Vec<_>>>().map(any)
}

/// A text that begins so, without regard to case: a range of an index.
fn begins(sql: &str, beginning: &str) -> Spelling {
    let ends = vec![Bound::Text(beginning.to_owned()), Bound::Text(format!("{beginning}{BEHIND_ALL}"))];
    Spelling::new(format!("(LOWER({sql}) >= LOWER(?) AND LOWER({sql}) < LOWER(?))"), ends)
}

/// A row whose key is that of such a row of another table.
fn among_those(there: Elsewhere, such: Spelling) -> Spelling {
    Spelling { sql: format!("{} IN (SELECT id FROM {} WHERE {})", there.key, there.table, such.sql), ..such }
}

/// One of them holds.
fn any(alternatives: Vec<Spelling>) -> Spelling {
    let sql: Vec<&str> = alternatives.iter().map(|spelling| spelling.sql.as_str()).collect();
    Spelling::new(format!("({})", sql.join(" OR ")), alternatives.iter().flat_map(|spelling| spelling.values.clone()).collect())
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
