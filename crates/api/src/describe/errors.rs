//! How each method may be refused: real refusals, made here as examples, so that statuses, codes, words and data are the
//! server's own.
use std::collections::BTreeMap;

use hookswitch_core::{
    access::Right,
    registry::{Act, Method, Run},
};
use hookswitch_model::{
    Object,
    field::{self, Field},
    refusal::{FailureReason, HandlerName, Refusal},
};
use serde_json::{Value, json};

use super::names;

/// A request's id, as an example.
pub(super) const REQUEST_ID: &str = "5f0c6b1e-41";

/// Rules of other parts than the method's own.
const KEY_REUSED: &str = "idempotency_key_reused";
const CAUSE_TOO_DEEP: &str = "cause_too_deep";

/// Every way in which a call of this method may be refused, in the order of the contract's table.
pub(super) fn of(method: &Method) -> Vec<Refusal> {
    let mut refusals = vec![
        Refusal::field(wrong_field(method), "must be given as described"),
        Refusal::AuthFailed("the key is missing or wrong".to_owned()),
    ];
    match method.right {
        Right::Read => {}
        Right::Operate => refusals.push(denied("operator or admin")),
        Right::Administer => refusals.push(denied("admin")),
    }
    if takes_an_id(method) {
        refusals.push(Refusal::not_found(names::collection(method), 12));
    }
    if method.changes() {
        refusals.push(Refusal::conflict("the state does not allow it now"));
    }
    refusals.push(Refusal::TooLarge("a body has at most 2 MiB".to_owned()));
    refusals.extend(rules(method));
    refusals.push(Refusal::TooMany("too many at once; try again".to_owned()));
    refusals.push(Refusal::internal("told to the log only"));
    if asks(method) {
        refusals.push(handler_failed());
    }
    refusals
}

fn denied(roles: &str) -> Refusal {
    Refusal::AccessDenied(format!("this needs the role {roles}, yours is readonly"))
}

fn wrong_field(method: &Method) -> &'static str {
    let fields = method.takes.fields();
    let limit = if method.takes.list().is_some() { "limit" } else { "dry_run" };
    fields.iter().find(|field| field.required).or(fields.first()).map_or(limit, |field| field.name)
}

fn takes_an_id(method: &Method) -> bool {
    let is_id = |field: &Field| field.access != field::Access::ReadOnly;
    let changes = matches!(method.takes, hookswitch_core::registry::Takes::Changes(_));
    changes || field::find(method.takes.fields(), "id").is_some_and(is_id)
}

/// True if before handlers may be asked.
fn asks(method: &Method) -> bool {
    matches!(method.run, Run::Act(Act { events: [_, ..], .. }))
}

/// 422: the method's own rules, and those that every method of its kind has.
fn rules(method: &Method) -> Vec<Refusal> {
    let own = method.codes.iter().copied();
    let reused = method.idempotent.then_some(KEY_REUSED);
    let too_deep = method.changes().then_some(CAUSE_TOO_DEEP);
    let codes = own.chain(reused).chain(too_deep);
    let mut refusals: Vec<Refusal> = codes.map(|code| Refusal::rule(code, words(code))).collect();
    if asks(method) {
        refusals.push(Refusal::ForbiddenByHandler {
            handler: HandlerName { id: 3, name: "crm".to_owned() },
            message: "no test clients here".to_owned(),
            handler_code: None,
            field: Some("name".to_owned()),
        });
    }
    refusals
}

fn words(code: &str) -> &'static str {
    match code {
        KEY_REUSED => "this idempotency key was used with other parameters",
        CAUSE_TOO_DEEP => "this is reaction number 8 to reactions of handlers; the chain is cut here",
        "low_balance" => "5 is available, the charge is 10",
        _ => "a rule forbids it",
    }
}

fn handler_failed() -> Refusal {
    Refusal::HandlerFailed {
        handler: HandlerName { id: 3, name: "crm".to_owned() },
        reason: FailureReason::Timeout,
        message: "no reply within 3000 ms".to_owned(),
    }
}

/// The same, by HTTP status.
pub(super) fn by_status(method: &Method) -> BTreeMap<u16, Vec<Refusal>> {
    let mut statuses: BTreeMap<u16, Vec<Refusal>> = BTreeMap::new();
    for refusal in of(method) {
        statuses.entry(refusal.http_status()).or_default().push(refusal);
    }
    statuses
}

/// The body of a refusal over REST.
pub(super) fn body(refusal: &Refusal) -> Value {
    json!({"error": {"message": refusal.to_string(), "data": refusal.data(REQUEST_ID)}})
}

/// What a status means, in a few words.
pub(super) fn about(status: u16) -> &'static str {
    match status {
        400 => "Wrong fields: every one of them, by name",
        401 => "The key is missing or wrong",
        403 => "The key's role does not allow it",
        404 => "No such object, or not of the key's reseller",
        408 => "The body did not arrive in time",
        409 => "The present state does not allow it",
        413 => "Too large, or too much asked for",
        422 => "Understood, but a rule or a handler forbids it; `code` says which",
        429 => "Too many at once, or too many wrong keys",
        503 => "A before handler failed, and its `on_failure` is forbid",
        _ => "A fault of the server; its log knows more under the request's id",
    }
}

/// The name of the shared schema of a status.
pub(super) fn name(status: u16) -> &'static str {
    match status {
        400 => "InvalidRequest",
        404 => "NotFound",
        422 => "Unprocessable",
        500 => "Unexpected",
        503 => "HandlerFailed",
        _ => "Refused",
    }
}

/// The shared schemas of refusals.
pub(super) fn components() -> Object {
    [400, 401, 404, 422, 500, 503].into_iter().map(|status| (name(status).to_owned(), schema(status))).collect()
}

fn schema(status: u16) -> Value {
    let data = match status {
        400 => json!({"type": "object", "additionalProperties": {"type": "string"}, "description": "What is wrong, by field"}),
        _ => data(status),
    };
    let error =
        json!({"type": "object", "properties": {"message": {"type": "string"}, "data": data}, "required": ["message", "data"]});
    json!({"type": "object", "properties": {"error": error}, "required": ["error"]})
}

fn data(status: u16) -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let mut properties = Object::new();
    properties.insert("code".into(), text("Says which refusal it is, for programs"));
    let mut required = vec!["code", "message"];
    if status == 500 {
        properties.insert("request_id".into(), text("Under which the server's log knows more"));
        required = vec!["code", "request_id"];
    } else {
        properties.insert("message".into(), text("Plain words"));
    }
    if status == 404 {
        properties.insert("object_name".into(), text("The collection"));
        properties.insert("object_id".into(), json!({"description": "What was asked for"}));
    }
    if matches!(status, 422 | 503) {
        properties.insert("handler".into(), handler());
    }
    if status == 422 {
        properties.insert("field".into(), json!({"type": ["string", "null"], "description": "The field that the handler named"}));
        properties.insert("handler_code".into(), json!({"type": ["string", "null"], "description": "The handler's own code"}));
    }
    if status == 503 {
        properties.insert("reason".into(), json!({"type": "string", "enum": reasons()}));
        required.extend(["handler", "reason"]);
    }
    json!({"type": "object", "properties": properties, "required": required})
}

fn handler() -> Value {
    json!({
        "type": "object",
        "properties": {"id": {"type": "integer", "format": "int64"}, "name": {"type": "string"}},
        "required": ["id", "name"],
        "description": "On whose word it was refused",
    })
}

fn reasons() -> Vec<&'static str> {
    FailureReason::ALL.iter().map(|reason| reason.word()).collect()
}
