//! Calls of an import: events say so by their actor, and before handlers may be left out.
//!
//! Whoever moves a hundred thousand clients over from another system has checked them there; to ask a handler about each would
//! take hours and tell it nothing. That is a right above all rights that handlers were given, so it is narrow: an admin of the
//! whole system, the two methods that an import consists of, and a row in the log for every call that was not made.
use std::sync::Arc;

use hookswitch_model::{event::Actor, objects::user::Role, refusal::Refusal};

use crate::{access::Caller, registry::Method};

/// The methods that an import consists of.
const METHODS: [&str; 2] = ["clients.create", "clients.accounts.create"];

/// How a call belongs to an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import {
    /// Before handlers are asked as always.
    Asking,
    /// They are not asked; the log says so, row by row.
    Unasked,
}

impl Import {
    /// True if before handlers are left out.
    pub(super) fn is_unasked(this: Option<Self>) -> bool {
        this == Some(Self::Unasked)
    }

    /// The caller as events tell of him.
    ///
    /// # Errors
    /// `access-denied` for anybody but an admin of the whole system, and for anything but what an import consists of.
    pub(super) fn caller(method: &Method, caller: &Caller) -> Result<Arc<Caller>, Refusal> {
        if caller.role != Role::Admin || caller.companies_id.is_some() {
            return Err(Refusal::AccessDenied("an import needs an admin of the whole system".to_owned()));
        }
        if !METHODS.contains(&method.name) {
            return Err(Refusal::AccessDenied(format!("an import consists of {} only", METHODS.join(" and "))));
        }
        let actor = match &caller.actor {
            Actor::User { id, login } => Actor::Import { id: *id, login: login.clone() },
            other => other.clone(),
        };
        Ok(Arc::new(Caller { actor, ..caller.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn only_an_admin_of_the_whole_system_imports_and_only_what_is_made() {
        let method = |name| registry::find(name).unwrap();
        let admin = Caller { actor: Actor::User { id: 7, login: "anna".to_owned() }, ..Caller::command_line() };
        let importer = Import::caller(method("clients.create"), &admin).unwrap();
        assert_eq!(importer.actor, Actor::Import { id: 7, login: "anna".to_owned() });
        let of_reseller = Caller { companies_id: Some(1), ..admin.clone() };
        let operator = Caller { role: Role::Operator, ..admin.clone() };
        for caller in [of_reseller, operator] {
            assert!(Import::caller(method("clients.create"), &caller).is_err());
        }
        for name in ["clients.delete", "accounting.transactions.create", "provisioning.handlers.create"] {
            assert!(Import::caller(method(name), &admin).is_err(), "{name}");
        }
    }
}
