//! A request's parameters from the three places where REST has them: path, query string, body. Nothing is overlooked and
//! nothing wins silently: what is said twice, or where it does not count, is a field error.
use axum::http::Method as Http;
use hookswitch_core::registry::Method;
use hookswitch_model::{
    Object, json,
    refusal::{FieldErrors, Refusal},
};
use serde_json::Value;

use super::query;
use crate::{aliases, meant::Meant};

/// What was sent, and where.
pub(super) struct Sent<'a> {
    pub(super) http: &'a Http,
    /// The `{id}` of the path.
    pub(super) id: Option<&'a str>,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
    /// It came to an address of the first generation.
    pub(super) first_generation: bool,
}

/// The parameters of a call.
///
/// # Errors
/// What can't be read, or is said in two places.
pub(super) fn read(method: &Method, sent: &Sent<'_>) -> Result<Object, Refusal> {
    let mut params = body(sent.body)?;
    if sent.first_generation {
        aliases::read_numbers(method, &mut params);
    }
    let mut errors = FieldErrors::new();
    for (name, value) in query::read(sent.query, &method.takes)? {
        if !takes_queries(sent.http) {
            errors.add(&name, "must be in the body: only GET and DELETE take a query string");
        } else if params.contains_key(&name) {
            errors.add(&name, "is in the query string and in the body");
        } else {
            params.insert(name, value);
        }
    }
    if let Some(text) = sent.id {
        let id = Meant::of(&method.takes, "id").read(text).unwrap_or_else(|| text.into());
        if params.get("id").is_some_and(|other| !json::same(other, &id)) {
            errors.add("id", "differs from the id in the path");
        }
        params.insert("id".to_owned(), id);
    }
    errors.or(params)
}

/// Whoever changes something says what in the body; many clients send none with DELETE.
fn takes_queries(http: &Http) -> bool {
    [Http::GET, Http::HEAD, Http::DELETE].contains(http)
}

fn body(bytes: &[u8]) -> Result<Object, Refusal> {
    if bytes.is_empty() {
        return Ok(Object::new());
    }
    match json::parse(bytes) {
        Ok(Value::Object(params)) => Ok(params),
        Ok(_) => Err(Refusal::field("body", "must be a JSON object")),
        Err(error) => Err(Refusal::field("body", error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use hookswitch_core::registry;
    use serde_json::json;

    use super::*;

    fn sent<'a>(http: &'a Http, id: Option<&'a str>, query: &'a str, body: &'a str) -> Sent<'a> {
        Sent { http, id, query, body: body.as_bytes(), first_generation: false }
    }

    fn read_as(method: &str, sent: &Sent<'_>) -> Result<Value, Refusal> {
        read(registry::find(method).unwrap(), sent).map(Value::from)
    }

    fn wrong(method: &str, sent: &Sent<'_>) -> Vec<(String, String)> {
        let Err(Refusal::Invalid(errors)) = read_as(method, sent) else { panic!("field errors") };
        errors.iter().map(|(name, words)| (name.to_owned(), words.to_owned())).collect()
    }

    #[test]
    fn path_query_and_body_come_together() {
        let get = sent(&Http::GET, None, "id=1&limit=2", r#"{"status": ["active"]}"#);
        assert_eq!(read_as("clients.search", &get).unwrap(), json!({"status": ["active"], "id": 1, "limit": 2}));
        let delete = sent(&Http::DELETE, Some("12"), "force=true", "");
        assert_eq!(read_as("clients.delete", &delete).unwrap(), json!({"force": true, "id": 12}));
        let patch = sent(&Http::PATCH, Some("12"), "", r#"{"id": 12.0, "name": "x"}"#);
        assert_eq!(read_as("clients.update", &patch).unwrap(), json!({"id": 12, "name": "x"}));
    }

    #[test]
    fn what_is_said_in_two_places_is_named() {
        let twice = sent(&Http::GET, None, "id=1&limit=1", r#"{"id": 1}"#);
        assert_eq!(wrong("clients.search", &twice), [("id".into(), "is in the query string and in the body".into())]);
        let other = sent(&Http::DELETE, Some("12"), "id=13", "");
        assert_eq!(wrong("clients.delete", &other), [("id".into(), "differs from the id in the path".into())]);
        let query = sent(&Http::PATCH, Some("12"), "name=x&dry_run=true", r#"{"id": 13}"#);
        let names: Vec<String> = wrong("clients.update", &query).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["dry_run", "id", "name"]);
    }

    #[test]
    fn an_id_is_a_number_only_where_numbers_are_ids() {
        let of = |method, id| read_as(method, &sent(&Http::GET, Some(id), "", "")).unwrap()["id"].clone();
        assert_eq!(of("clients.get", "7"), json!(7));
        assert_eq!(of("clients.get", "abc"), json!("abc"));
        assert_eq!(of("clients.update", "7"), json!(7));
        assert_eq!(of("provisioning.events.get", "7"), json!("7"));
    }

    #[test]
    fn a_body_that_is_no_object_is_named() {
        for text in ["[]", "7", "null", "{", "{\"a\":1,\"a\":2}"] {
            assert_eq!(wrong("clients.create", &sent(&Http::POST, None, "", text))[0].0, "body", "{text}");
        }
        assert_eq!(read_as("clients.create", &sent(&Http::POST, None, "", "")).unwrap(), json!({}));
    }

    #[test]
    fn numbers_may_be_texts_at_addresses_of_the_first_generation_only() {
        let create = sent(&Http::POST, None, "", r#"{"clients_id": "12"}"#);
        assert_eq!(read_as("clients.accounts.create", &create).unwrap(), json!({"clients_id": "12"}));
        let old = Sent { first_generation: true, ..create };
        assert_eq!(read_as("clients.accounts.create", &old).unwrap(), json!({"clients_id": 12}));
    }
}
