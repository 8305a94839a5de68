//! The settings of ready-made kinds in boxes, one for each that [`offered`] knows, and one for all further ones.
//!
//! What a box still holds as it was shown is taken from where it came, not from the box: a box knows no numbers, no empty lines at the
//! end and no stored passwords, so what it can't hold is not lost.
use hookswitch_model::{
    Object,
    handler::{
        offered::{self, Setting, Shape},
        task::Kind,
    },
    json::MASK,
};
use serde_json::Value;

use super::{database, json_box::object, kinds, typed::kept};
use crate::{
    html::Html,
    markup,
    params::Params,
    parts::{
        form::{Faults, shown_text},
        input::{Choice, Input, Kind as Box},
    },
};

/// The box of settings that have none of their own.
const FURTHER: &str = "further";
/// What is said of a secret that is there.
const STORED: &str = "Stored, and never shown. Left as it is it stays; empty takes it away";
/// Boxes that suit one choice of another box only, while nothing is in them.
const SUITS: &[(Kind, &str, &str)] = &[
    (Kind::Sql, "password", database::BEHIND_A_PORT),
    (Kind::Sql, "tls", database::BEHIND_A_PORT),
    (Kind::Sql, "group", "set.sql.template=freeradius"),
    (Kind::Sql, "reply", "set.sql.template=freeradius"),
    (Kind::Sql, "context", "set.sql.template=asterisk"),
    (Kind::Sql, "allow", "set.sql.template=asterisk"),
    (Kind::Sql, "ca", "set.sql.tls=verify"),
    (Kind::Mail, "ca", "set.mail.tls=verify"),
];

/// The name of a setting's box; those of different kinds are different boxes.
pub(super) fn name(kind: Kind, setting: &str) -> String {
    format!("set.{}.{setting}", kinds::word(kind))
}

/// What stands beside a setting's box: of those that have none, the name.
pub(super) fn label(kind: Kind, setting: &str) -> &str {
    offered::settings(kind).iter().find(|known| known.name == setting).map_or(setting, |known| known.label)
}

/// The boxes that an address can fill in: none that holds a secret.
pub(super) fn names() -> impl Iterator<Item = String> {
    let of = |kind: &Kind| {
        let (kind, offered) = (*kind, offered::settings(*kind).iter());
        offered.filter(|setting| setting.value != Shape::Secret).map(move |setting| name(kind, setting.name))
    };
    kinds::READY_MADE.iter().flat_map(of)
}

/// A handler's settings as the boxes hold them.
pub(super) fn filled(kind: Kind, settings: &Object) -> Vec<(String, String)> {
    let boxes = offered::settings(kind).iter().map(|setting| (setting.name, shown(setting.value, settings.get(setting.name))));
    let further = kind.is_ready_made().then(|| (FURTHER, shown_further(kind, settings)));
    boxes.chain(further).map(|(setting, text)| (name(kind, setting), text)).collect()
}

