//! Names of the Management API and of the Core API: foreign keys are the other way round, and a few have names of their own.
use hookswitch_core::registry::Method;
use hookswitch_model::Object;
use serde_json::Value;

use crate::meant::Meant;

/// Names of their own: there, here.
const OWN: [(&str, &str); 1] = [("periodical_fee", "period_fee")];

/// Parameters as a method takes them. `object` is the module's own object (`clients`): its `id_clients` is `id`. Numbers may come as
/// texts, as forms send them; what is empty is left out.
pub(super) fn inward(method: &Method, object: &str, given: Object) -> Object {
    let mut params = Object::new();
    for (name, value) in given {
        let name = inner(&name, object);
        let meant = Meant::of(&method.takes, &name);
        let value = match value {
            Value::String(text) => meant.read(&text).unwrap_or(Value::String(text)),
            Value::Array(items) => items.into_iter().map(|item| read(meant, item)).collect(),
            other => other,
        };
        params.insert(name, value);
    }
    params
}

fn read(meant: Meant, item: Value) -> Value {
    match item {
        Value::String(text) => meant.read(&text).unwrap_or(Value::String(text)),
        other => other,
    }
}

fn inner(name: &str, object: &str) -> String {
    if let Some((_, own)) = OWN.iter().find(|(there, _)| *there == name) {
        return (*own).to_owned();
    }
    match name.strip_prefix("id_") {
        Some(of) if of == object => "id".to_owned(),
        Some(of) => format!("{of}_id"),
        None => name.to_owned(),
    }
}

/// An object as it is shown there: with `id` and, of the module's own object, `id_clients` too.
pub(super) fn outward(object: &str, row: Object) -> Object {
    let mut shown = Object::new();
    for (name, value) in row {
        if name == "id" {
            shown.insert(name, value.clone());
            shown.insert(format!("id_{object}"), value);
            continue;
        }
        let there = OWN.iter().find(|(_, own)| *own == name).map(|(there, _)| (*there).to_owned());
        let there = there.or_else(|| name.strip_suffix("_id").map(|of| format!("id_{of}")));
        shown.insert(there.unwrap_or(name), value);
    }
    shown
}

/// The names of what is wrong, as the caller knows them.
pub(super) fn field_outward(object: &str, field: &str) -> String {
    if field == "id" {
        return format!("id_{object}");
    }
    let own = OWN.iter().find(|(_, own)| *own == field).map(|(there, _)| (*there).to_owned());
    own.or_else(|| field.strip_suffix("_id").map(|of| format!("id_{of}"))).unwrap_or_else(|| field.to_owned())
}

#[cfg(test)]
mod tests {
    use hookswitch_core::registry;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn names_go_in_and_come_out_again() {
        let method = registry::find("clients.accounts.update").unwrap();
        let given = json!({"id_accounts": "7", "id_clients": 5, "name": "007", "orig_enabled": "true"});
        let expected = json!({"id": 7, "clients_id": 5, "name": "007", "orig_enabled": true});
        assert_eq!(Value::from(inward(method, "accounts", object(given))), expected);
        let shown = outward("accounts", object(json!({"id": 7, "clients_id": 5, "name": "007"})));
        assert_eq!(Value::from(shown), json!({"id": 7, "id_accounts": 7, "id_clients": 5, "name": "007"}));
        assert_eq!(field_outward("packages", "period_fee"), "periodical_fee");
    }

    #[test]
    fn an_amount_keeps_its_digits() {
        let method = registry::find("packages.create").unwrap();
        let given = object(json!({"periodical_fee": "0.10"}));
        assert_eq!(inward(method, "packages", given)["period_fee"].to_string(), "0.10");
    }
}
