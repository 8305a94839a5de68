//! What comes back over REST: statuses, headers, bodies, for each address.
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{errors, examples, filters::Written, names, schemas};
use crate::rest::address::Address;

/// Statuses whose answer is the same wherever it occurs. What is found before anybody looks which method is meant comes
/// beside the refusals of methods: 408.
const SHARED: [u16; 10] = [400, 401, 403, 404, 408, 409, 413, 429, 500, 503];

/// Answers of the connection itself, which reads no more of such a request: they have no body.
const OF_THE_CONNECTION: [(u16, &str); 2] = [(414, "The address is too long"), (431, "The headers and the address are too long")];

/// Headers of answers.
pub(super) fn headers() -> Value {
    json!({
        "RequestId": {"description": "The request's name in the server's log; the caller's own, if it sent one",
            "schema": {"type": "string"}},
        "Warnings": {"description": "What handlers want the caller to know: a JSON array of texts", "schema": {"type": "string"}},
        "Total": {"description": "Rows that the filters find: with with_total, or where they are under 10000",
            "schema": {"type": "integer", "minimum": 0}},
        "Location": {"description": "The address of the new object", "schema": {"type": "string"}},
        "Challenge": {"description": "How to send a key", "schema": {"type": "string"}},
        "RetryAfter": {"description": "Seconds until another key may be tried", "schema": {"type": "integer", "minimum": 0}},
    })
}

fn with_headers(pairs: &[(&str, &str)]) -> Value {
    let all = [("X-Request-Id", "RequestId")];
    let reference = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    all.iter().chain(pairs).map(|(header, name)| ((*header).to_owned(), reference(name))).collect::<Object>().into()
}

/// The shared answers by name.
pub(super) fn shared() -> Value {
    let all: Vec<Refusal> = names::methods().flat_map(errors::of).collect();
    let first = |status: u16| all.iter().find(|refusal| refusal.http_status() == status);
    let described = |status: &u16| {
        let example = first(*status).map_or_else(too_late, errors::body);
        (shared_name(*status), of_refusals(*status, &schemas::reference(errors::name(*status)), &[("usual".to_owned(), example)]))
    };
    let bare = |(status, about): &(u16, &str)| (shared_name(*status), json!({"description": about}));
    SHARED.iter().map(described).chain(OF_THE_CONNECTION.iter().map(bare)).collect::<Object>().into()
}

fn reference(status: u16) -> Value {
    json!({"$ref": format!("#/components/responses/{}", shared_name(status))})
}

fn too_late() -> Value {
    json!({"error": {"message": "too_late: the body did not arrive within 30 s", "data": {"code": "too_late",
        "message": "the body did not arrive within 30 s"}}})
}

fn shared_name(status: u16) -> String {
    format!("Status{status}")
}

fn of_refusals(status: u16, schema: &Value, examples: &[(String, Value)]) -> Value {
    let headers = match status {
        401 => with_headers(&[("WWW-Authenticate", "Challenge")]),
        429 => with_headers(&[("Retry-After", "RetryAfter")]),
        _ => with_headers(&[]),
    };
    let examples: Object = examples.iter().map(|(name, value)| (name.clone(), json!({"value": value}))).collect();
    json!({"description": errors::about(status), "headers": headers,
        "content": {"application/json": {"schema": schema, "examples": examples}}})
}

/// The answers at an address.
pub(super) fn of(address: &Address) -> Value {
    let mut statuses = errors::by_status(address.method);
    statuses.entry(408).or_default();
    let mut responses = Object::new();
    for status in success_statuses(address) {
        responses.insert(status.to_string(), success(address));
    }
    for (status, refusals) in statuses {
        let response = if SHARED.contains(&status) { reference(status) } else { own(status, &refusals) };
        responses.insert(status.to_string(), response);
    }
    responses.extend(OF_THE_CONNECTION.map(|(status, _)| (status.to_string(), reference(status))));
    responses.into()
}

/// 201 for a new object; a dry run makes none.
fn success_statuses(address: &Address) -> Vec<u16> {
    match address.makes_in() {
        Some(_) if address.method.rehearses() => vec![200, 201],
        Some(_) => vec![201],
        None => vec![200],
    }
}

fn success(address: &Address) -> Value {
    let method = address.method;
    let mut headers = Vec::new();
    if method.changes() {
        headers.push(("Hookswitch-Warnings", "Warnings"));
    }
    if matches!(method.takes, hookswitch_core::registry::Takes::Filters(_)) {
        headers.push(("X-Total-Count", "Total"));
    }
    if address.makes_in().is_some() {
        headers.push(("Location", "Location"));
    }
    let schema = schemas::result(method, Written::Query);
    json!({"description": method.about, "headers": with_headers(&headers),
        "content": {"application/json": {"schema": schema, "example": examples::result(method)}}})
}

/// An answer of this method only: its codes are listed.
fn own(status: u16, refusals: &[Refusal]) -> Value {
    let code = |refusal: &Refusal| refusal.data(errors::REQUEST_ID)["code"].as_str().unwrap_or_default().to_owned();
    let codes: Vec<String> = refusals.iter().map(code).collect();
    let narrower = json!({"properties": {"error": {"properties": {"data": {"properties": {"code": {"enum": codes}}}}}}});
    let schema = json!({"allOf": [schemas::reference(errors::name(status)), narrower]});
    let examples: Vec<(String, Value)> = refusals.iter().map(|refusal| (code(refusal), errors::body(refusal))).collect();
    of_refusals(status, &schema, &examples)
}

/// The answers of `rpc.discover`.
pub(super) fn of_discover() -> Value {
    json!({
        "200": {"description": "The document", "headers": with_headers(&[]),
            "content": {"application/json": {"schema": {"type": "object"}}}},
        "401": reference(401),
        "429": reference(429),
        "414": reference(414),
        "431": reference(431),
    })
}
