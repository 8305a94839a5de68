//! A resync: one handler is told how the chosen objects stand now, portion by portion, beside the live events.
//!
//! ```text
//!   counting ---> running <---> waiting        all events are written
//!                    |             |                   v
//!                    '-------------'----------> delivering <---> incomplete (some are dead)
//!                                                      |
//!   any of these <---> paused                          v
//!   any of these ----> cancelled                     done
//! ```
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Object,
    event::Actor,
    field::{Field, Kind},
    moment::Moment,
    words::words,
};

words! {
    /// Where a resync stands.
    State {
        /// How many events there will be is still counted.
        Counting = "counting",
        /// Events are being written.
        Running = "running",
        /// Held back: the handler stands still, or too much waits for it.
        Waiting = "waiting",
        /// By hand, until it is resumed.
        Paused = "paused",
        /// All events are written; some are not delivered yet.
        Delivering = "delivering",
        /// All events are written and none waits, but some are dead.
        Incomplete = "incomplete",
        /// Over.
        Done = "done",
        /// Ended early.
        Cancelled = "cancelled",
    }
}

impl State {
    /// True if nothing more will come of it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

/// Events a second, if nobody says otherwise.
pub const RATE: i64 = 500;
/// Events a second at most: beyond that the writer would have time for little else.
pub const RATE_MAX: i64 = 10_000;
/// The most clients that can be named.
pub const CLIENTS_MAX: usize = 10_000;

const NUMBER: Kind = Kind::Integer { min: 0, max: i64::MAX };
const CLIENTS: Field = Field::new(
    "clients_id",
    Kind::IntegerList { items: CLIENTS_MAX, min: 1, max: i64::MAX },
    "Only these clients and what is theirs; null = all",
)
.or_null();
const COMPANY: Field = Field::id("companies_id", "Only clients of this reseller and those below it; null = all").or_null();
const CONDITION: Field =
    Field::new("condition", Kind::LongText { bytes: 1024 }, "A CEL expression over each event that must be true; empty = all")
        .or_null();
const PACE: Field = Field::new("rate", Kind::Integer { min: 1, max: RATE_MAX }, "Events a second at most (default 500)");
/// Who began it, in words.
const BY: Field = Field::line("by", 255, "Who began it");

/// What `provisioning.handlers.resync` takes.
pub const REQUEST: &[Field] = &[
    Field::ID,
    CLIENTS,
    COMPANY,
    CONDITION,
    PACE,
    Field::new("count_only", Kind::Boolean, "Only tells how many events it would have (default false)"),
];

const ID: Field = Field::id("id", "Given by the system");
const TOTAL: Field =
    Field::new("total", NUMBER, "How many events there were to be when it began; null = not counted yet").or_null();
const SENT: Field =
    Field::new("sent", NUMBER, "Events written so far; objects that come and go meanwhile make it more or less than total");
const STARTED: Field = Field::new("started_dt", Kind::Time, "When it began");

/// The `data` of `provisioning.resync_done`: what was told, and of which selection.
pub const DONE: &[Field] = &[ID, TOTAL, SENT, CLIENTS, COMPANY, CONDITION, STARTED];

/// A resync as lists show it.
pub const FIELDS: &[Field] = &[
    ID,
    Field::id("handlers_id", "Who is told"),
    Field::new("state", Kind::Choice(State::WORDS), "Where it stands"),
    Field::new("reason", Kind::Text { max: usize::MAX }, "Why it waits, or how it ended, in words").or_null(),
    TOTAL,
    SENT,
    PACE,
    CLIENTS,
    COMPANY,
    CONDITION,
    BY,
    STARTED,
    Field::new("ended_dt", Kind::Time, "When it ended; null = not yet").or_null(),
];

/// What a single one shows besides.
pub const PROGRESS: &[Field] = &[
    Field::new("delivered", NUMBER, "Of those sent, how many the handler has"),
    Field::new("waiting", NUMBER, "How many have not been tried yet"),
    Field::new("retrying", NUMBER, "How many failed and are tried again"),
    Field::new("dead", NUMBER, "How many were given up"),
    Field::new("discarded", NUMBER, "How many were discarded: the handler has not heard of these objects"),
    Field::new("eta_s", NUMBER, "Seconds until all events are written, at its rate; null = that can't be told").or_null(),
];

/// Which objects are told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// In ascending order; `None` = all.
    pub clients_id: Option<Vec<i64>>,
    /// This reseller and those below; `None` = all.
    pub companies_id: Option<i64>,
    /// A CEL expression; empty = all.
    pub condition: String,
}

/// How far it has come: everything up to here is told, in the order of clients, of the parts of a client and of the objects of
/// a part. Stored as `[client, part, object]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(pub i64, pub i64, pub i64);

impl Place {
    /// Before everything.
    pub const START: Self = Self(0, Self::ALL, 0);
    /// The part behind the last one: all of the client is told.
    pub const ALL: i64 = i64::MAX;

    /// The end of a client.
    #[must_use]
    pub fn end_of(client: i64) -> Self {
        Self(client, Self::ALL, 0)
    }
}

