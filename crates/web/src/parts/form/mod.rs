//! A method's parameters as a form. Which boxes there are follows from the method's own table of fields.
//!
//! | file | subject |
//! |---|---|
//! | here | the boxes, and the form that they stand in |
//! | `typed` | what boxes hold, and what was typed into them as the method takes it |
//! | `faults` | why a form was refused, at the boxes concerned |
mod faults;
mod typed;

use std::collections::BTreeMap;

use askama::Template;
use hookswitch_core::registry;
use hookswitch_model::field::{self, Field, Kind as Holds};

use super::input::{Choice, Input, Kind};
use crate::{html::Html, params::Params};
pub(crate) use faults::Faults;
use typed::WAS;
pub(crate) use typed::{filled, fresh, is_still, shown_text, typed, was};

/// Boxes under one title.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// Folded away: what the defaults mean, in one line.
    pub(crate) folded: Option<&'static str>,
    pub(crate) boxes: &'static [Box],
}

/// A box for one of the method's fields.
pub(crate) struct Box {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// One line below the label; empty = what the field's table says.
    pub(crate) help: &'static str,
}

impl Box {
    pub(crate) const fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, help: "" }
    }

    pub(crate) const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }
}

/// What can be chosen for fields that hold the id of something else, by their names.
pub(crate) type Choices = BTreeMap<&'static str, Vec<Choice>>;

/// A form, ready to be shown.
#[derive(Template)]
#[template(path = "parts/form.html")]
pub(crate) struct Form {
    /// Where it is sent.
    pub(crate) action: String,
    groups: Vec<Shown>,
    faults: Faults,
    /// The word on its button.
    pub(crate) submit: String,
    /// Where one goes who gives up.
    pub(crate) cancel: String,
    hidden: Vec<(String, String)>,
    /// Above its button.
    pub(crate) note: Html,
}

struct Shown {
    title: &'static str,
    folded: Option<&'static str>,
    open: bool,
    inputs: Vec<Input>,
}

impl Form {
    /// The form of a method, filled with texts; what is wrong with them is shown at their boxes.
    pub(crate) fn new(
        method: &'static str,
        groups: &'static [Group],
        filled: &Params,
        choices: &Choices,
        faults: Faults,
    ) -> Self {
        let method = registry::find(method);
        let fields = method.map_or(&[][..], |method| method.takes.fields());
        let is_update = method.is_some_and(|method| matches!(method.takes, registry::Takes::Changes(_)));
        let shown = groups.iter().map(|group| shown(group, fields, filled, choices, &faults, is_update)).collect();
        let was = filled.iter().filter(|(name, _)| name.starts_with(WAS) || *name == "idempotency_key");
        let hidden = was.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        Self {
            action: String::new(),
            groups: shown,
            faults,
            submit: "Save".to_owned(),
            cancel: String::new(),
            hidden,
            note: Html::default(),
        }
    }

    /// Sent there by a button with this word.
    pub(crate) fn sent_to(mut self, action: impl Into<String>, submit: &str, cancel: impl Into<String>) -> Self {
        (self.action, self.submit, self.cancel) = (action.into(), submit.to_owned(), cancel.into());
        self
    }

    /// Without the box of a field.
    pub(crate) fn without(mut self, name: &str) -> Self {
        for group in &mut self.groups {
            group.inputs.retain(|input| input.name != name);
        }
        self
    }

    /// With boxes that are none of the method's own fields, under a title of theirs.
    pub(crate) fn and(mut self, title: &'static str, inputs: Vec<Input>) -> Self {
        if !inputs.is_empty() {
            self.groups.push(Shown { title, folded: None, open: true, inputs });
        }
        self
    }

    /// As markup.
    pub(crate) fn html(&self) -> Html {
        Html::of(self.render().unwrap_or_default())
    }
}

fn shown(group: &Group, fields: &[Field], filled: &Params, choices: &Choices, faults: &Faults, is_update: bool) -> Shown {
    let inputs: Vec<Input> = group
        .boxes
        .iter()
        .filter_map(|spot| Some((spot, field::find(fields, spot.name)?)))
        .map(|(spot, field)| input(spot, field, filled, choices, faults, is_update))
        .collect();
    let open = inputs.iter().any(|input| input.error.is_some());
    Shown { title: group.title, folded: group.folded, open, inputs }
}

fn input(spot: &Box, field: &Field, filled: &Params, choices: &Choices, faults: &Faults, is_update: bool) -> Input {
    let choices = choices.get(field.name);
    let value = filled.raw(field.name).unwrap_or_default();
    let kind = choices.map_or_else(|| kind(field, value), |choices| Kind::Choice(choices.clone()));
    let is_fixed = is_update && field.access == field::Access::Fixed;
    let kind = match kind {
        _ if is_fixed => Kind::Fixed,
        // Nothing is something that can be kept.
        Kind::Choice(choices) if is_update && value.is_empty() && choices.iter().all(|choice| !choice.value.is_empty()) => {
            Kind::Choice([Choice::new("", "–")].into_iter().chain(choices).collect())
        }
        kind => kind,
    };
    let help = if spot.help.is_empty() { field.about } else { spot.help };
    // What can't be changed is shown by its name, if it has one.
    let named = choices.filter(|_| is_fixed).and_then(|choices| choices.iter().find(|choice| choice.value == value));
    let value = named.map_or(value, |choice| choice.label.as_str());
    // A password is never sent back: left as it is now, the box would say that none was typed.
    let is_lost = kind == Kind::Password && !value.is_empty() && !faults.is_none();
    let wrong = faults.of(field.name).or_else(|| is_lost.then(|| "type it again: a password is never sent back".to_owned()));
    let input = Input::new(field.name, spot.label, kind).help(help).filled(value).wrong(wrong);
    if is_lost || field.required && !is_update { input.required() } else { input }
}

fn kind(field: &Field, value: &str) -> Kind {
    match field.kind {
        // One line is enough for most; a box of one line would throw away the ends of lines that are there.
        Holds::Text { max: ..=255 } if !value.contains('\n') => Kind::Line,
        Holds::Boolean => Kind::Tick,
        Holds::Integer { .. } | Holds::Money { .. } => Kind::Number,
        Holds::Choice(words) => {
            let none = field.null.then(|| Choice::new("", "–"));
            Kind::Choice(none.into_iter().chain(Choice::words(words)).collect())
        }
        Holds::Text { .. }
        | Holds::LongText { .. }
        | Holds::LineList { .. }
        | Holds::NetList { .. }
        | Holds::IntegerList { .. }
        | Holds::LineOrList { .. } => Kind::Lines,
        _ if value.contains('\n') => Kind::Lines,
        _ if field.access == field::Access::WriteOnly => Kind::Password,
        _ => Kind::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_lost_is_asked_for_again() {
        const GROUPS: &[Group] = &[Group { title: "", folded: None, boxes: &[Box::new("login", ""), Box::new("password", "")] }];
        let shown = |typed: &str, faults: Faults| {
            Form::new("users.create", GROUPS, &Params::read(typed.as_bytes()), &Choices::new(), faults).html().to_string()
        };
        let refused = || Faults::none().at("login", "is taken");
        let html = shown("login=x&password=a+long+password", refused());
        assert!(html.contains("type it again") && !html.contains("a long password"), "{html}");
        for html in [shown("login=x&password=", refused()), shown("login=x&password=a+long+password", Faults::none())] {
            assert!(!html.contains("type it again"), "{html}");
        }
    }
}
