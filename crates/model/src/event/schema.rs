//! An event's payload as JSON Schema, its `data` alone and whole: made from the objects' field tables.
use serde_json::{Value, json};

use super::{BALANCE_NOTZERO, BALANCE_ZERO, CATALOGUE, CUSTOM_FIELDS_UPDATE, EventType, Mode, Stage};
use crate::{
    field::{Access, Field, Kind, schema},
    handler::Basis,
    money::Money,
    objects::{account, client, client_package, custom_field, resync},
};

const AMOUNT: Kind = Kind::Money { min: Money::MIN, max: Money::MAX };

const CLIENT: Field = Field::id("id", "The client");

/// The `data` of both balance events.
const BALANCE: &[Field] = &[
    CLIENT,
    Field::new("basis", Kind::Choice(Basis::WORDS), "The balance that crossed"),
    Field::new("balance", AMOUNT, "Payments minus charges"),
    Field::new("credit", AMOUNT, "null = without limit").or_null(),
    Field::new("available", client::AVAILABLE, "Balance plus credit; null = without limit").or_null(),
    Field::new("previous_balance", AMOUNT, "The balance before"),
    Field::new("previous_available", client::AVAILABLE, "Balance plus credit before; null = without limit").or_null(),
];

/// The schema of the `data` of an event of this type.
#[must_use]
pub fn of(kind: &EventType) -> Value {
    if *kind == BALANCE_ZERO || *kind == BALANCE_NOTZERO {
        return whole(BALANCE);
    }
    if *kind == super::RESYNC_DONE {
        return whole(resync::DONE);
    }
    if *kind == CUSTOM_FIELDS_UPDATE {
        return schema::open_object(&[CLIENT], &["id"], &custom_field::VALUE);
    }
    if kind.object == "clients.packages" {
        return whole(client_package::FIELDS);
    }
    let (fields, always): (&[Field], &[&str]) = match kind.object {
        "clients.accounts" => (account::FIELDS, &["id", "clients_id"]),
        _ => (client::FIELDS, &["id"]),
    };
    match kind.events_id.rsplit('.').next() {
        Some("create") => whole(fields),
        Some("update") => schema::shown_object(
            fields.iter().filter(|field| always.contains(&field.name) || field.access == Access::Free),
            always,
        ),
        _ => schema::object(&[], &[]),
    }
}

/// The schema of all that a handler gets for an event of this type: the body of the POST, the standard input of the
/// script. New keys may come beside those of `event` and `object`; those of `data` are all that there are. An update that a
/// resync tells has the whole object in `data`, and nothing before it.
#[must_use]
pub fn payload(kind: &EventType) -> Value {
    let data = of(kind);
    let is_update = kind.events_id.ends_with(".update");
    let mut properties = json!({"event": head(kind), "data": data});
    if is_update {
        properties["previous"] = previous(&data);
        if *kind != CUSTOM_FIELDS_UPDATE {
            properties["data"] = json!({"anyOf": [data, whole(fields_of(kind))]});
        }
    }
    properties["object"] = whole_object(kind);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.events_id,
        "description": kind.title,
        "type": "object",
        "properties": properties,
        "required": ["event", "data", "object"],
    })
}

/// The schema of what a before handler gets that is told how it ended, whatever the event.
#[must_use]
pub fn outcome() -> Value {
    let named = json!({"type": "string", "enum": CATALOGUE.iter().filter(|kind| kind.stages.contains(&Stage::Before))
        .map(|kind| kind.events_id).collect::<Vec<_>>()});
    let text_or_null = |about: &str| json!({"type": ["string", "null"], "description": about});
    let by = json!({
        "type": ["object", "null"],
        "description": "What aborted it; null = it was committed",
        "properties": {
            "type": {"type": "string", "enum": ["handler", "conflict", "request", "unchanged", "replay", "failure", "crash"]},
            "id": {"type": "integer", "format": "int64", "description": "The handler"},
            "name": {"type": "string", "description": "Its name"},
            "reason": {"type": "string", "description": "Why it failed, if it did not forbid"},
        },
        "required": ["type"],
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "outcome",
        "description": "How an action ended that a before handler was asked about",
        "type": "object",
        "properties": {
            "event": head_of(&named, &[Stage::Outcome.word()]),
            "outcome": {
                "type": "object",
                "properties": {
                    "state": {"type": "string", "enum": ["committed", "aborted"]},
                    "by": by,
                    "message": text_or_null("The same in words"),
                },
                "required": ["state", "by", "message"],
            },
        },
        "required": ["event", "outcome"],
    })
}

