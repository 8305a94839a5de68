//! How handlers did within 24 hours, and what waits for them: asked for all rows of a page at once.
use std::collections::BTreeMap;

use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::{Value, json};

use super::number;
use crate::{
    html::Html,
    markup,
    parts::{
        day::{self, CALLS, Hours},
        list::objects,
        words,
    },
    visitor::Visitor,
};

/// The last 24 hours of several handlers.
pub(super) struct Figures {
    /// The start of the first hour: what links to the log count from.
    since: Moment,
    by_handler: BTreeMap<i64, Day>,
}

/// One handler's 24 hours.
#[derive(Debug, Clone)]
pub(super) struct Day {
    /// Half of its last calls took at most this.
    pub(super) median_ms: Value,
    hours: Hours,
}

impl Figures {
    /// Asks for these handlers' figures.
    pub(super) async fn ask(visitor: &Visitor, ids: &[i64]) -> Result<Self, Refusal> {
        let since = day::since(visitor.now());
        let mut by_handler = BTreeMap::new();
        if !ids.is_empty() {
            // Of one handler, or of all that he sees.
            let asked = if let [id] = ids { json!({"id": id}) } else { json!({}) };
            let rows = objects(visitor.ask("provisioning.handlers.figures", asked).await?);
            by_handler = rows.iter().map(|row| (number(row, "id"), Day::of(row, since))).collect();
        }
        Ok(Self { since, by_handler })
    }

    /// Those of one; nothing where it was not called.
    pub(super) fn of(&self, id: i64) -> Day {
        self.by_handler.get(&id).cloned().unwrap_or_else(|| Day::of(&Object::new(), self.since))
    }

    /// The log's rows that a number counts.
    pub(super) fn log(&self, id: i64, status: &str) -> String {
        let status = if status.is_empty() { String::new() } else { format!("&status={status}") };
        day::rows(&format!("/provisioning/logs?handlers_id={id}{status}"), self.since)
    }
}

impl Day {
    fn of(row: &Object, since: Moment) -> Self {
        let hours = row.get("hours").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
        Self { median_ms: row.get("median_ms").cloned().unwrap_or_default(), hours: Hours::of(CALLS, since, hours) }
    }

    /// Calls that ended so; all of them for an empty word.
    pub(super) fn count(&self, status: &str) -> i64 {
        if status.is_empty() { self.hours.all() } else { self.hours.sum(status) }
    }

    /// Hour by hour.
    pub(super) fn picture(&self, width: u32, height: u32) -> Html {
        let (all, failed, refused) = (self.count(""), self.count("failed"), self.count("forbidden"));
        let title = format!("Last 24 hours: {}, {refused} refused, {failed} failed", words::counted(all, "call", "calls"));
        self.hours.small(width, height, &title)
    }
}

/// What waits for handlers, by id.
pub(super) async fn standing(visitor: &Visitor, id: Option<i64>) -> Result<BTreeMap<i64, Object>, Refusal> {
    let answer = visitor.ask("provisioning.handlers.status", id.map_or_else(|| json!({}), |id| json!({"id": id}))).await;
    let rows = match answer {
        Ok(mut answer) => objects(answer["handlers"].take()),
        // An archived one for which nothing waits does not stand anywhere.
        Err(Refusal::NotFound { .. }) => Vec::new(),
        Err(other) => return Err(other),
    };
    Ok(rows.into_iter().map(|row| (number(&row, "id"), row)).collect())
}

/// What keeps a handler from being called, in a word that is shown beside its status; empty = nothing does.
pub(super) fn held(handler: &Object, standing: Option<&Object>) -> &'static str {
    let by = handler.get("paused").and_then(|paused| paused.get("by")).and_then(Value::as_str);
    let is_tripped = standing.and_then(|row| row.get("tripped_since")).is_some_and(|since| !since.is_null());
    match by {
        Some("breaker") => "paused by breaker",
        Some(_) => "paused",
        None if is_tripped => "tripped",
        None => "",
    }
}

/// A number with a word, linked to the rows that it counts; without colour and link where there are none.
pub(super) fn counted(count: i64, word: &str, class: &str, href: &str) -> Html {
    if count == 0 {
        return markup!("<span class=\"quiet\">{} 0</span>", word);
    }
    markup!("<a class=\"count {}\" href=\"{}\">{} {}</a>", class, href, word, words::number(count))
}
