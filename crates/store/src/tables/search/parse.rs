//! Filters to a query: every wrong one is named, none is cut to fit.
use hookswitch_model::{Object, field, refusal::FieldErrors};
use serde_json::Value;

use super::{
    Bound, Column, Kind, LIMIT_DEFAULT, LIMIT_MAX, List, OFFSET_MAX, QUICK_BYTES_MAX, Query, SORTED_BY_MAX, Total, VALUES_MAX,
};

impl List {
    /// Checks the filters of a search. `scope`: the resellers whose rows may be shown; `None` = all.
    ///
    /// # Errors
    /// Every wrong or unknown filter.
    pub fn query(&'static self, filters: &Object, scope: Option<&[i64]>) -> Result<Query, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut query = Query {
            list: self,
            conditions: Vec::new(),
            bound: Vec::new(),
            order: self.default_order(),
            limit: LIMIT_DEFAULT,
            offset: 0,
            total: Total::Not,
        };
        if let Some(ids) = scope {
            query.and(&within(self.scope, ids.len()), ids.iter().copied().map(Bound::Int));
        }
        for (name, value) in filters {
            if let Err(words) = self.filter(&mut query, name, value, scope) {
                errors.add(name, words);
            }
        }
        if filters.contains_key("after_id") {
            for name in ["offset", "order"].into_iter().filter(|name| filters.contains_key(*name)) {
                errors.add(name, "can't be used together with after_id");
            }
        }
        if errors.is_empty() { Ok(query) } else { Err(errors) }
    }

    fn filter(&self, query: &mut Query, name: &str, value: &Value, scope: Option<&[i64]>) -> Result<(), String> {
        match name {
            "limit" => query.limit = number(value, 1, LIMIT_MAX)?,
            "offset" => query.offset = number(value, 0, OFFSET_MAX)?,
            "with_total" => query.total = if value.as_bool().ok_or("must be true or false")? { Total::Whole } else { Total::Not },
            "order" => query.order = self.order(value)?,
            "after_id" => self.after(query, value, scope)?,
            "q" => self.quick(query, value)?,
            _ => self.compare(query, name, value)?,
        }
        Ok(())
    }

    /// The page that begins behind a row; a row that is named by its UUID is looked up, among those that may be shown.
    fn after(&self, query: &mut Query, value: &Value, scope: Option<&[i64]>) -> Result<(), String> {
        let id = self.column("id").filter(|column| column.kind == Kind::Uuid);
        match id {
            None => query.and(&format!("{} > ?", self.key), [Bound::Int(number(value, 0, i64::MAX)?)]),
            Some(id) => {
                let shown = scope.map(|ids| format!(" AND {}", within(self.scope, ids.len()))).unwrap_or_default();
                let behind = format!("{0} > (SELECT {0} FROM {1} WHERE {2} = ?{shown})", self.key, self.from, id.sql);
                let scope = scope.unwrap_or_default().iter().copied().map(Bound::Int);
                query.and(&behind, std::iter::once(id.bound(value)?).chain(scope));
            }
        }
        query.order = self.key.to_owned();
        Ok(())
    }

    fn compare(&self, query: &mut Query, name: &str, value: &Value) -> Result<(), String> {
        if let Some(column) = self.column(name) {
            return equals(query, column, value);
        }
        let ends = [("_from", ">="), ("_to", "<")];
        let range = ends.into_iter().find_map(|(end, comparison)| {
            let column = self.column(name.strip_suffix(end)?)?;
            (column.kind == Kind::Time).then_some((column, comparison))
        });
        let (column, comparison) = range.ok_or("unknown field")?;
        let bound = column.bound(value)?;
        query.and(&format!("{} {comparison} ?", column.sql), [bound]);
        Ok(())
    }

    /// Contains the words, or matches the pattern if it has a `*`.
    fn quick(&self, query: &mut Query, value: &Value) -> Result<(), String> {
        let words = value.as_str().filter(|words| words.len() <= QUICK_BYTES_MAX);
        let words = words.ok_or_else(|| format!("must be a text of at most {QUICK_BYTES_MAX} bytes"))?;
        let columns: Vec<&Column> = self.columns.iter().filter(|column| column.quick).collect();
        if columns.is_empty() {
            return Err("unknown field".to_owned());
        }
        let pattern = like(words);
        let alternatives: Vec<String> = columns.iter().map(|column| format!("{} LIKE ? ESCAPE '\\'", column.sql)).collect();
        query.and(&format!("({})", alternatives.join(" OR ")), columns.iter().map(|_| Bound::Text(pattern.clone())));
        Ok(())
    }

    fn order(&self, value: &Value) -> Result<String, String> {
        let names: Vec<&str> = match value {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let asked = value.as_array().map_or(1, Vec::len);
        if names.len() != asked || !(1..=SORTED_BY_MAX).contains(&asked) {
            return Err(format!("must be a list of 1 to {SORTED_BY_MAX} columns"));
        }
        let mut terms = Vec::with_capacity(asked + 1);
        for name in names {
            let (bare, direction) = name.strip_prefix('-').map_or((name, "ASC"), |bare| (bare, "DESC"));
            let column = self.column(bare).ok_or_else(|| format!("can't be sorted by {bare}"))?;
            terms.push(format!("{} {direction}", column.sql));
        }
        terms.push(format!("{} ASC", self.key));
        Ok(terms.join(", "))
    }

    fn default_order(&self) -> String {
        format!("{} {}", self.key, if self.newest_first { "DESC" } else { "ASC" })
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// One value, null, or any of a list of them.
fn equals(query: &mut Query, column: &Column, value: &Value) -> Result<(), String> {
    match value {
        Value::Null => query.and(&format!("{} IS NULL", column.sql), []),
        Value::Array(values) if values.len() > VALUES_MAX => return Err(format!("must have at most {VALUES_MAX} values")),
        Value::Array(values) => {
            let bound = values.iter().map(|value| column.bound(value)).collect::<Result<Vec<_>, _>>()?;
            query.and(&within(column.sql, bound.len()), bound);
        }
        value => {
            let bound = column.bound(value)?;
            query.and(&format!("{} = ?", column.sql), [bound]);
        }
    }
    Ok(())
}

/// `x IN (?, ?)`; nothing is in an empty list.
pub(super) fn within(sql: &str, count: usize) -> String {
    if count == 0 { "1 = 0".to_owned() } else { format!("{sql} IN ({})", vec!["?"; count].join(", ")) }
}

fn number(value: &Value, min: i64, max: i64) -> Result<i64, String> {
    let read = match value {
        Value::Number(number) => field::integer(number),
        _ => None,
    };
    read.filter(|number| (min..=max).contains(number)).ok_or_else(|| match max {
        i64::MAX => format!("must be a whole number from {min}"),
        _ => format!("must be a whole number from {min} to {max}"),
    })
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
