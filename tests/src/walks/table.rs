//! One row a method: the least role that may call it, good parameters, and how it behaves when it is repeated or rehearsed.
//! What a new method needs to be walked over is a row here.
use hookswitch_testkit::{Value, json};

use super::{methods, objects::Objects};

/// The contract's roles, each of which may do what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Readonly,
    Operator,
    Admin,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Readonly, Self::Operator, Self::Admin];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Readonly => "readonly",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// What a method does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Reads,
    /// Takes an idempotency key, and can be rehearsed.
    Changes,
    /// Takes an idempotency key; `dry_run` is a field of what it saves.
    ChangesInEarnestOnly,
    /// Works on deliveries: done twice it finds nothing more to do. Can be rehearsed.
    Steers,
}

/// Parameters about these objects.
type Params = fn(&Objects) -> Value;
/// Parameters of the first one's owner that name something of the second.
type About = fn(&Objects, &Objects) -> Vec<Value>;

pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) role: Role,
    pub(super) does: Does,
    /// Good parameters.
    pub(super) params: Params,
    /// A call that must have been made before, for this one to change anything.
    pub(super) first: Option<(&'static str, Params)>,
    /// Ways to name another's objects; none = `params` of them.
    pub(super) about: About,
}

const fn row(method: &'static str, role: Role, does: Does, params: Params) -> Row {
    Row { method, role, does, params, first: None, about: |_, _| Vec::new() }
}

impl Row {
    const fn first(mut self, method: &'static str, params: Params) -> Self {
        self.first = Some((method, params));
        self
    }

    const fn about(mut self, about: About) -> Self {
        self.about = about;
        self
    }

    pub(super) fn find(method: &str) -> &'static Self {
        TABLE.iter().find(|row| row.method == method).unwrap_or_else(|| panic!("{method} has no row in the table of the walks"))
    }
}

use Does::{Changes, ChangesInEarnestOnly, Reads, Steers};
use Role::{Admin, Operator, Readonly};

