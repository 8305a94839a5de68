//! One statement: SQL whose values stand between `{{` and `}}`, as expressions. What they give is bound as a parameter; it never becomes
//! part of the text, so nothing that somebody is called can change what is done.
use serde_json::Value as Json;

use super::place::Engine;
use crate::condition::expression::{Expression, Given};

/// The longest statement.
const BYTES_MAX: usize = 16 << 10;
/// The most values of one statement.
const VALUES_MAX: usize = 64;

/// What a statement may do: others would end the transaction, in MySQL also those that change tables.
const VERBS: [&str; 8] = ["INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "SELECT", "WITH", "CALL"];

/// A value, bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// A statement, ready to be given values.
#[derive(Debug)]
pub(crate) struct Statement {
    /// As the engine takes it, with its own marks for parameters.
    sql: String,
    values: Vec<Expression>,
}

/// A statement with its values.
#[derive(Debug)]
pub(crate) struct Ready<'s> {
    pub(crate) sql: &'s str,
    pub(crate) values: Vec<Bound>,
    secret: Vec<bool>,
}

impl Statement {
    /// Reads a statement as somebody wrote it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(text: &str, engine: Engine) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("is longer than {BYTES_MAX} bytes"));
        }
        let (mut sql, mut values) = (String::with_capacity(text.len()), Vec::new());
        let mut quote = None;
        let mut rest = text.trim().trim_end_matches(|end: char| end == ';' || end.is_whitespace());
        if rest.is_empty() {
            return Err("is empty".to_owned());
        }
        let verb = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        if !VERBS.iter().any(|known| known.eq_ignore_ascii_case(verb)) {
            return Err(format!(
                "must begin with one of {}: the transaction, and the tables, are not its business",
                VERBS.join(", ")
            ));
        }
        while let Some(next) = rest.chars().next() {
            if let Some(begun) = rest.strip_prefix("{{") {
                let (source, after) = begun.split_once("}}").ok_or("has a {{ without its }}")?;
                if quote.is_some() {
                    return Err(format!("has {{{{{source}}}}} within quotes: leave the quotes out, it is bound as a value"));
                }
                let expression = Expression::compile(source.trim());
                values.push(expression.map_err(|unfit| format!("has an expression {{{{{source}}}}} that {unfit}"))?);
                sql.push_str(&mark(engine, values.len()));
                rest = after;
                continue;
            }
            match (quote, next) {
                (None, '\'' | '"' | '`') => quote = Some(next),
                (Some(open), _) if open == next => quote = None,
                (None, ';') => return Err("must be one statement: put each in a text of its own".to_owned()),
                (None, '?') if engine != Engine::Postgres => {
                    return Err("has a ? that is no value: write {{ expression }}".to_owned());
                }
                _ => {}
            }
            sql.push(next);
            rest = &rest[next.len_utf8()..];
        }
        match (quote, values.len()) {
            (Some(open), _) => Err(format!("has a {open} that is not closed")),
            (None, VALUES_MAX..) => Err(format!("has more than {VALUES_MAX} values")),
            (None, _) => Ok(Self { sql, values }),
        }
    }

    /// The same with the values of an event.
    ///
    /// # Errors
    /// Which value can't be found out, and why.
    pub(crate) fn with<'s>(&'s self, given: &Given<'_>) -> Result<Ready<'s>, String> {
        let bind = |(index, expression): (usize, &Expression)| match expression.evaluate(given) {
            Ok(value) => Ok(Bound::of(value)),
            Err(words) => Err(format!("value {} {words}", index + 1)),
        };
        let values = self.values.iter().enumerate().map(bind).collect::<Result<_, _>>()?;
        Ok(Ready { sql: &self.sql, values, secret: self.values.iter().map(Expression::gives_secret).collect() })
    }
}

fn mark(engine: Engine, number: usize) -> String {
    if engine == Engine::Postgres { format!("${number}") } else { "?".to_owned() }
}

impl Bound {
    fn of(value: Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(broken)) => Self::Float(broken),
                (None, None) => Self::Text(number.to_string()),
            },
            Json::String(text) => Self::Text(text),
            list => Self::Text(list.to_string()),
        }
    }

    fn shown(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

impl Ready<'_> {
    /// The values for the log: of what is as good as a password only that it was there.
    pub(crate) fn shown(&self) -> Vec<Json> {
        let show = |(value, secret): (&Bound, &bool)| match (secret, value) {
            (true, Bound::Text(text)) if !text.is_empty() => hookswitch_model::json::MASK.into(),
            _ => value.shown(),
        };
        self.values.iter().zip(&self.secret).map(show).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(text: &str) -> String {
        Statement::read(text, Engine::Mysql).unwrap_err()
    }

    #[test]
    fn values_are_bound_and_never_pasted() {
        let text = "INSERT INTO t (a, b, c) VALUES ({{object.name}}, {{ha1('u', 'r', object.name)}}, {{ 1 + 1 }}) ;\n";
        let statement = Statement::read(text, Engine::Postgres).unwrap();
        let Json::Object(payload) = json!({"object": {"name": "'); DROP TABLE t; --"}}) else { panic!() };
        let ready = statement.with(&Given::new(&payload)).unwrap();
        assert_eq!(ready.sql, "INSERT INTO t (a, b, c) VALUES ($1, $2, $3)");
        assert_eq!((&ready.values[0], &ready.values[2]), (&Bound::Text("'); DROP TABLE t; --".to_owned()), &Bound::Int(2)));
        assert_eq!(ready.shown()[1], "********");
        assert_eq!(Statement::read("UPDATE t SET a = 'it''s?; {'", Engine::Mysql).unwrap().sql, "UPDATE t SET a = 'it''s?; {'");
    }

    #[test]
    fn a_wrong_statement_says_what_is_wrong() {
        assert!(refused("UPDATE t SET a = '{{object.name}}'").contains("leave the quotes out"));
        assert!(refused("DELETE FROM t; DELETE FROM u").contains("one statement"));
        assert!(refused("UPDATE t SET a = ?").contains("{{ expression }}"));
        assert!(refused("UPDATE t SET a = {{object.name").contains("}}"));
        assert!(refused("UPDATE t SET a = {{client.name}}").contains("client"));
        assert!(refused("UPDATE t SET a = 'x").contains("not closed"));
        assert!(refused(" ; ").contains("empty"));
    }
}
