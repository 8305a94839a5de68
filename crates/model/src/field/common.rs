//! Fields that the methods of many objects share.
use serde_json::Value;

use super::{Field, Kind};
use crate::Object;

/// Bytes of an object that comes with a request: a handler to be tried, the data of its sample event.
const OBJECT_BYTES_MAX: usize = 256 * 1024;
/// A month: after that an old key is a forgotten one.
const OVERLAP_HOURS_MAX: i64 = 24 * 31;

impl Field {
    /// Some value that is good for its kind: stands for a wrong one while the other fields are looked at.
    #[must_use]
    pub fn stand_in(&self) -> Value {
        match self.kind {
            Kind::Integer { min, .. } => min.into(),
            Kind::Boolean => false.into(),
            Kind::Choice(words) => words.first().copied().into(),
            Kind::Money { max, .. } => max.to_json(),
            Kind::LineList { .. } | Kind::IntegerList { .. } | Kind::NetList { .. } => Value::Array(Vec::new()),
            Kind::Object { .. } | Kind::Values { .. } => Value::Object(Object::new()),
            Kind::TimeZone => "UTC".into(),
            Kind::Uuid => uuid::Uuid::nil().to_string().into(),
            Kind::Duration { .. } => "P1D".into(),
            Kind::Time | Kind::TimeOrDate => "1970-01-01T00:00:00+00:00".into(),
            Kind::Any { .. } => Value::Null,
            Kind::Line { min, .. } | Kind::Word { min, .. } => "x".repeat(min.max(1)).into(),
            Kind::Text { .. } | Kind::LongText { .. } | Kind::Scalar { .. } => "x".into(),
            // The one such field names events.
            Kind::LineOrList { .. } => "clients.create".into(),
        }
    }

    /// The object that a method works on.
    pub const ID: Self = Self::id("id", "The object's id").required();
    /// The object that a method works on, if it is saved.
    pub const OPTIONAL_ID: Self = Self::id("id", "The object's id, if it is saved").or_null();
    /// The id of an event, as that of the object that a method works on.
    pub const EVENT_UUID: Self = Self::new("id", Kind::Uuid, "The event's id").required();
    /// Do it although something speaks against it.
    pub const FORCE: Self = Self::new("force", Kind::Boolean, "Do it although something speaks against it (default false)");
    /// How long an old key works on beside the new one.
    pub const OVERLAP_HOURS: Self = Self::new(
        "overlap_hours",
        Kind::Integer { min: 0, max: OVERLAP_HOURS_MAX },
        "How long the old key works on, in hours (default 0)",
    );
    /// Why something is done, in the caller's words.
    pub const REASON: Self = Self::line("reason", 255, "Why, in your own words");
    /// A handler that is not saved.
    pub const HANDLER: Self =
        Self::new("handler", Kind::Object { bytes: OBJECT_BYTES_MAX }, "The fields of a handler that is not saved").or_null();
    /// What changes of a saved handler, without being saved.
    pub const CHANGES: Self = Self::new(
        "changes",
        Kind::Object { bytes: OBJECT_BYTES_MAX },
        "With id: what changes of that handler, without being saved",
    )
    .or_null();
    /// A past event.
    pub const EVENT_ID: Self = Self::new("event_id", Kind::Uuid, "The id of a past event").or_null();
    /// A name of the catalogue of events.
    pub const EVENTS_ID: Self =
        Self::new("events_id", Kind::Line { min: 1, max: 64 }, "A name from the catalogue of events").or_null();
    /// Data that replaces that of a sample event.
    pub const DATA: Self =
        Self::new("data", Kind::Object { bytes: OBJECT_BYTES_MAX }, "Keys that replace those of the sample's data").or_null();
}