/// The member `event`.
fn head(kind: &EventType) -> Value {
    let stages: Vec<&str> = kind.stages.iter().map(|stage: &Stage| stage.word()).collect();
    head_of(&json!({"const": kind.events_id}), &stages)
}

fn head_of(events_id: &Value, stages: &[&str]) -> Value {
    let number = |about: &str| json!({"type": "integer", "minimum": 0, "format": "int64", "description": about});
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "One per event, for every stage, handler and attempt"},
            "dt": {"type": "string", "format": "date-time", "description": "When it was asked for"},
            "events_id": events_id,
            "object_id": number("The object; 0 for a new one outside live"),
            "clients_id": number("Its client; 0 for a new one outside live"),
            "companies_id": number("The client's reseller"),
            "stage": {"type": "string", "enum": stages},
            "mode": {"type": "string", "enum": [Mode::Live.word(), Mode::DryRun.word(), Mode::Test.word()]},
            "seq": number("The number of the client's event; absent before the commit"),
            "era": number("A number that rises each time the database is restored from a backup; absent before the first time, which means 0"),
            "actor": actor(),
            "cause": {"type": ["string", "null"], "description": "The event that a handler was reacting to, or resync"},
            "resync": {
                "type": "object",
                "description": "Where a resync tells it: which, and how many events it was to have",
                "properties": {"id": number("The resync"), "total": number("Its events, as counted when it began")},
                "required": ["id", "total"],
            },
        },
        "required": ["id", "dt", "events_id", "object_id", "clients_id", "companies_id", "stage", "mode", "actor", "cause"],
    })
}

/// Who did it. Only people have an id and a login.
fn actor() -> Value {
    json!({
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["user", "clock", "import", "cli"]},
            "id": {"type": "integer", "description": "The user's id"},
            "login": {"type": "string", "description": "Its login"},
        },
        "required": ["type"],
    })
}

/// The old values of the keys of `data` that changed.
fn previous(data: &Value) -> Value {
    let mut previous = data.clone();
    if let Value::Object(schema) = &mut previous {
        schema.shift_remove("required");
    }
    previous
}

/// The object as the Core API shows it.
fn whole_object(kind: &EventType) -> Value {
    let mut schema = whole(fields_of(kind));
    if let Value::Object(schema) = &mut schema {
        schema.shift_remove("additionalProperties");
    }
    schema
}

/// What the object has.
fn fields_of(kind: &EventType) -> &'static [Field] {
    match kind.object {
        "clients.accounts" => account::FIELDS,
        "clients.packages" => client_package::FIELDS,
        "provisioning.resyncs" => resync::FIELDS,
        _ => client::FIELDS,
    }
}

/// Every field is always there.
fn whole(fields: &[Field]) -> Value {
    schema::shown_object(fields, &fields.iter().map(|field| field.name).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use crate::{
        Object,
        event::{self, CATALOGUE},
        moment::Moment,
        objects::{account::Account, client::Client},
    };

    use super::*;

    fn keys(schema: &Value) -> Vec<String> {
        schema["properties"].as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    }

    fn shown_keys(object: &Object) -> Vec<String> {
        object.keys().cloned().collect()
    }

    #[test]
    fn what_is_described_is_what_is_shown() {
        let client = Client::from_new(1, 1, 1, Moment::default(), &Object::new());
        assert_eq!(keys(&of(&event::CLIENTS_CREATE)), shown_keys(&client.shown()));
        let account = Account::from_new(1, String::new(), &Object::new());
        assert_eq!(keys(&of(&event::ACCOUNTS_CREATE)), shown_keys(&account.shown()));
    }

    #[test]
    fn an_update_holds_what_can_change_and_whose_it_is() {
        let schema = of(&event::ACCOUNTS_UPDATE);
        assert_eq!(schema["required"], serde_json::json!(["id", "clients_id"]));
        assert!(keys(&schema).contains(&"password".to_owned()));
        assert!(!keys(&schema).contains(&"clients_name".to_owned()));
    }

    #[test]
    fn custom_fields_have_whatever_keys_were_defined() {
        let schema = of(&event::CUSTOM_FIELDS_UPDATE);
        assert_eq!(schema["additionalProperties"]["type"], serde_json::json!(["string", "number", "boolean", "null"]));
    }

    #[test]
    fn every_event_is_described() {
        for kind in CATALOGUE {
            let schema = of(kind);
            assert_eq!(schema["type"], "object", "{}", kind.events_id);
            let is_empty = kind.events_id.ends_with("delete") || kind.events_id.ends_with("archive");
            assert_eq!(keys(&schema).is_empty(), is_empty, "{}", kind.events_id);
        }
    }
}
