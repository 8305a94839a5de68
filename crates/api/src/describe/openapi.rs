//! The Core API over REST, as OpenAPI 3.1: every address of every method, from the very list that the router is made of.
use hookswitch_core::registry::{Method, Takes};
use hookswitch_model::Object;
use serde_json::{Value, json};

use super::{
    about, errors, examples,
    filters::Written,
    names,
    params::{self, Param},
    responses, samples, schemas,
};
use crate::rest::address::{Address, addresses};

/// The whole document.
pub(super) fn document() -> Value {
    let mut paths = Object::new();
    for address in addresses() {
        let path = paths.entry(address.path.clone()).or_insert_with(|| json!({}));
        path[address.http.as_str().to_ascii_lowercase()] = operation(address);
    }
    paths.insert("/api/rpc/discover".into(), json!({"get": discover()}));
    let mut components = schemas::components();
    components.extend(bodies());
    components.extend(errors::components());
    json!({
        "openapi": "3.1.0",
        "info": about::info("REST. A success is the bare result; an error is `{\"error\": {\"message\", \"data\"}}`. A list of \
            values in a query string is a repeated key, and `null` there stands for no value. The same methods are found over \
            JSON-RPC 2.0 at /api/; rpc.discover describes them."),
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"bearer": []}],
        "tags": tags(),
        "paths": paths,
        "components": {"securitySchemes": security_schemes(), "parameters": headers(), "responses": responses::shared(),
            "headers": responses::headers(), "schemas": components},
    })
}

fn security_schemes() -> Value {
    json!({
        "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        "bearer": {"type": "http", "scheme": "bearer", "description": "The same key"},
    })
}

/// Headers that requests may have.
fn headers() -> Value {
    let key = names::methods().find_map(params::idempotency_key).unwrap_or_default();
    json!({
        "IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": false, "schema": key,
            "description": "Makes a repeated request return the first success, for 24 hours, per user and method"},
        "Cause": {"name": "Hookswitch-Cause", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "Copied by a handler from the call that it got: what it does is known as its reaction, and it is not \
                called for it again. A false one is ignored"},
    })
}

fn tags() -> Vec<Value> {
    let mut tags: Vec<Value> = Vec::new();
    for name in names::methods().map(names::collection).chain(["rpc"]) {
        if tags.iter().all(|tag| tag["name"] != name) {
            tags.push(json!({"name": name}));
        }
    }
    tags
}

/// The bodies that methods take, each under its name; those of two addresses differ by the `id`.
fn bodies() -> impl Iterator<Item = (String, Value)> {
    addresses()
        .iter()
        .filter(|address| has_body(address))
        .map(|address| (body_name(address), schemas::body(address.method, address.has_id)))
}

fn has_body(address: &Address) -> bool {
    ["POST", "PATCH", "PUT"].contains(&address.http.as_str())
}

/// `HandlerTest` where the address has the id or there is none, `HandlerTestWithoutId` for the address beside it.
fn body_name(address: &Address) -> String {
    names::request(address.method) + if is_second(address) { "WithoutId" } else { "" }
}

/// True for the address without an id of a method that has one with it too.
fn is_second(address: &Address) -> bool {
    !address.has_id && addresses().iter().any(|other| std::ptr::eq(other.method, address.method) && other.has_id)
}

fn operation(address: &Address) -> Value {
    let method = address.method;
    let suffix = if is_second(address) { "_without_id" } else { "" };
    let mut operation = json!({
        "operationId": names::operation(method) + suffix,
        "tags": [names::collection(method)],
        "summary": method.about,
        "description": about::rights(method),
        "parameters": parameters(address),
    });
    if has_body(address) {
        operation["requestBody"] = request_body(address);
    }
    operation["responses"] = responses::of(address);
    operation
}

fn parameters(address: &Address) -> Vec<Value> {
    let method = address.method;
    let example = examples::request(method);
    let own = params::own(method, Written::Query);
    let path = own.iter().filter(|param| address.has_id && param.name == "id").map(|param| path_parameter(param, &example));
    let mut parameters: Vec<Value> = path.collect();
    if !has_body(address) {
        let options = params::dry_run(method);
        let query = own.iter().chain(&options).filter(|param| !(address.has_id && param.name == "id"));
        parameters.extend(query.map(|param| query_parameter(param, &example)));
    }
    if method.idempotent {
        parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    if method.changes() {
        parameters.push(json!({"$ref": "#/components/parameters/Cause"}));
    }
    parameters
}

fn path_parameter(param: &Param, example: &Object) -> Value {
    // In an address it can be neither absent nor null.
    let mut schema = param.schema.clone();
    if let Some(Value::Array(types)) = schema.get("type") {
        schema["type"] = types.first().cloned().unwrap_or_default();
    }
    let example = example.get("id").cloned().unwrap_or(json!(1));
    json!({"name": "id", "in": "path", "required": true, "schema": schema, "example": example, "description": param.about()})
}

fn query_parameter(param: &Param, example: &Object) -> Value {
    let mut parameter = json!({"name": param.name, "in": "query", "required": param.required, "schema": param.schema,
        "style": "form", "explode": true, "description": param.about()});
    if let Some(value) = example.get(&param.name) {
        parameter["example"] = value.clone();
    }
    parameter
}

fn request_body(address: &Address) -> Value {
    let method = address.method;
    let mut example = examples::request(method);
    if address.has_id {
        example.shift_remove("id");
    } else if is_second(address) {
        example = unsaved(method);
    }
    let schema = schemas::reference(&body_name(address));
    let required =
        params::own(method, Written::Json).iter().any(|param| param.required && !(address.has_id && param.name == "id"));
    let needs_one = required || matches!(method.takes, Takes::Selection(..));
    json!({"required": needs_one, "content": {"application/json": {"schema": schema, "example": example}}})
}

/// The object itself in place of its id.
fn unsaved(method: &Method) -> Object {
    let collection = names::collection(method);
    let fields = names::create_of(collection).map(examples::request).unwrap_or_default();
    let events_id = samples::of_schema(collection, "events_id", &Value::Null);
    Object::from_iter([(names::member(collection), fields.into()), ("events_id".to_owned(), events_id)])
}

/// The other description.
fn discover() -> Value {
    json!({
        "operationId": "rpc_discover",
        "tags": ["rpc"],
        "summary": about::DISCOVER,
        "description": "Needs no key.",
        "security": [],
        "responses": responses::of_discover(),
    })
}
