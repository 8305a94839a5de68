//! The catalogue of events, and the event itself as it travels from the action to the handlers.
pub mod aliases;
pub mod schema;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Object, moment::Moment, trace::Trace};

/// Before the action is decided, or after it is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Asked: may modify, allow, forbid.
    Before,
    /// Told: in order, until it has heard.
    After,
    /// A before handler is told how it ended: no stage that a handler or an event can have, but a call and its row in the log.
    Outcome,
}

impl Stage {
    /// The words of the log.
    pub const LOGGED: &'static [&'static str] = &[Self::Before.word(), Self::After.word(), Self::Outcome.word()];
    /// The words of handlers and of the catalogue.
    pub const WORDS: &'static [&'static str] = &[Self::Before.word(), Self::After.word()];

    /// Reads the word of a handler or of the catalogue.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "before" => Some(Self::Before),
            "after" => Some(Self::After),
            _ => None,
        }
    }

    /// The contract's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Outcome => "outcome",
        }
    }
}

/// One line of the catalogue of contract section 1.
#[derive(Debug)]
pub struct EventType {
    /// The exact name, such as `clients.create`.
    pub events_id: &'static str,
    /// The title in the web section.
    pub title: &'static str,
    /// The stages at which handlers may ask for it.
    pub stages: &'static [Stage],
    /// What `object_id` identifies: the collection, such as `clients.accounts`.
    pub object: &'static str,
    /// False where handlers have nothing to change (`delete`, `archive`...).
    pub changeable: bool,
}

/// An event's type: a reference into [`CATALOGUE`], compared by name.
pub type Kind = &'static EventType;

impl PartialEq for EventType {
    fn eq(&self, other: &Self) -> bool {
        self.events_id == other.events_id
    }
}
impl Eq for EventType {}

const BOTH: &[Stage] = &[Stage::Before, Stage::After];
const AFTER: &[Stage] = &[Stage::After];

macro_rules! catalogue {
    ($($constant:ident $events_id:literal $title:literal $stages:ident $object:literal $changeable:literal;)*) => {
        $(#[doc = concat!("`", $events_id, "`")]
        pub static $constant: EventType = EventType {
            events_id: $events_id, title: $title, stages: $stages, object: $object, changeable: $changeable,
        };)*
        /// Every event, in the order of the contract. A new event is one line here.
        pub static CATALOGUE: &[Kind] = &[$(&$constant),*];
    };
}

catalogue! {
    CLIENTS_CREATE "clients.create" "Clients: create" BOTH "clients" true;
    CLIENTS_UPDATE "clients.update" "Clients: update" BOTH "clients" true;
    CLIENTS_DELETE "clients.delete" "Clients: delete" BOTH "clients" false;
    CLIENTS_ARCHIVE "clients.archive" "Clients: archive" BOTH "clients" false;
    CUSTOM_FIELDS_UPDATE "clients.custom_fields.update" "Clients: custom fields update" BOTH "clients" true;
    BALANCE_NOTZERO "clients.balance_notzero" "Clients: balance became >=0" AFTER "clients" false;
    BALANCE_ZERO "clients.balance_zero" "Clients: balance became <=0" AFTER "clients" false;
    ACCOUNTS_CREATE "clients.accounts.create" "Accounts: create" BOTH "clients.accounts" true;
    ACCOUNTS_UPDATE "clients.accounts.update" "Accounts: update" BOTH "clients.accounts" true;
    ACCOUNTS_DELETE "clients.accounts.delete" "Accounts: delete" BOTH "clients.accounts" false;
    PACKAGES_ASSIGN "clients.packages.assign" "Clients Packages: assign" BOTH "clients.packages" true;
    PACKAGES_ACTIVATE "clients.packages.activate" "Clients Packages: activate" BOTH "clients.packages" true;
    PACKAGES_DEACTIVATE "clients.packages.deactivate" "Clients Packages: deactivate" BOTH "clients.packages" false;
    PACKAGES_RENEW "clients.packages.renew" "Clients Packages: renew" BOTH "clients.packages" true;
    PACKAGES_CLOSE "clients.packages.close" "Clients Packages: close" BOTH "clients.packages" false;
    RESYNC_DONE "provisioning.resync_done" "Resync: done" AFTER "provisioning.resyncs" false;
}

/// The steps of a client package that the clock takes.
pub static STEPS_OF_PACKAGES: &[Kind] = &[&PACKAGES_ACTIVATE, &PACKAGES_RENEW, &PACKAGES_DEACTIVATE, &PACKAGES_CLOSE];

/// Finds an event's type by its exact name.
#[must_use]
pub fn kind(events_id: &str) -> Option<Kind> {
    CATALOGUE.iter().copied().find(|kind| kind.events_id == events_id)
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Actor {
    /// A user by its key or session.
    User {
        /// The user's id.
        id: i64,
        /// Its login.
        login: String,
    },
    /// The scheduler.
    Clock,
    /// An import.
    Import {
        /// The user who runs it.
        id: i64,
        /// Its login.
        login: String,
    },
    /// The command line on the server's own machine.
    Cli,
}

/// Whether the action is meant, or only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Meant.
    #[default]
    Live,
    /// `dry_run: true`: nothing will be changed.
    DryRun,
    /// A call of `provisioning.handlers.test`.
    Test,
}

impl Mode {
    /// The contract's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::DryRun => "dry_run",
            Self::Test => "test",
        }
    }
}

/// What an event came from. As it is stored, the two are told apart by their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cause {
    /// A handler that reacted to another event.
    Reaction(Reaction),
    /// Nothing happened: a handler is told how things stand.
    Resync {
        /// Which resync tells it.
        resync: Resync,
    },
}

