//! Secrets never reach the log: every secret value of a call is masked wherever it occurs, by value.
//!
//! Not by key: a handler may answer with our password under any name, in an error text, or inside a message of its
//! own. So the log's texts are searched for the values themselves: as they are, and as they look inside JSON or
//! a URL. JSON can be written in many ways (`"`, `\"`, `\u0022`, `\/`, and again escaped as a text within JSON), so the
//! text is *read* rather than the secret written in every way: see [`views`].
//!
//! - A value of 1 to 3 characters is masked where it stands as a word of its own. A password `1` inside every number
//!   would otherwise leave a log in which nothing can be read, and a match inside a longer word gives nothing away.
//! - Keys and numbers of JSON are masked like anything else: a log row may then hold text that is no longer JSON.
//! - Mask first, cut afterwards ([`Mask::head`], [`Mask::tail`]): a cut secret would not be found.
use std::{borrow::Cow, ops::Range};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookswitch_model::{
    handler::{
        Handler,
        settings::is_secret,
        task::{self, Kind},
    },
    json::MASK,
};
use memchr::memmem::Finder;
use serde_json::Value;
use url::Url;

mod views;

/// Shorter values are masked only as words of their own.
const CHARACTERS_ANYWHERE_MIN: usize = 4;

/// A word of a header's value that is masked on its own too: `Bearer TOKEN` may come back as `TOKEN`.
const HEADER_WORD_CHARACTERS_MIN: usize = 8;

/// The secret values of one call.
#[derive(Clone, Default)]
pub struct Mask {
    words: Vec<Word>,
}

#[derive(Clone)]
struct Word {
    finder: Finder<'static>,
    anywhere: bool,
}

impl Mask {
    /// Masks these values; empty ones are no secrets.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self::default().and(secrets)
    }

    /// Masks what is secret about a handler: its signing secrets, its headers' values, secrets of its settings, user and password of its URL.
    #[must_use]
    pub fn of(handler: &Handler) -> Self {
        let secrets = secrets_of(handler);
        Self::new(secrets.iter().map(String::as_str))
    }

    /// Masks these as well.
    #[must_use]
    pub fn and<'a>(mut self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            if self.words.iter().any(|word| word.finder.needle() == secret.as_bytes()) {
                continue;
            }
            let anywhere = secret.chars().nth(CHARACTERS_ANYWHERE_MIN - 1).is_some();
            self.words.push(Word { finder: Finder::new(secret).into_owned(), anywhere });
        }
        self
    }

    /// True if a text holds none of them.
    #[must_use]
    pub fn finds_nothing(&self, text: &[u8]) -> bool {
        std::str::from_utf8(text).is_ok_and(|text| self.places(text).is_empty())
    }

    /// The text without the secrets; borrowed when there was none.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.places(text);
        if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(replaced(text, found, text.len())) }
    }

    /// The beginning of a body as the log keeps it: without the secrets, at most `bytes_max` long. What isn't UTF-8
    /// shows as `U+FFFD`.
    #[must_use]
    pub fn head(&self, body: &[u8], bytes_max: usize) -> String {
        let near = &body[..body.len().min(bytes_max.saturating_add(self.margin()))];
        let text = String::from_utf8_lossy(near);
        // A secret that begins before the cut is whole in `near`; what lies behind may be half of one.
        let cut = text.floor_char_boundary(bytes_max);
        let mut masked = replaced(&text, self.places(&text), cut);
        masked.truncate(masked.floor_char_boundary(bytes_max));
        masked
    }

    /// The end of a text, masked, at most `bytes_max` long.
    #[must_use]
    pub fn tail(&self, text: &str, bytes_max: usize) -> String {
        let masked = self.text(text);
        masked[masked.ceil_char_boundary(masked.len().saturating_sub(bytes_max))..].to_owned()
    }

    /// How far behind a cut the end of a secret may lie, however it is written.
    fn margin(&self) -> usize {
        let longest = self.words.iter().map(|word| word.finder.needle().len()).max().unwrap_or(0);
        longest * views::EXPANSION_MAX
    }

    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if !self.words.is_empty() {
            self.find(text.as_bytes(), |range| found.push(range));
            for view in views::of(text) {
                self.find(&view.bytes, |range| found.push(view.source(range)));
            }
        }
        found
    }

    fn find(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        for Word { finder, anywhere } in &self.words {
            let length = finder.needle().len();
            let mut from = 0;
            while let Some(at) = text.get(from..).and_then(|rest| finder.find(rest)) {
                let range = from + at..from + at + length;
                // On by one only: a value may overlap itself.
                from = range.start + 1;
                if *anywhere || stands_alone(text, &range) {
                    found(range);
                }
            }
        }
    }
}

fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    // Bytes from 0x80 belong to letters of other scripts, nearly always.
    let joins = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    !before.is_some_and(joins) && !text.get(range.end).is_some_and(joins)
}

/// The text up to `end`. Overlapping finds become one mask, so that of two secrets, one within the other, nothing is
/// left over.
fn replaced(text: &str, mut found: Vec<Range<usize>>, end: usize) -> String {
    found.sort_unstable_by_key(|range| range.start);
    let mut masked = String::with_capacity(end);
    let mut done = 0;
    for range in found.into_iter().take_while(|range| range.start < end) {
        if range.start >= done {
            masked.push_str(&text[done..range.start]);
            masked.push_str(MASK);
        }
        done = done.max(range.end);
    }
    masked.push_str(&text[done..end.max(done)]);
    masked
}

fn secrets_of(handler: &Handler) -> Vec<String> {
    let old = handler.old_secret.iter().map(|(secret, _)| secret);
    let mut secrets: Vec<String> = old.chain([&handler.secret]).cloned().collect();
    let bare: Vec<String> = secrets.iter().filter_map(|secret| Some(secret.strip_prefix("whsec_")?.to_owned())).collect();
    secrets.extend(bare);
    for (_, value) in &handler.headers {
        secrets.push(value.clone());
        let words = value.split_whitespace().filter(|word| word.len() >= HEADER_WORD_CHARACTERS_MIN);
        secrets.extend(words.map(str::to_owned));
    }
    let own = handler.settings.iter().filter(|(name, _)| is_secret(name));
    secrets.extend(own.filter_map(|(_, value)| value.as_str()).map(str::to_owned));
    // The user of a database is no secret: it has its password elsewhere.
    if let (false, Ok(url)) = (handler.kind() == Kind::Sql, Url::parse(task::url(&handler.task))) {
        secrets.extend(secrets_of_url(&url));
    }
    secrets
}

/// The password; a user without one (`http://TOKEN@host/`) is the secret itself. Also as `Basic` spells them.
fn secrets_of_url(url: &Url) -> Vec<String> {
    let secret = url.password().unwrap_or(url.username());
    let plain = decoded(secret);
    let basic = basic(url).and_then(|header| Some(header.strip_prefix("Basic ")?.to_owned()));
    [secret.to_owned(), plain].into_iter().chain(basic).collect()
}

/// The `Authorization` that user and password of a URL stand for; `None` if there is neither.
pub(crate) fn basic(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

fn decoded(text: &str) -> String {
    views::percent(text.as_bytes()).map_or_else(|| text.to_owned(), |view| String::from_utf8_lossy(&view.bytes).into_owned())
}

/// The passwords in a payload or a reply: every text under a key `password`, however deep.
pub fn passwords(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

/// The depth is bounded by the parser.
fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "password" && text != MASK => found.push(text),
                    other => collect(other, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
