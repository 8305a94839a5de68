//! One step of a loop: an event, without what is in it.
use hookswitch_model::{
    Object,
    event::{Actor, Cause, Event, Kind, Reaction},
    moment::Moment,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What is shown of an event, and what it was a reaction to.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) cause: Option<Cause>,
    pub(super) id: Uuid,
    pub(super) dt: Moment,
    pub(super) kind: Kind,
    pub(super) object_id: i64,
    pub(super) clients_id: i64,
    pub(super) companies_id: i64,
    actor: Actor,
}

impl Step {
    pub(crate) fn of(event: &Event) -> Self {
        let Event { id, dt, kind, object_id, clients_id, companies_id, actor, cause, .. } = event;
        Self {
            cause: cause.clone(),
            id: *id,
            dt: *dt,
            kind,
            object_id: *object_id,
            clients_id: *clients_id,
            companies_id: *companies_id,
            actor: actor.clone(),
        }
    }

    /// What it was a reaction to, if it was one.
    pub(crate) fn reaction(&self) -> Option<&Reaction> {
        self.cause.as_ref().and_then(Cause::reaction)
    }

    /// As the way of a loop shows it: with the handlers that it answers, or may answer.
    pub(super) fn shown(&self, handlers: &[i64]) -> Object {
        let step = json!({
            "event_id": self.id.to_string(),
            "events_id": self.kind.events_id,
            "object_id": self.object_id,
            "clients_id": self.clients_id,
            "dt": self.dt.iso(),
            "actor": self.actor,
            "handlers": handlers,
        });
        match step {
            Value::Object(step) => step,
            _ => Object::new(),
        }
    }
}