/// A reaction: the event that a handler was reacting to, and that handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The event that the handler was called for (`event.cause`).
    pub event_id: Uuid,
    /// The handler that reacted: it is not called for the new event.
    pub handlers_id: i64,
    /// How many causes led here: 1 for a reaction to an event without a cause.
    pub depth: u32,
    /// Every handler on the way here, the handler above included: to be shown where a chain of reactions is cut.
    pub handlers: Vec<i64>,
}

/// The member `event.resync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// The resync.
    pub id: i64,
    /// How many events it was to have when it began.
    pub total: i64,
}

impl Cause {
    /// What `event.cause` shows of it.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::Reaction(reaction) => reaction.event_id.to_string().into(),
            Self::Resync { .. } => RESYNC.into(),
        }
    }

    /// The reaction, if it is one.
    #[must_use]
    pub fn reaction(&self) -> Option<&Reaction> {
        match self {
            Self::Reaction(reaction) => Some(reaction),
            Self::Resync { .. } => None,
        }
    }

    /// The resync, if it is one.
    #[must_use]
    pub fn resync(&self) -> Option<Resync> {
        match self {
            Self::Reaction(_) => None,
            Self::Resync { resync } => Some(*resync),
        }
    }
}

/// `event.cause` of what a resync tells.
const RESYNC: &str = "resync";

/// Something that happens, or is about to, to one object.
///
/// The same event, with the same id, is what before handlers are asked about and after handlers are told.
#[derive(Debug, Clone)]
pub struct Event {
    /// UUID v7, one per event, for every stage, handler and attempt.
    pub id: Uuid,
    /// When it was asked for.
    pub dt: Moment,
    /// What happens.
    pub kind: Kind,
    /// The object; 0 for a new one outside `live`.
    pub object_id: i64,
    /// The client whose event this is: order is kept for each client.
    pub clients_id: i64,
    /// The client's reseller: decides which handlers are concerned.
    pub companies_id: i64,
    /// Higher after each restore from a backup, 0 before the first: numbers of events that came after the backup are given again.
    pub era: i64,
    /// Whether it is meant.
    pub mode: Mode,
    /// Who did it.
    pub actor: Actor,
    /// What it is a reaction to, or which resync tells it.
    pub cause: Option<Cause>,
    /// What the calls about it are made within; `None` = it has a trace of its own.
    pub trace: Option<Trace>,
    /// As the contract's table says for this type.
    pub data: Object,
    /// Old values of the keys of `data` that changed (updates only).
    pub previous: Option<Object>,
    /// The whole object as the Core API returns it.
    pub object: Object,
}

impl Event {
    /// The present value under a key of `data`, also of one that does not change: in `data`, else where it stands in the object.
    #[must_use]
    pub fn present(&self, key: &str) -> Option<&Value> {
        let elsewhere = || match *self.kind == CUSTOM_FIELDS_UPDATE {
            // Those that are not set are not shown.
            true => Some(self.object.get("custom_fields").and_then(|fields| fields.get(key)).unwrap_or(&Value::Null)),
            false => self.object.get(key),
        };
        self.data.get(key).or_else(elsewhere)
    }

    /// The member `event` of the payload. `seq` is absent before the commit, `era` before the first restore.
    #[must_use]
    pub fn head(&self, stage: Stage, seq: Option<i64>) -> Value {
        let mut head = json!({
            "id": self.id.to_string(),
            "dt": self.dt.iso(),
            "events_id": self.kind.events_id,
            "object_id": self.object_id,
            "clients_id": self.clients_id,
            "companies_id": self.companies_id,
            "stage": stage.word(),
            "mode": self.mode.word(),
        });
        if let Value::Object(map) = &mut head {
            if let Some(seq) = seq {
                map.insert("seq".into(), seq.into());
            }
            if self.era > 0 {
                map.insert("era".into(), self.era.into());
            }
            map.insert("actor".into(), serde_json::to_value(&self.actor).unwrap_or(Value::Null));
            map.insert("cause".into(), self.cause.as_ref().map_or(Value::Null, Cause::shown));
            if let Some(resync) = self.cause.as_ref().and_then(Cause::resync) {
                map.insert("resync".into(), serde_json::to_value(resync).unwrap_or(Value::Null));
            }
        }
        head
    }

    /// The whole payload of contract section 2.
    #[must_use]
    pub fn payload(&self, stage: Stage, seq: Option<i64>) -> Object {
        let mut payload = Object::new();
        payload.insert("event".into(), self.head(stage, seq));
        payload.insert("data".into(), Value::Object(self.data.clone()));
        if let Some(previous) = &self.previous {
            payload.insert("previous".into(), Value::Object(previous.clone()));
        }
        payload.insert("object".into(), Value::Object(self.object.clone()));
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_back_as_it_was_stored_also_from_old_rows() {
        let old = r#"{"event_id":"00000000-0000-0000-0000-000000000000","handlers_id":7,"depth":2,"handlers":[3,7]}"#;
        let read: Cause = serde_json::from_str(old).unwrap();
        assert_eq!(read.reaction().map(|reaction| (reaction.handlers_id, reaction.depth)), Some((7, 2)));
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
        let resync = Cause::Resync { resync: Resync { id: 4, total: 100 } };
        let stored = serde_json::to_string(&resync).unwrap();
        assert_eq!(serde_json::from_str::<Cause>(&stored).unwrap(), resync);
        assert_eq!((resync.shown(), resync.reaction()), (json!("resync"), None));
    }
}
