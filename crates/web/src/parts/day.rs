//! The last 24 hours, hour by hour: from when they count, what they sum up to, how they are drawn, and where their rows are.
use hookswitch_model::{Object, moment::Moment};

use super::{
    picture::{self, Stack},
    words,
};
use crate::html::Html;

const HOURS: usize = 24;
const HOUR_MS: i64 = 3_600_000;

/// What a column is made of, from below: as the methods call it, and the class of its colour.
pub(crate) type Parts = &'static [(&'static str, &'static str)];

/// How calls end. What failed stands on top, where it is seen.
pub(crate) const CALLS: Parts = &[("success", "good"), ("forbidden", "refused"), ("skipped", "waiting"), ("failed", "bad")];
pub(crate) const EVENTS: Parts = &[("events", "accent")];

/// The first moment of the last 24 hours: the present hour is the last of them.
pub(crate) fn since(now: Moment) -> Moment {
    let hours = i64::try_from(HOURS).unwrap_or(0) - 1;
    Moment::from_millis(now.millis() - now.millis().rem_euclid(HOUR_MS) - hours * HOUR_MS)
}

/// The rows of a list that such a number counts.
pub(crate) fn rows(list: &str, since: Moment) -> String {
    let and = if list.contains('?') { '&' } else { '?' };
    format!("{list}{and}dt_from={}", since.iso().replace('+', "%2B"))
}

/// Counts, hour by hour.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    parts: Parts,
    since: Moment,
    counts: [Vec<i64>; HOURS],
}

impl Hours {
    /// Of the rows of a method, each of which names its `hour`; what is older is left out.
    pub(crate) fn of<'a>(parts: Parts, since: Moment, rows: impl IntoIterator<Item = &'a Object>) -> Self {
        let mut counts = std::array::from_fn(|_| vec![0; parts.len()]);
        for row in rows {
            let hour = row.get("hour").and_then(|hour| hour.as_str()).and_then(Moment::parse);
            let place = hour.and_then(|hour| usize::try_from(hour.millis_since(since).div_euclid(HOUR_MS)).ok());
            if let Some(counts) = place.and_then(|place| counts.get_mut(place)) {
                for (count, (name, _)) in counts.iter_mut().zip(parts) {
                    *count += row.get(*name).and_then(|number| number.as_i64()).unwrap_or(0);
                }
            }
        }
        Self { parts, since, counts }
    }

    /// All of one part.
    pub(crate) fn sum(&self, part: &str) -> i64 {
        let place = self.parts.iter().position(|(name, _)| *name == part);
        place.map_or(0, |place| self.counts.iter().map(|hour| hour[place]).sum())
    }

    /// All of them.
    pub(crate) fn all(&self) -> i64 {
        self.counts.iter().flatten().sum()
    }

    /// Drawn with what each hour had on hover.
    pub(crate) fn picture(&self, width: u32, height: u32, title: &str) -> Html {
        let stacks: Vec<Stack> = (0..HOURS).map(|at| Stack { title: self.told(at), ..self.stack(at) }).collect();
        picture::columns(&stacks, width, height, title)
    }

    /// Drawn for a row of a list.
    pub(crate) fn small(&self, width: u32, height: u32, title: &str) -> Html {
        let stacks: Vec<Stack> = (0..HOURS).map(|at| self.stack(at)).collect();
        picture::columns(&stacks, width, height, title)
    }

    fn stack(&self, at: usize) -> Stack {
        let parts = self.parts.iter().zip(&self.counts[at]).map(|((_, class), count)| (*class, *count)).collect();
        Stack { parts, ..Stack::default() }
    }

    fn told(&self, at: usize) -> String {
        let begin = self.since.plus_millis(i64::try_from(at).unwrap_or(0) * HOUR_MS);
        let said = self.parts.iter().zip(&self.counts[at]).filter(|(_, count)| **count > 0);
        let said: Vec<String> = said.map(|((name, _), count)| format!("{} {name}", words::number(*count))).collect();
        let exact = words::exact(begin);
        format!("{}: {}", exact.get(..16).unwrap_or(&exact), if said.is_empty() { "nothing".to_owned() } else { said.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_present_hour_is_the_last_and_what_is_older_does_not_count() {
        let now = Moment::parse("2026-11-23T21:14:07Z").unwrap();
        let since = since(now);
        assert_eq!(words::exact(since), "2026-11-22 22:00:00 UTC");
        let row = |hour: &str, failed: i64| match json!({"hour": hour, "success": 1, "failed": failed}) {
            Value::Object(row) => row,
            _ => Object::new(),
        };
        let rows = [row("2026-11-22T21:00:00Z", 50), row("2026-11-22T22:00:00Z", 2), row("2026-11-23T21:00:00Z", 3)];
        let hours = Hours::of(CALLS, since, &rows);
        assert_eq!((hours.sum("failed"), hours.all()), (5, 7));
        assert_eq!(hours.told(23), "2026-11-23 21:00: 1 success, 3 failed");
        assert_eq!(super::rows("/provisioning/logs?status=failed", since).split("&dt_from=").count(), 2);
    }
}
