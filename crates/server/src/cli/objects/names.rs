//! What collections and verbs are called on the command line. A new method needs nothing here: it gets a name by rule, and a
//! test says if that is taken.
use hookswitch_core::registry::{METHODS, Method};

/// Collections with a better name than the rule would give them.
const NOUNS: [(&str, &str); 4] = [
    ("clients.accounts", "accounts"),
    ("clients.packages", "client-packages"),
    ("clients.custom_fields", "client-custom-fields"),
    ("provisioning.executions", "logs"),
];

/// Verbs that people know by another name. What is listed is what `search` gives, so the catalogue of events, whose method is
/// called `list`, is called what it is.
const VERBS: [(&str, &str); 4] = [("search", "list"), ("create", "add"), ("update", "edit"), ("list", "catalogue")];

/// The collection of a method, and what it does with it.
pub(super) fn split(method: &Method) -> (&'static str, &'static str) {
    method.name.rsplit_once('.').unwrap_or(("", method.name))
}

/// What a collection is called.
pub(super) fn noun(collection: &str) -> String {
    if let Some((_, noun)) = NOUNS.iter().find(|(known, _)| *known == collection) {
        return (*noun).to_owned();
    }
    let own = ["provisioning.", "accounting."].into_iter().find_map(|area| collection.strip_prefix(area)).unwrap_or(collection);
    own.replace(['.', '_'], "-")
}

/// What a verb is called.
pub(super) fn verb(verb: &str) -> String {
    let known = VERBS.iter().find(|(known, _)| *known == verb).map(|(_, said)| *said);
    known.map_or_else(|| verb.replace('_', "-"), str::to_owned)
}

/// The API's own word for a verb, for whoever knows that: `clients search` is `clients list`. None where it means something else
/// here, or is the same.
pub(super) fn other_name(verb: &str) -> Option<&'static str> {
    VERBS.iter().map(|(known, _)| *known).find(|known| *known == verb && !VERBS.iter().any(|(_, said)| said == known))
}

/// What a parameter's flag is called, without its hyphens. What every command has of its own goes first.
pub(super) fn flag(name: &str) -> String {
    const OWN: [&str; 13] =
        ["url", "key", "json", "wide", "params", "set", "config", "data", "database", "key-file", "help", "version", "color"];
    let plain = name.replace('_', "-");
    if OWN.contains(&plain.as_str()) { format!("field-{plain}") } else { plain }
}

/// Every collection with its methods, in the order of the registry.
pub(super) fn collections() -> Vec<(&'static str, Vec<&'static Method>)> {
    let mut all: Vec<(&'static str, Vec<&'static Method>)> = Vec::new();
    for method in METHODS.iter().flat_map(|object| object.iter()) {
        let (collection, _) = split(method);
        match all.iter_mut().find(|(known, _)| *known == collection) {
            Some((_, methods)) => methods.push(method),
            None => all.push((collection, vec![method])),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_people_expect() {
        let said = |name: &str| {
            let (collection, verb_of) = name.rsplit_once('.').unwrap();
            format!("{} {}", noun(collection), verb(verb_of))
        };
        assert_eq!(said("clients.search"), "clients list");
        assert_eq!(said("clients.accounts.create"), "accounts add");
        assert_eq!(said("accounting.transactions.create_no_negative"), "transactions create-no-negative");
        assert_eq!(said("provisioning.executions.get"), "logs get");
        assert_eq!(said("provisioning.events.list"), "events catalogue");
        assert_eq!((flag("clients_id"), flag("key")), ("clients-id".to_owned(), "field-key".to_owned()));
    }
}
