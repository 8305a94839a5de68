//! The Core API over JSON-RPC, as OpenRPC: the result of `rpc.discover`.
use hookswitch_core::registry::Method;
use hookswitch_model::Object;
use serde_json::{Value, json};

use super::{
    about, errors, examples,
    filters::Written,
    names,
    params::{self, Param},
    schemas,
};

/// The version of OpenRPC that this is.
const OPENRPC: &str = "1.3.2";

/// The whole document.
pub(super) fn document() -> Value {
    json!({
        "openrpc": OPENRPC,
        "info": about::info("JSON-RPC 2.0 by POST to /api/, with parameters by name. The key comes as a header or as the \
            parameter AUTH. A success may have a member `warnings` beside its result: what handlers want the caller to know."),
        "servers": [{"name": "a server as it comes", "url": "http://127.0.0.1:3080/api/"}],
        "methods": names::methods().map(method).chain([discover()]).collect::<Vec<_>>(),
        "components": {"schemas": schemas::components(), "contentDescriptors": {"AUTH": auth()}},
    })
}

/// A key among the parameters.
fn auth() -> Value {
    let schema = json!({"type": "string"});
    json!({"name": "AUTH", "summary": "The API key, where it does not come as a header", "required": false, "schema": schema})
}

fn method(method: &Method) -> Value {
    let mut params = params::own(method, Written::Json);
    params.extend(params::dry_run(method));
    params.extend(params::idempotency_key(method).map(|schema| Param {
        name: "idempotency_key".to_owned(),
        schema,
        required: false,
    }));
    // OpenRPC wants those that must be there first.
    params.sort_by_key(|param| !param.required);
    let descriptors = params.iter().map(descriptor).chain([json!({"$ref": "#/components/contentDescriptors/AUTH"})]);
    let mut described = json!({
        "name": method.name,
        "summary": method.about,
        "description": about::rights(method),
        "tags": [{"name": names::collection(method)}],
        "paramStructure": "by-name",
        "params": descriptors.collect::<Vec<_>>(),
        "result": {"name": "result", "schema": schemas::result(method, Written::Json)},
        "errors": errors::of(method).iter().map(error).collect::<Vec<_>>(),
        "examples": [example(method)],
    });
    if let Value::Object(other) = params::other_keys(method) {
        described["x-other-params"] = other.into();
    }
    described
}

fn descriptor(param: &Param) -> Value {
    json!({"name": param.name, "summary": param.about(), "required": param.required, "schema": param.schema})
}

fn error(refusal: &hookswitch_model::refusal::Refusal) -> Value {
    json!({"code": refusal.rpc_code(), "message": refusal.to_string(), "data": refusal.data(errors::REQUEST_ID)})
}

fn example(method: &Method) -> Value {
    let params = pairs(examples::request(method));
    json!({"name": "usual", "params": params, "result": {"name": "result", "value": examples::result(method)}})
}

fn pairs(request: Object) -> Vec<Value> {
    request.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// This very document.
fn discover() -> Value {
    json!({
        "name": super::DISCOVER,
        "summary": about::DISCOVER,
        "description": "Needs no key.",
        "tags": [{"name": "rpc"}],
        "paramStructure": "by-name",
        "params": [{"$ref": "#/components/contentDescriptors/AUTH"}],
        "result": {"name": "OpenRPC document", "schema": {"type": "object"}},
    })
}
