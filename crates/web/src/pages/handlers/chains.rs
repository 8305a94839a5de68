//! Handlers grouped by what happens: the before chain of an event reads like a list of who is asked, in that order; after handlers
//! stand together that are told of the same events. Events with the very same chain share one group.
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Kind, Stage},
    handler,
};
use serde_json::Value;

use super::{number, text};

/// Handlers under one title.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    pub(super) events: Vec<Kind>,
    pub(super) stage: Stage,
    pub(super) handlers: Vec<Object>,
}

impl Chain {
    /// What happens, in words: `Clients: create, update · Accounts: all`.
    pub(super) fn title(&self) -> String {
        title(&self.events, self.stage)
    }

    pub(super) fn is_before(&self) -> bool {
        self.stage == Stage::Before
    }
}

/// Events in words, under the titles of their groups.
pub(super) fn title(events: &[Kind], stage: Stage) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (group, what) in events.iter().filter_map(|kind| kind.title.split_once(": ")) {
        match groups.last_mut() {
            Some((last, whats)) if *last == group => whats.push(what),
            _ => groups.push((group, vec![what])),
        }
    }
    let words = groups.iter().map(|(group, whats)| {
        let all = CATALOGUE.iter().filter(|kind| kind.stages.contains(&stage) && kind.title.starts_with(&format!("{group}: ")));
        if whats.len() > 3 && all.count() == whats.len() {
            format!("{group}: all")
        } else {
            format!("{group}: {}", whats.join(", "))
        }
    });
    words.collect::<Vec<_>>().join(" · ")
}

/// The names and patterns that a handler lists.
pub(super) fn names(handler: &Object) -> Vec<&str> {
    match handler.get("event") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The events that a handler takes.
pub(super) fn events_of(handler: &Object) -> Vec<Kind> {
    let (names, stage) = (names(handler), stage_of(handler));
    let takes = |kind: &&Kind| kind.stages.contains(&stage) && names.iter().any(|name| handler::matches(name, kind.events_id));
    CATALOGUE.iter().filter(takes).copied().collect()
}

pub(super) fn stage_of(handler: &Object) -> Stage {
    Stage::from_word(text(handler, "type")).unwrap_or(Stage::After)
}

/// All groups, in the order of the catalogue: of each event those first who are asked.
pub(super) fn chains(handlers: &[Object]) -> Vec<Chain> {
    let mut all = before(handlers);
    all.extend(after(handlers));
    let place = |chain: &Chain| chain.events.iter().map(|kind| place_of(kind)).collect::<Vec<_>>();
    all.sort_by_key(|chain| (place(chain).first().copied(), !chain.is_before(), place(chain)));
    all
}

fn place_of(kind: Kind) -> usize {
    CATALOGUE.iter().position(|known| *known == kind).unwrap_or(usize::MAX)
}

fn before(handlers: &[Object]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for kind in CATALOGUE.iter().copied().filter(|kind| kind.stages.contains(&Stage::Before)) {
        let takes = |handler: &&Object| stage_of(handler) == Stage::Before && events_of(handler).contains(&kind);
        let mut asked: Vec<Object> = handlers.iter().filter(takes).cloned().collect();
        asked.sort_by_key(turn);
        match chains.iter_mut().find(|chain| chain.handlers == asked) {
            _ if asked.is_empty() => {}
            Some(chain) => chain.events.push(kind),
            None => chains.push(Chain { events: vec![kind], stage: Stage::Before, handlers: asked }),
        }
    }
    chains
}

fn after(handlers: &[Object]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for handler in handlers.iter().filter(|handler| stage_of(handler) != Stage::Before) {
        let events = events_of(handler);
        match chains.iter_mut().find(|chain| chain.events == events) {
            Some(chain) => chain.handlers.push(handler.clone()),
            None => chains.push(Chain { events, stage: Stage::After, handlers: vec![handler.clone()] }),
        }
    }
    chains
}

/// When a handler's turn comes in a chain: the system's own first, then by order, then by id.
pub(super) fn turn(handler: &Object) -> (bool, i64, i64) {
    (is_resellers(handler), number(handler, "order"), number(handler, "id"))
}

/// True if it is of a reseller: such a one comes behind those of the whole system, whatever its order.
pub(super) fn is_resellers(handler: &Object) -> bool {
    handler.get("companies_id").is_some_and(|id| !id.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn handler(id: i64, stage: &str, event: Value, order: i64, companies_id: Value) -> Object {
        match json!({"id": id, "type": stage, "event": event, "order": order, "companies_id": companies_id}) {
            Value::Object(handler) => handler,
            _ => Object::new(),
        }
    }

    fn shown(handlers: &[Object]) -> Vec<(String, &'static str, Vec<i64>)> {
        let ids = |chain: &Chain| chain.handlers.iter().map(|handler| number(handler, "id")).collect();
        chains(handlers).iter().map(|chain| (chain.title(), chain.stage.word(), ids(chain))).collect()
    }

    #[test]
    fn a_chain_is_in_the_order_in_which_its_handlers_are_asked() {
        let handlers = [
            handler(1, "before", json!("clients.create"), 20, json!(null)),
            handler(2, "before", json!("clients.create"), 10, json!(3)),
            handler(3, "before", json!(["clients.create"]), 10, json!(null)),
            handler(4, "after", json!("clients.create"), 1, json!(null)),
        ];
        let expected =
            [("Clients: create".to_owned(), "before", vec![3, 1, 2]), ("Clients: create".to_owned(), "after", vec![4])];
        assert_eq!(shown(&handlers), expected);
    }

    #[test]
    fn events_with_the_same_chain_share_it_and_patterns_are_understood() {
        let handlers = [
            handler(1, "before", json!("clients.accounts.*"), 1, json!(null)),
            handler(2, "after", json!(["clients.*"]), 1, json!(null)),
            handler(3, "after", json!(["clients.balance_zero", "clients.balance_notzero"]), 1, json!(null)),
        ];
        let titles: Vec<String> = shown(&handlers).into_iter().map(|(title, ..)| title).collect();
        assert_eq!(
            titles,
            [
                "Clients: all · Accounts: create, update, delete · Clients Packages: all",
                "Clients: balance became >=0, balance became <=0",
                "Accounts: create, update, delete",
            ]
        );
    }
}
