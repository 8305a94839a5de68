//! By which events a handler is told how an object stands.
//!
//! An object is named once, by its create if the handler takes that, else by its update, with the whole object in `data`. Where
//! that leaves a choice, the event is the one that leads to the present state:
//!
//! | object | told by |
//! |---|---|
//! | client | `clients.create`, else `clients.update`; if archived, `clients.archive` follows where the handler takes that |
//! | its custom fields | `clients.custom_fields.update`, every key that is defined for it, null where it is not set |
//! | account | `clients.accounts.create`, else `clients.accounts.update` |
//! | new client package | `clients.packages.assign` |
//! | activated client package | `clients.packages.activate`, else `assign`, else `renew` |
//! | deactivated client package | `clients.packages.deactivate`, else `assign` |
//! | balance | `clients.balance_zero` or `clients.balance_notzero` of the handler's basis, whichever holds |
//!
//! Closed client packages are over for ever and are not named.
use hookswitch_model::{
    event::{self, Kind, Stage},
    handler::{Basis, Handler},
    objects::client_package::Condition,
};

/// By which events one handler is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) client: Option<Kind>,
    pub(crate) archived: Option<Kind>,
    pub(crate) custom_fields: Option<Kind>,
    pub(crate) account: Option<Kind>,
    assign: Option<Kind>,
    activate: Option<Kind>,
    deactivate: Option<Kind>,
    renew: Option<Kind>,
    in_funds: Option<Kind>,
    out_of_funds: Option<Kind>,
    pub(crate) basis: Basis,
}

impl Plan {
    /// Of a handler; `None` if it takes none of the events that tell how an object stands.
    pub(crate) fn of(handler: &Handler) -> Option<Self> {
        let takes = |kind: Kind| (handler.stage == Stage::After && handler.wants(kind.events_id)).then_some(kind);
        let client = takes(&event::CLIENTS_CREATE).or(takes(&event::CLIENTS_UPDATE));
        let plan = Self {
            client,
            // What is archived must have been named: alone it would say nothing about the client.
            archived: client.and(takes(&event::CLIENTS_ARCHIVE)),
            custom_fields: takes(&event::CUSTOM_FIELDS_UPDATE),
            account: takes(&event::ACCOUNTS_CREATE).or(takes(&event::ACCOUNTS_UPDATE)),
            assign: takes(&event::PACKAGES_ASSIGN),
            activate: takes(&event::PACKAGES_ACTIVATE),
            deactivate: takes(&event::PACKAGES_DEACTIVATE),
            renew: takes(&event::PACKAGES_RENEW),
            in_funds: takes(&event::BALANCE_NOTZERO),
            out_of_funds: takes(&event::BALANCE_ZERO),
            basis: handler.balance_basis,
        };
        let tells = [plan.client, plan.custom_fields, plan.account, plan.assign, plan.activate, plan.renew]
            .into_iter()
            .chain([plan.in_funds, plan.out_of_funds])
            .any(|kind| kind.is_some());
        tells.then_some(plan)
    }

    /// What tells of a client package in this condition.
    pub(crate) fn package(&self, condition: Condition) -> Option<Kind> {
        match condition {
            Condition::New => self.assign,
            Condition::Activated => self.activate.or(self.assign).or(self.renew),
            Condition::Deactivated => self.deactivate.or(self.assign),
            Condition::Closed => None,
        }
    }

    /// True if client packages are told of at all.
    pub(crate) fn has_packages(&self) -> bool {
        [Condition::New, Condition::Activated, Condition::Deactivated].iter().any(|condition| self.package(*condition).is_some())
    }

    /// What tells whether a client is in funds.
    pub(crate) fn balance(&self, in_funds: bool) -> Option<Kind> {
        if in_funds { self.in_funds } else { self.out_of_funds }
    }
}

#[cfg(test)]
mod tests {
    use hookswitch_model::handler::check_create;
    use serde_json::{Value, json};

    use super::*;

    fn plan(events: Value) -> Option<Plan> {
        let Value::Object(given) = json!({"name": "h", "event": events, "task": "http://127.0.0.1:1/"}) else {
            panic!("an object")
        };
        Plan::of(&Handler::from_checked(1, &check_create(&given).unwrap()).unwrap())
    }

    fn name(kind: Option<Kind>) -> &'static str {
        kind.map_or("", |kind| kind.events_id)
    }

    #[test]
    fn an_object_is_told_by_its_create_else_by_its_update() {
        let both = plan(json!(["clients.create", "clients.update", "clients.accounts.update"])).unwrap();
        assert_eq!((name(both.client), name(both.account)), ("clients.create", "clients.accounts.update"));
        assert_eq!(name(plan(json!("clients.update")).unwrap().client), "clients.update");
        assert_eq!(name(plan(json!("clients.accounts.*")).unwrap().account), "clients.accounts.create");
    }

    #[test]
    fn a_client_package_is_told_as_fits_its_condition() {
        let all = plan(json!("clients.packages.*")).unwrap();
        let names = |plan: &Plan| {
            [Condition::New, Condition::Activated, Condition::Deactivated, Condition::Closed].map(|c| name(plan.package(c)))
        };
        let [assign, activate, deactivate] =
            ["clients.packages.assign", "clients.packages.activate", "clients.packages.deactivate"];
        assert_eq!(names(&all), [assign, activate, deactivate, ""]);
        assert_eq!(names(&plan(json!("clients.packages.assign")).unwrap()), [assign, assign, assign, ""]);
        assert_eq!(names(&plan(json!("clients.packages.renew")).unwrap()), ["", "clients.packages.renew", "", ""]);
    }

    #[test]
    fn who_takes_only_ends_or_the_end_of_a_resync_is_told_nothing() {
        for events in [
            json!(["clients.delete", "clients.archive", "clients.accounts.delete", "clients.packages.close"]),
            json!("clients.packages.deactivate"),
            json!("provisioning.resync_done"),
        ] {
            assert_eq!(plan(events.clone()), None, "{events}");
        }
    }
}
