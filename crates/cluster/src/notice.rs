//! What nodes tell each other, as text: a line a notice, a word and its numbers.
//!
//! Nodes of two versions run side by side while a new one is rolled out. So a line that starts with an unknown word is passed
//! over, and numbers behind those that are known are too: a newer program may say more, never something else in the same words.
use std::{collections::HashSet, fmt::Write as _};

/// Bytes of one message at most: PostgreSQL takes fewer than 8,000.
pub(crate) const MESSAGE_MAX: usize = 7_900;
/// Handlers in one line.
const HANDLERS_MAX: usize = 256;

/// What a node tells the others, or hears from them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// A client has new deliveries.
    Deliveries {
        /// Whose.
        clients_id: i64,
        /// The client's reseller.
        companies_id: i64,
        /// To whom, and which: the delivery's id.
        deliveries: Vec<(i64, i64)>,
    },
    /// A handler is to be told how an action ended.
    Outcomes {
        /// Whom.
        handlers_id: i64,
        /// About whose actions.
        clients_id: i64,
    },
    /// The handlers were changed.
    Handlers,
    /// Keys, users or resellers were changed.
    Access,
    /// The rows of a handler's deliveries or outcomes were changed by somebody else than who delivers them.
    Queue {
        /// Whose.
        handlers_id: i64,
    },
    /// A client has steps that are due.
    Due {
        /// Which one.
        clients_id: i64,
    },
    /// Something is due then, in microseconds, perhaps before anything else is.
    DueAt {
        /// When.
        at: i64,
    },
    /// The clock is to look at everything: a package has new terms.
    Terms,
    /// A resync has begun, or was changed.
    Resync {
        /// Which one.
        id: i64,
    },
    /// A before handler was taken for dead, or is back.
    Gate {
        /// Which one.
        handlers_id: i64,
        /// Of its settings.
        version: i64,
        /// Since when it has been failing, in microseconds; `None` = it is back.
        failing_since: Option<i64>,
    },
    /// A node has come, gone, or given something up.
    Membership,
    /// Something may have been missed: everything is to be looked at.
    Everything,
    /// Said at that time of the sender's stopwatch, in microseconds, to hear how long it takes.
    Echo {
        /// When.
        at: i64,
    },
}

/// The lines of some notices, each once, in messages that are small enough.
pub(crate) fn pack(from: i64, notices: &[Notice]) -> Vec<String> {
    let head = format!("n {from}");
    let (mut messages, mut seen) = (vec![head.clone()], HashSet::new());
    for line in notices.iter().flat_map(lines) {
        if !seen.insert(line.clone()) {
            continue;
        }
        let is_full = messages.last().is_some_and(|last| last.len() + 1 + line.len() > MESSAGE_MAX);
        if is_full {
            messages.push(head.clone());
        }
        if let Some(last) = messages.last_mut() {
            last.push('\n');
            last.push_str(&line);
        }
    }
    messages.retain(|message| message.len() > head.len());
    messages
}

/// Who sent a message, and what it says; `None` if it is none.
pub(crate) fn unpack(message: &str) -> Option<(i64, Vec<Notice>)> {
    let mut lines = message.lines();
    let from = lines.next()?.strip_prefix("n ")?.split(' ').next()?.parse().ok()?;
    Some((from, lines.filter_map(parse).collect()))
}

fn lines(notice: &Notice) -> Vec<String> {
    match notice {
        Notice::Deliveries { clients_id, companies_id, deliveries } => {
            let portion = |portion: &[(i64, i64)]| {
                let mut line = format!("d {clients_id} {companies_id}");
                for (handlers_id, id) in portion {
                    // Writing to a string can't fail.
                    let _ = write!(line, " {handlers_id} {id}");
                }
                line
            };
            // Two numbers of 20 digits each fit as often as this.
            deliveries.chunks(HANDLERS_MAX / 2).map(portion).collect()
        }
        Notice::Outcomes { handlers_id, clients_id } => vec![format!("o {handlers_id} {clients_id}")],
        Notice::Handlers => vec!["h".to_owned()],
        Notice::Access => vec!["a".to_owned()],
        Notice::Queue { handlers_id } => vec![format!("q {handlers_id}")],
        Notice::Due { clients_id } => vec![format!("s {clients_id}")],
        Notice::DueAt { at } => vec![format!("t {at}")],
        Notice::Terms => vec!["w".to_owned()],
        Notice::Resync { id } => vec![format!("r {id}")],
        Notice::Gate { handlers_id, version, failing_since } => {
            vec![format!("g {handlers_id} {version} {}", failing_since.unwrap_or(-1))]
        }
        Notice::Membership => vec!["m".to_owned()],
        Notice::Everything => vec!["e".to_owned()],
        Notice::Echo { at } => vec![format!("x {at}")],
    }
}

