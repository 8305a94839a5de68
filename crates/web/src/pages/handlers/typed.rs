//! What was typed into a handler's form, as the method takes it; and a handler as the form holds it.
//!
//! A form that changes a handler says what it showed (`was`): only what was changed since is sent. With the `version` that travels along,
//! somebody else's change is never overwritten; if there was one, what each has changed is put together for a second look.
use hookswitch_model::{Object, event, handler::task::Kind};
use serde_json::{Number, Value};

use super::{chains::names, kinds, settings, task, text};
use crate::{params::Params, parts::form::shown_text};

/// What says *an empty list* where nothing typed means *no list*.
const NONE: &str = "none";

/// Fields whose words are taken as they are chosen.
const WORDS: &[&str] = &["status", "type", "mode", "method", "on_failure", "ordering", "balance_basis"];
const NUMBERS: &[&str] = &["order", "timeout_ms", "concurrency"];
const SWITCHES: &[&str] = &["dry_run", "notify_outcome", "passwords"];
const TEXTS: &[&str] = &["condition", "notes"];

/// The boxes that an address can fill in.
pub(super) fn boxes() -> impl Iterator<Item = String> {
    const OTHERS: &[&str] = &["name", "companies_id", "args", "retries", "writable", "event", "events", "patterns"];
    let own = [OTHERS, WORDS, NUMBERS, SWITCHES, TEXTS].into_iter().flatten().copied();
    own.chain(task::names()).map(str::to_owned).chain(settings::names())
}

/// What the form showed when it was filled in: the handler as it was.
pub(super) fn was(form: &Params) -> Object {
    form.raw("was").and_then(|was| serde_json::from_str(was).ok()).unwrap_or_default()
}

/// Everything that was typed. What is not in the form, because it does not suit this kind of handler, is left out; so is what stands
/// in boxes of other kinds, which a browser without scripts sends too.
pub(super) fn all(form: &Params) -> Object {
    let (kind, was) = (kinds::of_form(form), was(form));
    let mut all = Object::new();
    let mut put = |name: &str, value: Option<Value>| drop(value.and_then(|value| all.insert(name.to_owned(), value)));
    put("name", form.text("name").map(Value::from));
    put("event", events(form));
    put("task", task::together(form).map(Value::from));
    for name in WORDS {
        put(name, form.text(name).map(Value::from));
    }
    for name in NUMBERS {
        put(name, form.text(name).map(number));
    }
    for name in SWITCHES {
        put(name, form.text(name).map(|text| (text == "true").into()));
    }
    for name in TEXTS {
        put(name, form.raw(name).map(|text| kept(text).into()));
    }
    put("args", form.raw("args").map(lines));
    put("retries", form.raw("retries").map(|text| list(text, number)));
    put("writable", form.raw("writable").map(|text| list(text, |key| key.into())));
    if kind.is_over_http() {
        put("headers", form.has("header_name").then(|| Value::Object(headers(form))));
    } else if kind.is_ready_made() {
        // Those of what it was before would be refused.
        put(
            "headers",
            was.get("headers").and_then(Value::as_object).filter(|were| !were.is_empty()).map(|_| Object::new().into()),
        );
    }
    put("settings", settings::typed(form, &was).map(Value::Object));
    put(
        "companies_id",
        form.raw("companies_id").map(|text| Some(text.trim()).filter(|text| !text.is_empty()).map_or(Value::Null, number)),
    );
    // Of their own accord these never get passwords.
    all.retain(|name, _| !(name == "passwords" && kind.is_for_people() || name == "method" && kind != Kind::Http));
    all
}

/// One name as a text, several as a list.
fn events(form: &Params) -> Option<Value> {
    let patterns = form.raw("patterns").unwrap_or_default();
    let named = form.all("event").chain(form.all("events")).chain(patterns.split(separates).filter(|name| !name.is_empty()));
    let mut events: Vec<&str> = Vec::new();
    for name in named {
        if !events.contains(&name) {
            events.push(name);
        }
    }
    match events.as_slice() {
        [] => None,
        [one] => Some(Value::from(*one)),
        several => Some(several.iter().copied().collect()),
    }
}

fn separates(character: char) -> bool {
    character == ',' || character.is_whitespace()
}

fn number(text: &str) -> Value {
    text.parse::<Number>().map_or_else(|_| Value::from(text), Value::Number)
}

fn list(text: &str, item: fn(&str) -> Value) -> Value {
    match text.trim() {
        "" => Value::Null,
        text if text.eq_ignore_ascii_case(NONE) => Value::Array(Vec::new()),
        text => text.split(separates).filter(|part| !part.is_empty()).map(item).collect(),
    }
}

