//! The last 24 hours as pictures.
use hookswitch_model::{Object, moment::Moment};
use serde_json::Value;

use crate::{
    html::Html,
    parts::{
        picture::{self, Stack},
        words,
    },
};

const HOURS: usize = 24;
const HOUR_S: i64 = 3_600;
/// The parts of a column of calls, from below: as the log calls them, and as they are drawn.
const PARTS: [(&str, &str); 4] = [("success", "good"), ("forbidden", "refused"), ("skipped", "waiting"), ("failed", "bad")];

/// Events and calls of the last 24 hours.
pub(super) struct Day {
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
        let by_hour = columns(now, events.iter(), &[("events", "accent")]);
        let hours: Vec<Object> = figures.iter().flat_map(hours).cloned().collect();
        let calls = columns(now, hours.iter(), &PARTS);
        let sum = |rows: &mut dyn Iterator<Item = &Object>, name: &str| rows.filter_map(|row| row[name].as_i64()).sum::<i64>();
        let sums = PARTS.map(|(name, _)| sum(&mut hours.iter(), name));
        let events = sum(&mut events.iter(), "events");
        let words = format!("Events of the last 24 hours: {}", words::number(events));
        let [success, refused, skipped, failed] = sums;
        let total = success + refused + skipped + failed;
        let calls_words =
            format!("Calls of the last 24 hours: {}, of which {} failed", words::number(total), words::number(failed));
        Self {
            events,
            events_picture: picture::columns(&by_hour, 400, 72, &words),
            calls: total,
            refused,
            failed,
            calls_picture: picture::columns(&calls, 400, 72, &calls_words),
        }
    }
}

/// The calls of one handler, small.
pub(super) fn of_handler(now: Moment, figures: &Object) -> Html {
    let rows: Vec<Object> = hours(figures).cloned().collect();
    picture::columns(&columns(now, rows.iter(), &PARTS), 120, 20, "Calls of the last 24 hours")
}

fn hours(figures: &Object) -> impl Iterator<Item = &Object> {
    figures["hours"].as_array().into_iter().flatten().filter_map(Value::as_object)
}

/// A column for each hour, the present one last.
fn columns<'a>(now: Moment, rows: impl Iterator<Item = &'a Object>, parts: &[(&str, &'static str)]) -> Vec<Stack> {
    let last = now.seconds().div_euclid(HOUR_S);
    let mut counts = vec![vec![0; parts.len()]; HOURS];
    for row in rows {
        let Some(hour) = row["hour"].as_str().and_then(Moment::parse) else { continue };
        let ago = usize::try_from(last - hour.seconds().div_euclid(HOUR_S)).unwrap_or(HOURS);
        if ago < HOURS {
            for (count, (name, _)) in counts[HOURS - 1 - ago].iter_mut().zip(parts) {
                *count += row[*name].as_i64().unwrap_or(0);
            }
        }
    }
    let column = |(at, counts): (usize, Vec<i64>)| {
        let begin = Moment((last - i64::try_from(HOURS - 1 - at).unwrap_or(0)) * HOUR_S * 1_000_000);
        let said = parts.iter().zip(&counts).filter(|(_, count)| **count > 0);
        let said: Vec<String> = said.map(|((name, _), count)| format!("{} {name}", words::number(*count))).collect();
        let title =
            format!("{}: {}", &words::exact(begin)[..16], if said.is_empty() { "nothing".to_owned() } else { said.join(", ") });
        Stack { parts: parts.iter().map(|(_, class)| *class).zip(counts).collect(), title }
    };
    counts.into_iter().enumerate().map(column).collect()
}
