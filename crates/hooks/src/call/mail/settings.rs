//! The settings of a handler that writes messages.
use hookswitch_model::{Object, handler::Handler};
use lettre::message::{Mailbox, Mailboxes};

use super::super::{
    configured::{
        by_event::ByEvent,
        settings::{self, Tls, plain, text, texts},
        text::{self, Text},
    },
    tls,
};

/// The most entries of `to`.
const TO_MAX: usize = 20;

/// What is configured.
pub(super) struct Settings {
    pub(super) from: Mailbox,
    pub(super) to: Vec<Text>,
    /// User and password, if the server wants to know who sends.
    pub(super) login: Option<(String, String)>,
    pub(super) tls: Tls,
    /// A certificate (PEM) to trust in place of the public ones.
    pub(super) ca: Option<String>,
    pub(super) words: Words,
    pub(super) by_event: ByEvent<Words>,
    /// What expressions see as `settings`.
    pub(super) open: Object,
}

/// Subject and text; what is not set is made of the event.
#[derive(Debug, Default)]
pub(super) struct Words<T = Text> {
    pub(super) subject: Option<T>,
    pub(super) text: Option<T>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong, in words that follow the field's name.
    pub(super) fn read(handler: &Handler) -> Result<Self, String> {
        let given = &handler.settings;
        let from = plain(given, "from")?.ok_or("must have from: the address that messages come from")?;
        let from = from
            .parse()
            .map_err(|_| format!("has from, which must be an address such as Billing <billing@example.net>: {from:?}"))?;
        let login = match (text(given, "user")?, text(given, "password")?) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => return Err("must have a password for the user".to_owned()),
            (None, Some(_)) => return Err("must have a user for the password".to_owned()),
        };
        let by_event = ByEvent::read(given.get("messages"), "messages", |given| {
            Words::read(given.as_object().ok_or("it must be an object with subject, text or both")?)
        })?;
        by_event.check(handler, "messages")?;
        Ok(Self {
            from,
            to: to(given)?,
            login,
            tls: settings::tls(given)?,
            ca: ca(given)?,
            words: Words::read(given)?,
            by_event,
            open: settings::open(given, &["ca", "messages"]),
        })
    }

    /// The words for an event: its own, or those for all.
    pub(super) fn words_of(&self, events_id: &str) -> Words<&Text> {
        let own = self.by_event.one_of(events_id);
        let of = |pick: fn(&Words) -> Option<&Text>| own.and_then(pick).or_else(|| pick(&self.words));
        Words { subject: of(|words| words.subject.as_ref()), text: of(|words| words.text.as_ref()) }
    }
}

impl Words {
    fn read(given: &Object) -> Result<Self, String> {
        let one = |name: &str| {
            let read = text(given, name)?.map(|given| text::for_people(&given)).transpose();
            read.map_err(|words| format!("has {name}, which {words}"))
        };
        Ok(Self { subject: one("subject")?, text: one("text")? })
    }
}

fn ca(given: &Object) -> Result<Option<String>, String> {
    let ca = text(given, "ca")?;
    ca.as_deref().map_or(Ok(()), |pem| tls::of_roots(pem).map(drop))?;
    Ok(ca)
}

fn to(given: &Object) -> Result<Vec<Text>, String> {
    let to: Vec<String> = texts(given, "to")?.into_iter().filter(|address| !address.trim().is_empty()).collect();
    if to.is_empty() || to.len() > TO_MAX {
        return Err(format!("must have to: 1 to {TO_MAX} addresses"));
    }
    let read = |address: &String| {
        let text = text::for_people(address).map_err(|words| format!("has to, in which {address:?} {words}"))?;
        // Beside what was written, a value could add addresses to it.
        if text.has_values() && !text.is_expression() {
            return Err(format!("has to, in which {address:?} is neither an address nor a single expression"));
        }
        if !text.has_values() && address.parse::<Mailboxes>().is_err() {
            return Err(format!("has to, in which {address:?} is no address"));
        }
        Ok(text)
    };
    to.iter().map(read).collect()
}