/// A resync, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Resync {
    /// Given by the system.
    pub id: i64,
    /// Who is told.
    pub handlers_id: i64,
    /// The handler's reseller; `None` = the whole system.
    pub scope_id: Option<i64>,
    /// Where it stands.
    pub state: State,
    /// Why it waits, or how it ended.
    pub reason: Option<String>,
    /// Which objects.
    pub selection: Selection,
    /// Events a second.
    pub rate: i64,
    /// Events there were to be when it began; `None` = not counted yet.
    pub total: Option<i64>,
    /// Events written.
    pub sent: i64,
    /// Events that were discarded before they were delivered.
    pub lost: i64,
    /// How far it has come.
    pub place: Place,
    /// The journal's rows of its first and its last event.
    pub rows: Option<(i64, i64)>,
    /// Who began it.
    pub actor: Actor,
    /// When.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
}

/// How its deliveries stand that are not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Never tried.
    pub waiting: i64,
    /// Tried, and to be tried again.
    pub retrying: i64,
    /// Given up.
    pub dead: i64,
}

impl Resync {
    /// True if a client may be among those that it has still to tell of. `within`: whether the client is of a reseller or of one
    /// below it.
    #[must_use]
    pub fn has_to_tell(&self, clients_id: i64, within: impl Fn(i64) -> bool) -> bool {
        self.place < Place::end_of(clients_id)
            && self.selection.clients_id.as_ref().is_none_or(|chosen| chosen.contains(&clients_id))
            && self.selection.companies_id.is_none_or(within)
    }

    /// The login of whoever began it.
    #[must_use]
    pub fn by(&self) -> &str {
        match &self.actor {
            Actor::User { login, .. } | Actor::Import { login, .. } => login,
            Actor::Clock => "clock",
            Actor::Cli => "cli",
        }
    }

    /// Ends it.
    pub fn end(&mut self, state: State, reason: Option<String>, now: Moment) {
        (self.state, self.reason, self.ended) = (state, reason, Some(now));
    }

    /// As lists show it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let values = [
            ("id", self.id.into()),
            ("handlers_id", self.handlers_id.into()),
            ("state", self.state.word().into()),
            ("reason", self.reason.clone().into()),
            ("total", self.total.into()),
            ("sent", self.sent.into()),
            ("rate", self.rate.into()),
            ("clients_id", self.selection.clients_id.clone().into()),
            ("companies_id", self.selection.companies_id.into()),
            ("condition", self.selection.condition.as_str().into()),
            ("by", self.by().into()),
            ("started_dt", self.started.iso().into()),
            ("ended_dt", self.ended.map_or(Value::Null, |ended| ended.iso().into())),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The `data` of `provisioning.resync_done`.
    #[must_use]
    pub fn done(&self) -> Object {
        let shown = self.shown();
        DONE.iter().filter_map(|field| Some((field.name.to_owned(), shown.get(field.name)?.clone()))).collect()
    }

    /// The same with its progress.
    #[must_use]
    pub fn shown_with(&self, outstanding: Outstanding) -> Object {
        let Outstanding { waiting, retrying, dead } = outstanding;
        let values = [
            ("delivered", (self.sent - self.lost - waiting - retrying - dead).max(0).into()),
            ("waiting", waiting.into()),
            ("retrying", retrying.into()),
            ("dead", dead.into()),
            ("discarded", self.lost.into()),
            ("eta_s", self.eta_s().into()),
        ];
        let mut shown = self.shown();
        shown.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
        shown
    }

    fn eta_s(&self) -> Option<i64> {
        let left = (self.total? - self.sent).max(0);
        matches!(self.state, State::Running).then(|| (left + self.rate - 1) / self.rate.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resync() -> Resync {
        Resync {
            id: 1,
            handlers_id: 2,
            scope_id: None,
            state: State::Running,
            reason: None,
            selection: Selection::default(),
            rate: 500,
            total: Some(1_001),
            sent: 1,
            lost: 0,
            place: Place::START,
            rows: None,
            actor: Actor::Cli,
            started: Moment(0),
            ended: None,
        }
    }

    #[test]
    fn what_is_shown_is_what_is_described() {
        let names: Vec<&str> = FIELDS.iter().chain(PROGRESS).map(|field| field.name).collect();
        assert_eq!(resync().shown_with(Outstanding::default()).keys().collect::<Vec<_>>(), names);
        assert_eq!(resync().shown().len(), FIELDS.len());
    }

    #[test]
    fn the_time_left_is_rounded_up_and_told_while_it_runs() {
        assert_eq!(resync().eta_s(), Some(2));
        assert_eq!(Resync { sent: 2_000, ..resync() }.eta_s(), Some(0));
        assert_eq!(Resync { state: State::Waiting, ..resync() }.eta_s(), None);
        assert_eq!(Resync { total: None, ..resync() }.eta_s(), None);
    }

    #[test]
    fn a_place_is_in_the_order_in_which_objects_are_told() {
        let places = [Place::START, Place(1, 0, 1), Place(1, 2, 7), Place(1, 3, 1), Place::end_of(1), Place(2, 0, 2)];
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
