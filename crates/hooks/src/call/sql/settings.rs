//! The settings of a SQL handler, read from `settings` and checked when they are saved.
use hookswitch_model::Object;
use serde_json::Value as Json;

use super::{
    super::configured::{
        by_event::{ByEvent, list},
        settings::{self, Tls, text},
    },
    program::STATEMENTS_MAX,
    templates::Template,
};

/// What is fixed about them; all others are for expressions.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) password: Option<String>,
    pub(crate) tls: Tls,
    /// A certificate (PEM) to trust in place of the public ones.
    pub(crate) ca: Option<String>,
    pub(crate) template: Option<Template>,
    /// Names or patterns of events, each with its statements.
    pub(crate) statements: ByEvent<Vec<String>>,
    /// What expressions see as `settings`: all but what is secret, and but the statements themselves.
    pub(crate) open: Object,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong, in words that follow the field's name.
    pub(crate) fn read(given: &Object) -> Result<Self, String> {
        let settings = Self {
            password: text(given, "password")?,
            tls: settings::tls(given)?,
            ca: text(given, "ca")?,
            template: None,
            statements: ByEvent::read(given.get("statements"), "statements", texts)?,
            open: settings::open(given, &["ca", "statements"]),
        };
        let template = text(given, "template")?.map(|name| Template::named(&name, &settings.open)).transpose()?;
        if template.is_none() && settings.statements.is_empty() {
            let names = Template::NAMES.join(", ");
            return Err(format!("must have a template ({names}) or statements for the events that it takes"));
        }
        Ok(Self { template, ..settings })
    }
}

fn texts(given: &Json) -> Result<Vec<String>, String> {
    list(given, STATEMENTS_MAX, |text| text.as_str().map(str::to_owned).ok_or_else(|| "it must be a text".to_owned()))
}
