//! In what order a list's rows come.
//!
//! The key is always last, in the direction of the term before it: so any order is total, and an index on a column and the key can
//! be walked either way.
use serde_json::Value;

use super::{Column, List, SORTED_BY_MAX, column::Index};

/// What can walk the rows in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walked {
    /// The key.
    ByKey,
    /// An index of a column.
    ByIndex,
    /// Nothing: they are sorted.
    Sorted,
}

/// An order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    terms: Vec<(String, &'static str)>,
    pub(super) walked: Walked,
    /// The tables that it needs joined, if any.
    pub(super) joined: Option<&'static str>,
}

impl Order {
    /// By the key alone.
    pub(super) fn key(key: &str, descending: bool) -> Self {
        Self { terms: vec![(key.to_owned(), direction(descending))], walked: Walked::ByKey, joined: None }
    }

    /// True if this is what it is sorted by first.
    pub(super) fn begins_with(&self, sql: &str) -> bool {
        self.terms.first().is_some_and(|(term, _)| term == sql)
    }

    /// As SQL, for the engine to find a way.
    pub(super) fn sql(&self) -> String {
        self.written("")
    }

    /// As SQL that no index helps with: few rows are to be sorted, however tempting an index looks.
    pub(super) fn sorted(&self) -> String {
        self.written("+")
    }

    fn written(&self, before: &str) -> String {
        let terms: Vec<String> = self.terms.iter().map(|(sql, direction)| format!("{before}{sql} {direction}")).collect();
        terms.join(", ")
    }
}

fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}

/// Nothing comes before everything: engines have different minds about it.
fn direction_with_nulls(descending: bool) -> &'static str {
    if descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" }
}

impl List {
    /// The order if none is asked for.
    pub(super) fn default_order(&self) -> Order {
        Order::key(self.key, self.newest_first)
    }

    /// Reads `order`: names of columns, a leading `-` for descending.
    pub(super) fn order(&self, value: &Value) -> Result<Order, String> {
        let names: Vec<&str> = match value {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let asked = value.as_array().map_or(1, Vec::len);
        if names.len() != asked || !(1..=SORTED_BY_MAX).contains(&asked) {
            return Err(format!("must be a list of 1 to {SORTED_BY_MAX} columns"));
        }
        let mut columns = Vec::with_capacity(asked);
        for name in names {
            let (bare, descending) = name.strip_prefix('-').map_or((name, false), |bare| (bare, true));
            let column = self.column(bare).ok_or_else(|| format!("can't be sorted by {bare}"))?;
            columns.push((column, descending));
        }
        Ok(self.order_by(&columns))
    }

    fn order_by(&self, columns: &[(&Column, bool)]) -> Order {
        let mut terms: Vec<(String, &'static str)> = Vec::with_capacity(columns.len() + 1);
        for (column, descending) in columns {
            let direction = if column.nullable { direction_with_nulls(*descending) } else { direction(*descending) };
            terms.push((column.sorted_by(), direction));
            if column.sql == self.key {
                break;
            }
        }
        if let Some((_, descending)) = columns.last().filter(|_| terms.last().is_some_and(|(last, _)| last != self.key)) {
            terms.push((self.key.to_owned(), direction(*descending)));
        }
        let walked = match columns {
            [(first, _), ..] if first.sql == self.key => Walked::ByKey,
            [(one, _)] if matches!(one.index, Index::Plain | Index::Folded) => Walked::ByIndex,
            _ => Walked::Sorted,
        };
        let joined = match columns {
            [(one, _)] => one.elsewhere.and_then(|there| there.first).or(one.joined.then_some(self.from)),
            many => many.iter().any(|(column, _)| column.joined).then_some(self.from),
        };
        Order { terms, walked, joined }
    }
}
