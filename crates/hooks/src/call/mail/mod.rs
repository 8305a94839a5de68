//! A message by SMTP for each event, for people.
//!
//! ```text
//!   payload (passwords masked, always) --> subject, text, recipients      settings, message
//!     --> EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA                          dialogue
//! ```
//!
//! Its `Message-ID` is made of the event's and the handler's ids: a repeat is the same message again, which mail systems show once.
mod bounded;
mod dialogue;
mod message;
mod settings;
mod starttls;

use hookswitch_model::{
    handler::Handler,
    refusal::{FailureReason, FieldErrors},
};
use rustls::ClientConfig;
use serde_json::{Value as Json, json};
use url::Url;

use super::{
    Call, CallError, Reply,
    address::Reach,
    configured::{self, Surroundings, nothing_to_do, old_name, unusable},
    host::Host,
    http,
};
use dialogue::{Dialogue, Trouble};
use message::Mail;
use settings::Settings;

const SMTP_PORT: u16 = 25;
const SMTPS_PORT: u16 = 465;

/// A handler that writes messages, ready to be called.
pub(super) struct Target {
    handlers_id: i64,
    surroundings: Surroundings,
    settings: Settings,
    dialogue: Dialogue,
}

/// A mail server.
struct Place {
    host: String,
    port: u16,
    /// Encrypted from the first byte on.
    smtps: bool,
}

/// What can't work about such a handler, by field, when it is saved.
pub(crate) fn validate(handler: &Handler, reach: &Reach) -> FieldErrors {
    let mut errors = FieldErrors::new();
    match Place::read(&handler.task) {
        Ok(place) => {
            let forbidden = place.host.parse().ok().and_then(|address| reach.check(address).err());
            if let Some(forbidden) = forbidden {
                errors.add("task", forbidden.to_string());
            }
        }
        Err(words) => errors.add("task", words),
    }
    if let Some(words) = old_name(handler) {
        errors.add("event", words);
    }
    if let Err(words) = Settings::read(handler) {
        errors.add("settings", words);
    }
    errors
}

impl Place {
    fn read(task: &str) -> Result<Self, String> {
        let url = Url::parse(task).map_err(|_| "is not smtp://HOST:PORT".to_owned())?;
        let smtps = url.scheme() == "smtps";
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not name a user: put user and password into settings".to_owned());
        }
        if !["", "/"].contains(&url.path()) || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("must be {}://HOST or {}://HOST:PORT", url.scheme(), url.scheme()));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("must name a host")?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: url.port().unwrap_or(if smtps { SMTPS_PORT } else { SMTP_PORT }), smtps })
    }
}

impl Target {
    /// Fails, in words, for a handler that can't be called; that should have been found when it was saved.
    pub(super) fn new(handler: &Handler, tls: &ClientConfig, reach: Reach) -> Result<Self, String> {
        let (place, settings) = (Place::read(&handler.task)?, Settings::read(handler)?);
        let surroundings = Surroundings::new(handler, settings.open.clone());
        let host = Host::new(&place.host, place.port, reach);
        let dialogue = Dialogue::new(host, &place, &settings, tls)?;
        Ok(Self { handlers_id: handler.id, surroundings, settings, dialogue })
    }

    /// Calls once, within the call's time limit.
    pub(super) async fn call(&self, call: &Call) -> Result<Reply, CallError> {
        let payload = self.surroundings.around(&call.body)?;
        // Not held over a wait: what the language keeps can't be sent between threads.
        let Some(mail) = Mail::make(&self.settings, self.handlers_id, call, &payload).map_err(unusable)? else {
            return Ok(nothing_to_do());
        };
        let sent = tokio::time::timeout(call.timeout, self.dialogue.send(&mail)).await;
        let told = |applied: bool, answer: Json| json!({"applied": applied, "message": mail.shown, "answer": answer});
        match sent {
            Ok(Ok((status, words))) => Ok(configured::done(status, &told(true, words.into()))),
            Ok(Err(trouble)) => {
                let body = told(false, Json::Null).to_string().into_bytes();
                Err(CallError { body, ..failed(trouble) })
            }
            Err(_) => Err(CallError { body: told(false, Json::Null).to_string().into_bytes(), ..http::late(call, false) }),
        }
    }
}

fn failed(trouble: Trouble) -> CallError {
    match trouble {
        Trouble::Unreachable(words) => CallError::new(FailureReason::Refused, words),
        Trouble::Refused { status, words } => CallError { status, ..CallError::new(FailureReason::Status, words) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_names_a_mail_server() {
        let place = Place::read("smtps://[::1]").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.smtps), ("::1", 465, true));
        assert_eq!(Place::read("smtp://mail.example.net:587").map(|place| place.port), Ok(587));
        for (task, words) in [("smtp://u:p@h", "settings"), ("smtp://h/x", "HOST:PORT"), ("smtp://h?x", "HOST:PORT")] {
            assert!(Place::read(task).err().is_some_and(|error| error.contains(words)), "{task}");
        }
    }
}
