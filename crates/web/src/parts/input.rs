//! One box to fill in, of a form or of a filter, with its label, its help, and what is wrong with what was typed.
use askama::Template;

use crate::html::Html;

/// A box.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/input.html")]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) label: String,
    /// One line below the label.
    pub(crate) help: String,
    pub(crate) kind: Kind,
    /// What is in it.
    pub(crate) value: String,
    /// What is wrong with that.
    pub(crate) error: Option<String>,
    pub(crate) required: bool,
}

/// What can be put into a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One line.
    Line,
    /// Many lines.
    Lines,
    /// A number or an amount: shown with its digits in a row.
    Number,
    /// A password: never shown.
    Password,
    /// A secret, in dots. It is stored masked, so that what comes back is the mask, or what was just typed: a test before saving would
    /// lose that.
    Secret,
    /// Yes or no.
    Tick,
    /// One of these.
    Choice(Vec<Choice>),
    /// Some of these, in groups.
    Several(Vec<(String, Vec<Choice>)>),
    /// A day.
    Day,
    /// It can't be changed.
    Fixed,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
    /// Another choice that it suits only; empty = any.
    pub(crate) when: String,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), chosen: false, when: String::new() }
    }

    /// Put away while another box does not say this: `scheme=http|https`.
    pub(crate) fn when(self, when: String) -> Self {
        Self { when, ..self }
    }

    /// Of words that stand for themselves.
    pub(crate) fn words(words: &[&str]) -> Vec<Self> {
        words.iter().map(|word| Self::new(*word, word.replace('_', " "))).collect()
    }
}

impl Kind {
    /// One of these words, or any: of a filter.
    pub(crate) fn any_of(words: &[&str]) -> Self {
        Self::Choice([Choice::new("", "Any")].into_iter().chain(Choice::words(words)).collect())
    }
}

impl Input {
    pub(crate) fn new(name: impl Into<String>, label: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            help: String::new(),
            kind,
            value: String::new(),
            error: None,
            required: false,
        }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    pub(crate) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// With this in it; of choices, those are chosen.
    pub(crate) fn filled(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        if self.kind == Kind::Day && !self.value.is_empty() && self.value.len() != "2026-11-23".len() {
            // A moment: a box for days would show nothing of it.
            self.kind = Kind::Line;
        }
        if let Kind::Choice(choices) = &mut self.kind {
            // What is there already is kept, also where nobody could choose it.
            if !self.value.is_empty() && choices.iter().all(|choice| choice.value != self.value) {
                choices.push(Choice::new(self.value.clone(), self.value.clone()));
            }
            for choice in choices {
                choice.chosen = choice.value == self.value;
            }
        }
        self
    }

    /// With these chosen.
    pub(crate) fn chosen(mut self, values: &[&str]) -> Self {
        if let Kind::Several(groups) = &mut self.kind {
            for choice in groups.iter_mut().flat_map(|(_, choices)| choices) {
                choice.chosen = values.contains(&choice.value.as_str());
            }
        }
        self
    }

    /// With what is wrong with it.
    pub(crate) fn wrong(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }

    /// The id of its element.
    fn id(&self) -> String {
        format!("in-{}", self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
    }

    /// The ids of what describes it.
    fn described_by(&self) -> String {
        let help = (!self.help.is_empty()).then(|| format!("{}-help", self.id()));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.id()));
        [error, help].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// How many lines are shown: all, where there are few.
    fn rows(&self) -> usize {
        self.value.lines().count().clamp(3, 16)
    }

    fn is_ticked(&self) -> bool {
        self.value == "true"
    }

    /// As markup.
    pub(crate) fn html(&self) -> Html {
        // Its template has nothing that can fail.
        Html::of(self.render().unwrap_or_default())
    }
}
