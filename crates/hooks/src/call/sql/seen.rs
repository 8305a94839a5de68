//! What of each object was applied last: the table `hookswitch_seen`, in the very database that the statements change, and in the same
//! transaction. So a repeat that comes late, even after newer events, changes nothing, whatever the statements are.
//!
//! ```text
//!   BEGIN
//!   the client's row          locked: whatever else is told of this client waits here, also a repeat that overran its time
//!   the object's own row      raised, if era and seq are higher; else nothing more is done
//!   the statements
//!   COMMIT
//! ```
//!
//! An object is what stands before the last dot of `events_id`, with `object_id`. Balance events count for themselves
//! (`clients.balance`): an update of the client does not say what they say, so one that was given up and is sent again must not
//! be taken for overtaken by it.
use hookswitch_model::Object;
use serde_json::Value as Json;

use super::place::Engine;

/// The client's row, whose lock all events of a client take.
const CLIENTS: &str = "clients";
/// What balance events are about.
const BALANCE: &str = "clients.balance";

/// The object that an event is about, and which of its events that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) handler: i64,
    pub(crate) kind: String,
    pub(crate) id: i64,
    pub(crate) clients_id: i64,
    pub(crate) era: i64,
    pub(crate) seq: i64,
    /// When it happened: seconds since 1970.
    pub(crate) heard: i64,
}

impl Seen {
    /// Of an event's head; `None` for an event that has no number, which is none that happened.
    pub(crate) fn of(handler: i64, events_id: &str, head: &Object) -> Option<Self> {
        let number = |name: &str| head.get(name).and_then(Json::as_i64);
        let is_live = head.get("mode").and_then(Json::as_str) == Some("live");
        let dt = head.get("dt").and_then(Json::as_str).and_then(|dt| dt.parse::<jiff::Timestamp>().ok());
        Some(Self {
            handler,
            kind: kind(events_id).to_owned(),
            id: number("object_id")?,
            clients_id: number("clients_id").unwrap_or(0),
            era: number("era").unwrap_or(0),
            seq: number("seq").filter(|_| is_live)?,
            heard: dt.map_or(0, jiff::Timestamp::as_second),
        })
    }

    /// The client's row, if it is another than the object's own.
    pub(crate) fn client(&self) -> Option<(&'static str, i64)> {
        (self.clients_id > 0 && self.kind != CLIENTS).then_some((CLIENTS, self.clients_id))
    }
}

fn kind(events_id: &str) -> &str {
    if events_id.starts_with("clients.balance_") {
        return BALANCE;
    }
    events_id.rsplit_once('.').map_or(events_id, |(object, _)| object)
}

/// The table; made where it is not there.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS hookswitch_seen (
  handler BIGINT NOT NULL, kind VARCHAR(64) NOT NULL, id BIGINT NOT NULL, era BIGINT NOT NULL, seq BIGINT NOT NULL,
  heard BIGINT NOT NULL, PRIMARY KEY (handler, kind, id))";
/// Fails where it is not there. A user who may not make tables can be given one that somebody else has made.
pub(crate) const PROBE: &str = "SELECT handler FROM hookswitch_seen WHERE 1 = 0";

/// Takes the lock of a row, and makes it if need be: handler, kind, id.
pub(crate) fn lock(engine: Engine) -> Option<&'static str> {
    match engine {
        Engine::Postgres => Some(
            "INSERT INTO hookswitch_seen (handler, kind, id, era, seq, heard) VALUES ($1, $2, $3, 0, 0, 0)
             ON CONFLICT (handler, kind, id) DO UPDATE SET seq = hookswitch_seen.seq WHERE 1 = 0",
        ),
        Engine::Mysql => Some(
            "INSERT INTO hookswitch_seen (handler, kind, id, era, seq, heard) VALUES (?, ?, ?, 0, 0, 0)
             ON DUPLICATE KEY UPDATE seq = seq",
        ),
        // A transaction has the whole file.
        Engine::Sqlite => None,
    }
}

/// Raises a row, if it is raised: handler, kind, id, era, seq, heard. Says so by the number of rows that it changed.
pub(crate) fn raise(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => {
            "INSERT INTO hookswitch_seen (handler, kind, id, era, seq, heard) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (handler, kind, id) DO UPDATE SET era = excluded.era, seq = excluded.seq, heard = excluded.heard
             WHERE hookswitch_seen.era < excluded.era
                OR (hookswitch_seen.era = excluded.era AND hookswitch_seen.seq < excluded.seq)"
        }
        // From left to right, each seeing what those before it have set: so era is last.
        Engine::Mysql => {
            "INSERT INTO hookswitch_seen (handler, kind, id, era, seq, heard) VALUES (?, ?, ?, ?, ?, ?)
             ON DUPLICATE KEY UPDATE
               heard = IF(era < VALUES(era) OR (era = VALUES(era) AND seq < VALUES(seq)), VALUES(heard), heard),
               seq = IF(era < VALUES(era) OR (era = VALUES(era) AND seq < VALUES(seq)), VALUES(seq), seq),
               era = GREATEST(era, VALUES(era))"
        }
        Engine::Sqlite => {
            "INSERT INTO hookswitch_seen (handler, kind, id, era, seq, heard) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (handler, kind, id) DO UPDATE SET era = excluded.era, seq = excluded.seq, heard = excluded.heard
             WHERE era < excluded.era OR (era = excluded.era AND seq < excluded.seq)"
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_told_apart_as_receivers_are_told_to() {
        let named =
            ["clients.update", "clients.balance_zero", "clients.accounts.create", "clients.custom_fields.update"].map(kind);
        assert_eq!(named, ["clients", "clients.balance", "clients.accounts", "clients.custom_fields"]);
    }

    #[test]
    fn what_did_not_happen_has_no_number() {
        let seen = |head: Json| Seen::of(3, "clients.accounts.create", head.as_object().unwrap());
        let mut head = json!({"object_id": 7, "clients_id": 5, "mode": "live", "seq": 9, "dt": "1970-01-01T00:01:00+00:00"});
        let live = seen(head.clone()).unwrap();
        assert_eq!((live.era, live.seq, live.heard, live.client()), (0, 9, 60, Some(("clients", 5))));
        head["mode"] = "test".into();
        assert_eq!(seen(head), None);
    }
}
