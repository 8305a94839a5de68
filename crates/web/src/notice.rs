//! What is said on the next page: that something was saved, what handlers warned of, and how it can be undone.
//!
//! It travels in a cookie of the reader's own, for one page; whatever is in it is shown as text. The cookie is sealed with the session's
//! token: nobody else, such as a neighbour under the same domain, can put a form of his own under "Undo".
use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// The cookie's name.
pub(crate) const COOKIE: &str = "hookswitch_notice";
/// A browser keeps some 4 KB of a cookie: so many bytes before they are encoded, with room for its name and seal.
const BYTES_MAX: usize = 2_600;
const TEXT_CHARACTERS_MAX: usize = 400;
const WARNINGS_MAX: usize = 5;
const WARNING_CHARACTERS_MAX: usize = 200;

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// In a sentence.
    pub(crate) text: String,
    /// What handlers wanted to be known.
    pub(crate) warnings: Vec<String>,
    /// How to take it back.
    pub(crate) undo: Option<Undo>,
}

/// A form without anything to type, that takes something back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undo {
    /// Where it is sent.
    pub(crate) action: String,
    /// What it holds.
    pub(crate) fields: Vec<(String, String)>,
}

impl Notice {
    /// Of a sentence.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), warnings: Vec::new(), undo: None }
    }

    /// With what handlers wanted to be known.
    pub(crate) fn warning(mut self, warnings: &[String]) -> Self {
        self.warnings = warnings.to_vec();
        self
    }

    /// With a way back.
    pub(crate) fn undone_by(mut self, action: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        self.undo = Some(Undo { action: action.to_owned(), fields });
        self
    }

    /// The cookie that carries it. What is too much for one is left out: the way back first, then warnings, and that is said.
    pub(crate) fn cookie(&self) -> String {
        let undo = self.undo.as_ref().map(|undo| json!({"action": undo.action, "fields": undo.fields}));
        let warnings: Vec<String> =
            self.warnings.iter().take(WARNINGS_MAX).map(|warning| cut(warning, WARNING_CHARACTERS_MAX)).collect();
        let text = cut(&self.text, TEXT_CHARACTERS_MAX);
        let more = format!("{text} Handlers warned of more than can be shown here: their log has it.");
        let whole = [
            json!({"text": text, "warnings": warnings, "undo": undo}),
            json!({"text": text, "warnings": warnings, "undo": null}),
        ];
        let fits = whole.into_iter().map(|whole| whole.to_string()).find(|whole| whole.len() <= BYTES_MAX);
        let whole =
            fits.unwrap_or_else(|| json!({"text": cut(&more, TEXT_CHARACTERS_MAX), "warnings": [], "undo": null}).to_string());
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", URL_SAFE_NO_PAD.encode(whole))
    }

    /// Reads what a cookie carries; what can't be read says nothing.
    pub(crate) fn read(cookie: &str) -> Option<Self> {
        let whole: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cookie).ok()?).ok()?;
        let text = whole["text"].as_str()?.to_owned();
        let warnings = whole["warnings"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self { text, warnings, undo: undo(&whole["undo"]) })
    }

    /// The cookie that takes it away once it was shown.
    pub(crate) fn shown() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    }
}

/// Seals the notice of an answer, if it has one, for this session.
pub(crate) fn seal(response: &mut Response, token: &str) {
    let cookies: Vec<HeaderValue> = response.headers().get_all(header::SET_COOKIE).iter().map(|set| sealed(set, token)).collect();
    response.headers_mut().remove(header::SET_COOKIE);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn sealed(set: &HeaderValue, token: &str) -> HeaderValue {
    let begin = format!("{COOKIE}=");
    let parts = set.to_str().ok().and_then(|set| set.strip_prefix(begin.as_str())?.split_once(';'));
    let Some((value, rest)) = parts.filter(|(value, _)| !value.is_empty()) else { return set.clone() };
    HeaderValue::from_str(&format!("{begin}{value}.{};{rest}", mac(value, token))).unwrap_or_else(|_| set.clone())
}

/// Reads a notice that was sealed for this session; any other says nothing.
pub(crate) fn unseal(sealed: &str, token: &str) -> Option<Notice> {
    let (value, seal) = sealed.split_once('.')?;
    if mac(value, token) == seal { Notice::read(value) } else { None }
}

fn mac(value: &str, token: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.as_bytes()) else { return String::new() };
    mac.update(value.as_bytes());
    hex::encode(&mac.finalize().into_bytes()[..16])
}

fn undo(value: &Value) -> Option<Undo> {
    let action = value["action"].as_str().filter(|action| crate::answer::is_own_path(action))?.to_owned();
    let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
    let fields = value["fields"].as_array()?.iter().map(pair).collect::<Option<_>>()?;
    Some(Undo { action, fields })
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_out_as_it_went_in() {
        let notice = Notice::new("Saved <b>é").warning(&["w".to_owned()]).undone_by("/x", &[("status", "enabled")]);
        let cookie = notice.cookie();
        let value = cookie.split(['=', ';']).nth(1).unwrap();
        assert_eq!(Notice::read(value), Some(notice));
        assert_eq!(Notice::read("rubbish"), None);
    }

    #[test]
    fn it_is_its_sessions_own_and_fits_into_a_cookie() {
        let warnings: Vec<String> = (0..9).map(|number| format!("{number} {}", "ż".repeat(900))).collect();
        let notice = Notice::new("ż".repeat(2_000)).warning(&warnings).undone_by("/x", &[("status", &"ż".repeat(3_000))]);
        let mut response = axum::response::IntoResponse::into_response(());
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&notice.cookie()).unwrap());
        seal(&mut response, "token");
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.len() < 4_000, "{}", cookie.len());
        let value = cookie.split(['=', ';']).nth(1).unwrap();
        assert!(unseal(value, "token").unwrap().text.contains('ż'));
        assert_eq!((unseal(value, "other"), unseal(value.split('.').next().unwrap(), "token")), (None, None));
    }

    #[test]
    fn nobody_is_sent_to_another_site_by_it() {
        let elsewhere = Notice::new("x").undone_by("https://elsewhere.example/", &[]).cookie();
        assert_eq!(Notice::read(elsewhere.split(['=', ';']).nth(1).unwrap()).unwrap().undo, None);
    }
}
