//! What a handler of a ready-made kind is configured with (`settings`): an object that its kind understands. Sealed where it is stored;
//! what is secret in it is shown masked, and a masked value that comes back means the stored one.
use serde_json::Value;

use crate::{Object, json::MASK};

const SECRETS: &[&str] = &["password", "secret", "token"];

/// True for the name of a setting whose value is never shown: `password`, `secret`, `token`, or such a word behind an underscore.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let last = name.rsplit_once('_').map_or(name, |(_, last)| last);
    SECRETS.contains(&last)
}

/// The settings as they are shown.
#[must_use]
pub fn shown(settings: &Object) -> Object {
    let mask = |(name, value): (&String, &Value)| {
        let shown = if is_secret(name) && !value.is_null() { Value::from(MASK) } else { value.clone() };
        (name.clone(), shown)
    };
    settings.iter().map(mask).collect()
}

/// The settings to be stored: as given, with the stored value for each masked one.
///
/// # Errors
/// A masked value without a stored one.
pub(super) fn unmasked(given: &Object, stored: &Object) -> Result<Object, String> {
    let value_of = |name: &String, value: &Value| match value.as_str() {
        Some(MASK) if is_secret(name) => {
            stored.get(name).cloned().ok_or_else(|| format!("{name} is masked and not stored: give its value"))
        }
        _ => Ok(value.clone()),
    };
    given.iter().map(|(name, value)| Ok((name.clone(), value_of(name, value)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    #[test]
    fn a_masked_secret_that_comes_back_is_the_stored_one() {
        let stored = object(json!({"password": "x", "api_token": "y", "domain": "example.net", "passwords": "digest"}));
        let mut given = shown(&stored);
        assert_eq!(given, object(json!({"password": MASK, "api_token": MASK, "domain": "example.net", "passwords": "digest"})));
        given.insert("domain".into(), "b".into());
        let merged = unmasked(&given, &stored).unwrap();
        assert_eq!(merged, object(json!({"password": "x", "api_token": "y", "domain": "b", "passwords": "digest"})));
        assert!(unmasked(&object(json!({"password": MASK})), &Object::new()).unwrap_err().contains("give its value"));
    }
}
