//! The Management API: `POST /jsonrpc/`, for programs written against a web interface's own actions. A thin face over the methods of
//! the Core API: the same validation, the same events, the same handlers, the same rights.
//!
//! | file | subject |
//! |---|---|
//! | here | a request, signing in, the reply |
//! | [`actions`] | which action is which method |
//! | [`run`] | an action, from its parameters to what it returns |
//! | [`names`] | `id_clients` is `clients_id`, and the like |
//! | [`files`] | lists as CSV, at `/admin/<module>/<action>` |
//!
//! A session is begun by login and password, and carried on by its id in the parameters: cookies mean nothing here.
mod actions;
mod files;
mod names;
mod run;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use hookswitch_core::access::{Caller, sessions::Kind};
use hookswitch_model::{Object, json, refusal::Refusal};
use serde_json::{Value, json};

use crate::{Api, connections::Circumstances, problem::JSON};
use run::Returned;

/// Its addresses.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/jsonrpc", post(answer))
        .route("/jsonrpc/", post(answer))
        .route("/admin/{module}/{action}", post(files::answer))
}

/// A call, taken apart.
struct Message {
    id: Value,
    method: String,
    params: Object,
}

/// Who calls, and the session that it goes on with.
struct Signed {
    caller: Arc<Caller>,
    session_id: String,
}

/// Why nobody is let in; with the seconds after which a guesser may try again.
struct NotLetIn {
    refusal: Refusal,
    retry_after: Option<u64>,
}

async fn answer(State(api): State<Api>, Extension(at): Extension<Circumstances>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let held = match api.parts.bodies.read(&head.headers, body).await {
        Ok(held) => held,
        Err(unread) => return crate::problem::unread(unread, at.request_id.text()),
    };
    let Message { id, method, mut params } = match json::parse(&held.bytes).map_err(|error| format!("the body {error}")) {
        Err(words) => return wrong(&Value::Null, -32700, &words),
        Ok(call) => match read(call) {
            Ok(message) => message,
            Err((id, words)) => return wrong(&id, -32600, &words),
        },
    };
    let Some(action) = actions::find(&method) else {
        return wrong(&id, -32601, &format!("there is no action {method}"));
    };
    at.span.rename(method);
    let signed = match sign_in(&api, &at, &mut params).await {
        Ok(signed) => signed,
        Err(NotLetIn { refusal, retry_after }) => {
            let mut response = reply(&id, &failed(&refusal, &at), "");
            if let Some(seconds) = retry_after {
                *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            return response;
        }
    };
    let result = match run::run(&api, (&at.span, &head.headers), &signed.caller, action, params).await {
        Ok(Returned { value, messages }) => json!({"code": true, "return": value, "messages": messages, "errors": []}),
        Err(refusal) => failed(&refusal, &at),
    };
    reply(&id, &result, &signed.session_id)
}

fn read(call: Value) -> Result<Message, (Value, String)> {
    let Value::Object(mut call) = call else { return Err((Value::Null, "a call is an object".to_owned())) };
    let id = call.shift_remove("id").unwrap_or_default();
    let Some(Value::String(method)) = call.shift_remove("method") else {
        return Err((id, "`method` must be a text: module.action".to_owned()));
    };
    let params = match call.shift_remove("params") {
        None | Some(Value::Null) => Object::new(),
        Some(Value::Object(params)) => params,
        // Some of these programs send a list with the one object in it.
        Some(Value::Array(list)) => match <[Value; 1]>::try_from(list) {
            Ok([Value::Object(params)]) => params,
            _ => return Err((id, "`params` must be one object".to_owned())),
        },
        Some(_) => return Err((id, "`params` must be one object".to_owned())),
    };
    Ok(Message { id, method, params })
}

/// Login and password, where they came.
struct Auth {
    login: String,
    password: String,
}

/// Takes login and password out of the parameters, if they are there.
fn take_auth(params: &mut Object) -> Option<Auth> {
    let auth = params.shift_remove("auth")?;
    let word = |name: &str| auth.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Auth { login: word("login"), password: word("password") })
}

/// By login and password, which begins a session, or by a session's id.
async fn sign_in(api: &Api, at: &Circumstances, params: &mut Object) -> Result<Signed, NotLetIn> {
    let Some(Auth { login, password }) = take_auth(params) else { return go_on(api, at, params).await };
    let session = api.sign_in(&login, &password, at.from, Kind::Program).await;
    let session = session.map_err(|(refusal, retry_after)| NotLetIn { refusal, retry_after })?;
    Ok(Signed { caller: session.caller, session_id: session.token })
}

/// By a session's id.
async fn go_on(api: &Api, at: &Circumstances, params: &mut Object) -> Result<Signed, NotLetIn> {
    let session = params.shift_remove("SID");
    let session_id = session.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let not_let_in = |refusal| NotLetIn { refusal, retry_after: None };
    match api.core().signed_in(&session_id, at.from, true).await.map_err(not_let_in)? {
        Some(caller) => Ok(Signed { caller, session_id }),
        None => {
            let words =
                "the session is missing or has ended: call once with auth {login, password}, then with its session_id as SID";
            Err(not_let_in(Refusal::AuthFailed(words.to_owned())))
        }
    }
}

/// For one request: no session begins, since nobody would hear its id.
async fn let_in_once(api: &Api, at: &Circumstances, params: &mut Object) -> Result<Arc<Caller>, NotLetIn> {
    let Some(Auth { login, password }) = take_auth(params) else { return Ok(go_on(api, at, params).await?.caller) };
    let caller = api.core().by_password(&login, &password, at.from).await;
    caller.map_err(|refusal| {
        let (refusal, retry_after) = api.slowed_down(refusal, at.from);
        NotLetIn { refusal, retry_after }
    })
}

/// What a refusal becomes: its words in `messages`, each field that is wrong in `errors`.
fn failed(refusal: &Refusal, at: &Circumstances) -> Value {
    let errors: Vec<Value> = match refusal {
        Refusal::Invalid(errors) => errors.iter().map(|(field, words)| json!({"field": field, "message": words})).collect(),
        Refusal::ForbiddenByHandler { field: Some(field), message, .. } => vec![json!({"field": field, "message": message})],
        _ => Vec::new(),
    };
    json!({"code": false, "return": {}, "messages": words(refusal, at), "errors": errors})
}

/// A refusal in sentences.
fn words(refusal: &Refusal, at: &Circumstances) -> Vec<String> {
    match refusal {
        Refusal::Invalid(errors) => errors.iter().map(|(field, words)| format!("{field} {words}")).collect(),
        Refusal::ForbiddenByHandler { message, .. } => vec![message.clone()],
        Refusal::Internal(_) => vec![format!("An unexpected error occurred ({})", at.request_id.text())],
        other => vec![other.to_string()],
    }
}

fn reply(id: &Value, result: &Value, session_id: &str) -> Response {
    let mut result = result.clone();
    result["session_id"] = session_id.into();
    body(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

/// What is no call of an action.
fn wrong(id: &Value, code: i32, message: &str) -> Response {
    body(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
}

fn body(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, JSON)], Body::from(value.to_string())).into_response()
}
