//! Filters to a query: every wrong one is named, none is cut to fit.
use hookswitch_model::{Object, field, refusal::FieldErrors};
use serde_json::Value;

use super::{
    Bound, Column, Kind, LIMIT_DEFAULT, LIMIT_MAX, List, OFFSET_MAX, QUICK_BYTES_MAX, Query, Total, VALUES_MAX,
    condition::{Condition, Found, Spelling, among},
    order::Order,
};

/// What a search has besides its filters.
const PAGING: [&str; 5] = ["limit", "offset", "order", "with_total", "after_id"];

impl List {
    /// Checks what is to be worked on rather than shown: the filters of a search without paging, at least one.
    ///
    /// # Errors
    /// Every wrong or unknown filter.
    pub fn selection(&'static self, filters: &Object, scope: Option<&[i64]>) -> Result<Query, FieldErrors> {
        let mut errors = FieldErrors::new();
        for paging in PAGING.into_iter().filter(|paging| filters.contains_key(*paging)) {
            errors.add(paging, "is for searches only");
        }
        if filters.is_empty() {
            errors.add("id", "give at least one filter: an id, a handlers_id, a state...");
        }
        match self.query(filters, scope) {
            Ok(query) if errors.is_empty() => Ok(query),
            Ok(_) => Err(errors),
            Err(wrong) => {
                errors.merge(wrong);
                Err(errors)
            }
        }
    }

