//! What a before handler's reply means (contract section 4): a decision, or a failure with its reason.
//!
//! Nothing is guessed: whatever is not one of the contract's forms is a failure, and `on_failure` decides. Whether
//! changed data is valid for the object is found out afterwards, by those who know the object.
use hookswitch_model::{Object, json, refusal::FailureReason};
use serde_json::Value;

use crate::call::{Kind, Reply, script};

/// A handler's message may be this long, and each of its warnings.
pub const MESSAGE_CHARACTERS_MAX: usize = 500;
/// Warnings taken from one reply.
const WARNINGS_MAX: usize = 20;
/// The handler's own code, and the name of a field.
const WORD_CHARACTERS_MAX: usize = 64;

/// What a handler wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The action may go on as it is.
    Allow,
    /// It may go on with these keys of `data` in place of ours.
    Modify(Object),
    /// It must not go on.
    Forbid(Forbidden),
}

/// Why it must not go on; each part is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forbidden {
    /// For the caller.
    pub message: Option<String>,
    /// The handler's own code.
    pub code: Option<String>,
    /// The field that it is about.
    pub field: Option<String>,
}

/// A reply that decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What it decides.
    pub verdict: Verdict,
    /// What the caller should know, where it allows.
    pub warnings: Vec<String>,
}

/// A reply that is no decision: its reason, and plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoDecision(pub FailureReason, pub String);

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, warnings: Vec::new() }
    }
}

fn bad(words: impl Into<String>) -> NoDecision {
    NoDecision(FailureReason::BadReply, words.into())
}

/// Reads a reply, over HTTP or from a script.
///
/// # Errors
/// Why it is no decision.
pub fn read(reply: &Reply) -> Result<Decision, NoDecision> {
    match (reply.kind, reply.status) {
        (Kind::Http, 204) => Ok(Verdict::Allow.into()),
        (Kind::Http, 200..=202) | (Kind::Script, 0) => decision(&reply.body),
        (Kind::Http, 400 | 403 | 409 | 422) => Ok(Verdict::Forbid(forbidden(&reply.body)).into()),
        (Kind::Http, status) => Err(NoDecision(FailureReason::Status, format!("it answered with the HTTP status {status}"))),
        (Kind::Script, script::FORBID_STATUS) => {
            let message = Some(cut(&reply.first_line, MESSAGE_CHARACTERS_MAX)).filter(|line| !line.is_empty());
            Ok(Verdict::Forbid(Forbidden { message, ..Forbidden::default() }).into())
        }
        (Kind::Script, status) => Err(NoDecision(FailureReason::Script, format!("it ended with the exit status {status}"))),
        // Refused when it is saved.
        (Kind::ReadyMade, _) => Err(NoDecision(FailureReason::BadReply, "a ready-made handler decides nothing".to_owned())),
    }
}

fn decision(body: &[u8]) -> Result<Decision, NoDecision> {
    if body.trim_ascii().is_empty() {
        return Ok(Verdict::Allow.into());
    }
    let parsed = json::parse(body).map_err(|error| bad(format!("its reply {error}")))?;
    let Value::Object(mut reply) = parsed else { return Err(bad("its reply is not a JSON object")) };
    let known = ["verdict", "data", "event", "warnings"];
    if !reply.is_empty() && !known.iter().any(|name| reply.contains_key(*name)) {
        return Err(bad("its reply has none of verdict, data, event and warnings"));
    }
    let data = match reply.shift_remove("data") {
        None => None,
        Some(Value::Object(data)) => Some(data),
        Some(_) => return Err(bad("the `data` of its reply is not an object")),
    };
    let verdict = match reply.get("verdict") {
        Some(Value::String(word)) if word == "forbid" => return Ok(Verdict::Forbid(words_of(&reply)).into()),
        None => data.map_or(Verdict::Allow, Verdict::Modify),
        Some(Value::String(word)) if word == "allow" => data.map_or(Verdict::Allow, Verdict::Modify),
        Some(other) => return Err(bad(format!("its verdict is neither allow nor forbid but {}", cut(&other.to_string(), 50)))),
    };
    Ok(Decision { verdict, warnings: warnings(reply.get("warnings"))? })
}

fn warnings(given: Option<&Value>) -> Result<Vec<String>, NoDecision> {
    let wrong = || bad("the `warnings` of its reply are not a list of texts");
    let Some(given) = given else { return Ok(Vec::new()) };
    let list = given.as_array().ok_or_else(wrong)?;
    let texts = list.iter().map(|text| text.as_str().ok_or_else(wrong));
    texts.take(WARNINGS_MAX).map(|text| text.map(|text| cut(text, MESSAGE_CHARACTERS_MAX))).collect()
}

/// The words of a forbidding status: members of a JSON object, or the text itself.
fn forbidden(body: &[u8]) -> Forbidden {
    if let Ok(Value::Object(reply)) = json::parse(body) {
        return words_of(&reply);
    }
    let text = cut(String::from_utf8_lossy(body).trim(), MESSAGE_CHARACTERS_MAX);
    Forbidden { message: Some(text).filter(|text| !text.is_empty()), ..Forbidden::default() }
}

fn words_of(reply: &Object) -> Forbidden {
    let text = |name: &str, max: usize| reply.get(name).and_then(Value::as_str).map(|text| cut(text, max));
    let number = |name: &str| reply.get(name).filter(|code| code.is_number()).map(ToString::to_string);
    Forbidden {
        message: text("message", MESSAGE_CHARACTERS_MAX),
        code: text("code", WORD_CHARACTERS_MAX).or_else(|| number("code")),
        field: text("field", WORD_CHARACTERS_MAX),
    }
}

fn cut(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
}

#[cfg(test)]
mod tests;
