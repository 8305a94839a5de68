//! What is a call, and what only looks like one.
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::Value;

use super::fault::Fault;

/// The parameter that may carry a key.
const AUTH: &str = "AUTH";

/// A call, taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct Message {
    /// As it came: a text, a number with all its digits, or null. None at all: a notification, which is not answered.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    pub(super) params: Object,
    /// A key of its own.
    pub(super) auth: Option<Value>,
}

/// What is no call, under the id that it is answered with.
#[derive(Debug)]
pub(super) struct NoCall {
    /// None: it is a notification, and not answered.
    pub(super) id: Option<Value>,
    pub(super) fault: Fault,
}

impl Message {
    /// Takes a call apart. Members that JSON-RPC does not know are left to whoever wants to add some.
    pub(super) fn read(call: Value) -> Result<Self, Box<NoCall>> {
        let Value::Object(mut call) = call else { return Err(invalid(None, "a call is an object")) };
        let id = call.shift_remove("id");
        if !matches!(id, None | Some(Value::Null | Value::String(_) | Value::Number(_))) {
            return Err(invalid(None, "`id` must be a text, a number or null"));
        }
        if call.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid(id, "`jsonrpc` must be \"2.0\""));
        }
        let Some(Value::String(method)) = call.shift_remove("method") else {
            return Err(invalid(id, "`method` must be a text"));
        };
        let mut params = match call.shift_remove("params") {
            None => Object::new(),
            Some(Value::Object(params)) => params,
            Some(Value::Array(_)) => {
                let fault = Fault::Refused(Refusal::field("params", "must be an object: parameters are named"));
                return Err(Box::new(NoCall { id, fault }));
            }
            Some(_) => return Err(invalid(id, "`params` must be an object")),
        };
        let auth = params.shift_remove(AUTH);
        Ok(Self { id, method, params, auth })
    }
}

/// True if it brings a key of its own, whatever else it is.
pub(super) fn has_auth(call: &Value) -> bool {
    call.get("params").is_some_and(|params| params.get(AUTH).is_some())
}

/// Always answered: what is no call is no notification either.
fn invalid(id: Option<Value>, words: &str) -> Box<NoCall> {
    Box::new(NoCall { id: Some(id.unwrap_or_default()), fault: Fault::Invalid(words.to_owned()) })
}

#[cfg(test)]
mod tests {
    use hookswitch_model::json;

    use super::*;

    fn read(call: &str) -> Result<Message, Box<NoCall>> {
        Message::read(json::parse(call.as_bytes()).unwrap())
    }

    fn refused(call: &str) -> (i32, Option<String>) {
        let no_call = read(call).expect_err(call);
        (no_call.fault.code(), no_call.id.map(|id| id.to_string()))
    }

    #[test]
    fn an_id_keeps_its_type_and_all_its_digits() {
        for id in ["1", "-7", "\"1\"", "\"\"", "null", "9007199254740993", "123456789012345678901234567890", "1.50"] {
            let message = read(&format!(r#"{{"jsonrpc":"2.0","method":"m","id":{id}}}"#)).unwrap();
            assert_eq!(message.id.unwrap().to_string(), id);
        }
    }

    #[test]
    fn a_call_without_an_id_is_a_notification() {
        let message = read(r#"{"jsonrpc":"2.0","method":"m","params":{"a":1}}"#).unwrap();
        assert_eq!((message.id, message.method.as_str(), message.params.len()), (None, "m", 1));
    }

    #[test]
    fn the_key_is_taken_out_of_the_parameters() {
        let message = read(r#"{"jsonrpc":"2.0","method":"m","params":{"AUTH":"k","a":1}}"#).unwrap();
        assert_eq!((message.auth, message.params.len()), (Some("k".into()), 1));
        assert!(has_auth(&serde_json::json!({"params": {"AUTH": "k"}})));
        assert!(!has_auth(&serde_json::json!({"params": ["AUTH"], "AUTH": "k"})) && !has_auth(&17.into()));
    }

    #[test]
    fn what_is_no_call_is_refused_under_its_id_as_far_as_it_has_one() {
        let null = Some("null".to_owned());
        assert_eq!(refused("17"), (-32600, null.clone()));
        assert_eq!(refused("null"), (-32600, null.clone()));
        assert_eq!(refused("{}"), (-32600, null.clone()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#), (-32600, null.clone()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#), (-32600, null.clone()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","method":17}"#), (-32600, null));
        let five = Some("5".to_owned());
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":5}"#), (-32600, five.clone()));
        assert_eq!(refused(r#"{"jsonrpc":"1.0","id":5,"method":"m"}"#), (-32600, five.clone()));
        assert_eq!(refused(r#"{"jsonrpc":2.0,"id":5,"method":"m"}"#), (-32600, five.clone()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":5,"method":"m","params":7}"#), (-32600, five.clone()));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":5,"method":"m","params":null}"#), (-32600, five));
    }

    #[test]
    fn positional_parameters_are_wrong_parameters_and_in_a_notification_nobody_hears() {
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":5,"method":"m","params":[1]}"#), (-32602, Some("5".to_owned())));
        assert_eq!(refused(r#"{"jsonrpc":"2.0","method":"m","params":[1]}"#), (-32602, None));
    }
}
