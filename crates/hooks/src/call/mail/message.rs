//! One message, made of an event.
use std::time::{Duration, SystemTime};

use hookswitch_model::Object;
use lettre::{
    Message,
    address::Envelope,
    message::{
        Mailbox, Mailboxes,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use serde_json::{Value as Json, json};

use super::{
    super::{Call, configured::people},
    settings::Settings,
};
use crate::condition::expression::Given;

/// The most addresses that one message goes to.
const RECIPIENTS_MAX: usize = 50;
/// RFC 3834: nobody's holiday notice answers it.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// A message, ready to be sent.
pub(super) struct Mail {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
    /// For the log.
    pub(super) shown: Json,
}

impl Mail {
    /// `None` = it is for nobody.
    ///
    /// # Errors
    /// Why it can't be made, in words.
    pub(super) fn make(settings: &Settings, handlers_id: i64, call: &Call, payload: &Object) -> Result<Option<Self>, String> {
        let given = Given::new(payload);
        let to = recipients(settings, &given)?;
        if to.is_empty() {
            return Ok(None);
        }
        let words = settings.words_of(&call.events_id);
        let filled = |text: &super::super::configured::text::Text| text.fill(&given, str::to_owned);
        let subject = words.subject.map_or_else(|| Ok(people::headline(payload)), filled)?;
        let subject = people::marked(on_one_line(&subject), people::is_trial(payload));
        let text = words.text.map_or_else(|| Ok(people::details(payload)), filled)?;
        let id = format!("<{}.{handlers_id}@hookswitch>", call.event_id);
        let shown = json!({"to": to.iter().map(ToString::to_string).collect::<Vec<_>>(), "subject": subject, "text": text});
        let message =
            written(settings, id, call, to, subject, text).map_err(|error| format!("the message can't be written: {error}"))?;
        Ok(Some(Self { envelope: message.envelope().clone(), bytes: message.formatted(), shown }))
    }
}

fn recipients(settings: &Settings, given: &Given<'_>) -> Result<Vec<Mailbox>, String> {
    let mut all = Vec::new();
    for text in &settings.to {
        let filled = text.fill(given, str::to_owned).map_err(|words| format!("to: {words}"))?;
        if filled.trim().is_empty() {
            continue;
        }
        let read: Mailboxes = filled.parse().map_err(|_| format!("to: {filled:?} is no address"))?;
        all.extend(read);
    }
    if all.len() > RECIPIENTS_MAX { Err(format!("to: there are more than {RECIPIENTS_MAX} addresses")) } else { Ok(all) }
}

fn written(
    settings: &Settings,
    id: String,
    call: &Call,
    to: Vec<Mailbox>,
    subject: String,
    text: String,
) -> Result<Message, lettre::error::Error> {
    let seconds = u64::try_from(call.now.seconds()).unwrap_or(0);
    let automatic = HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned());
    let message = Message::builder()
        .from(settings.from.clone())
        .subject(subject)
        .message_id(Some(id))
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .raw_header(automatic)
        .header(ContentType::TEXT_PLAIN);
    to.into_iter().fold(message, lettre::message::MessageBuilder::to).body(text)
}

fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}
