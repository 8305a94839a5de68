//! The descriptions are whole, and their examples are good: by the schemas that stand beside them, and by the very checks
//! that requests meet.
mod files;

use hookswitch_core::registry::{Method, find};
use hookswitch_model::Object;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{errors, examples, filters::Written, names, openapi, openrpc, params, schemas};
use crate::{
    fixture::{ADMIN_KEY, Fixture},
    rest::address::addresses,
};

/// A schema together with the shared ones that it refers to.
fn validator(schema: &Value, document: &Value) -> Validator {
    let mut schema = json!({"allOf": [schema]});
    schema["components"] = document["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap_or_else(|error| panic!("{error}: {schema:#}"))
}

#[track_caller]
fn assert_valid(what: &str, schema: &Value, document: &Value, value: &Value) {
    let errors: Vec<String> = validator(schema, document).iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}\nin {value:#}");
}

#[test]
fn every_method_is_described_in_both() {
    let (rest, rpc) = (openapi(), openrpc());
    let described: Vec<&str> = rpc["methods"].as_array().unwrap().iter().map(|method| method["name"].as_str().unwrap()).collect();
    let all: Vec<&str> = names::methods().map(|method| method.name).chain([super::DISCOVER]).collect();
    assert_eq!(described, all);
    for address in addresses() {
        let operation = &rest["paths"][&address.path][address.http.as_str().to_lowercase()];
        assert!(operation["operationId"].as_str().unwrap().starts_with(&names::operation(address.method)), "{}", address.path);
    }
}

#[test]
fn no_two_operations_have_one_name() {
    let mut ids: Vec<&str> = Vec::new();
    for path in openapi()["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(!ids.contains(&id), "{id} is there twice");
            ids.push(id);
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| match value.as_str().filter(|_| name == "$ref") {
                Some(reference) => found.push(reference),
                None => references(value, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    for document in [openapi(), openrpc()] {
        let mut found = Vec::new();
        references(document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }
}

#[test]
fn every_request_example_passes_the_check_that_a_request_meets() {
    for method in names::methods() {
        let request = examples::request(method);
        let shown = Value::Object(request.clone());
        if let Err(errors) = method.check(&request) {
            panic!("{} {shown}: {errors:?}", method.name);
        }
        if let Some(list) = method.takes.list() {
            let mut filters = request;
            method.takes.fields().iter().for_each(|field| drop(filters.shift_remove(field.name)));
            list.query(&filters, None).unwrap_or_else(|errors| panic!("{} {shown}: {errors:?}", method.name));
        }
    }
}

fn params_schema(method: &Method) -> Value {
    schemas::body(method, false)
}

#[test]
fn every_request_example_fits_its_schema() {
    for method in names::methods() {
        let request = Value::Object(examples::request(method));
        assert_valid(method.name, &params_schema(method), openrpc(), &request);
    }
    for address in addresses() {
        let operation = &openapi()["paths"][&address.path][address.http.as_str().to_lowercase()];
        let content = &operation["requestBody"]["content"]["application/json"];
        if !content.is_null() {
            assert_valid(&address.path, &content["schema"], openapi(), &content["example"]);
        }
        for parameter in operation["parameters"].as_array().unwrap().iter().filter(|parameter| parameter.get("example").is_some())
        {
            let what = format!("{} {}", address.path, parameter["name"]);
            assert_valid(&what, &parameter["schema"], openapi(), &parameter["example"]);
        }
    }
}

#[test]
fn every_result_example_fits_its_schema() {
    for method in names::methods() {
        let example = examples::result(method);
        assert_valid(method.name, &schemas::result(method, Written::Json), openrpc(), &example);
        assert_valid(method.name, &schemas::result(method, Written::Query), openapi(), &example);
    }
}

#[test]
fn every_error_example_fits_its_schema_and_says_what_the_server_says() {
    for address in addresses() {
        let operation = &openapi()["paths"][&address.path][address.http.as_str().to_lowercase()];
        for refusal in errors::of(address.method) {
            let mut response = &operation["responses"][refusal.http_status().to_string()];
            if let Some(reference) = response["$ref"].as_str() {
                response = openapi().pointer(&reference[1..]).unwrap();
            }
            let schema = &response["content"]["application/json"]["schema"];
            assert_valid(&format!("{} {refusal}", address.path), schema, openapi(), &errors::body(&refusal));
        }
    }
}

fn codes(method: &str) -> Vec<i64> {
    let methods = openrpc()["methods"].as_array().unwrap();
    let method = methods.iter().find(|found| found["name"] == method).unwrap();
    method["errors"].as_array().unwrap().iter().map(|error| error["code"].as_i64().unwrap()).collect()
}

#[test]
fn errors_are_listed_where_they_can_occur() {
    assert_eq!(codes("clients.search"), [-32602, -32001, -32013, -32029, -32603]);
    let all = [-32602, -32001, -32003, -32004, -32009, -32013, -32022, -32022, -32022, -32029, -32603, -32053];
    assert_eq!(codes("clients.update"), all);
    assert!(!codes("accounting.transactions.create").contains(&-32053), "nobody is asked about a transaction");
}

#[test]
fn options_are_described_for_those_who_take_them() {
    let names = |method: &str| -> Vec<&str> {
        let methods = openrpc()["methods"].as_array().unwrap();
        let params = &methods.iter().find(|found| found["name"] == method).unwrap()["params"];
        params.as_array().unwrap().iter().filter_map(|param| param["name"].as_str()).collect()
    };
    assert_eq!(names("clients.archive"), ["id", "dry_run", "idempotency_key"]);
    assert_eq!(names("clients.get"), ["id"]);
    let handler = names("provisioning.handlers.create");
    assert_eq!(handler.iter().filter(|name| **name == "dry_run").count(), 1, "a handler has a field of that name");
}

#[test]
fn a_list_is_described_as_it_is_asked() {
    let search = find("clients.search").unwrap();
    let described = params_schema(search);
    let whole = validator(&described, openrpc());
    for (filters, good) in [
        (json!({"id": 1, "status": ["active", "stopped"], "credit": null}), true),
        (json!({"c_dt_from": "2026-11-23", "c_dt_to": "2026-11-23T21:14:07+00:00"}), true),
        (json!({"order": "-name", "limit": 1000, "with_total": true}), true),
        (json!({"limit": 1001}), false),
        (json!({"order": ["nothing"]}), false),
        (json!({"status": "gone"}), false),
        (json!({"unknown": 1}), false),
        (json!({"c_dt_from": "yesterday"}), false),
    ] {
        assert_eq!(whole.is_valid(&filters), good, "{filters}");
        let Value::Object(filters) = filters else { unreachable!("written above") };
        let dates_are_read_at_the_door: Object = filters.into_iter().filter(|(_, value)| *value != "2026-11-23").collect();
        assert_eq!(search.takes.list().unwrap().query(&dates_are_read_at_the_door, None).is_ok(), good);
    }
}

#[test]
fn whatever_other_keys_there_may_be_is_said() {
    let update = find("clients.custom_fields.update").unwrap();
    assert!(params::other_keys(update).is_object());
    assert!(validator(&params_schema(update), openrpc()).is_valid(&json!({"id": 1, "sla": "gold"})));
    assert!(!validator(&params_schema(find("clients.get").unwrap()), openrpc()).is_valid(&json!({"id": 1, "sla": "gold"})));
}

const WRONG: (&str, &str) = ("x-api-key", "wrong-wrong-wrong-wrong-wrong-wrong");
const RIGHT: (&str, &str) = ("x-api-key", ADMIN_KEY);

#[tokio::test]
async fn the_descriptions_need_no_key_but_take_no_wrong_one() {
    let fixture = Fixture::open().await;
    for path in ["/api/openapi.json", "/api/rpc/discover", "/api/docs", "/api/docs/", "/api/docs/swagger-ui.css"] {
        assert_eq!(fixture.get(path, &[RIGHT]).await.status, 200, "{path}");
        assert_eq!(fixture.get(path, &[WRONG]).await.status.as_u16() / 100, 4, "{path}");
    }
    assert_eq!(fixture.get("/api/openapi.json", &[]).await.json(), openapi::document());
    assert_eq!(fixture.get("/api/rpc/discover", &[]).await.json(), openrpc::document());
}

#[tokio::test]
async fn rpc_discover_is_a_method_without_a_key() {
    let fixture = Fixture::open().await;
    let call = |params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": "rpc.discover", "params": params});
    assert_eq!(fixture.post(&[], &call(json!({}))).await.json()["result"], openrpc::document());
    assert_eq!(fixture.post(&[WRONG], &call(json!({}))).await.status, 401);
    assert_eq!(fixture.post(&[], &call(json!({"AUTH": "wrong"}))).await.status, 401);
    assert_eq!(fixture.post(&[RIGHT], &call(json!({"x": 1}))).await.json()["error"]["code"], -32602);
    let batch = fixture.post(&[RIGHT], &json!([call(json!({}))])).await.json();
    assert_eq!(batch[0]["result"]["openrpc"], "1.3.2");
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    let fixture = Fixture::open().await;
    let page = fixture.get("/api/docs", &[]).await;
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(!page.text.contains("http:") && !page.text.contains("https:"), "{}", page.text);
}
