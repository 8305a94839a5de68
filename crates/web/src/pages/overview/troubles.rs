//! What somebody should look at, each in a sentence with the way to it. A handler that is a few seconds behind is at work; one that
//! has been for a minute is not keeping up.
use hookswitch_model::Object;
use serde_json::Value;

use crate::parts::words;

/// So long an event may wait before somebody is told.
const LATE_S: i64 = 60;
/// So late a step of the clock may be.
const CLOCK_LATE_S: i64 = 10;

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// In a sentence.
    pub(super) words: String,
    /// Where more is said of it.
    pub(super) href: String,
}

/// What was given up of a reseller's clients, whoever's handlers they were for: he sees no more of the system's than this.
pub(super) fn given_up(deliveries: usize) -> Option<Trouble> {
    let many = if deliveries > SEEN_MAX { format!("More than {SEEN_MAX}") } else { deliveries.to_string() };
    let words = format!("{many} deliveries about your clients were given up.");
    (deliveries > 0).then_some(Trouble { words, href: "/provisioning/deliveries?state=dead".to_owned() })
}

/// So many are counted for that.
pub(super) const SEEN_MAX: usize = 100;

/// A handler's state as it is shown: its own word, unless somebody or something holds it up.
pub(super) fn state(standing: &Object) -> &str {
    match (&standing["paused"]["by"], standing["tripped_since"].is_null(), standing["status"].as_str()) {
        (Value::String(by), ..) if by == "breaker" => "paused by breaker",
        (Value::String(_), ..) => "paused",
        (_, false, _) => "failing",
        (_, _, Some(status)) if status != "enabled" => status,
        _ => standing["state"].as_str().unwrap_or_default(),
    }
}

/// All of them, the gravest first.
pub(super) fn of(standing: &[Object], system: &Value) -> Vec<Trouble> {
    let paused = standing.iter().filter_map(paused);
    let dead = standing.iter().filter_map(dead);
    let late = standing.iter().filter_map(late);
    paused.chain(dead).chain(late).chain(of_system(system)).collect()
}

fn name(standing: &Object) -> &str {
    standing["name"].as_str().unwrap_or_default()
}

fn page(standing: &Object) -> String {
    format!("/provisioning/handlers/{}", standing["id"])
}

fn paused(standing: &Object) -> Option<Trouble> {
    let waiting = standing["waiting"].as_i64().unwrap_or(0) + standing["retrying"].as_i64().unwrap_or(0);
    let waiting = match waiting {
        0 => String::new(),
        _ => format!(": {}", words::counted(waiting, "delivery waits", "deliveries wait")),
    };
    let words = match state(standing) {
        "paused by breaker" => format!("{} fails, and is paused until it answers again{waiting}.", name(standing)),
        "paused" => {
            let by = standing["paused"]["by"].as_str().unwrap_or_default();
            format!("{} is paused by {by}{waiting}.", name(standing))
        }
        "failing" => format!("{} has failed too often, and is not asked until it answers again.", name(standing)),
        _ => return None,
    };
    Some(Trouble { words, href: page(standing) })
}

fn dead(standing: &Object) -> Option<Trouble> {
    let dead = standing["dead"].as_i64().filter(|dead| *dead > 0)?;
    let words = format!("{} given up: {}.", words::counted(dead, "delivery was", "deliveries were"), name(standing));
    Some(Trouble { words, href: format!("/provisioning/deliveries?handlers_id={}&state=dead", standing["id"]) })
}

fn late(standing: &Object) -> Option<Trouble> {
    let age = standing["oldest_age_s"].as_i64().filter(|age| *age >= LATE_S)?;
    let is_held = !standing["paused"].is_null() || standing["status"] != "enabled";
    let words = format!("{} has not heard of what happened {} ago.", name(standing), words::span(age));
    let href = format!("/provisioning/deliveries?handlers_id={}", standing["id"]);
    (!is_held).then_some(Trouble { words, href })
}

fn of_system(system: &Value) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let loops = system["loops"]["cut"].as_i64().unwrap_or(0) + system["loops"]["suspected"].as_i64().unwrap_or(0);
    if loops > 0 {
        let words = format!("Handlers answer each other: {} within 24 hours.", words::counted(loops, "loop", "loops"));
        troubles.push(Trouble { words, href: "/provisioning/loops".to_owned() });
    }
    if let Some(lag) = system["clock_lag_s"].as_i64().filter(|lag| *lag >= CLOCK_LATE_S) {
        let words = format!("Steps of client packages are late by {}.", words::span(lag));
        troubles.push(Trouble { words, href: "/status".to_owned() });
    }
    for node in system["nodes"].as_array().into_iter().flatten().filter(|node| node["state"] != "alive") {
        let words =
            format!("The node {} is {}.", node["name"].as_str().unwrap_or_default(), node["state"].as_str().unwrap_or_default());
        troubles.push(Trouble { words, href: "/status".to_owned() });
    }
    troubles
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn standing(more: Value) -> Object {
        let mut one = json!({"id": 7, "name": "CRM", "status": "enabled", "paused": null, "tripped_since": null, "state": "behind",
            "waiting": 1_204, "retrying": 0, "dead": 0, "oldest_age_s": 5});
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one.as_object().unwrap().clone()
    }

    fn words(more: Value) -> Vec<String> {
        of(&[standing(more)], &Value::Null).into_iter().map(|trouble| trouble.words).collect()
    }

    #[test]
    fn who_is_at_work_is_no_trouble_and_who_stands_still_is() {
        assert_eq!(words(json!({})), [""; 0]);
        assert_eq!(words(json!({"oldest_age_s": 120})), ["CRM has not heard of what happened 2 min ago."]);
        assert_eq!(words(json!({"dead": 1})), ["1 delivery was given up: CRM."]);
        let paused = json!({"paused": {"by": "breaker"}, "oldest_age_s": 7_200});
        assert_eq!(words(paused), ["CRM fails, and is paused until it answers again: 1,204 deliveries wait."]);
    }

    #[test]
    fn the_system_has_troubles_of_its_own() {
        let system = json!({"loops": {"cut": 1, "suspected": 0}, "clock_lag_s": 60, "nodes": [{"name": "a", "state": "gone"}]});
        assert_eq!(of(&[], &system).len(), 3);
    }
}
