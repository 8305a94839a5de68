//! An event in words, for whoever reads: what happened to whom, when, by whom, and what was changed. It is made of a payload without
//! passwords.
use hookswitch_model::{Object, event, json::MASK};
use serde_json::Value as Json;

/// So many changed keys are listed.
const CHANGES_MAX: usize = 30;
/// So much of a value is shown.
const VALUE_CHARACTERS_MAX: usize = 200;

/// One line: `Clients: balance is zero: Acme (42)`.
pub(crate) fn headline(payload: &Object) -> String {
    let events_id = head(payload, "events_id");
    let title = event::kind(&events_id).map_or(events_id.as_str(), |kind| kind.title);
    let name = ["name", "accname", "title"].into_iter().find_map(|key| member(payload, "object").get(key)?.as_str());
    let id = head(payload, "object_id");
    match name {
        Some(name) => format!("{title}: {} ({id})", cut(name)),
        None => format!("{title}: {id}"),
    }
}

/// What is only tried is marked as that, whoever wrote its words.
pub(crate) fn marked(text: String, is_trial: bool) -> String {
    if is_trial { format!("Test: {text}") } else { text }
}

/// True for an event that did not happen.
pub(crate) fn is_trial(payload: &Object) -> bool {
    head(payload, "mode") == "test"
}

/// Several lines.
pub(crate) fn details(payload: &Object) -> String {
    let mut lines = vec![headline(payload), String::new(), format!("Event: {}", head(payload, "events_id"))];
    lines.push(format!("When: {}", head(payload, "dt")));
    if let Some(actor) = member(payload, "event").get("actor").and_then(Json::as_object) {
        let word = |name: &str| actor.get(name).and_then(Json::as_str).unwrap_or_default();
        lines.push(format!("By: {} {}", word("type"), word("login")).trim_end().to_owned());
    }
    if member(payload, "event").get("clients_id").is_some() {
        lines.push(format!("Client: {}", head(payload, "clients_id")));
    }
    let changes = changes(payload);
    if !changes.is_empty() {
        lines.push(String::new());
        lines.extend(changes.iter().take(CHANGES_MAX).cloned());
        lines.extend((changes.len() > CHANGES_MAX).then(|| format!("and {} more", changes.len() - CHANGES_MAX)));
    }
    lines.push(String::new());
    lines.push(format!("Event id: {}", head(payload, "id")));
    lines.join("\n")
}

fn changes(payload: &Object) -> Vec<String> {
    let (data, previous) = (member(payload, "data"), member(payload, "previous"));
    let line = |(key, value): (&String, &Json)| match previous.get(key) {
        _ if value == MASK => Some(format!("{key}: given anew, and not shown here")),
        Some(before) if before == value => None,
        Some(before) => Some(format!("{key}: {} -> {}", shown(before), shown(value))),
        None if value.is_null() => None,
        None => Some(format!("{key}: {}", shown(value))),
    };
    data.iter().filter_map(line).collect()
}

fn member<'p>(payload: &'p Object, name: &str) -> &'p Object {
    static NONE: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Object::new);
    payload.get(name).and_then(Json::as_object).unwrap_or(&NONE)
}

fn head(payload: &Object, name: &str) -> String {
    member(payload, "event").get(name).map(shown).unwrap_or_default()
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

/// On one line, and not without end.
fn cut(text: &str) -> String {
    let line: String = text.chars().take(VALUE_CHARACTERS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(VALUE_CHARACTERS_MAX).is_some() { format!("{line}...") } else { line }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_happened_to_whom_and_what_was_changed() {
        let Json::Object(payload) = json!({
            "event": {"id": "e", "events_id": "clients.update", "object_id": 42, "clients_id": 42, "dt": "2026-11-23T21:14:07+00:00",
                "mode": "live", "actor": {"type": "user", "id": 3, "login": "crm"}},
            "data": {"name": "Acme\r\nBcc: x@y", "credit": 5, "password": MASK}, "previous": {"name": "Old", "credit": 5, "password": MASK},
            "object": {"name": "Acme\r\nBcc: x@y"}})
        else {
            panic!()
        };
        assert!(headline(&payload).ends_with(": Acme  Bcc: x@y (42)"), "{}", headline(&payload));
        let details = details(&payload);
        assert!(
            details.contains("name: Old -> Acme  Bcc: x@y\npassword: given anew, and not shown here\n\nEvent id: e"),
            "{details}"
        );
    }
}
