//! An account: what a softswitch knows a client's calls by.
//!
//! A name, a number or addresses, with an optional prefix. Empty texts count as null, so that `""` is never taken
//! for a name that is in use.
use ipnet::IpNet;
use serde_json::Value;

use super::{
    client::{CAPACITY, RATE_TABLES, TAGS},
    details, id, text, word,
};
use crate::{
    Object,
    field::{self, Field, Kind},
    nets,
    refusal::FieldErrors,
    words::words,
};

words! {
    /// How a softswitch recognises the account's calls.
    AuthType {
        /// By name and password.
        Name = "name",
        /// By the address that they come from.
        Ip = "ip",
        /// By the calling number.
        Ani = "ani",
    }
}

/// The most addresses and subnets of one account.
pub const IPS_MAX: usize = 1000;

/// Every key of an account, in the order of the contract. `term_capacity` is also a legacy key; the account's own
/// meaning counts.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::id("clients_id", "Its client").required().fixed(),
    Field::line("name", 64, "For people; empty = null"),
    Field::new("auth_type", Kind::Choice(AuthType::WORDS), "How its calls are recognised: name (default), ip or ani"),
    Field::line("accname", 128, "The name for auth_type name, unique over the system; empty = null"),
    Field::line("password", 256, "The password for auth_type name; empty = null"),
    Field::line("ani", 64, "The calling number for auth_type ani, unique over the system with tech_prefix; empty = null"),
    Field::new(
        "ips",
        Kind::NetList { items: IPS_MAX, apart: true },
        "IPv4 or IPv6 addresses or subnets for auth_type ip; host bits are cleared; without overlaps under one tech_prefix",
    )
    .or_null(),
    Field::line("tech_prefix", 32, "The prefix that its calls carry; null = empty"),
    Field::new("orig_enabled", Kind::Boolean, "May originate calls (default true)"),
    Field::new("term_enabled", Kind::Boolean, "May terminate calls (default true)"),
    Field::new("orig_capacity", CAPACITY, "Calls at once from the account; null = without limit").or_null(),
    Field::new("term_capacity", CAPACITY, "Calls at once to the account; null = without limit").or_null(),
    Field::new("orig_rate_tables_ids", RATE_TABLES, "Rate tables for calls from the account").or_null(),
    Field::new("term_rate_tables_ids", RATE_TABLES, "Rate tables for calls to the account").or_null(),
    Field::new("orig_tags", TAGS, "Free labels for calls from the account").or_null(),
    Field::new("term_tags", TAGS, "Free labels for calls to the account").or_null(),
    Field::line("protocol", 64, "The signalling protocol, such as sip"),
    Field::new("port", Kind::Integer { min: 1, max: 65_535 }, "The signalling port").or_null(),
    Field::id("routing_plans_id", "Its routing plan").or_null(),
    Field::notes(),
    Field::line("clients_name", 255, "Its client's name").read_only(),
    Field::legacy("orig_rate_table"),
    Field::legacy("term_rate_table"),
    Field::legacy("low_balance_threshold"),
    Field::legacy("low_balance_capacity"),
    Field::legacy("autoinvoice_enabled"),
    Field::legacy("invoice_no_tpl"),
    Field::legacy("owner_users_id"),
    Field::legacy("manager_id"),
    Field::legacy("groups"),
    Field::legacy("type"),
    Field::legacy("dr_plans_id"),
];

/// Checks what was sent for a new account: each field, and what its way of recognising calls needs.
///
/// # Errors
/// Every wrong, unknown, missing or read-only field.
pub fn check_create(given: &Object) -> Result<Object, FieldErrors> {
    let mut checked = field::survey_create(FIELDS, given);
    if !checked.errors.names("auth_type") {
        checked.errors.merge(Account::from_new(0, String::new(), &checked.good).rules());
    }
    checked.all_good()
}

/// The keys that [`Account`] has as its own fields.
const TYPED: &[&str] = &["clients_id", "name", "auth_type", "accname", "password", "ani", "ips", "tech_prefix"];

/// An account, whole, its password in clear.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Given by the system.
    pub id: i64,
    /// Its client.
    pub clients_id: i64,
    /// Its client's name.
    pub clients_name: String,
    /// For people.
    pub name: Option<String>,
    /// How its calls are recognised.
    pub auth_type: AuthType,
    /// Unique over the system.
    pub accname: Option<String>,
    /// Stored sealed.
    pub password: Option<String>,
    /// Unique over the system with `tech_prefix`.
    pub ani: Option<String>,
    /// `None` = empty.
    pub tech_prefix: Option<String>,
    /// Without an address in common.
    pub ips: Vec<IpNet>,
    /// Every other key that was set.
    pub details: Object,
}

impl Account {
    /// A new account from checked fields.
    #[must_use]
    pub fn from_new(new_id: i64, clients_name: String, checked: &Object) -> Self {
        let mut account = Self {
            id: new_id,
            clients_id: id(checked, "clients_id").unwrap_or(0),
            clients_name,
            name: None,
            auth_type: AuthType::Name,
            accname: None,
            password: None,
            ani: None,
            tech_prefix: None,
            ips: Vec::new(),
            details: Object::new(),
        };
        account.apply(checked);
        account
    }

    /// Takes over what checked fields change. What they leave out stays.
    pub fn apply(&mut self, checked: &Object) {
        let texts = [
            ("name", &mut self.name),
            ("accname", &mut self.accname),
            ("password", &mut self.password),
            ("ani", &mut self.ani),
            ("tech_prefix", &mut self.tech_prefix),
        ];
        for (name, own) in texts {
            if checked.contains_key(name) {
                *own = text(checked, name);
            }
        }
        if let Some(auth_type) = word(checked, "auth_type", AuthType::from_word) {
            self.auth_type = auth_type;
        }
        if let Some(ips) = checked.get("ips") {
            self.ips = nets::of_list(ips);
        }
        details::take(&mut self.details, FIELDS, TYPED, checked);
    }

    /// What its way of recognising calls lacks.
    #[must_use]
    pub fn rules(&self) -> FieldErrors {
        let lacks = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
        match self.auth_type {
            AuthType::Name if lacks(&self.accname) => FieldErrors::one("accname", "is required for auth_type name"),
            AuthType::Ani if lacks(&self.ani) => FieldErrors::one("ani", "is required for auth_type ani"),
            AuthType::Ip if self.ips.is_empty() => FieldErrors::one("ips", "is required for auth_type ip"),
            _ => FieldErrors::new(),
        }
    }

    /// The account as the Core API returns it to those who may see its password.
    #[must_use]
    pub fn shown(&self) -> Object {
        let text_or_null = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let on_by_default = |name: &str| self.details.get(name).cloned().unwrap_or(Value::Bool(true));
        details::shown(FIELDS, &self.details, |name| {
            Some(match name {
                "id" => self.id.into(),
                "clients_id" => self.clients_id.into(),
                "name" => text_or_null(&self.name),
                "auth_type" => self.auth_type.word().into(),
                "accname" => text_or_null(&self.accname),
                "password" => text_or_null(&self.password),
                "ani" => text_or_null(&self.ani),
                "ips" => nets::to_list(&self.ips),
                "tech_prefix" => text_or_null(&self.tech_prefix),
                "orig_enabled" | "term_enabled" => on_by_default(name),
                "clients_name" => self.clients_name.as_str().into(),
                _ => return None,
            })
        })
    }
}

#[cfg(test)]
#[path = "tests/account.rs"]
mod tests;