fn shown(shape: Shape, value: Option<&Value>) -> String {
    match (shape, value) {
        (Shape::Choice(words), None | Some(Value::Null)) => words.first().copied().unwrap_or_default().to_owned(),
        (_, None | Some(Value::Null)) => String::new(),
        (Shape::Json, Some(value)) => pretty(value),
        (_, Some(value)) => shown_text(value),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn is_offered(kind: Kind, name: &str) -> bool {
    offered::settings(kind).iter().any(|setting| setting.name == name)
}

fn further(kind: Kind, settings: &Object) -> Object {
    settings.iter().filter(|(name, _)| !is_offered(kind, name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn shown_further(kind: Kind, settings: &Object) -> String {
    let further = further(kind, settings);
    if further.is_empty() { String::new() } else { pretty(&Value::Object(further)) }
}

/// What was typed into the boxes of the chosen kind; `None` for one without settings. `was` is what the boxes were filled from.
pub(super) fn typed(form: &Params, was: &Object) -> Option<Object> {
    let kind = kinds::of_form(form);
    kind.is_ready_made().then(|| read(kind, form, was).0)
}

/// What can't be understood of it, by box.
pub(super) fn wrong(form: &Params, was: &Object) -> Vec<(String, String)> {
    let kind = kinds::of_form(form);
    if kind.is_ready_made() { read(kind, form, was).1 } else { Vec::new() }
}

fn read(kind: Kind, form: &Params, was: &Object) -> (Object, Vec<(String, String)>) {
    let empty = Object::new();
    let was = was.get("settings").and_then(Value::as_object).filter(|_| kinds::of(was) == kind).unwrap_or(&empty);
    let (mut settings, mut wrong) = (Object::new(), Vec::new());
    for setting in offered::settings(kind) {
        let (name, stored) = (name(kind, setting.name), was.get(setting.name));
        let value = match form.raw(&name) {
            Some(text) if !is_same(text, &shown(setting.value, stored)) => meant(setting.value, text),
            _ => Ok(stored.cloned()),
        };
        match value {
            Ok(value) => drop(value.and_then(|value| settings.insert(setting.name.to_owned(), value))),
            Err(words) => wrong.push((name, words)),
        }
    }
    let name = name(kind, FURTHER);
    let value = match form.raw(&name) {
        Some(text) if !is_same(text, &shown_further(kind, was)) => meant_further(kind, text),
        _ => Ok(further(kind, was)),
    };
    match value {
        Ok(further) => settings.extend(further),
        Err(words) => wrong.push((name, words)),
    }
    (settings, wrong)
}

/// True if a box holds what it held: a browser sends ends of lines of its own.
fn is_same(text: &str, shown: &str) -> bool {
    let lines = |text: &str| kept(text).replace('\r', "\n");
    lines(text) == lines(shown)
}

/// A text as a setting takes it; `None` = it is left out.
fn meant(shape: Shape, text: &str) -> Result<Option<Value>, String> {
    let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Value::from);
    Ok(match shape {
        Shape::Line => some(text.trim()),
        Shape::Text => some(&kept(text)),
        Shape::Secret if text != MASK && text.contains(MASK) => {
            return Err(format!("holds {MASK}, which stands for what is stored: leave only that, or type it whole"));
        }
        Shape::Secret => some(text),
        Shape::Choice(words) => some(text.trim()).filter(|word| word.as_str() != words.first().copied()),
        Shape::List => {
            let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            match lines.as_slice() {
                [] => None,
                [one] => Some(Value::from(*one)),
                several => Some(several.iter().copied().collect()),
            }
        }
        Shape::Json if text.trim().is_empty() => None,
        Shape::Json => Some(Value::Object(object(text)?)),
    })
}

fn meant_further(kind: Kind, text: &str) -> Result<Object, String> {
    let further = if text.trim().is_empty() { Object::new() } else { object(text)? };
    match further.keys().find(|name| is_offered(kind, name)) {
        Some(name) => Err(format!("holds {name}, which has a box of its own")),
        None => Ok(further),
    }
}

/// The box that something is about which the API says of the settings: `has tls, which must be ...`, `must have a domain ...`,
/// `messages, clients.create: ...`.
pub(super) fn spot(form: &Params, words: &str) -> Option<String> {
    let kind = kinds::of_form(form);
    let rest = ["must have ", "has "].iter().find_map(|begin| words.strip_prefix(begin)).unwrap_or(words);
    let rest = ["a ", "an ", "the "].iter().find_map(|article| rest.strip_prefix(article)).unwrap_or(rest);
    let word = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
    let is_meant = |setting: &&Setting| setting.name == word || setting.name.strip_suffix('s') == Some(word);
    let own = offered::settings(kind).iter().find(is_meant).map(|setting| setting.name);
    let is_further = || meant_further(kind, form.raw(&name(kind, FURTHER))?).ok()?.contains_key(word).then_some(FURTHER);
    own.or_else(is_further).map(|setting| name(kind, setting))
}

/// The boxes of a kind.
pub(super) fn boxes(kind: Kind, form: &Params, faults: &Faults) -> Vec<Html> {
    let input = |setting: &str, label: &str, holds: Box, help: &str| {
        let name = name(kind, setting);
        let value = form.raw(&name).unwrap_or_default();
        // A box of one line would throw away the ends of lines that are there.
        let holds = if holds == Box::Line && value.contains(['\n', '\r']) { Box::Lines } else { holds };
        Input::new(name.clone(), label, holds).help(help).filled(value).wrong(faults.of(&name))
    };
    let one = |setting: &Setting| {
        let is_stored = setting.value == Shape::Secret && form.raw(&name(kind, setting.name)) == Some(MASK);
        let help = if is_stored { STORED } else { setting.help };
        let input = input(setting.name, setting.label, holds(setting.value), help);
        let is_usual = [String::new(), shown(setting.value, None)].contains(&input.value);
        match SUITS.iter().find(|(of, name, _)| *of == kind && *name == setting.name && is_usual) {
            Some((_, _, suits)) => markup!("<div data-when=\"{}\">{}</div>", suits, input.html()),
            None => input.html(),
        }
    };
    let help = "What expressions see as settings.NAME besides, such as {\"prefix\": \"49\"}";
    let further = input(FURTHER, "Further settings (JSON)", Box::Lines, help).html();
    offered::settings(kind).iter().map(one).chain([further]).collect()
}

fn holds(shape: Shape) -> Box {
    match shape {
        Shape::Line => Box::Line,
        Shape::Secret => Box::Secret,
        Shape::Text | Shape::List | Shape::Json => Box::Lines,
        Shape::Choice(words) => {
            Box::Choice(words.iter().map(|word| Choice::new(*word, if word.is_empty() { "none" } else { word })).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            _ => Object::new(),
        }
    }

    fn handler() -> Object {
        object(json!({"task": "sql://u@h/d?engine=mysql", "settings": {
            "password": MASK, "template": "freeradius", "domain": "a\nb ", "group": 5, "reply": {"Session-Timeout": "3600"},
            "context": null, "ca": "-----\n", "own": [1.50, null], "api_token": MASK, "statements": {"clients.*": ["SELECT 1"]}}}))
    }

    /// A form as the boxes of this handler, with these changed.
    fn form(handler: &Object, changes: &[(&str, &str)]) -> Params {
        let settings = handler["settings"].as_object().unwrap();
        let mut filled = filled(kinds::of(handler), settings);
        filled.push(("scheme".to_owned(), text(handler)));
        let mut form: Params = filled.iter().map(|(name, text)| (name.as_str(), text.replace('\n', "\r\n"))).collect();
        changes.iter().for_each(|(name, text)| form.set(name, text));
        form
    }

    fn text(handler: &Object) -> String {
        handler["task"].as_str().unwrap().split("://").next().unwrap().to_owned()
    }

    #[test]
    fn what_is_left_as_it_was_is_what_it_was() {
        let handler = handler();
        assert_eq!(typed(&form(&handler, &[]), &handler).as_ref(), handler["settings"].as_object());
        let other = typed(&form(&handler, &[("set.sql.domain", " c "), ("set.sql.reply", "")]), &handler).unwrap();
        let mut expected = handler["settings"].as_object().unwrap().clone();
        expected.insert("domain".to_owned(), "c".into());
        expected.shift_remove("reply");
        assert_eq!(other, expected, "and the rest is left as it was");
    }

    #[test]
    fn each_box_is_understood_and_an_empty_one_is_left_out() {
        let new = object(json!({"task": "smtp://h", "settings": {}}));
        let typed = |changes: &[(&str, &str)]| Value::Object(typed(&form(&new, changes), &new).unwrap());
        assert_eq!(typed(&[]), json!({}), "the first of each choice is its default");
        let all = [
            ("set.mail.to", "a@b\r\n\r\n c@d "),
            ("set.mail.password", " p "),
            ("set.mail.tls", "verify"),
            ("set.mail.text", "a\r\nb\r\n"),
            ("set.mail.messages", "{\"clients.create\": {\"subject\": \"s\"}}"),
            ("set.mail.further", "{\"prefix\": 49}"),
            ("set.sql.domain", "of another kind"),
        ];
        let expected = json!({"to": ["a@b", "c@d"], "password": " p ", "tls": "verify", "text": "a\nb",
            "messages": {"clients.create": {"subject": "s"}}, "prefix": 49});
        assert_eq!(typed(&all), expected);
        assert_eq!(typed(&[("set.mail.to", "a@b")]), json!({"to": "a@b"}));
    }

    #[test]
    fn what_is_stored_of_another_kind_is_not_taken_along() {
        let form: Params = [("scheme", "smtp".to_owned()), ("set.mail.from", "a@b".to_owned())].into_iter().collect();
        assert_eq!(typed(&form, &handler()), Some(object(json!({"from": "a@b"}))));
        assert_eq!(typed(&[("scheme", "http".to_owned())].into_iter().collect(), &handler()), None);
    }

    #[test]
    fn wrong_json_is_told_with_its_line() {
        let handler = handler();
        let said = |name: &str, text: &str| wrong(&form(&handler, &[(name, text)]), &handler).pop().unwrap();
        let (name, words) = said("set.sql.statements", "{\r\n  \"clients.*\": [\r\n \"a\" \"b\"]}");
        assert_eq!(name, "set.sql.statements");
        assert!(words.contains("line 3") && words.contains("a ] is missing"), "{words}");
        for (text, part) in [("[1]", "must be an object"), ("{\"domain\": \"x\"}", "box of its own")] {
            assert!(said("set.sql.further", text).1.contains(part), "{text}: {}", said("set.sql.further", text).1);
        }
        assert!(said("set.sql.password", "********x").1.contains("type it whole"));
        assert!(wrong(&form(&handler, &[]), &handler).is_empty());
    }

    #[test]
    fn what_the_api_says_is_shown_where_it_belongs() {
        let form = form(&handler(), &[("set.sql.further", "{\"max_contacts\": 0}")]);
        for (words, expected) in [
            ("has tls, which must be off, prefer, require or verify", Some("set.sql.tls")),
            ("must have a domain for the template kamailio", Some("set.sql.domain")),
            ("must have context for the template asterisk", Some("set.sql.context")),
            ("has a template \"x\" that is not known", Some("set.sql.template")),
            ("must have a template (kamailio) or statements for the events that it takes", Some("set.sql.template")),
            ("statements, clients.create, number 1: it is empty", Some("set.sql.statements")),
            ("statement 1 of 2: is empty", Some("set.sql.statements")),
            ("password is masked and not stored: give its value", Some("set.sql.password")),
            ("has max_contacts, which must be 1 to 1000", Some("set.sql.further")),
            ("has something else, which is wrong", None),
        ] {
            assert_eq!(spot(&form, words).as_deref(), expected, "{words}");
        }
    }

    #[test]
    fn no_setting_is_called_like_the_box_of_all_others() {
        assert!(kinds::READY_MADE.iter().all(|kind| !is_offered(*kind, FURTHER)));
        assert!(names().any(|name| name == "set.sql.template") && names().all(|name| !name.ends_with("password")));
    }
}
