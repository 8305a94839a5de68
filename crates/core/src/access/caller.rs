//! Who calls: a user with a role, within a reseller or of the whole system.
use std::net::IpAddr;

use hookswitch_model::{event::Actor, objects::user::Role, refusal::Refusal};

/// What a method asks of its caller's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Any role.
    Read,
    /// `admin` and `operator`.
    Operate,
    /// `admin` only: users, and the making and changing of handlers.
    Administer,
}

/// The user behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user's id; 0 for the program itself.
    pub users_id: i64,
    /// Who did it, as events tell.
    pub actor: Actor,
    /// Its reseller; `None` = the whole system.
    pub companies_id: Option<i64>,
    /// Its role.
    pub role: Role,
    /// The address that it calls from, if it is known.
    pub from: Option<IpAddr>,
}

impl Caller {
    /// The command line on the server's own machine: an admin of the whole system.
    #[must_use]
    pub fn command_line() -> Self {
        Self { users_id: 0, actor: Actor::Cli, companies_id: None, role: Role::Admin, from: None }
    }

    /// The clock: takes steps of client packages.
    #[must_use]
    pub fn clock() -> Self {
        Self { actor: Actor::Clock, ..Self::command_line() }
    }

    /// The login, or what stands for one.
    #[must_use]
    pub fn login(&self) -> &str {
        match &self.actor {
            Actor::User { login, .. } | Actor::Import { login, .. } => login,
            Actor::Clock => "clock",
            Actor::Cli => "cli",
        }
    }

    /// True if account passwords may be shown to this caller.
    #[must_use]
    pub fn sees_passwords(&self) -> bool {
        self.role != Role::Readonly
    }

    /// Refuses what the role does not allow.
    ///
    /// # Errors
    /// `access-denied`, in words that say which role would do.
    pub fn demand(&self, right: Right) -> Result<(), Refusal> {
        let (allowed, who) = match right {
            Right::Read => (true, ""),
            Right::Operate => (self.role != Role::Readonly, "the role operator or admin"),
            Right::Administer => (self.role == Role::Admin, "the role admin"),
        };
        if allowed { Ok(()) } else { Err(Refusal::AccessDenied(format!("this needs {who}, yours is {}", self.role.word()))) }
    }
}
