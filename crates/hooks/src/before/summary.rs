//! What a handler that decides nothing would have decided: counted out of the log for a shadow, out of its answers for a
//! back-test.
use std::collections::BTreeMap;

use hookswitch_model::Object;
use serde_json::{Value, json};

/// Refusals that are shown whole.
const EXAMPLES_MAX: usize = 10;
/// Keys and reasons that are counted by name; whatever else there is is counted under `...`.
const NAMES_MAX: usize = 100;
const OTHERS: &str = "...";

/// How one asking ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It would have allowed it as it was.
    Allow,
    /// It would have changed these keys.
    Change(Vec<String>),
    /// It would have refused it. What it was about is shown.
    Forbid(Value),
    /// It failed, for this reason.
    Failed(String),
    /// It was due and not called.
    Skipped,
}

/// The counts.
#[derive(Debug, Default)]
pub struct Summary {
    allow: u64,
    change: u64,
    forbid: u64,
    failed: u64,
    skipped: u64,
    changed_keys: BTreeMap<String, u64>,
    reasons: BTreeMap<String, u64>,
    examples: Vec<Value>,
    took_us: Vec<i64>,
}

impl Summary {
    /// Counts one, and how long the call took.
    pub fn add(&mut self, said: Said, took_us: i64) {
        if said != Said::Skipped {
            self.took_us.push(took_us);
        }
        match said {
            Said::Allow => self.allow += 1,
            Said::Change(keys) => {
                self.change += 1;
                keys.into_iter().for_each(|key| count(&mut self.changed_keys, key));
            }
            Said::Forbid(example) => {
                self.forbid += 1;
                if self.examples.len() < EXAMPLES_MAX {
                    self.examples.push(example);
                }
            }
            Said::Failed(reason) => {
                self.failed += 1;
                count(&mut self.reasons, reason);
            }
            Said::Skipped => self.skipped += 1,
        }
    }

    /// As `provisioning.handlers.shadow` and `backtest` answer.
    #[must_use]
    pub fn shown(mut self) -> Object {
        self.took_us.sort_unstable();
        let shown = json!({
            "asked": self.took_us.len(),
            "would_allow": self.allow,
            "would_change": self.change,
            "would_forbid": self.forbid,
            "failed": self.failed,
            "skipped": self.skipped,
            "changed_keys": self.changed_keys,
            "failed_reasons": self.reasons,
            "forbidden_examples": self.examples,
            "median_ms": millis(&self.took_us, 50),
            "p95_ms": millis(&self.took_us, 95),
        });
        match shown {
            Value::Object(shown) => shown,
            _ => Object::new(),
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: String) {
    let name = if counts.len() < NAMES_MAX || counts.contains_key(&name) { name } else { OTHERS.to_owned() };
    *counts.entry(name).or_default() += 1;
}

/// The least time within which so many in a hundred were done, in milliseconds; null if there was none.
fn millis(sorted_us: &[i64], percent: usize) -> Value {
    let at = (sorted_us.len() * percent).div_ceil(100).saturating_sub(1);
    sorted_us.get(at).map_or(Value::Null, |us| (us / 1_000).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_asking_is_counted_once_and_skipped_ones_were_no_askings() {
        let mut summary = Summary::default();
        let keys = |names: &[&str]| Said::Change(names.iter().map(|name| (*name).to_owned()).collect());
        for (said, ms) in [
            (Said::Allow, 1),
            (keys(&["credit"]), 2),
            (keys(&["credit", "notes"]), 3),
            (Said::Forbid(json!({"object_id": 1})), 4),
            (Said::Failed("timeout".to_owned()), 100),
            (Said::Skipped, 0),
        ] {
            summary.add(said, ms * 1_000);
        }
        let expected = json!({"asked": 5, "would_allow": 1, "would_change": 2, "would_forbid": 1, "failed": 1, "skipped": 1,
            "changed_keys": {"credit": 2, "notes": 1}, "failed_reasons": {"timeout": 1},
            "forbidden_examples": [{"object_id": 1}], "median_ms": 3, "p95_ms": 100});
        assert_eq!(Value::Object(summary.shown()), expected);
    }

    #[test]
    fn names_and_examples_have_a_bound_and_counts_have_none() {
        let mut summary = Summary::default();
        for number in 0..500 {
            summary.add(Said::Change(vec![format!("key {number}")]), 0);
            summary.add(Said::Forbid(json!(number)), 0);
        }
        let shown = summary.shown();
        assert_eq!(
            (shown["changed_keys"].as_object().unwrap().len(), &shown["changed_keys"][OTHERS]),
            (NAMES_MAX + 1, &json!(400))
        );
        assert_eq!((shown["forbidden_examples"].as_array().unwrap().len(), &shown["would_forbid"]), (EXAMPLES_MAX, &json!(500)));
    }

    #[test]
    fn nobody_asked_is_no_time_at_all() {
        let shown = Summary::default().shown();
        assert_eq!((&shown["median_ms"], &shown["asked"]), (&Value::Null, &json!(0)));
    }
}
