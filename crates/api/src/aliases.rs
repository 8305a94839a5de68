//! Methods under their first-generation names, and the habits of the clients that use them: numbers come as texts
//! (`"id": "12"`). Present names stay strict: there a text is no number.
use hookswitch_core::registry::{self, Method};
use hookswitch_model::{Object, event::aliases};
use serde_json::{Number, Value};

use crate::meant::Meant;

/// Digits of the longest integer.
const DIGITS_MAX: usize = 19;

/// The method that the first generation knew by this name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    registry::find(&aliases::present(name)?)
}

/// The first generation's paths for a path of today.
pub(crate) fn paths(path: &str) -> impl Iterator<Item = String> {
    let as_path = |collection: &str| format!("/api/{}", collection.replace('.', "/"));
    aliases::COLLECTIONS.iter().filter_map(move |(old, now)| {
        let rest = path.strip_prefix(&as_path(now)).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        Some(format!("{}{rest}", as_path(old)))
    })
}

/// Reads as numbers what such a client wrote as texts; what is no number is left for the validation to name.
pub(crate) fn read_numbers(method: &Method, params: &mut Object) {
    for (name, value) in params.iter_mut() {
        if Meant::of(&method.takes, name) == Meant::Integer {
            match value {
                Value::Array(items) => items.iter_mut().for_each(read_number),
                one => read_number(one),
            }
        }
    }
}

fn read_number(value: &mut Value) {
    if let Value::String(text) = value
        && (1..=DIGITS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = text.parse::<i64>()
    {
        *value = Number::from(number).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(method: &str, params: Value) -> Value {
        let Value::Object(mut params) = params else { panic!("an object") };
        read_numbers(find(method).unwrap(), &mut params);
        params.into()
    }

    #[test]
    fn methods_are_found_by_their_old_names() {
        assert_eq!(find("accounts.search").unwrap().name, "clients.accounts.search");
        assert_eq!(find("transactions.create").unwrap().name, "accounting.transactions.create");
        for name in ["clients.accounts.search", "accounts", "accounts.renew", "accounting.search", ""] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn old_paths_are_those_of_whole_collections() {
        let of = |path| paths(path).collect::<Vec<_>>();
        assert_eq!(of("/api/clients/accounts/{id}"), ["/api/accounts/{id}"]);
        assert_eq!(of("/api/clients/packages"), ["/api/clients_packages", "/api/clients/subscriptions"]);
        assert_eq!(of("/api/clients/{id}/archive"), [""; 0]);
        assert_eq!(of("/api/clients/packages_more"), [""; 0]);
    }

    #[test]
    fn digits_are_numbers_where_numbers_are_meant_and_nowhere_else() {
        assert_eq!(read("accounts.search", json!({"id": "12", "name": "12"})), json!({"id": 12, "name": "12"}));
        let several = json!({"clients_id": ["1", 2, "x", "", "-3"], "limit": "007"});
        assert_eq!(read("transactions.search", several), json!({"clients_id": [1, 2, "x", "", "-3"], "limit": 7}));
        let payment = json!({"clients_id": "12", "amount": "5", "external_id": "77"});
        assert_eq!(read("transactions.create", payment), json!({"clients_id": 12, "amount": "5", "external_id": "77"}));
        let long = json!({"id": "9".repeat(19)});
        assert_eq!(read("accounts.search", long.clone()), long, "more than an integer holds");
    }
}
