use hookswitch_model::{
    Object,
    event::{self, Actor, Cause, Mode, Reaction},
    moment::Moment,
};
use serde_json::json;
use uuid::Uuid;

use super::*;

/// Reseller 2 and 3 stand below 1.
struct Tree;

impl Resellers for Tree {
    fn is_within(&self, companies_id: i64, top: i64) -> bool {
        companies_id == top || top == 1
    }
}

fn handler(id: i64, fields: Value) -> Handler {
    let mut all = json!({"name": "h", "event": "clients.update", "task": "http://127.0.0.1:1/"});
    let (Value::Object(known), Value::Object(more)) = (&mut all, fields) else { panic!("objects") };
    known.extend(more);
    Handler::from_checked(id, &hookswitch_model::handler::check_create(known).unwrap()).unwrap()
}

fn event(kind: Kind, companies_id: i64) -> Event {
    Event {
        id: Uuid::nil(),
        dt: Moment(0),
        kind,
        object_id: 1,
        clients_id: 1,
        companies_id,
        era: 0,
        mode: Mode::Live,
        actor: Actor::Cli,
        cause: None,
        trace: None,
        data: Object::new(),
        previous: None,
        object: Object::new(),
    }
}

fn told(rules: &Rules, event: &Event) -> Vec<i64> {
    rules.after(event, &Tree).map(|rule| rule.handler.id).collect()
}

#[test]
fn the_systems_handlers_come_first_then_by_order_and_id() {
    let before = |id, order, companies_id: Option<i64>| {
        handler(id, json!({"type": "before", "order": order, "companies_id": companies_id}))
    };
    let rules = Rules::new(1, vec![before(1, 1, Some(2)), before(2, 50, None), before(3, 10, None), before(4, 10, None)]);
    let asked: Vec<i64> = rules.before(&event(&event::CLIENTS_UPDATE, 2), &Tree).iter().map(|rule| rule.handler.id).collect();
    assert_eq!(asked, [3, 4, 2, 1]);
    assert!(rules.wants_before(&event::CLIENTS_UPDATE) && !rules.wants_before(&event::CLIENTS_CREATE));
}

#[test]
fn handlers_that_are_only_slower_or_renamed_ask_alike() {
    let asks = |fields: Value, version| {
        let mut all = json!({"type": "before"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Rules::new(version, vec![Handler { version, ..handler(1, all) }])
    };
    let old = asks(json!({}), 1);
    let alike = |fields| old.asks_alike(&asks(fields, 2), &event::CLIENTS_UPDATE);
    assert!(alike(json!({"timeout_ms": 5, "concurrency": 1, "name": "x", "notes": "y"})));
    assert!(
        !alike(json!({"writable": []}))
            && !alike(json!({"task": "http://127.0.0.1:2/"}))
            && !alike(json!({"condition": "false"}))
    );
    assert!(!alike(json!({"status": "disabled"})));
}

#[test]
fn only_enabled_handlers_of_the_event_and_its_reseller_are_told() {
    let rules = Rules::new(
        1,
        vec![
            handler(1, json!({})),
            handler(2, json!({"status": "disabled"})),
            handler(3, json!({"status": "archived"})),
            handler(4, json!({"event": "clients.accounts.*"})),
            handler(5, json!({"companies_id": 3})),
            handler(6, json!({"companies_id": 1})),
        ],
    );
    assert_eq!(told(&rules, &event(&event::CLIENTS_UPDATE, 2)), [1, 6]);
    assert_eq!(told(&rules, &event(&event::CLIENTS_UPDATE, 3)), [1, 5, 6]);
    assert_eq!(told(&rules, &event(&event::ACCOUNTS_DELETE, 2)), [4]);
    assert!(rules.get(2).is_some(), "known, although it is told nothing");
}

#[test]
fn a_handler_is_not_told_of_what_it_did_in_reaction() {
    let rules = Rules::new(1, vec![handler(1, json!({})), handler(2, json!({}))]);
    let cause = Cause::Reaction(Reaction { event_id: Uuid::nil(), handlers_id: 1, depth: 2, handlers: vec![2, 1] });
    let reaction = Event { cause: Some(cause), ..event(&event::CLIENTS_UPDATE, 1) };
    assert_eq!(told(&rules, &reaction), [2], "that one handler, not those further up");
}

#[test]
fn a_balance_event_is_for_those_who_hear_of_that_balance() {
    let of = |id, basis: &str| handler(id, json!({"event": ["clients.balance_zero", "clients.update"], "balance_basis": basis}));
    let rules = Rules::new(1, vec![of(1, "live"), of(2, "available")]);
    for (basis, expected) in [("live", 1), ("available", 2)] {
        let mut edge = event(&event::BALANCE_ZERO, 1);
        edge.data.insert("basis".to_owned(), basis.into());
        assert_eq!(told(&rules, &edge), [expected]);
    }
    assert_eq!(told(&rules, &event(&event::CLIENTS_UPDATE, 1)), [1, 2]);
}

#[test]
fn a_shadow_has_its_turn_and_decides_nothing() {
    let before = |id, order, status: &str| handler(id, json!({"type": "before", "order": order, "status": status}));
    let kind = &event::CLIENTS_UPDATE;
    let alone = Rules::new(1, vec![before(1, 1, "shadow"), before(2, 2, "disabled")]);
    assert!(!alone.wants_before(kind) && !alone.wants_before_of(kind, 1, &Tree) && alone.has_shadows(kind));
    let chain = Rules::new(2, vec![before(1, 2, "shadow"), before(2, 1, "enabled"), before(3, 3, "enabled")]);
    let turns: Vec<i64> = chain.before(&event(kind, 1), &Tree).iter().map(|rule| rule.handler.id).collect();
    assert_eq!(turns, [2, 1, 3]);
    assert!(chain.wants_before(kind) && chain.has_shadows(kind));
    // A decision stands whichever shadows come or go; one that begins to decide must be asked.
    let without = Rules::new(3, vec![before(2, 1, "enabled"), before(3, 3, "enabled")]);
    assert!(chain.asks_alike(&without, kind) && without.asks_alike(&chain, kind));
    let decides = Rules::new(4, vec![before(1, 2, "enabled"), before(2, 1, "enabled"), before(3, 3, "enabled")]);
    assert!(!decides.asks_alike(&chain, kind));
}
