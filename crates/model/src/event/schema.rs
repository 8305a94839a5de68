//! What an event's `data` may hold, as JSON Schema: made from the objects' field tables.
use serde_json::Value;

use super::{BALANCE_NOTZERO, BALANCE_ZERO, EventType};
use crate::{
    field::{Access, Field, Kind, schema},
    handler::Basis,
    money::Money,
    objects::{account, client, client_package},
};

const AMOUNT: Kind = Kind::Money { min: Money::MIN, max: Money::MAX };

/// The `data` of both balance events.
const BALANCE: &[Field] = &[
    Field::id("id", "The client"),
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
    if kind.object == "clients.packages" {
        return whole(client_package::FIELDS);
    }
    let (fields, always): (&[Field], &[&str]) = match kind.object {
        "clients.accounts" => (account::FIELDS, &["id", "clients_id"]),
        _ => (client::FIELDS, &["id"]),
    };
    match kind.events_id.rsplit('.').next() {
        Some("create") => whole(fields),
        Some("update") => {
            schema::object(fields.iter().filter(|field| always.contains(&field.name) || field.access == Access::Free), always)
        }
        _ => schema::object(&[], &[]),
    }
}

/// Every field is always there.
fn whole(fields: &[Field]) -> Value {
    schema::object(fields, &fields.iter().map(|field| field.name).collect::<Vec<_>>())
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
    fn every_event_is_described() {
        for kind in CATALOGUE {
            let schema = of(kind);
            assert_eq!(schema["type"], "object", "{}", kind.events_id);
            let is_empty = kind.events_id.ends_with("delete") || kind.events_id.ends_with("archive");
            assert_eq!(keys(&schema).is_empty(), is_empty, "{}", kind.events_id);
        }
    }
}
