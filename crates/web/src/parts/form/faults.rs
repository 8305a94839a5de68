//! Why a form was refused: in a sentence, and at the boxes concerned.
use askama::Template;
use hookswitch_model::refusal::Refusal;

use crate::{html::Html, pages::refused};

/// Why a form was refused: in a summary, and at the boxes concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// In a sentence, for the whole of it.
    pub(crate) words: String,
    fields: Vec<(String, String)>,
}

impl Faults {
    /// None.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// In a sentence only.
    pub(crate) fn saying(words: &str) -> Self {
        Self { words: words.to_owned(), fields: Vec::new() }
    }

    /// What a refusal says.
    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        let words = match refusal {
            Refusal::Invalid(_) => "Some of this can't be saved as it is.".to_owned(),
            Refusal::ForbiddenByHandler { handler, message, .. } => {
                format!("The handler “{}” refused this: {}", handler.name, refused::sentence(message))
            }
            Refusal::HandlerFailed { handler, message, .. } => {
                format!("The handler “{}” had to be asked, and failed: {}", handler.name, refused::sentence(message))
            }
            Refusal::Internal(detail) => {
                tracing::error!(detail, "a form could not be carried out");
                "An unexpected error occurred. The server's log says more.".to_owned()
            }
            other => refused::sentence(&refused::plain(other)),
        };
        let fields = match refusal {
            Refusal::Invalid(errors) => errors.iter().map(|(field, words)| (field.to_owned(), words.to_owned())).collect(),
            Refusal::ForbiddenByHandler { field: Some(field), message, .. } => vec![(field.clone(), message.clone())],
            _ => Vec::new(),
        };
        Self { words, fields }
    }

    /// One more.
    pub(crate) fn at(mut self, field: &str, words: &str) -> Self {
        if self.words.is_empty() {
            "Some of this can't be saved as it is.".clone_into(&mut self.words);
        }
        self.fields.push((field.to_owned(), words.to_owned()));
        self
    }

    /// What is wrong with a field: of a list, with any of its items.
    pub(crate) fn of(&self, field: &str) -> Option<String> {
        self.fields.iter().find(|(known, _)| known == field || is_item(known, field)).map(|(_, words)| words.clone())
    }

    /// And what else is wrong.
    pub(crate) fn and(mut self, other: Self) -> Self {
        if self.words.is_empty() {
            self.words = other.words;
        } else if !other.words.is_empty() && other.words != self.words {
            self.words = format!("{} {}", self.words, other.words);
        }
        self.fields.extend(other.fields);
        self
    }

    /// The same, of fields that the form has under another name: behind this.
    pub(crate) fn within(mut self, prefix: &str) -> Self {
        for (field, _) in &mut self.fields {
            *field = format!("{prefix}{field}");
        }
        self
    }

    /// True if there are none.
    pub(crate) fn is_none(&self) -> bool {
        self.words.is_empty()
    }

    /// Each with the id of its box, unless it is said above already.
    fn listed(&self) -> impl Iterator<Item = (String, &str, &str)> {
        let is_said = |words: &str| self.words.contains(&refused::sentence(words));
        self.fields.iter().filter(move |(_, words)| !is_said(words)).map(|(field, words)| {
            // A ready-made handler's settings: `set.sql.domain`.
            let setting = field.strip_prefix("set.").and_then(|rest| Some(rest.split_once('.')?.1));
            let is_whole = field.starts_with("custom_fields.") || setting.is_some();
            let id = if is_whole { field } else { field.split(['[', '.']).next().unwrap_or(field) };
            let id = format!("in-{}", id.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
            (id, setting.unwrap_or(field), words.as_str())
        })
    }
}

fn is_item(known: &str, field: &str) -> bool {
    known.strip_prefix(field).is_some_and(|rest| rest.starts_with(['[', '.']))
}

#[derive(Template)]
#[template(path = "parts/faults.html")]
struct Summary<'a> {
    faults: &'a Faults,
}

impl Faults {
    /// The summary above a form, as markup.
    pub(crate) fn html(&self) -> Html {
        Html::of(Summary { faults: self }.render().unwrap_or_default())
    }
}