static TABLE: &[Row] = &[
    row("clients.create", Operator, Changes, |o| json!({"name": o.new_name(), "companies_id": o.company})),
    row("clients.get", Readonly, Reads, |o| json!({"id": o.client})),
    row("clients.search", Readonly, Reads, |o| json!({"id": o.client})),
    row("clients.update", Operator, Changes, |o| json!({"id": o.client, "name": o.new_name()})),
    row("clients.archive", Operator, Changes, |o| json!({"id": o.client})),
    row("clients.unarchive", Operator, Changes, |o| json!({"id": o.client})).first("clients.archive", |o| json!({"id": o.client})),
    row("clients.delete", Operator, Changes, |o| json!({"id": o.client, "force": true})),
    row("clients.custom_fields.get", Readonly, Reads, |o| json!({"id": o.client})),
    row("clients.custom_fields.update", Operator, Changes, |o| json!({"id": o.client, o.key.as_str(): "changed"}))
        .about(|own, other| {
            let key = own.key.as_str();
            vec![json!({"id": other.client, key: "changed"}), json!({"id": own.client, other.key.as_str(): "changed"})]
        }),
    row("custom_fields.create", Operator, Changes, |o| {
        json!({"object_type": "clients", "key": format!("new_{}", o.key), "title": "New", "companies_id": o.company})
    }),
    row("custom_fields.get", Readonly, Reads, |o| json!({"id": o.custom_field})),
    row("custom_fields.search", Readonly, Reads, |o| json!({"id": o.custom_field})),
    row("custom_fields.update", Operator, Changes, |o| json!({"id": o.custom_field, "title": o.new_name()})),
    row("custom_fields.delete", Operator, Changes, |o| json!({"id": o.custom_field})),
    row("clients.accounts.create", Operator, Changes, |o| {
        json!({"clients_id": o.client, "name": "new", "auth_type": "name", "accname": format!("new-{}", o.key), "password": "pass-word-1"})
    }),
    row("clients.accounts.get", Readonly, Reads, |o| json!({"id": o.account})),
    row("clients.accounts.search", Readonly, Reads, |o| json!({"id": o.account})),
    row("clients.accounts.update", Operator, Changes, |o| json!({"id": o.account, "name": "renamed"})),
    row("clients.accounts.delete", Operator, Changes, |o| json!({"id": o.account})),
    row("packages.create", Operator, Changes, |o| {
        json!({"name": o.new_name(), "companies_id": o.company, "period": "P1M", "custom_fields": {o.key.as_str(): "new"}})
    })
    .about(|own, other| {
        let package = |objects: &Objects, key: &str| json!({"name": "n", "period": "P1M", "companies_id": objects.company, "custom_fields": {key: 1}});
        vec![package(other, &own.key), package(own, &other.key)]
    }),
    row("packages.get", Readonly, Reads, |o| json!({"id": o.package})),
    row("packages.search", Readonly, Reads, |o| json!({"id": o.package})),
    row("packages.update", Operator, Changes, |o| {
        json!({"id": o.package, "name": o.new_name(), "custom_fields": {o.key.as_str(): "changed"}})
    })
    .about(|own, other| {
        let renamed = |objects: &Objects, key: &str| json!({"id": objects.package, "name": "Stolen", "custom_fields": {key: 1}});
        vec![renamed(other, &own.key), renamed(own, &other.key)]
    }),
    row("packages.delete", Operator, Changes, |o| json!({"id": o.package}))
        .first("clients.packages.close", |o| json!({"id": o.client_package})),
    row("clients.packages.assign", Operator, Changes, |o| json!({"clients_id": o.client, "packages_id": o.package, "quantity": 2}))
        .about(|own, other| {
            vec![
                json!({"clients_id": other.client, "packages_id": own.package}),
                json!({"clients_id": own.client, "packages_id": other.package}),
                json!({"clients_id": own.client, "packages_id": own.package, "accounts_id": other.account}),
                json!({"clients_id": other.client, "packages_id": other.package, "accounts_id": other.account}),
            ]
        }),
    row("clients.packages.get", Readonly, Reads, |o| json!({"id": o.client_package})),
    row("clients.packages.search", Readonly, Reads, |o| json!({"id": o.client_package})),
    row("clients.packages.activate", Operator, Changes, activation),
    row("clients.packages.deactivate", Operator, Changes, |o| json!({"id": o.client_package, "reason": "walked over"}))
        .first("clients.packages.activate", activation),
    row("clients.packages.renew", Operator, Changes, |o| json!({"id": o.client_package, "period_fee": 0.5}))
        .first("clients.packages.activate", activation),
    row("clients.packages.close", Operator, Changes, |o| json!({"id": o.client_package}))
        .first("clients.packages.activate", activation),
    row("accounting.transactions.create", Operator, Changes, |o| json!({"clients_id": o.client, "type": "payment", "amount": 5})),
    row("accounting.transactions.create_no_negative", Operator, Changes, |o| {
        json!({"clients_id": o.client, "type": "charge", "amount": -1})
    }),
    row("accounting.transactions.get", Readonly, Reads, |o| json!({"id": o.transaction})),
    row("accounting.transactions.search", Readonly, Reads, |o| json!({"id": o.transaction})),
    row("companies.create", Operator, Changes, |o| json!({"name": o.new_name(), "parent_id": o.company})),
    row("companies.get", Readonly, Reads, |o| json!({"id": o.company})),
    row("companies.search", Readonly, Reads, |o| json!({"id": o.company})),
    row("companies.update", Operator, Changes, |o| json!({"id": o.company, "name": o.new_name()})).about(|own, other| {
        vec![json!({"id": other.company, "name": "Stolen"}), json!({"id": own.below, "parent_id": other.company})]
    }),
    row("users.create", Admin, Changes, |o| {
        json!({"login": format!("new-{}", o.key), "role": "operator", "companies_id": o.users_of, "password": "a long enough password"})
    }),
    row("users.get", Admin, Reads, |o| json!({"id": o.user})),
    row("users.search", Admin, Reads, |o| json!({"id": o.user})),
    row("users.update", Admin, Changes, |o| json!({"id": o.user, "role": "readonly"})).about(|own, other| {
        vec![json!({"id": other.user, "role": "readonly"}), json!({"id": own.user, "companies_id": other.company})]
    }),
    row("users.delete", Admin, Changes, |o| json!({"id": o.user})),
    row("users.rotate_key", Admin, Changes, |o| json!({"id": o.user})),
    row("provisioning.handlers.create", Admin, ChangesInEarnestOnly, |o| {
        json!({"name": "new", "event": "clients.create", "task": "https://example.org/new", "companies_id": o.users_of})
    }),
    row("provisioning.handlers.get", Readonly, Reads, |o| json!({"id": o.handler})),
    row("provisioning.handlers.search", Readonly, Reads, |o| json!({"id": o.handler})),
    row("provisioning.handlers.update", Admin, ChangesInEarnestOnly, |o| json!({"id": o.handler, "name": "renamed"}))
        .about(|own, other| {
            vec![json!({"id": other.handler, "name": "stolen"}), json!({"id": own.handler, "companies_id": other.company})]
        }),
    row("provisioning.handlers.delete", Admin, Changes, |o| json!({"id": o.handler, "force": true})),
    row("provisioning.handlers.rotate_secret", Admin, Changes, |o| json!({"id": o.handler})),
    row("provisioning.handlers.pause", Operator, Changes, |o| json!({"id": o.handler})),
    row("provisioning.handlers.resume", Operator, Changes, |o| json!({"id": o.handler}))
        .first("provisioning.handlers.pause", |o| json!({"id": o.handler})),
    row("provisioning.handlers.test", Operator, Steers, |o| json!({"id": o.handler})).about(|own, other| {
        let unsaved = |companies_id: i64| json!({"name": "t", "event": "clients.create", "task": "https://example.org/", "companies_id": companies_id});
        vec![
            json!({"id": other.handler}),
            json!({"id": own.handler, "event_id": other.event}),
            json!({"handler": unsaved(other.company)}),
            json!({"handler": unsaved(own.company), "event_id": other.event}),
        ]
    }),
    row("provisioning.handlers.resync", Operator, Steers, |o| json!({"id": o.handler})).about(|own, other| {
        vec![
            json!({"id": other.handler}),
            json!({"id": own.handler, "clients_id": [other.client]}),
            json!({"id": own.handler, "companies_id": other.company}),
        ]
    }),
    row("provisioning.handlers.backtest", Operator, Steers, |o| json!({"id": o.asked, "last": 1})).about(|own, other| {
        let unsaved = json!({"name": "t", "type": "before", "event": "clients.create", "task": "https://example.org/", "companies_id": other.company});
        vec![json!({"id": other.asked, "last": 1}), json!({"id": other.asked, "clients_id": own.client}), json!({"handler": unsaved})]
    }),
    row("provisioning.handlers.shadow", Readonly, Reads, |o| json!({"id": o.asked})),
    row("provisioning.handlers.status", Readonly, Reads, |o| json!({"id": o.handler})),
    row("provisioning.scripts.list", Readonly, Reads, |_| json!({})),
    row("provisioning.handlers.figures", Readonly, Reads, |o| json!({"id": o.handler})),
    row("provisioning.events.hours", Readonly, Reads, |_| json!({})),
    row("provisioning.events.list", Readonly, Reads, |_| json!({})),
    row("provisioning.events.search", Readonly, Reads, |o| json!({"id": o.event})),
    row("provisioning.events.get", Readonly, Reads, |o| json!({"id": o.event})),
    row("provisioning.executions.search", Readonly, Reads, |o| json!({"id": o.execution})),
    row("provisioning.executions.get", Readonly, Reads, |o| json!({"id": o.execution})),
    row("provisioning.loops.search", Readonly, Reads, |o| json!({"id": o.found_loop})),
    row("provisioning.loops.get", Readonly, Reads, |o| json!({"id": o.found_loop})),
    row("provisioning.deliveries.search", Readonly, Reads, |o| json!({"id": o.delivery})),
    row("provisioning.deliveries.get", Readonly, Reads, |o| json!({"id": o.delivery})),
    row("provisioning.deliveries.resend", Operator, Steers, |o| json!({"handlers_id": o.handler, "force": true}))
        .about(deliveries_of),
    row("provisioning.deliveries.discard", Operator, Steers, |o| json!({"handlers_id": o.handler})).about(deliveries_of),
    row("provisioning.resyncs.search", Readonly, Reads, |o| json!({"id": o.resync})),
    row("provisioning.resyncs.get", Readonly, Reads, |o| json!({"id": o.resync})),
    row("provisioning.resyncs.pause", Operator, Changes, |o| json!({"id": o.resync})),
    row("provisioning.resyncs.resume", Operator, Changes, |o| json!({"id": o.resync}))
        .first("provisioning.resyncs.pause", |o| json!({"id": o.resync})),
    row("provisioning.resyncs.cancel", Operator, Changes, |o| json!({"id": o.resync})),
    row("provisioning.outcomes.search", Readonly, Reads, |o| json!({"id": o.outcome})),
    row("provisioning.outcomes.get", Readonly, Reads, |o| json!({"id": o.outcome})),
    row("provisioning.outcomes.resend", Operator, Steers, |o| json!({"handlers_id": o.asked})).about(outcomes_of),
    row("provisioning.outcomes.discard", Operator, Steers, |o| json!({"handlers_id": o.asked})).about(outcomes_of),
    row("system.status", Readonly, Reads, |_| json!({})),
];

