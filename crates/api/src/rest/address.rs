//! Where each method is found over REST, worked out from the one table of methods: nobody writes an address down, so that
//! none is forgotten and none can differ from the description.
//!
//! | method | address |
//! |---|---|
//! | `x.create` | `POST /api/x`, 201 |
//! | `x.search` | `GET /api/x` |
//! | `x.get`, `x.update`, `x.delete` | `GET`, `PATCH`, `DELETE /api/x/{id}` |
//! | any other verb of an object | `POST /api/x/{id}/verb` |
//! | any other verb | `POST /api/x/verb`; `GET` if it only reads |
//!
//! A verb whose `id` may be left out has an address with it and one without.
use std::sync::LazyLock;

use axum::http::Method as Http;
use hookswitch_core::{
    access::Right,
    registry::{METHODS, Method},
};
use hookswitch_model::field::{self, Access};

/// Verbs that make a new object, and are answered with 201.
const MAKING: [&str; 3] = ["create", "create_no_negative", "assign"];

/// One address of one method.
pub(crate) struct Address {
    /// The HTTP method.
    pub(crate) http: Http,
    /// Such as `/api/clients/accounts/{id}`.
    pub(crate) path: String,
    /// True if the path holds an `{id}`.
    pub(crate) has_id: bool,
    /// What is done there.
    pub(crate) method: &'static Method,
}

impl Address {
    fn new(http: Http, path: String, method: &'static Method) -> Self {
        Self { http, has_id: path.contains("{id}"), path, method }
    }

    /// The collection of a method that makes a new object there: such an answer is a 201, and names its address.
    pub(crate) fn makes_in(&self) -> Option<String> {
        let (collection, verb) = parts(self.method);
        MAKING.contains(&verb).then_some(collection)
    }
}

/// The addresses of all methods, in the order of the table.
pub(crate) fn addresses() -> &'static [Address] {
    static ADDRESSES: LazyLock<Vec<Address>> =
        LazyLock::new(|| METHODS.iter().flat_map(|object| object.iter()).flat_map(of_method).collect());
    &ADDRESSES
}

fn of_method(method: &'static Method) -> Vec<Address> {
    let (collection, verb) = parts(method);
    let object = || format!("{collection}/{{id}}");
    let one = |http, path| vec![Address::new(http, path, method)];
    match verb {
        "create" => one(Http::POST, collection),
        "create_no_negative" => one(Http::POST, format!("{collection}/prepaid")),
        "search" => one(Http::GET, collection),
        "get" => one(Http::GET, object()),
        "update" => one(Http::PATCH, object()),
        "delete" => one(Http::DELETE, object()),
        _ => of_verb(method, &collection, verb),
    }
}

fn of_verb(method: &'static Method, collection: &str, verb: &str) -> Vec<Address> {
    let http = if method.right == Right::Read { Http::GET } else { Http::POST };
    let with_id = format!("{collection}/{{id}}/{verb}");
    let without = format!("{collection}/{verb}");
    // A new object's own id is given by the system.
    let sent = field::find(method.takes.fields(), "id").filter(|id| id.access != Access::ReadOnly);
    let paths = match sent {
        None => vec![without],
        Some(id) if id.required => vec![with_id],
        Some(_) => vec![with_id, without],
    };
    paths.into_iter().map(|path| Address::new(http.clone(), path, method)).collect()
}

/// The collection's path, and the verb.
fn parts(method: &'static Method) -> (String, &'static str) {
    let (collection, verb) = method.name.rsplit_once('.').unwrap_or(("", method.name));
    (format!("/api/{}", collection.replace('.', "/")), verb)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn of(name: &str) -> Vec<String> {
        let own = addresses().iter().filter(|address| address.method.name == name);
        own.map(|address| format!("{} {}", address.http, address.path)).collect()
    }

    #[test]
    fn every_method_has_an_address_and_no_two_have_the_same() {
        let mut taken = HashSet::new();
        for method in METHODS.iter().flat_map(|object| object.iter()) {
            let own = of(method.name);
            assert!(!own.is_empty(), "{}", method.name);
            for address in own {
                assert!(taken.insert(address.clone()), "{address} of {} is taken", method.name);
            }
        }
    }

    #[test]
    fn addresses_are_those_of_the_contract() {
        for (name, expected) in [
            ("clients.create", "POST /api/clients"),
            ("clients.search", "GET /api/clients"),
            ("clients.get", "GET /api/clients/{id}"),
            ("clients.accounts.update", "PATCH /api/clients/accounts/{id}"),
            ("clients.delete", "DELETE /api/clients/{id}"),
            ("clients.archive", "POST /api/clients/{id}/archive"),
            ("users.rotate_key", "POST /api/users/{id}/rotate_key"),
            ("provisioning.handlers.pause", "POST /api/provisioning/handlers/{id}/pause"),
            ("accounting.transactions.create_no_negative", "POST /api/accounting/transactions/prepaid"),
            ("provisioning.events.list", "GET /api/provisioning/events/list"),
            ("provisioning.events.get", "GET /api/provisioning/events/{id}"),
            ("provisioning.deliveries.resend", "POST /api/provisioning/deliveries/resend"),
            ("system.status", "GET /api/system/status"),
            ("clients.packages.assign", "POST /api/clients/packages/assign"),
            ("clients.packages.renew", "POST /api/clients/packages/{id}/renew"),
        ] {
            assert_eq!(of(name), [expected], "{name}");
        }
    }

    #[test]
    fn the_page_for_integrators_names_every_address_and_no_other() {
        let page = include_str!("../../../../docs/core-api.md");
        let (_, table) = page.split_once("## Every method and its address").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        let row = |address: &Address| format!("`{} {}` |", address.http, address.path);
        let missing: Vec<String> = addresses().iter().map(row).filter(|row| !table.contains(row)).collect();
        assert!(missing.is_empty(), "docs/core-api.md has no row for {missing:#?}");
        let rows = table.lines().filter(|line| line.contains("/api/")).count();
        assert_eq!(rows, addresses().len(), "docs/core-api.md has a row too many");
    }

    #[test]
    fn a_verb_whose_id_may_be_left_out_has_two_addresses() {
        let both = ["POST /api/provisioning/handlers/{id}/test", "POST /api/provisioning/handlers/test"];
        assert_eq!(of("provisioning.handlers.test"), both);
    }

    #[test]
    fn what_makes_an_object_says_in_which_collection() {
        let makes = |path: &str| addresses().iter().find(|address| address.path == path).unwrap().makes_in();
        assert_eq!(makes("/api/accounting/transactions/prepaid").as_deref(), Some("/api/accounting/transactions"));
        assert_eq!(makes("/api/clients/{id}/archive"), None);
    }
}