    /// Checks the filters of a search. `scope`: the resellers whose rows may be shown; `None` = all.
    ///
    /// # Errors
    /// Every wrong or unknown filter.
    pub fn query(&'static self, filters: &Object, scope: Option<&[i64]>) -> Result<Query, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut query = Query {
            list: self,
            conditions: Vec::new(),
            joined: false,
            words: false,
            order: self.default_order(),
            limit: LIMIT_DEFAULT,
            offset: 0,
            total: Total::Not,
        };
        if let Some(ids) = scope {
            query.conditions.push(self.within(ids));
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
            "q" => self.words(query, value)?,
            _ => self.compare(query, name, value)?,
        }
        Ok(())
    }

    /// The page that begins behind a row; a row that is named by its UUID is looked up, among those that may be shown.
    fn after(&self, query: &mut Query, value: &Value, scope: Option<&[i64]>) -> Result<(), String> {
        let id = self.column("id").filter(|column| column.kind == Kind::Uuid);
        let behind = match id {
            None => Condition::key(self.key, "> ?", vec![Bound::Int(number(value, 0, i64::MAX)?)]),
            Some(id) => {
                let named = Spelling::new(format!("{} = ?", id.sql), vec![id.bound(value)?]);
                let named = scope.map_or(named.clone(), |ids| named.and(self.within(ids).look));
                Condition::key(
                    self.key,
                    &format!("> (SELECT {} FROM {} WHERE {})", self.key, self.table, named.sql),
                    named.values,
                )
            }
        };
        query.conditions.push(behind);
        query.order = Order::key(self.key, false);
        Ok(())
    }

    fn compare(&self, query: &mut Query, name: &str, value: &Value) -> Result<(), String> {
        if let Some(column) = self.column(name) {
            return self.equals(query, column, value);
        }
        let ends = [("_from", ">= ?"), ("_to", "< ?")];
        let range = ends.into_iter().find_map(|(end, test)| {
            let column = self.column(name.strip_suffix(end)?)?;
            (column.kind == Kind::Time).then_some((column, test))
        });
        let (column, test) = range.ok_or("unknown field")?;
        query.range(column, test, column.bound(value)?);
        Ok(())
    }

    /// Contains the words, or matches the pattern if it has a `*`.
    fn words(&self, query: &mut Query, value: &Value) -> Result<(), String> {
        let words = value.as_str().filter(|words| words.len() <= QUICK_BYTES_MAX);
        let words = words.ok_or_else(|| format!("must be a text of at most {QUICK_BYTES_MAX} bytes"))?;
        let mut columns = self.columns.iter().filter(|column| column.quick).peekable();
        if columns.peek().is_none() {
            return Err("unknown field".to_owned());
        }
        query.joined |= columns.any(|column| column.joined && column.elsewhere.is_none());
        query.words = true;
        query.conditions.push(self.quick(words));
        Ok(())
    }

    /// One value, null, or any of a list of them.
    fn equals(&self, query: &mut Query, column: &'static Column, value: &Value) -> Result<(), String> {
        let (test, bound, found) = match value {
            Value::Null => ("IS NULL".to_owned(), Vec::new(), Found::InOrder),
            Value::Array(values) if values.len() > VALUES_MAX => return Err(format!("must have at most {VALUES_MAX} values")),
            Value::Array(values) => {
                let bound = values.iter().map(|value| column.bound(value)).collect::<Result<Vec<_>, _>>()?;
                // One value in a list is as good as one without.
                let found = if bound.len() == 1 { Found::InOrder } else { Found::Scattered };
                (among(bound.len()), bound, found)
            }
            value => ("= ?".to_owned(), vec![column.bound(value)?], Found::InOrder),
        };
        let condition = match (column.elsewhere, value) {
            (_, Value::Array(values)) if values.is_empty() => Condition::nothing(),
            // Worked out from others, it always has a value.
            (_, Value::Null) if !column.spelled.is_empty() => Condition::nothing(),
            _ if !column.spelled.is_empty() => spelled(column, &bound),
            (Some(_), Value::Null) => {
                query.joined = true;
                Condition::look(Spelling::new(format!("{} IS NULL", column.sql), Vec::new()))
            }
            _ if column.sql == self.key => Condition::key(self.key, &test, bound),
            _ => Condition::column(column, &test, bound, found),
        };
        query.joined |= column.joined && column.elsewhere.is_none();
        query.conditions.push(condition);
        Ok(())
    }

    /// Only rows of these resellers.
    fn within(&self, ids: &[i64]) -> Condition {
        let bound: Vec<Bound> = ids.iter().copied().map(Bound::Int).collect();
        match bound.len() {
            0 => Condition::nothing(),
            count if !self.scope_indexed => Condition::look(Spelling::new(format!("{} {}", self.scope, among(count)), bound)),
            1 => Condition::found(self.scope, "= ?", bound, Found::InOrder),
            count => Condition::found(self.scope, &among(count), bound, Found::Scattered),
        }
    }

    pub(super) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Query {
    /// One end of a range. Both ends of one column are one condition: together they may be narrow though neither is.
    fn range(&mut self, column: &'static Column, test: &str, bound: Bound) {
        self.joined |= column.joined;
        let end = Condition::column(column, test, vec![bound], Found::Scattered);
        let other = self.conditions.iter().position(|condition| condition.is_range_of(column.sql));
        let range = match other.map(|at| self.conditions.remove(at)) {
            Some(other) => other.and(end),
            None => end,
        };
        self.conditions.push(range);
    }
}

/// A column whose words stand for conditions on others. Each is there once, however often it was asked for: the engine takes
/// a thousand alternatives for too deep an expression.
fn spelled(column: &Column, words: &[Bound]) -> Condition {
    let is_asked = |name: &str| words.iter().any(|word| matches!(word, Bound::Text(word) if word == name));
    let asked: Vec<&str> = column.spelled.iter().filter(|(name, _)| is_asked(name)).map(|(_, sql)| *sql).collect();
    if asked.is_empty() {
        return Condition::nothing();
    }
    let sql = |asked: &[&str]| format!("({})", asked.join(" OR "));
    let bare: Vec<&str> = asked.iter().map(|sql| sql.trim_start_matches('+')).collect();
    match bare == asked {
        true => Condition::found(&sql(&asked), "", Vec::new(), Found::Scattered),
        false => Condition::look(Spelling::new(sql(&bare), Vec::new())),
    }
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