/// An activation that the client can pay, a renewal at the same price too: neither is free, so that a second one would show.
fn activation(objects: &Objects) -> Value {
    json!({"id": objects.client_package, "period_fee": 0.5})
}

fn deliveries_of(_: &Objects, other: &Objects) -> Vec<Value> {
    vec![
        json!({"id": other.delivery}),
        json!({"id": [other.delivery]}),
        json!({"handlers_id": other.handler}),
        json!({"clients_id": other.client}),
        json!({"event_id": other.event}),
    ]
}

fn outcomes_of(_: &Objects, other: &Objects) -> Vec<Value> {
    vec![
        json!({"id": other.outcome}),
        json!({"id": [other.outcome]}),
        json!({"handlers_id": other.asked}),
        json!({"clients_id": other.client}),
        json!({"event_id": other.event}),
    ]
}

#[test]
fn every_method_has_one_row_and_no_row_is_of_nothing() {
    let names: Vec<&str> = methods().map(|method| method.name).collect();
    let rows: Vec<&str> = TABLE.iter().map(|row| row.method).collect();
    for name in &names {
        assert_eq!(rows.iter().filter(|row| *row == name).count(), 1, "rows of {name} in tests/src/walks/table.rs");
    }
    for row in rows {
        assert!(names.contains(&row), "there is no method {row}");
    }
    for method in methods() {
        let does = Row::find(method.name).does;
        assert_eq!(method.changes(), does != Reads, "{}", method.name);
        assert_eq!(method.idempotent, matches!(does, Changes | ChangesInEarnestOnly), "{}", method.name);
    }
}
