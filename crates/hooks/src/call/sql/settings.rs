//! The settings of a SQL handler, read from `settings` and checked when they are saved.
use hookswitch_model::{Object, handler::settings::is_secret};
use serde_json::Value as Json;

use super::templates::Template;

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

/// What is fixed about them; all others are for expressions.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) password: Option<String>,
    pub(crate) tls: Tls,
    /// A certificate (PEM) to trust in place of the public ones.
    pub(crate) ca: Option<String>,
    pub(crate) template: Option<Template>,
    /// Names or patterns of events, each with its statements.
    pub(crate) statements: Vec<(String, Vec<String>)>,
    /// What expressions see as `settings`: all but what is secret, and but the statements themselves.
    pub(crate) open: Object,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong, in words that follow the field's name.
    pub(crate) fn read(given: &Object) -> Result<Self, String> {
        let open = given.iter().filter(|(name, _)| !is_secret(name) && !["ca", "statements"].contains(&name.as_str()));
        let settings = Self {
            password: text(given, "password")?,
            tls: tls(given)?,
            ca: text(given, "ca")?,
            template: None,
            statements: statements(given.get("statements"))?,
            open: open.map(|(name, value)| (name.clone(), value.clone())).collect(),
        };
        let template = text(given, "template")?.map(|name| Template::named(&name, &settings.open)).transpose()?;
        if template.is_none() && settings.statements.is_empty() {
            let names = Template::NAMES.join(", ");
            return Err(format!("must have a template ({names}) or statements for the events that it takes"));
        }
        Ok(Self { template, ..settings })
    }
}

/// A text that is not empty, if it is there.
pub(crate) fn text(settings: &Object, name: &str) -> Result<Option<String>, String> {
    match settings.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(format!("has {name}, which must be a text")),
    }
}

fn tls(given: &Object) -> Result<Tls, String> {
    match text(given, "tls")?.as_deref() {
        Some("off") => Ok(Tls::Off),
        None | Some("prefer") => Ok(Tls::Prefer),
        Some("require") => Ok(Tls::Require),
        Some("verify") => Ok(Tls::Verify),
        Some(_) => Err("has tls, which must be off, prefer, require or verify".to_owned()),
    }
}

fn statements(given: Option<&Json>) -> Result<Vec<(String, Vec<String>)>, String> {
    let wrong = || "has statements, which must be an object: a list of texts for each event".to_owned();
    let Some(given) = given.filter(|given| !given.is_null()) else { return Ok(Vec::new()) };
    let of_event = |(name, texts): (&String, &Json)| {
        let texts = texts.as_array().ok_or_else(wrong)?.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong));
        Ok((name.clone(), texts.collect::<Result<_, _>>()?))
    };
    given.as_object().ok_or_else(wrong)?.iter().map(of_event).collect()
}
