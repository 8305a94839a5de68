//! Templates: what products need to know of accounts, ready made.
//!
//! | file | subject |
//! |---|---|
//! | `accounts` | how every product's rows follow from two tables of ours |
//! | `products` | which rows those are: Kamailio, OpenSIPS, FreeRADIUS, Asterisk |
mod accounts;
mod products;

use hookswitch_model::Object;

use super::{super::configured::settings::text, place::Engine};
use products::Row;

/// A template with what was set for it.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    rows: Vec<Row>,
    /// Clear passwords are kept, not digests.
    clear: bool,
}

impl Template {
    /// What there is.
    pub(crate) const NAMES: [&'static str; 4] = ["kamailio", "opensips", "freeradius", "asterisk"];

    /// By its name, with the settings that it needs.
    ///
    /// # Errors
    /// What is wrong with these, in words.
    pub(crate) fn named(name: &str, settings: &Object) -> Result<Self, String> {
        let clear = match text(settings, "passwords")?.as_deref() {
            None | Some("digest") => false,
            Some("clear") => true,
            Some(_) => return Err("has passwords, which must be digest or clear".to_owned()),
        };
        if text(settings, "domain")?.is_none() {
            return Err(format!("must have a domain for the template {name}: the realm that its digests are made for"));
        }
        let rows = match name {
            "kamailio" => products::kamailio(),
            "opensips" => products::opensips(),
            "freeradius" => products::freeradius(settings, clear)?,
            "asterisk" => products::asterisk(settings, clear)?,
            _ => return Err(format!("has a template {name:?} that is not known: there are {}", Self::NAMES.join(", "))),
        };
        Ok(Self { rows, clear })
    }

    /// What it does for an event.
    pub(crate) fn statements(&self, events_id: &str, engine: Engine) -> Vec<String> {
        accounts::statements(self, events_id, engine)
    }

    /// The tables that it needs besides the product's own: for each one that fails where it is missing, and those that make it.
    pub(crate) fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
        accounts::tables()
    }
}
