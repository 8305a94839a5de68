//! Texts with `{{ expression }}` in them.
use serde_json::Value as Json;

use crate::condition::expression::{Expression, Given};

/// The longest one.
const BYTES_MAX: usize = 16 << 10;
/// The most expressions in one.
const VALUES_MAX: usize = 64;

/// A text, ready to be given values.
#[derive(Debug)]
pub(crate) struct Text(Vec<Part>);

#[derive(Debug)]
enum Part {
    Fixed(String),
    Value(Expression),
}

impl Text {
    /// Reads a text as somebody wrote it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("is longer than {BYTES_MAX} bytes"));
        }
        let (mut parts, mut rest, mut values) = (Vec::new(), text, 0);
        while let Some((before, begun)) = rest.split_once("{{") {
            let (source, after) = begun.split_once("}}").ok_or("has a {{ without its }}")?;
            let expression = Expression::compile(source.trim());
            parts.extend((!before.is_empty()).then(|| Part::Fixed(before.to_owned())));
            parts.push(Part::Value(expression.map_err(|unfit| format!("has an expression {{{{{source}}}}} that {unfit}"))?));
            rest = after;
            values += 1;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Fixed(rest.to_owned())));
        if values > VALUES_MAX { Err(format!("has more than {VALUES_MAX} values")) } else { Ok(Self(parts)) }
    }

    /// With its values as they are written in a text: null is empty. `escape` is for values only, never for what was configured.
    ///
    /// # Errors
    /// Which expression gives nothing, and why.
    pub(crate) fn fill(&self, given: &Given<'_>, escape: impl Fn(&str) -> String) -> Result<String, String> {
        self.try_fill(given, |value| Ok(escape(value)))
    }

    /// The same where not every value fits.
    ///
    /// # Errors
    /// As [`Self::fill`]; what `escape` says of a value.
    pub(crate) fn try_fill(&self, given: &Given<'_>, escape: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Fixed(text) => filled.push_str(text),
                Part::Value(expression) => {
                    let value = written(&evaluate(expression, given)?);
                    filled.push_str(&escape(&value).map_err(|words| format!("{{{{{}}}}} {words}", expression.source()))?);
                }
            }
        }
        Ok(filled)
    }

    /// The value of a text that is a single expression, with its own type; else the text.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub(crate) fn value(&self, given: &Given<'_>) -> Result<Json, String> {
        match self.0.as_slice() {
            [Part::Value(only)] => evaluate(only, given),
            _ => self.fill(given, str::to_owned).map(Json::from),
        }
    }

    /// True for a single expression without anything around it.
    pub(crate) fn is_expression(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Value(_)])
    }

    /// What stands in it as it was written.
    pub(crate) fn fixed(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Fixed(text) => Some(text.as_str()),
            Part::Value(_) => None,
        })
    }

    /// True if it has an expression.
    pub(crate) fn has_values(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(_)))
    }

    /// True if something in it is as good as a password.
    pub(crate) fn gives_secret(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(expression) if expression.gives_secret()))
    }
}

/// Reads a text that people get: no digests either.
///
/// # Errors
/// As [`Text::read`].
pub(crate) fn for_people(text: &str) -> Result<Text, String> {
    let read = Text::read(text)?;
    if read.gives_secret() { Err("has a digest of a password, which people never get".to_owned()) } else { Ok(read) }
}

fn evaluate(expression: &Expression, given: &Given<'_>) -> Result<Json, String> {
    expression.evaluate(given).map_err(|words| format!("{{{{{}}}}} {words}", expression.source()))
}

/// A value as it stands in a text.
pub(crate) fn written(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(text: &str) -> Result<Json, String> {
        let Json::Object(payload) = json!({"object": {"name": "A & B", "credit": 12.5, "notes": null}}) else { panic!() };
        Text::read(text)?.value(&Given::new(&payload))
    }

    #[test]
    fn values_stand_where_their_expressions_did() {
        assert_eq!(filled("{{object.name}}: {{ object.credit }}{{object.notes}}!"), Ok(json!("A & B: 12.5!")));
        assert_eq!(filled("{{object.credit}}"), Ok(json!(12.5)));
        assert_eq!(filled("a } b"), Ok(json!("a } b")));
        let Json::Object(payload) = json!({"object": {"name": "A & B"}}) else { panic!() };
        let text = Text::read("R&D {{object.name}}").unwrap();
        assert_eq!(text.fill(&Given::new(&payload), |value| value.replace('&', "+")), Ok("R&D A + B".to_owned()));
    }

    #[test]
    fn what_is_wrong_names_the_expression() {
        assert!(filled("{{object.name").unwrap_err().contains("}}"));
        assert!(filled("{{client.name}}").unwrap_err().contains("{{client.name}}"));
        assert!(filled("{{object.email}}").unwrap_err().contains("object.email"));
    }
}
