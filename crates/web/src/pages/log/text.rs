//! Words in bodies have no index: they are looked for within one handler, one client, one action, or 24 hours. Who names none of them
//! gets the last 24 hours, or those that begin or end where he said. So does at first who names a handler: one may have made most of
//! the calls, and all of them are a click away.
use hookswitch_model::moment::Moment;
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Map, Value};

use super::PATH;
use crate::{html::Html, markup, params::Params, parts::words};

const DAY_S: i64 = 24 * 60 * 60;
/// What narrows it down to a few calls.
const NARROW: &[&str] = &["clients_id", "event_id"];
/// Before anything that was logged.
const EVER: &str = "2000-01-01";

/// What goes along with the filters so that a text can be looked for.
pub(super) fn range(query: &Params, now: Moment) -> Value {
    let mut fixed = Map::new();
    if !is_wide(query) {
        return fixed.into();
    }
    let end = now.seconds() + 1;
    let (from, to) = match (query.text("dt_from"), query.text("dt_to")) {
        (None, None) => (Some(iso(end - DAY_S)), Some(iso(end))),
        // What a handler was told may be searched however long ago it was.
        _ if query.text("handlers_id").is_some() => (None, None),
        (Some(from), None) => (None, moved(from, 1)),
        (None, Some(to)) => (moved(to, -1), None),
        (Some(_), Some(_)) => (None, None),
    };
    for (name, value) in [("dt_from", from), ("dt_to", to)] {
        if let Some(value) = value {
            fixed.insert(name.to_owned(), value.into());
        }
    }
    fixed.into()
}

/// True if there is a text and nothing but dates to narrow it down.
fn is_wide(query: &Params) -> bool {
    query.text("q").is_some() && NARROW.iter().all(|name| query.text(name).is_none())
}

/// What is said of it; `is_refused`: the dates are too far apart.
pub(super) fn note(query: &Params, is_refused: bool) -> Html {
    if !is_wide(query) {
        return Html::default();
    }
    let undated = query.with("dt_from", None).with("dt_to", None).with("offset", None);
    if is_refused {
        return markup!(
            "<p class=\"banner bad\">Text is looked for in the calls of one handler, of one client, or of at most 24 hours. Choose a handler or a client, bring the dates closer together, or search {}.</p>",
            words::link(&undated.href(PATH), "the last 24 hours")
        );
    }
    let place = match (query.text("dt_from"), query.text("dt_to")) {
        (None, None) if query.text("handlers_id").is_some() => {
            let all = words::link(&undated.with("dt_from", Some(EVER)).href(PATH), "all of this handler's calls");
            return markup!(
                "<p class=\"banner waiting\">The text was looked for in the last 24 hours. It can be looked for in {}, which may take some seconds.</p>",
                all
            );
        }
        _ if query.text("handlers_id").is_some() => return Html::default(),
        (None, None) => "the last 24 hours",
        (Some(_), None) => "the 24 hours after that moment",
        (None, Some(_)) => "the 24 hours before that moment",
        (Some(_), Some(_)) => return Html::default(),
    };
    markup!(
        "<p class=\"banner waiting\">The text was looked for in {}. To look further, choose a handler, a client, or other dates.</p>",
        place
    )
}

/// In plain words, what is wrong with a text that is looked for in too much.
pub(super) const TOO_WIDE: &str = "needs a handler, a client, or dates at most 24 hours apart";

fn iso(seconds: i64) -> String {
    Moment(seconds * 1_000_000).iso()
}

/// A day or a moment, a day later or earlier; what can't be read stays away, and is refused where it was typed.
fn moved(text: &str, days: i64) -> Option<String> {
    // A moment is read as its day, too.
    if let (10, Ok(date)) = (text.len(), text.parse::<Date>()) {
        return Some(date.checked_add(days.days()).ok()?.to_string());
    }
    Moment::parse(text).map(|moment| iso(moment.seconds() + days * DAY_S))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(query: &str) -> Value {
        range(&Params::read(query.as_bytes()), Moment(1_764_000_000 * 1_000_000))
    }

    #[test]
    fn a_text_alone_is_looked_for_in_the_last_day() {
        assert_eq!(of("q=x"), json!({"dt_from": "2025-11-23T16:00:01+00:00", "dt_to": "2025-11-24T16:00:01+00:00"}));
        assert_eq!(of("q=x&handlers_id=7"), of("q=x"));
        assert_eq!(of("q=x&handlers_id=7&dt_from=2000-01-01"), json!({}));
        assert_eq!(of("q=x&clients_id=7"), json!({}));
        assert_eq!(of("status=failed"), json!({}));
    }

    #[test]
    fn half_a_range_is_made_a_day() {
        assert_eq!(of("q=x&dt_from=2025-12-31"), json!({"dt_to": "2026-01-01"}));
        assert_eq!(of("q=x&dt_to=2025-11-23T10:00:00%2B00:00"), json!({"dt_from": "2025-11-22T10:00:00+00:00"}));
        assert_eq!(of("q=x&dt_from=rubbish"), json!({}));
        assert_eq!(of("q=x&dt_from=2020-01-01&dt_to=2026-01-01"), json!({}));
    }
}
