//! What things are called in the descriptions: worked out from the names of methods, so that a new object has its names at
//! once.
use std::sync::LazyLock;

use hookswitch_core::registry::{METHODS, Method};

/// Every method, in the order of the table.
pub(super) fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().flat_map(|object| object.iter())
}

/// A method's collection, such as `clients.accounts`.
pub(super) fn collection(method: &Method) -> &'static str {
    method.name.rsplit_once('.').map_or(method.name, |(collection, _)| collection)
}

/// A method's verb, such as `create`.
pub(super) fn verb(method: &Method) -> &'static str {
    method.name.rsplit_once('.').map_or(method.name, |(_, verb)| verb)
}

/// One object of a collection: `Account` of `clients.accounts`. Where two collections end alike the longer one keeps all its
/// words: `packages` has a `Package`, `clients.packages` a `ClientPackage`.
pub(super) fn object(collection: &str) -> String {
    let last = collection.rsplit('.').next().unwrap_or(collection);
    let shorter = |other: &&str| other.rsplit('.').next() == Some(last) && other.len() < collection.len();
    if COLLECTIONS.iter().any(shorter) {
        collection.split('.').map(|word| pascal(&singular(word))).collect()
    } else {
        pascal(&singular(last))
    }
}

/// One object of a collection as the parameter that holds it: `handler` of `provisioning.handlers`.
pub(super) fn member(collection: &str) -> String {
    singular(collection.rsplit('.').next().unwrap_or(collection))
}

/// The method that makes objects of this collection.
pub(super) fn create_of(collection: &str) -> Option<&'static Method> {
    methods().find(|method| self::collection(method) == collection && verb(method) == "create")
}

static COLLECTIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| methods().map(collection).collect());

/// What a method is sent: `AccountCreate`.
pub(super) fn request(method: &Method) -> String {
    object(collection(method)) + &pascal(verb(method))
}

/// An object with further fields: `UserWithKey`, or `WholeEvent` where there are several.
pub(super) fn object_and(collection: &str, further: &[&str]) -> String {
    match further {
        [one] => format!("{}With{}", object(collection), pascal(one)),
        _ => format!("Whole{}", object(collection)),
    }
}

/// A method as an identifier: `clients_accounts_create`.
pub(super) fn operation(method: &Method) -> String {
    method.name.replace('.', "_")
}

fn pascal(words: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    words.split('_').filter(|word| !word.is_empty() && word.is_ascii()).map(capital).collect()
}

fn singular(plural: &str) -> String {
    match (plural.strip_suffix("ies"), plural.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) => stem.to_owned(),
        _ => plural.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_called_by_one_of_its_collection() {
        for (collection, expected) in [
            ("clients", "Client"),
            ("clients.accounts", "Account"),
            ("accounting.transactions", "Transaction"),
            ("companies", "Company"),
            ("provisioning.deliveries", "Delivery"),
            ("custom_fields", "CustomField"),
            ("clients.custom_fields", "ClientCustomField"),
        ] {
            assert_eq!(object(collection), expected);
        }
    }

    #[test]
    fn further_fields_show_in_the_name() {
        assert_eq!(object_and("users", &["key"]), "UserWithKey");
        assert_eq!(object_and("provisioning.events", &["data", "object"]), "WholeEvent");
    }
}
