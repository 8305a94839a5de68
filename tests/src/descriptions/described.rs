//! An answer compared with its description. The published schemas leave room for new keys; here there is none, so that a key
//! that nobody described is an error.
use hookswitch_testkit::{Api, Value, json};
use jsonschema::Validator;

/// The OpenRPC document of a server.
pub(crate) struct Described(Value);

impl Described {
    /// As it answers it.
    pub(crate) async fn by(server: &Api) -> Self {
        let mut document = server.ok("rpc.discover", json!({})).await;
        close(&mut document);
        Self(document)
    }

    /// Asserts that a method's result fits its description.
    #[track_caller]
    pub(crate) fn assert_result(&self, method: &str, result: &Value) {
        let methods = self.0["methods"].as_array().unwrap();
        let described = methods.iter().find(|described| described["name"] == method);
        let schema = &described.unwrap_or_else(|| panic!("{method} is not described"))["result"]["schema"];
        let whole = json!({"allOf": [schema], "components": self.0["components"]});
        assert_fits(method, &validator(&whole), result);
    }
}

/// A schema, formats included.
pub(crate) fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that a value fits a schema.
#[track_caller]
pub(crate) fn assert_fits(what: &str, validator: &Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\nin {value:#}");
}

/// Lets no object have keys that are not described.
pub(crate) fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("type") == Some(&json!("object")) && members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
