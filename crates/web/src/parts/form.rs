//! A method's parameters as a form, and what was typed into it as parameters.
//!
//! Which boxes there are follows from the method's own table of fields. A form that changes something says what its boxes held when
//! it was shown (`was.NAME`), and only what was changed since is sent: so two people who change different things of the same object
//! don't undo each other's work.
use std::collections::BTreeMap;

use askama::Template;
use hookswitch_core::registry::{self, Method};
use hookswitch_model::{
    Object,
    field::{self, Field, Kind as Holds},
    refusal::Refusal,
};
use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

use super::input::{Choice, Input, Kind};
use crate::{html::Html, pages::refused, params::Params};

/// What a name of the old value begins with.
const WAS: &str = "was.";
/// Old values up to this length are told as they were.
const SHORT_BYTES_MAX: usize = 200;
/// What stands before the hash of a longer one.
const HASHED: &str = "sha256:";

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

/// An object as the boxes of a form hold it, each with what it was.
pub(crate) fn filled(groups: &[Group], object: &Object) -> Params {
    let names = groups.iter().flat_map(|group| group.boxes).map(|spot| spot.name);
    let texts: Vec<(String, String)> =
        names.map(|name| (name.to_owned(), shown_text(object.get(name).unwrap_or(&Value::Null)))).collect();
    let was = texts.iter().map(|(name, text)| (format!("{WAS}{name}"), was(text)));
    let all: Vec<(String, String)> = texts.iter().cloned().chain(was).collect();
    all.iter().map(|(name, text)| (name.as_str(), text.clone())).collect()
}

/// A new form's: the defaults, and a key by which it counts once however often it is sent.
pub(crate) fn fresh(defaults: &[(&'static str, &str)]) -> Params {
    let key = ("idempotency_key", uuid::Uuid::new_v4().to_string());
    defaults.iter().map(|(name, text)| (*name, (*text).to_owned())).chain([key]).collect()
}

/// A value as a box holds it.
pub(crate) fn shown_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown_text).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// What was typed, as a method takes it.
pub(crate) fn typed(method: &'static str, groups: &[Group], typed: &Params) -> Object {
    let mut params = Object::new();
    let Some(method) = registry::find(method) else { return params };
    for spot in groups.iter().flat_map(|group| group.boxes) {
        let Some(field) = field::find(method.takes.fields(), spot.name) else { continue };
        let Some(text) = typed.raw(spot.name) else { continue };
        let was = typed.raw(&format!("{WAS}{}", spot.name));
        if was.is_some_and(|was| is_still(was, text)) {
            continue;
        }
        if let Some(value) = meant(field, text.trim(), was.is_some()) {
            params.insert(spot.name.to_owned(), value);
        }
    }
    if let Some(key) = typed.text("idempotency_key").filter(|_| is_once(method)) {
        params.insert("idempotency_key".to_owned(), key.into());
    }
    params
}

fn is_once(method: &Method) -> bool {
    method.idempotent
}

/// What is said of a text that a box held: itself, or where it is long what tells it from all others. So a form does not hold notes
/// of 64 KiB twice.
pub(crate) fn was(text: &str) -> String {
    if text.len() <= SHORT_BYTES_MAX { text.to_owned() } else { format!("{HASHED}{}", hashed(text)) }
}

/// True if a box still holds what it held.
pub(crate) fn is_still(was: &str, text: &str) -> bool {
    lines(was) == lines(text) || was.strip_prefix(HASHED).is_some_and(|was| was == hashed(text))
}

fn hashed(text: &str) -> String {
    hex::encode(Sha256::digest(lines(text)))
}

/// A browser sends lines with ends of its own.
fn lines(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

/// A text as a field takes it; `None` = it is left out.
fn meant(field: &Field, text: &str, is_change: bool) -> Option<Value> {
    if text.is_empty() {
        return match field.kind {
            Holds::LineList { .. } | Holds::NetList { .. } | Holds::IntegerList { .. } if is_change => {
                Some(Value::Array(Vec::new()))
            }
            _ if is_change && field.access == field::Access::WriteOnly => None,
            _ if is_change => Some(if field.null { Value::Null } else { Value::from("") }),
            _ => None,
        };
    }
    let number = |text: &str| text.parse::<Number>().map_or_else(|_| Value::from(text), Value::Number);
    let items = |ends: &'static [char]| text.split(ends).map(str::trim).filter(|item| !item.is_empty());
    Some(match field.kind {
        Holds::Boolean => Value::Bool(text == "true"),
        Holds::Integer { .. } | Holds::Money { .. } => number(text),
        Holds::IntegerList { .. } => items(&['\n', ',']).map(number).collect(),
        // A line may hold a comma of its own.
        Holds::LineList { .. } => items(&['\n']).map(Value::from).collect(),
        Holds::NetList { .. } | Holds::LineOrList { .. } => items(&['\n', ',']).map(Value::from).collect(),
        Holds::Object { .. } | Holds::Values { .. } | Holds::Any { .. } => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
        }
        _ => Value::from(text.replace("\r\n", "\n")),
    })
}

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
            let is_whole = field.starts_with("custom_fields.");
            let id = if is_whole { field } else { field.split(['[', '.']).next().unwrap_or(field) };
            (format!("in-{}", id.replace(|c: char| !c.is_ascii_alphanumeric(), "-")), field.as_str(), words.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_box_held_is_known_again_however_long_it_was() {
        for text in ["", "a line", "two\nlines", &"long\nlines ".repeat(5_000)] {
            let was = was(text);
            assert!(was.len() <= SHORT_BYTES_MAX);
            assert!(is_still(&was, text) && is_still(&was, &text.replace('\n', "\r\n")));
            assert!(!is_still(&was, &format!("{text}!")));
        }
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        const GROUPS: &[Group] =
            &[Group { title: "", folded: None, boxes: &[Box::new("name", ""), Box::new("credit", ""), Box::new("groups", "")] }];
        let typed = |text: &str| typed("clients.update", GROUPS, &Params::read(text.as_bytes()));
        assert!(typed("name=n&was.name=n&credit=0.10&was.credit=0.10&groups=%5B1%5D&was.groups=%5B1%5D").is_empty());
        let changed = typed("name=m&was.name=n&credit=&was.credit=5&groups=%7B%22a%22%3A0.10%7D&was.groups=");
        assert_eq!(Value::Object(changed).to_string(), r#"{"name":"m","credit":null,"groups":{"a":0.10}}"#);
    }

    #[test]
    fn a_line_of_a_list_keeps_its_commas() {
        const GROUPS: &[Group] = &[Group { title: "", folded: None, boxes: &[Box::new("orig_tags", ""), Box::new("ips", "")] }];
        let read = Params::read(b"orig_tags=a,b%0D%0Ac&was.orig_tags=a,b&ips=192.0.2.1,192.0.2.2&was.ips=");
        let changed = typed("clients.accounts.update", GROUPS, &read);
        assert_eq!(Value::Object(changed).to_string(), r#"{"orig_tags":["a,b","c"],"ips":["192.0.2.1","192.0.2.2"]}"#);
    }

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
