//! A message to a chat room, by an incoming webhook as Slack has made them and Mattermost, Rocket.Chat and others have taken over.
//!
//! Such a webhook's address is itself the permission to write there: what is secret of it is `settings.secret`, appended to the task.
use hookswitch_model::{Object, handler::Handler};
use reqwest::{Method, Url, header::HeaderMap};
use serde_json::{Value as Json, json};

use super::{
    super::configured::{
        by_event::ByEvent,
        people,
        settings::text,
        text::{self, Text},
    },
    request::{Answer, Request},
};
use crate::condition::expression::Given;

/// What is configured.
pub(super) struct Chat {
    secret: String,
    channel: Option<String>,
    username: Option<String>,
    text: Option<Text>,
    messages: ByEvent<Text>,
}

impl Chat {
    pub(super) fn read(handler: &Handler) -> Result<Self, String> {
        let settings = &handler.settings;
        let one = |given: &Json| text::for_people(given.as_str().ok_or("it must be a text")?);
        let messages = ByEvent::read(settings.get("messages"), "messages", one)?;
        messages.check(handler, "messages")?;
        let text_for_all = text(settings, "text")?.map(|given| text::for_people(&given)).transpose();
        let secret = text(settings, "secret")?.unwrap_or_default();
        if secret.chars().any(|c| c.is_whitespace() || c == '#') || secret.contains("://") {
            return Err(
                "has a secret that is not the end of a URL: what follows the host, such as /services/T.../B.../...".to_owned()
            );
        }
        Ok(Self {
            secret,
            channel: text(settings, "channel")?,
            username: text(settings, "username")?,
            text: text_for_all.map_err(|words| format!("has a text that {words}"))?,
            messages,
        })
    }

    pub(super) fn requests(
        &self,
        events_id: &str,
        given: &Given<'_>,
        payload: &Object,
        base: &Url,
    ) -> Result<Vec<Request>, String> {
        let text = match self.messages.of(events_id).next().map(|(_, text)| text).or(self.text.as_ref()) {
            Some(text) => text.fill(given, escaped)?,
            None => escaped(&people::headline(payload)),
        };
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut body = Object::new();
        body.insert("text".to_owned(), text.into());
        for (name, value) in [("channel", &self.channel), ("username", &self.username)] {
            body.extend(value.as_ref().map(|value| (name.to_owned(), value.as_str().into())));
        }
        let body = Json::Object(body);
        Ok(vec![Request {
            method: Method::POST,
            url: self.url(base)?,
            headers: HeaderMap::new(),
            body: Some(body.to_string().into_bytes()),
            shown: json!({"method": "POST", "body": body}),
            accept: Vec::new(),
            missing: None,
            answer: Answer::Status,
        }])
    }

    fn url(&self, base: &Url) -> Result<Url, String> {
        if self.secret.is_empty() {
            return Ok(base.clone());
        }
        let between = if self.secret.starts_with(['/', '?', '&']) { "" } else { "/" };
        Url::parse(&format!("{}{between}{}", base.as_str().trim_end_matches('/'), self.secret))
            .map_err(|_| "the secret is not the end of a URL".to_owned())
    }
}

/// So that a client who is called `<!channel>` rings nobody's bell.
fn escaped(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
