//! The last 24 hours, with the way to the rows that each figure counts.
use hookswitch_model::{Object, moment::Moment};
use serde_json::Value;

use crate::{
    html::Html,
    parts::{
        day::{self, CALLS, EVENTS, Hours},
        words,
    },
};

/// Events and calls of the last 24 hours.
pub(super) struct Day {
    since: Moment,
    pub(super) events: i64,
    pub(super) events_picture: Html,
    pub(super) calls: i64,
    pub(super) refused: i64,
    pub(super) failed: i64,
    pub(super) calls_picture: Html,
}

impl Day {
    /// Of what the methods tell, up to now.
    pub(super) fn of(now: Moment, events: &[Object], figures: &[Object]) -> Self {
        let since = day::since(now);
        let events = Hours::of(EVENTS, since, events);
        let calls = Hours::of(CALLS, since, figures.iter().flat_map(hours));
        let failed = calls.sum("failed");
        let (all, failed_words) = (words::number(calls.all()), words::number(failed));
        let calls_words = format!("Calls of the last 24 hours: {all}, of which {failed_words} failed");
        let events_words = format!("Events of the last 24 hours: {}", words::number(events.all()));
        Self {
            since,
            events: events.all(),
            events_picture: events.picture(400, 72, &events_words),
            calls: calls.all(),
            refused: calls.sum("forbidden"),
            failed,
            calls_picture: calls.picture(400, 72, &calls_words),
        }
    }

    /// The rows of a list that a figure counts.
    pub(super) fn rows(&self, list: &str) -> String {
        day::rows(list, self.since)
    }
}

/// The calls of one handler, small.
pub(super) fn of_handler(now: Moment, figures: &Object) -> Html {
    Hours::of(CALLS, day::since(now), hours(figures)).small(120, 20, "Calls of the last 24 hours")
}

fn hours(figures: &Object) -> impl Iterator<Item = &Object> {
    figures["hours"].as_array().into_iter().flatten().filter_map(Value::as_object)
}