/// A text of several lines, as a box gives it back.
pub(super) fn kept(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

fn lines(text: &str) -> Value {
    text.trim_end().lines().map(Value::from).collect()
}

/// Name and value, in the order of the boxes; a row without either is none.
fn headers(form: &Params) -> Object {
    pairs(form).map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn pairs(form: &Params) -> impl Iterator<Item = (&str, &str)> {
    let of = |wanted: &'static str| form.iter().filter(move |(name, _)| *name == wanted).map(|(_, text)| text.trim());
    // A row whose name was taken away is taken away, whatever its value was: that is masked.
    of("header_name")
        .zip(of("header_value"))
        .filter(|(name, value)| !name.is_empty() || !(value.is_empty() || *value == hookswitch_model::json::MASK))
}

/// A header that stands there twice: only one of them would be kept.
pub(super) fn header_twice(form: &Params) -> Option<String> {
    let names: Vec<&str> = pairs(form).map(|(name, _)| name).collect();
    let is_twice = |(index, name): &(usize, &&str)| names[..*index].iter().any(|earlier| earlier.eq_ignore_ascii_case(name));
    names.iter().enumerate().find(is_twice).map(|(_, name)| (*name).to_owned())
}

/// What was changed of what the form showed.
pub(super) fn changes(typed: &Object, was: &Object) -> Object {
    typed
        .iter()
        .filter(|(name, value)| !is_same(name, value, was.get(*name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// True if a field holds the same as it did.
pub(super) fn is_same(name: &str, value: &Value, was: Option<&Value>) -> bool {
    let was = was.unwrap_or(&Value::Null);
    if name == "args" {
        // Empty ones at the end, and an end of a line within one, are nothing that the box could hold.
        return value == was || *value == lines(&shown_text(was));
    }
    if TEXTS.contains(&name) {
        return value == was || value.as_str().zip(was.as_str()).is_some_and(|(value, was)| value == kept(was));
    }
    if name == "settings" {
        // One that has none may not say so.
        return value == was || was.is_null() && *value == Value::Object(Object::new());
    }
    if name != "event" {
        return value == was;
    }
    let listed = |value: &Value| -> Vec<String> {
        let mut listed: Vec<String> =
            value.as_array().map_or_else(|| vec![shown_text(value)], |names| names.iter().map(shown_text).collect());
        listed.sort_unstable();
        listed
    };
    listed(value) == listed(was)
}

/// A handler as the boxes of the form hold it. `known` tells which scripts can be chosen.
pub(super) fn filled(handler: &Object) -> Params {
    let mut filled = task::apart(text(handler, "task"));
    for name in ["name", "companies_id"].iter().chain(WORDS).chain(NUMBERS).chain(SWITCHES).chain(TEXTS) {
        filled.push((name, shown_text(handler.get(*name).unwrap_or(&Value::Null))));
    }
    filled.push(("args", shown_text(&handler.get("args").cloned().unwrap_or_default())));
    for name in ["retries", "writable"] {
        let shown = match handler.get(name) {
            Some(Value::Array(items)) if items.is_empty() => NONE.to_owned(),
            Some(value) => shown_text(value).replace('\n', ", "),
            None => String::new(),
        };
        filled.push((name, shown));
    }
    let named = names(handler);
    let (known, patterns): (Vec<&str>, Vec<&str>) = named.into_iter().partition(|name| event::kind(name).is_some());
    match known.as_slice() {
        [one] if patterns.is_empty() => filled.push(("event", (*one).to_owned())),
        several => filled.extend(several.iter().map(|name| ("events", (*name).to_owned()))),
    }
    filled.push(("patterns", patterns.join("\n")));
    if let Some(Value::Object(headers)) = handler.get("headers") {
        for (name, value) in headers {
            filled.push(("header_name", name.clone()));
            filled.push(("header_value", shown_text(value)));
        }
    }
    let settings = handler.get("settings").and_then(Value::as_object).cloned().unwrap_or_default();
    let settings = settings::filled(kinds::of(handler), &settings);
    let settings = settings.iter().map(|(name, text)| (name.as_str(), text.clone()));
    filled.into_iter().chain(settings).collect()
}

/// The rows of headers that a form holds, as they are.
pub(super) fn header_rows(form: &Params) -> Vec<(String, String)> {
    pairs(form).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use hookswitch_model::json::MASK;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            _ => Object::new(),
        }
    }

    /// The form of a handler as a browser without scripts sends it back: with all boxes, of whatever kind.
    fn sent(handler: &Object, changes: &[(&'static str, &str)]) -> Params {
        let mut sent: Vec<(String, String)> = vec![("was".to_owned(), Value::Object(handler.clone()).to_string())];
        sent.extend(settings::names().map(|name| (name, String::new())));
        sent.extend(filled(handler).iter().map(|(name, text)| (name.to_owned(), text.replace('\n', "\r\n"))));
        let mut sent: Params = sent.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        changes.iter().for_each(|(name, text)| sent.set(name, text));
        sent
    }

    /// What such a form changes.
    fn changed(handler: &Object, changed: &[(&'static str, &str)]) -> Value {
        Value::Object(changes(&all(&task::understood(sent(handler, changed))), handler))
    }

    fn handler() -> Object {
        object(json!({
            "name": "crm", "status": "enabled", "event": "clients.create", "type": "after", "order": 100,
            "task": "http://127.0.0.1:5000/api", "args": [], "mode": "once", "method": "POST", "headers": {"X-A": MASK, "X-B": MASK},
            "timeout_ms": 3000, "on_failure": "forbid", "retries": null, "concurrency": 8, "ordering": "per_client",
            "companies_id": null, "condition": "a\nb", "writable": [], "dry_run": false, "notify_outcome": false, "passwords": true,
            "balance_basis": "live", "notes": "",
        }))
    }

    #[test]
    fn a_form_that_is_sent_as_it_was_shown_changes_nothing() {
        assert_eq!(changes(&all(&filled(&handler())), &handler()), Object::new());
        let several = json!(["clients.accounts.*", "clients.update", "clients.create"]);
        let handler = object(json!({"event": several, "task": "script://x.py", "args": ["a b", "", "c", ""], "retries": [1, 2],
            "notes": "two\nlines\n"}));
        let typed = all(&filled(&handler));
        for name in ["event", "task", "args", "retries", "notes"] {
            assert!(is_same(name, &typed[name], handler.get(name)), "{name}: {}", typed[name]);
        }
    }

    #[test]
    fn nor_does_that_of_a_ready_made_one() {
        let ready_made = |task: &str, settings: Value| {
            let mut handler = handler();
            let changes = json!({"task": task, "settings": settings, "passwords": false, "headers": {}});
            handler.extend(object(changes));
            handler
        };
        for handler in [
            handler(),
            ready_made(
                "sql://u@h/d?engine=mysql",
                json!({"password": MASK, "template": "kamailio", "domain": "d", "x": [1, "\n"]}),
            ),
            ready_made(
                "sql://u@h/d?engine=mysql&x",
                json!({"statements": {"clients.*": ["SELECT 1"]}, "tls": "verify", "ca": "a\n"}),
            ),
            ready_made("smtps://h:465", json!({"from": "a", "to": ["b", "c"], "text": "d\n\ne", "messages": {}})),
            ready_made("chat+https://h/p", json!({"secret": MASK, "channel": null})),
            ready_made("rest+https://h/p", json!({"requests": {"clients.create": [{"path": "/{{object.id}}"}]}, "token": MASK})),
            ready_made("kamailio+http://h/RPC", json!({"template": "kick", "calls": {}})),
        ] {
            assert_eq!(changed(&handler, &[]), json!({}), "{}", text(&handler, "task"));
        }
    }

    #[test]
    fn a_handler_becomes_another_kind() {
        let made = |changes: &[(&'static str, &str)]| changed(&handler(), changes);
        let database =
            [("scheme", "sql"), ("sql_user", "u"), ("sql_host", "h"), ("sql_database", "d"), ("set.sql.template", "kamailio")];
        assert_eq!(
            made(&database),
            json!({"task": "sql://u@h/d?engine=postgres", "settings": {"template": "kamailio"}, "headers": {}}),
            "headers go with what they were for"
        );
        let chat = [("scheme", "chat+https"), ("task", "https://hooks.slack.com/services/T"), ("task_path", "")];
        let expected = json!({"task": "chat+https://hooks.slack.com", "settings": {"secret": "/services/T"}});
        assert_eq!(made(&chat), expected, "passwords are not named: they are never sent there");
        let mut sql = handler();
        sql.extend(object(json!({"task": "sql:///a?engine=sqlite", "headers": {}, "settings": {"password": MASK}})));
        let http = [("scheme", "https"), ("task", "crm.example"), ("task_path", "")];
        assert_eq!(changed(&sql, &http), json!({"task": "https://crm.example"}), "the settings go by themselves");
    }

    #[test]
    fn lists_may_be_empty_or_none_at_all() {
        let typed = |text: &str| all(&[("retries", text.to_owned())].into_iter().collect())["retries"].clone();
        assert_eq!((typed(" "), typed("None"), typed("5, 30 120")), (json!(null), json!([]), json!([5, 30, 120])));
        assert_eq!(typed("5, soon"), json!([5, "soon"]), "what is no number is for the method to refuse");
    }

    #[test]
    fn a_header_without_a_name_is_taken_away_if_its_value_was_masked() {
        let form = |rows: &[(&str, &str)]| -> Params {
            rows.iter()
                .flat_map(|(name, value)| [("header_name", (*name).to_owned()), ("header_value", (*value).to_owned())])
                .collect()
        };
        assert_eq!(headers(&form(&[("X-A", MASK), ("", MASK), ("", "")])), object(json!({"X-A": MASK})));
        assert_eq!(headers(&form(&[("", "v")])), object(json!({"": "v"})));
        assert_eq!(header_twice(&form(&[("X-A", "1"), ("x-a", "2")])), Some("x-a".to_owned()));
    }
}
