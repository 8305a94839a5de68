//! What happened to whom, as people read it: events by their titles, objects, clients and handlers by their names, each a link to its
//! page. The names of a whole list are asked for at once.
use std::collections::{BTreeMap, BTreeSet};

use hookswitch_model::{
    Object,
    event::{self, CATALOGUE},
    refusal::Refusal,
};
use serde_json::{Value, json};

use super::{input::Choice, json, list::objects, words};
use crate::{html::Html, markup, visitor::Visitor};

/// Handlers that one chooses from; of more their number is typed.
const CHOSEN_FROM_MAX: usize = 200;
/// So much markup a name takes in a list.
const NAME_BYTES_MAX: usize = 160;

/// An event's title, as the catalogue has it.
pub(crate) fn title(events_id: &str) -> &str {
    event::kind(events_id).map_or(events_id, |kind| kind.title)
}

/// The events to choose from.
pub(crate) fn choices() -> Vec<Choice> {
    let all = CATALOGUE.iter().map(|kind| Choice::new(kind.events_id, kind.title));
    std::iter::once(Choice::new("", "All events")).chain(all).collect()
}

/// What kind of object an event is about: its word, and where such objects are shown.
fn place(events_id: &str) -> Option<(&'static str, &'static str)> {
    Some(match event::kind(events_id)?.object {
        "clients" => ("client", "/clients"),
        "clients.accounts" => ("account", "/accounts"),
        "clients.packages" => ("client package", "/client-packages"),
        "provisioning.resyncs" => ("resync", "/provisioning/resyncs"),
        _ => return None,
    })
}

/// Who did it, in words: a login, or what else it was.
pub(crate) fn actor(actor: &Value) -> String {
    match (actor["type"].as_str(), actor["login"].as_str()) {
        (Some("user"), Some(login)) => login.to_owned(),
        (Some("clock"), _) => "the clock".to_owned(),
        (Some("import"), Some(login)) => format!("{login}, by an import"),
        (Some("cli"), _) => "the command line".to_owned(),
        (Some(other), _) => other.to_owned(),
        _ => String::new(),
    }
}

/// Names of handlers and clients.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    handlers: BTreeMap<i64, String>,
    clients: BTreeMap<i64, String>,
    /// All handlers, if they are few enough to be chosen from.
    few: Option<Vec<Choice>>,
}

impl Names {
    /// Asks for those that these rows speak of, by `handlers_id` and `clients_id`.
    ///
    /// # Errors
    /// Every refusal but that of a list: who may not see it sees numbers.
    pub(crate) async fn of(visitor: &Visitor, rows: &[Object]) -> Result<Self, Refusal> {
        let ids = |name: &str| -> BTreeSet<i64> { rows.iter().filter_map(|row| row.get(name)?.as_i64()).collect() };
        let mut names = Self::of_handlers(visitor).await?;
        let missing: Vec<i64> = ids("handlers_id").into_iter().filter(|id| !names.handlers.contains_key(id)).collect();
        if names.few.is_none() && !missing.is_empty() {
            names.handlers.extend(named(visitor, "provisioning.handlers.search", json!({"id": missing, "limit": 1000})).await?);
        }
        let clients: Vec<i64> = ids("clients_id").into_iter().filter(|id| *id > 0).collect();
        if !clients.is_empty() {
            names.clients = named(visitor, "clients.search", json!({"id": clients, "limit": 1000})).await?;
        }
        Ok(names)
    }

    /// Asks for those of the handlers.
    ///
    /// # Errors
    /// Whatever the list is refused with.
    pub(crate) async fn of_handlers(visitor: &Visitor) -> Result<Self, Refusal> {
        let asked = json!({"limit": CHOSEN_FROM_MAX + 1, "order": ["name"]});
        let rows = objects(visitor.ask("provisioning.handlers.search", asked).await?);
        let few = (rows.len() <= CHOSEN_FROM_MAX).then(|| {
            let label = |row: &Object| match row["status"].as_str() {
                Some("archived") => format!("{} (archived)", short(text(row, "name"))),
                _ => short(text(row, "name")),
            };
            rows.iter().map(|row| Choice::new(row["id"].to_string(), label(row))).collect()
        });
        Ok(Self { handlers: pairs(&rows).collect(), clients: BTreeMap::new(), few })
    }

    /// The handlers to choose from, the one that is chosen among them; `None` = they are too many.
    pub(crate) fn choices(&self, chosen: Option<&str>) -> Option<Vec<Choice>> {
        let few = self.few.as_ref()?;
        let gone = chosen.filter(|chosen| few.iter().all(|choice| choice.value != **chosen));
        let gone = gone.map(|chosen| Choice::new(chosen, format!("Handler {chosen}")));
        Some(std::iter::once(Choice::new("", "All handlers")).chain(few.iter().cloned()).chain(gone).collect())
    }

    /// A handler's name, if it is known.
    pub(crate) fn handler_name(&self, id: i64) -> Option<&str> {
        self.handlers.get(&id).map(String::as_str)
    }

    /// A handler, as a link if its reader may look at it; `then` = its name at that time.
    pub(crate) fn handler(&self, id: &Value, then: Option<&str>) -> Html {
        let Some(number) = id.as_i64() else { return words::nothing() };
        let name = self.handler_name(number);
        let shown = then.filter(|then| !then.is_empty()).or(name).map_or_else(|| format!("handler {number}"), short);
        match name {
            Some(_) => words::link(&format!("/provisioning/handlers/{number}"), shown),
            None => Html::text(&shown),
        }
    }

    /// A client by its name, as a link.
    pub(crate) fn client(&self, id: &Value) -> Html {
        match id.as_i64() {
            None | Some(0) => words::nothing(),
            Some(id) => match self.clients.get(&id) {
                Some(name) => words::link(&format!("/clients/{id}"), short(name)),
                // It is gone, or its creation was refused.
                None => markup!("client {}", id),
            },
        }
    }

    /// The object of an event and whose it is.
    pub(crate) fn object(&self, row: &Object) -> Html {
        let (events_id, object_id, clients_id) = (text(row, "events_id"), &row["object_id"], &row["clients_id"]);
        match place(events_id) {
            Some((_, "/clients")) | None => self.client(clients_id),
            Some((word, path)) if object_id.as_i64().is_some_and(|id| id > 0) => {
                let own = words::link(&format!("{path}/{object_id}"), format!("{word} {object_id}"));
                if clients_id.as_i64() == Some(0) { own } else { markup!("{} of {}", own, self.client(clients_id)) }
            }
            Some((word, _)) => markup!("new {} of {}", word, self.client(clients_id)),
        }
    }
}

async fn named(visitor: &Visitor, method: &'static str, asked: Value) -> Result<BTreeMap<i64, String>, Refusal> {
    Ok(pairs(&objects(visitor.ask(method, asked).await?)).collect())
}

fn pairs(rows: &[Object]) -> impl Iterator<Item = (i64, String)> {
    rows.iter().filter_map(|row| Some((row.get("id")?.as_i64()?, row.get("name")?.as_str()?.to_owned())))
}

/// As much of a name as a list has room for.
pub(crate) fn short(name: &str) -> String {
    let shown = json::cut_by_markup(name, NAME_BYTES_MAX);
    if shown.len() < name.len() { format!("{shown}…") } else { name.to_owned() }
}

/// A text of a row; empty if there is none.
pub(crate) fn text<'a>(row: &'a Object, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}
