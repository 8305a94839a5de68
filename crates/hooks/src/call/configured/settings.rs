//! Single values of a handler's `settings`, each with what is wrong with it in words that follow the field's name.
use hookswitch_model::{Object, handler::settings::is_secret};
use serde_json::Value as Json;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Not at all.
    Off,
    /// Where the server offers it; whoever answers.
    Prefer,
    /// Or not at all connected; whoever answers.
    Require,
    /// The same, with a certificate that is valid for the host.
    Verify,
}

/// A text, if it is there; an empty one is left out.
pub(crate) fn text(settings: &Object, name: &str) -> Result<Option<String>, String> {
    match settings.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("has {name}, which must be a text")),
    }
}

/// A text without expressions.
pub(crate) fn plain(settings: &Object, name: &str) -> Result<Option<String>, String> {
    match text(settings, name)? {
        Some(text) if text.contains("{{") => Err(format!("has {name}, which takes no expressions")),
        text => Ok(text),
    }
}

/// A text, or a list of them; none where nothing is said.
pub(crate) fn texts(settings: &Object, name: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("has {name}, which must be a text or a list of texts");
    match settings.get(name) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::String(text)) => Ok(vec![text.clone()]),
        Some(Json::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        Some(_) => Err(wrong()),
    }
}

/// The word of `tls`.
pub(crate) fn tls(settings: &Object) -> Result<Tls, String> {
    match text(settings, "tls")?.as_deref() {
        Some("off") => Ok(Tls::Off),
        None | Some("prefer") => Ok(Tls::Prefer),
        Some("require") => Ok(Tls::Require),
        Some("verify") => Ok(Tls::Verify),
        Some(_) => Err("has tls, which must be off, prefer, require or verify".to_owned()),
    }
}

/// What expressions see: all but what is secret, and but these, which are expressions themselves or long.
pub(crate) fn open(settings: &Object, but: &[&str]) -> Object {
    let open = settings.iter().filter(|(name, _)| !is_secret(name) && !but.contains(&name.as_str()));
    open.map(|(name, value)| (name.clone(), value.clone())).collect()
}
