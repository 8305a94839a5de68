//! Somebody else has changed the same handler meanwhile: what each has changed, side by side, and put together where it can be.
use hookswitch_model::{Object, handler::settings::shown};
use serde_json::Value;

use super::{kinds, settings, text, typed};
use crate::{
    html::Html,
    markup,
    parts::{form::shown_text, json, table::Table},
};

/// The label of a field's box.
fn label(name: &str) -> &str {
    match name {
        "name" => "Name",
        "status" => "Status",
        "event" => "Event",
        "type" => "Type",
        "order" => "Order",
        "task" => "Task",
        "args" => "Arguments",
        "mode" => "Mode",
        "method" => "Method",
        "headers" => "Headers",
        "timeout_ms" => "Time limit (ms)",
        "on_failure" => "If it fails",
        "retries" => "Waits between attempts (s)",
        "concurrency" => "Calls at once",
        "ordering" => "Order of delivery",
        "companies_id" => "Reseller",
        "condition" => "Condition",
        "writable" => "Keys that it may change",
        "notes" => "Notes",
        other => other,
    }
}

/// Where the settings were changed by this one: what both have made of them, unless they are those of different kinds.
pub(super) fn settings_of_both(was: &Object, mine: &Object, now: &Object) -> Option<Object> {
    let typed = mine.get("settings").and_then(Value::as_object)?;
    let is_same_kind = kinds::of(was) == kinds::of(now) && (!mine.contains_key("task") || kinds::of(mine) == kinds::of(was));
    is_same_kind.then(|| merged(&of(was), typed, &of(now)))
}

/// What stands above the form.
pub(super) fn html(was: &Object, mine: &Object, now: &Object) -> Html {
    let mut table = Table::new("What each has changed", &["Field", "When you began", "Now", "You typed"]);
    let shown = |value: Option<&Value>| match value {
        None | Some(Value::Null) => Html::text("–"),
        // What a header holds is nobody's business.
        Some(Value::Object(headers)) => Html::text(&headers.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        Some(value) => Html::text(shown_text(value).replace('\n', ", ").as_str()),
    };
    for (name, value) in now.iter().filter(|(name, _)| !["id", "version", "paused", "settings"].contains(&name.as_str())) {
        let is_theirs = !typed::is_same(name, value, was.get(name));
        if is_theirs || mine.contains_key(name) {
            let typed =
                mine.get(name).map_or_else(|| markup!("<span class=\"quiet\">unchanged</span>"), |value| shown(Some(value)));
            let now = if is_theirs { markup!("<strong>{}</strong>", shown(Some(value))) } else { shown(Some(value)) };
            table.row(name.clone(), vec![Html::text(label(name)), shown(was.get(name)), now, typed]);
        }
    }
    add_settings(&mut table, was, mine, now);
    markup!(
        "<div class=\"banner bad\" role=\"alert\" tabindex=\"-1\" data-focus><p>Somebody else has changed “{}” while you were at it. \
         Nothing of yours is saved yet. The form below holds both, and what you typed where it is the same field: look it through, and apply it.</p></div>{}",
        text(was, "name"),
        table.html()
    )
}

/// A row for each setting that was changed.
fn add_settings(table: &mut Table, was: &Object, mine: &Object, now: &Object) {
    let kind = kinds::of(now);
    for change in compared(&of(was), mine.get("settings").and_then(Value::as_object), &of(now)) {
        let [was, now, typed] = change.values.each_ref().map(|value| setting(value.as_ref()));
        let now = if change.is_theirs { markup!("<strong>{}</strong>", now) } else { now };
        let typed = if change.is_mine { typed } else { markup!("<span class=\"quiet\">unchanged</span>") };
        let label = Html::text(settings::label(kind, &change.name));
        table.row(format!("settings.{}", change.name), vec![label, was, now, typed]);
    }
}

/// The settings of a handler.
fn of(handler: &Object) -> Object {
    handler.get("settings").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What a setting held, cut where it is long; secrets among them are masked.
fn setting(value: Option<&Value>) -> Html {
    match value {
        None | Some(Value::Null) => Html::text("–"),
        Some(value) => json::value(value),
    }
}

/// The settings of two who changed the same handler: what the first has made of them, and on top what the second has changed.
fn merged(was: &Object, mine: &Object, now: &Object) -> Object {
    let mut merged = now.clone();
    for name in changed(was, mine) {
        match mine.get(name) {
            Some(value) => drop(merged.insert(name.to_owned(), value.clone())),
            None => drop(merged.shift_remove(name)),
        }
    }
    merged
}

/// The names of the settings that are not the same.
fn changed<'a>(was: &'a Object, now: &'a Object) -> impl Iterator<Item = &'a str> {
    let gone = was.keys().filter(|name| !now.contains_key(*name));
    now.iter().filter(|(name, value)| was.get(*name) != Some(value)).map(|(name, _)| name).chain(gone).map(String::as_str)
}

/// One setting that somebody has changed.
struct Change {
    name: String,
    /// As it was, as it is now, and as it was typed: nothing of it is secret.
    values: [Option<Value>; 3],
    is_theirs: bool,
    is_mine: bool,
}

/// What two have changed of the settings; `mine` is `None` if nothing of them was typed.
fn compared(was: &Object, mine: Option<&Object>, now: &Object) -> Vec<Change> {
    let mine = mine.unwrap_or(was);
    let theirs: Vec<&str> = changed(was, now).collect();
    let typed: Vec<&str> = changed(was, mine).collect();
    let mut names = theirs.clone();
    names.extend(typed.iter().filter(|name| !theirs.contains(name)));
    let of = |settings: &Object, name: &str| shown(settings).get(name).cloned();
    let change = |name: &str| Change {
        name: name.to_owned(),
        values: [of(was, name), of(now, name), of(mine, name)],
        is_theirs: theirs.contains(&name),
        is_mine: typed.contains(&name),
    };
    names.into_iter().map(change).collect()
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

    #[test]
    fn two_editors_keep_what_both_have_changed_and_see_no_secret() {
        let was = object(json!({"password": MASK, "domain": "a", "group": "g", "own": 1}));
        let mine = object(json!({"password": "typed", "domain": "a", "own": 2}));
        let now = object(json!({"password": MASK, "domain": "b", "group": "g", "own": 1}));
        assert_eq!(merged(&was, &mine, &now), object(json!({"password": "typed", "domain": "b", "own": 2})));
        let rows = compared(&was, Some(&mine), &now);
        assert!(rows.iter().all(|row| !row.values.contains(&Some(json!("typed")))));
        let names: Vec<(&str, bool, bool)> = rows.iter().map(|row| (row.name.as_str(), row.is_theirs, row.is_mine)).collect();
        assert_eq!(names, [("domain", true, false), ("password", false, true), ("own", false, true), ("group", false, true)]);
    }
}
