//! What an event's `data` may hold, as JSON Schema: made from the objects' field tables.
use serde_json::Value;

use super::{BALANCE_NOTZERO, BALANCE_ZERO, EventType};
use crate::{
    field::{Access, Field, Kind, schema},
    handler::Basis,
    money::Money,
    objects::{account, client},
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
    let (fields, always): (&[Field], &[&str]) = match kind.object {
        "clients.accounts" => (account::FIELDS, &["id", "clients_id"]),
        _ => (client::FIELDS, &["id"]),
    };
    match kind.events_id.rsplit('.').next() {
        Some("create") => whole(fields),
        Some("update") => schema::object(fields.iter().filter(|field| always.contains(&field.name) || field.access == Access::Free), always),
        _ => schema::object(&[], &[]),
    }
}

/// Every field is always there.
fn whole(fields: &[Field]) -> Value {
    schema::object(fields, &fields.iter().map(|field| field.name).collect::<Vec<_>>())
}
