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
        settings::{plain, text},
        text::{self, Text},
    },
    request::{Answer, Request},
};
use crate::condition::expression::Given;

/// What is configured.
pub(super) struct Chat {
    /// With what is secret of it.
    url: Url,
    channel: Option<String>,
    username: Option<String>,
    text: Option<Text>,
    messages: ByEvent<Text>,
}

impl Chat {
    /// `base` is the URL of its task.
    pub(super) fn read(handler: &Handler, base: &Url) -> Result<Self, String> {
        let settings = &handler.settings;
        let one = |given: &Json| text::for_people(given.as_str().ok_or("it must be a text")?);
        let messages = ByEvent::read(settings.get("messages"), "messages", one)?;
        messages.check(handler, "messages")?;
        let text_for_all = text(settings, "text")?.map(|given| text::for_people(&given)).transpose();
        Ok(Self {
            url: match text(settings, "secret")? {
                Some(secret) => with_secret(base, &secret)?,
                None => base.clone(),
            },
            channel: plain(settings, "channel")?,
            username: plain(settings, "username")?,
            text: text_for_all.map_err(|words| format!("has a text that {words}"))?,
            messages,
        })
    }

    pub(super) fn requests(
        &self,
        events_id: &str,
        given: &Given<'_>,
        payload: &Object,
        is_trial: bool,
    ) -> Result<Vec<Request>, String> {
        let text = match self.messages.one_of(events_id).or(self.text.as_ref()) {
            Some(text) => text.fill(given, escaped)?,
            None => escaped(&people::headline(payload)),
        };
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let text = people::marked(text, is_trial);
        let mut body = Object::new();
        body.insert("text".to_owned(), text.into());
        for (name, value) in [("channel", &self.channel), ("username", &self.username)] {
            body.extend(value.as_ref().map(|value| (name.to_owned(), value.as_str().into())));
        }
        let body = Json::Object(body);
        Ok(vec![Request {
            method: Method::POST,
            url: self.url.clone(),
            headers: HeaderMap::new(),
            body: Some(body.to_string().into_bytes()),
            shown: json!({"method": "POST", "body": body}),
            secrets: Vec::new(),
            accept: Vec::new(),
            missing: None,
            answer: Answer::Status,
        }])
    }
}

/// The secret ends the URL; it can't lead to another place.
fn with_secret(base: &Url, secret: &str) -> Result<Url, String> {
    let wrong = || "has a secret that is not the end of a URL: what follows the host, such as /services/T.../B.../...".to_owned();
    let has_query = base.query().is_some();
    let between = match secret.chars().next() {
        Some('/' | '?') => "",
        Some('&') if has_query => "",
        _ if has_query => return Err(wrong()),
        _ => "/",
    };
    let url = Url::parse(&format!("{}{between}{secret}", base.as_str().trim_end_matches('/'))).map_err(|_| wrong())?;
    let is_end = url.fragment().is_none() && !secret.contains("://") && !secret.chars().any(|c| c.is_whitespace() || c == '\\');
    if is_end && super::is_same_place(base, &url) { Ok(url) } else { Err(wrong()) }
}

/// So that a client who is called `<!channel>` (Slack) or `@all` (Mattermost, Rocket.Chat) rings nobody's bell, and nobody's name is a link.
fn escaped(value: &str) -> String {
    // Spaces without width: nothing is seen of them.
    let plain = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    plain.replace('@', "@\u{200b}").replace("](", "]\u{200b}(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_ends_the_url_and_leads_nowhere_else() {
        let ended = |base: &str, secret: &str| with_secret(&Url::parse(base).unwrap(), secret).map(String::from);
        for (base, secret, url) in [
            ("https://h.example", "/services/T/B/x", "https://h.example/services/T/B/x"),
            ("https://h.example/a/", "b", "https://h.example/a/b"),
            ("https://h.example/a?key=1", "&token=x", "https://h.example/a?key=1&token=x"),
        ] {
            assert_eq!(ended(base, secret).as_deref(), Ok(url));
        }
        for secret in ["&@169.254.169.254/x", "@10.0.0.1/", ":8080/x", "\\@10.0.0.1", "https://other.example/", "/a#b", "/a b"] {
            if let Ok(url) = ended("http://public.example", secret) {
                assert!(url.starts_with("http://public.example/"), "{secret}: {url}");
            }
        }
        assert!(ended("http://public.example", "&@169.254.169.254/x").is_ok_and(|url| url.starts_with("http://public.example/")));
    }
}
