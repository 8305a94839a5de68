//! What is said on the next page: that something was saved, what handlers warned of, and how it can be undone.
//!
//! It travels in a cookie of the reader's own, for one page; whatever is in it is shown as text.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The cookie's name.
pub(crate) const COOKIE: &str = "hookswitch_notice";
/// A browser keeps some 4 KB of a cookie.
const TEXT_CHARACTERS_MAX: usize = 800;

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

    /// The cookie that carries it.
    pub(crate) fn cookie(&self) -> String {
        let undo = self.undo.as_ref().map(|undo| json!({"action": undo.action, "fields": undo.fields}));
        let warnings: Vec<String> = self.warnings.iter().take(5).map(|warning| cut(warning, 300)).collect();
        let whole = json!({"text": cut(&self.text, TEXT_CHARACTERS_MAX), "warnings": warnings, "undo": undo});
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", URL_SAFE_NO_PAD.encode(whole.to_string()))
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
    fn nobody_is_sent_to_another_site_by_it() {
        let elsewhere = Notice::new("x").undone_by("https://elsewhere.example/", &[]).cookie();
        assert_eq!(Notice::read(elsewhere.split(['=', ';']).nth(1).unwrap()).unwrap().undo, None);
    }
}