fn parse(line: &str) -> Option<Notice> {
    let mut words = line.split(' ');
    let word = words.next()?;
    let numbers: Vec<i64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(match (word, numbers.as_slice()) {
        ("d", [clients_id, companies_id, deliveries @ ..]) => Notice::Deliveries {
            clients_id: *clients_id,
            companies_id: *companies_id,
            deliveries: deliveries.as_chunks().0.iter().map(|[handlers_id, id]| (*handlers_id, *id)).collect(),
        },
        ("o", [handlers_id, clients_id, ..]) => Notice::Outcomes { handlers_id: *handlers_id, clients_id: *clients_id },
        ("h", _) => Notice::Handlers,
        ("a", _) => Notice::Access,
        ("q", [handlers_id, ..]) => Notice::Queue { handlers_id: *handlers_id },
        ("s", [clients_id, ..]) => Notice::Due { clients_id: *clients_id },
        ("t", [at, ..]) => Notice::DueAt { at: *at },
        ("w", _) => Notice::Terms,
        ("r", [id, ..]) => Notice::Resync { id: *id },
        ("g", [handlers_id, version, since, ..]) => {
            Notice::Gate { handlers_id: *handlers_id, version: *version, failing_since: (*since >= 0).then_some(*since) }
        }
        ("m", _) => Notice::Membership,
        ("e", _) => Notice::Everything,
        ("x", [at, ..]) => Notice::Echo { at: *at },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn notice() -> impl Strategy<Value = Notice> {
        let id = || 0i64..i64::MAX;
        prop_oneof![
            (id(), id(), prop::collection::vec((id(), id()), 1..600)).prop_map(|(clients_id, companies_id, deliveries)| {
                Notice::Deliveries { clients_id, companies_id, deliveries }
            }),
            (id(), id()).prop_map(|(handlers_id, clients_id)| Notice::Outcomes { handlers_id, clients_id }),
            Just(Notice::Handlers),
            Just(Notice::Access),
            id().prop_map(|handlers_id| Notice::Queue { handlers_id }),
            id().prop_map(|clients_id| Notice::Due { clients_id }),
            any::<i64>().prop_map(|at| Notice::DueAt { at }),
            Just(Notice::Terms),
            id().prop_map(|id| Notice::Resync { id }),
            (id(), id(), prop::option::of(id())).prop_map(|(handlers_id, version, failing_since)| Notice::Gate {
                handlers_id,
                version,
                failing_since
            }),
            Just(Notice::Membership),
            Just(Notice::Everything),
            id().prop_map(|at| Notice::Echo { at }),
        ]
    }

    /// All that was said, with deliveries one by one: they may be split.
    fn said(notices: &[Notice]) -> HashSet<Notice> {
        let one_by_one = |notice: &Notice| match notice {
            Notice::Deliveries { clients_id, companies_id, deliveries } => deliveries
                .iter()
                .map(|one| Notice::Deliveries { clients_id: *clients_id, companies_id: *companies_id, deliveries: vec![*one] })
                .collect(),
            other => vec![other.clone()],
        };
        notices.iter().flat_map(one_by_one).collect()
    }

    proptest! {
        #[test]
        fn what_is_told_is_what_is_heard(from in 0i64..i64::MAX, notices in prop::collection::vec(notice(), 0..40)) {
            let messages = pack(from, &notices);
            prop_assert!(messages.iter().all(|message| message.len() <= MESSAGE_MAX));
            let heard: Vec<(i64, Vec<Notice>)> = messages.iter().map(|message| unpack(message).unwrap()).collect();
            prop_assert!(heard.iter().all(|(sender, notices)| *sender == from && !notices.is_empty()));
            let heard: Vec<Notice> = heard.into_iter().flat_map(|(_, notices)| notices).collect();
            prop_assert_eq!(said(&heard), said(&notices));
        }

        #[test]
        fn no_text_confuses_who_listens(message in "(n [0-9]{1,20}\n)?([a-z*] ?[-0-9 x]{0,30}\n){0,5}") {
            let _understood_or_not = unpack(&message);
        }
    }

    #[test]
    fn what_a_newer_node_says_beyond_what_is_known_is_passed_over() {
        let message = "n 7 3\nzz 1 2 3\nr 9 new numbers\nr 10 1 2\nd 5 1 7 65536 8\nh 12";
        let deliveries = Notice::Deliveries { clients_id: 5, companies_id: 1, deliveries: vec![(7, 65_536)] };
        assert_eq!(unpack(message), Some((7, vec![Notice::Resync { id: 10 }, deliveries, Notice::Handlers])));
        assert_eq!(unpack("something else"), None);
    }

    #[test]
    fn the_same_is_said_once() {
        assert_eq!(pack(1, &[Notice::Handlers, Notice::Membership, Notice::Handlers]), ["n 1\nh\nm"]);
        assert!(pack(1, &[]).is_empty());
    }
}
