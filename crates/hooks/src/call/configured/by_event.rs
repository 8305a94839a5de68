//! What is set for each event, or for a pattern of events: an object whose keys are names such as `clients.create` or `clients.*`.
use hookswitch_model::{
    event::CATALOGUE,
    handler::{Handler, matches},
};
use serde_json::Value as Json;

/// Names or patterns, each with what is set for it.
#[derive(Debug, Clone)]
pub(crate) struct ByEvent<T>(Vec<(String, T)>);

impl<T> ByEvent<T> {
    /// Reads a setting of this name; nothing where it is not there.
    ///
    /// # Errors
    /// What is wrong, in words that follow the field's name.
    pub(crate) fn read(given: Option<&Json>, name: &str, read: impl Fn(&Json) -> Result<T, String>) -> Result<Self, String> {
        let Some(given) = given.filter(|given| !given.is_null()) else { return Ok(Self(Vec::new())) };
        let given = given.as_object().ok_or_else(|| format!("has {name}, which must be an object with the names of events"))?;
        let of_event = |(event, value): (&String, &Json)| match read(value) {
            Ok(read) => Ok((event.clone(), read)),
            Err(words) => Err(format!("{name}, {event}: {words}")),
        };
        Ok(Self(given.iter().map(of_event).collect::<Result<_, _>>()?))
    }

    /// Each name must be that of an event which the handler takes.
    ///
    /// # Errors
    /// The first that is not, in words.
    pub(crate) fn check(&self, handler: &Handler, name: &str) -> Result<(), String> {
        for (event, _) in &self.0 {
            let mut kinds = CATALOGUE.iter().filter(|kind| matches(event, kind.events_id)).peekable();
            if kinds.peek().is_none() {
                return Err(format!("has {name} for {event:?}, which is no event"));
            }
            if !kinds.any(|kind| handler.wants(kind.events_id)) {
                return Err(format!("has {name} for {event:?}, which this handler does not take: add it to event"));
            }
        }
        Ok(())
    }

    /// What is set for an event, in the order in which it was written.
    pub(crate) fn of(&self, events_id: &str) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().filter(move |(name, _)| matches(name, events_id)).map(|(name, value)| (name.as_str(), value))
    }

    /// The one that is set for an event: under its own name, or under the first pattern.
    pub(crate) fn one_of(&self, events_id: &str) -> Option<&T> {
        let own = self.0.iter().find(|(name, _)| name == events_id).map(|(_, value)| value);
        own.or_else(|| self.of(events_id).next().map(|(_, value)| value))
    }

    /// True if nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A list of at most so many, each read; what is wrong says its number.
pub(crate) fn list<T>(given: &Json, max: usize, read: impl Fn(&Json) -> Result<T, String>) -> Result<Vec<T>, String> {
    let items = given.as_array().ok_or("it must be a list")?;
    if items.len() > max {
        return Err(format!("it has more than {max}"));
    }
    let number = |(index, item): (usize, &Json)| read(item).map_err(|words| format!("number {}: {words}", index + 1));
    items.iter().enumerate().map(number).collect()
}
