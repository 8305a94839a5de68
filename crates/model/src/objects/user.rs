//! A user: who may call, with which role, from where.
use ipnet::IpNet;

use super::{id, text, word};
use crate::{
    Object,
    field::{Field, Kind},
    moment::Moment,
    nets,
    words::words,
};

words! {
    /// What a user may do (contract, Roles).
    Role {
        /// Everything.
        Admin = "admin",
        /// Everything but users and the making and changing of handlers.
        Operator = "operator",
        /// Reads, and never sees an account's password.
        Readonly = "readonly",
    }
}

words! {
    /// Whether a user may call.
    UserStatus {
        /// It may.
        Active = "active",
        /// Its keys and its password are refused.
        Disabled = "disabled",
    }
}

/// The most addresses and subnets of one user.
pub const ALLOWED_IPS_MAX: usize = 256;

/// Every key of a user, in the order of the contract.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::new("login", Kind::Word { min: 1, max: 64 }, "Unique over the system").required(),
    Field::id("companies_id", "The reseller that it belongs to (default: the key's); null = the whole system").or_null(),
    Field::new("role", Kind::Choice(Role::WORDS), "admin, operator or readonly").required(),
    Field::new("password", Kind::Line { min: 12, max: 256 }, "For the web section; without one there are only keys").write_only(),
    Field::new(
        "allowed_ips",
        Kind::NetList { items: ALLOWED_IPS_MAX, apart: false },
        "Addresses or subnets that it may call from; empty = any",
    )
    .or_null(),
    Field::new("status", Kind::Choice(UserStatus::WORDS), "active (default), or disabled: its keys are refused"),
];

/// A user, without its password, which is kept as a hash beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Given by the system.
    pub id: i64,
    /// Unique over the system.
    pub login: String,
    /// Its reseller; `None` = the whole system.
    pub companies_id: Option<i64>,
    /// What it may do.
    pub role: Role,
    /// Where it may call from; empty = anywhere.
    pub allowed_ips: Vec<IpNet>,
    /// Whether it may call.
    pub status: UserStatus,
    /// When it was created.
    pub c_dt: Moment,
}

impl User {
    /// A new user from checked fields. Its reseller was found out from them and the caller's key. A role is always
    /// among them; without one it could do least.
    #[must_use]
    pub fn from_new(new_id: i64, companies_id: Option<i64>, now: Moment, checked: &Object) -> Self {
        let mut user = Self {
            id: new_id,
            login: String::new(),
            companies_id: None,
            role: Role::Readonly,
            allowed_ips: Vec::new(),
            status: UserStatus::Active,
            c_dt: now,
        };
        user.apply(checked);
        user.companies_id = companies_id;
        user
    }

    /// An admin of the whole system: the first user of a new database.
    #[must_use]
    pub fn system_admin(id: i64, login: &str, now: Moment) -> Self {
        Self {
            id,
            login: login.to_owned(),
            companies_id: None,
            role: Role::Admin,
            allowed_ips: Vec::new(),
            status: UserStatus::Active,
            c_dt: now,
        }
    }

    /// Takes over what checked fields change. What they leave out stays.
    pub fn apply(&mut self, checked: &Object) {
        if let Some(login) = text(checked, "login") {
            self.login = login;
        }
        if checked.contains_key("companies_id") {
            self.companies_id = id(checked, "companies_id");
        }
        if let Some(role) = word(checked, "role", Role::from_word) {
            self.role = role;
        }
        if let Some(nets) = checked.get("allowed_ips") {
            self.allowed_ips = nets::of_list(nets);
        }
        if let Some(status) = word(checked, "status", UserStatus::from_word) {
            self.status = status;
        }
    }

    /// True if it may call.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }

    /// True for an active admin of the whole system: one there must always be.
    #[must_use]
    pub fn is_system_admin(&self) -> bool {
        self.is_active() && self.role == Role::Admin && self.companies_id.is_none()
    }

    /// The user as the Core API returns it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let values = [
            ("id", self.id.into()),
            ("login", self.login.clone().into()),
            ("companies_id", self.companies_id.into()),
            ("role", self.role.word().into()),
            ("allowed_ips", nets::to_list(&self.allowed_ips)),
            ("status", self.status.word().into()),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
#[path = "tests/user.rs"]
mod tests;
