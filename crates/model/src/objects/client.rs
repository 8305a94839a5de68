//! A client: who pays.
use serde_json::Value;

use super::{custom_field, details, text, word};
use crate::{
    Object,
    field::{self, Field, Kind},
    funds::{Balances, Funds},
    moment::Moment,
    money::Money,
    words::words,
};

words! {
    /// Whether a client is served.
    ClientStatus {
        /// Served.
        Active = "active",
        /// Not served for now.
        Stopped = "stopped",
        /// Not served any more; kept, with its name and its accounts' names. Set by `clients.archive` only.
        Archived = "archived",
    }
}

const CREDIT: Kind = Kind::Money { min: Money::ZERO, max: Money::MAX };
const AMOUNT: Kind = Kind::Money { min: Money::MIN, max: Money::MAX };
/// Balance and credit may both be at the end of their range.
pub(crate) const AVAILABLE: Kind = Kind::Money { min: Money::MIN, max: Money::MAX.saturating_add(Money::MAX) };
/// What a caller may set.
const STATUS: Kind = Kind::Choice(&[ClientStatus::Active.word(), ClientStatus::Stopped.word()]);
/// Calls at once: as many as an `i32` holds.
pub(crate) const CAPACITY: Kind = Kind::Integer { min: 0, max: i32::MAX as i64 };
/// Ids of rate tables.
pub(crate) const RATE_TABLES: Kind = Kind::IntegerList { items: 256, min: 1, max: i64::MAX };
/// Free labels.
pub(crate) const TAGS: Kind = Kind::LineList { items: 256, min: 1, max: 255 };

const fn contact(name: &'static str, about: &'static str) -> Field {
    Field::new(name, Kind::Text { max: 255 }, about).or_null()
}

/// Every key of a client, in the order of the contract.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::new("name", Kind::Line { min: 1, max: 255 }, "Unique within the reseller").required(),
    Field::id("companies_id", "The reseller (default: the key's, or 1)").fixed(),
    Field::id("currencies_id", "The currency (default: the reseller's)").fixed(),
    Field::new("status", STATUS, "active (default) or stopped; archived by clients.archive only")
        .shown_as(Kind::Choice(ClientStatus::WORDS)),
    Field::new("credit", CREDIT, "How far the balance may fall below zero (default 0); null = without limit").or_null(),
    Field::new("balance", AMOUNT, "Payments minus charges: the sum of the transactions").read_only(),
    Field::new("available", AVAILABLE, "Balance plus credit; null = without limit").read_only().or_null(),
    Field::new("balance_accountant", AMOUNT, "The same as balance").read_only(),
    Field::new("tags", TAGS, "Free labels").or_null(),
    contact("c_company", "Company"),
    contact("c_email", "E-mail"),
    contact("c_email_billing", "E-mail for bills"),
    contact("c_email_tech", "E-mail for technical matters"),
    contact("c_email_rates", "E-mail for rates"),
    contact("c_phone", "Telephone"),
    contact("c_address", "Street address"),
    contact("c_city", "City"),
    contact("c_state", "State"),
    contact("c_country", "Country"),
    contact("c_zip_code", "Postal code"),
    contact("tax_id", "Tax number"),
    Field::id("payment_terms_id", "Terms of payment").or_null(),
    Field::new("orig_rate_tables_ids", RATE_TABLES, "Rate tables for calls from the client").or_null(),
    Field::new("low_balance_athreshold", AMOUNT, "The available balance at which to warn").or_null(),
    contact("bill_by_time", "How bills are cut by time"),
    Field::new("orig_capacity", CAPACITY, "Calls at once from the client; null = without limit").or_null(),
    Field::notes(),
    Field::new("c_dt", Kind::Time, "When it was created").read_only(),
    Field::new("custom_fields", custom_field::VALUES, "Those that are set, by key; changed by clients.custom_fields.update")
        .read_only(),
    Field::legacy("orig_rate_table"),
    Field::legacy("term_rate_table"),
    Field::legacy("term_capacity"),
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

/// The keys that [`Client`] has as its own fields.
const TYPED: &[&str] = &["name", "companies_id", "currencies_id", "status", "credit"];

/// A client, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Given by the system.
    pub id: i64,
    /// Its reseller.
    pub companies_id: i64,
    /// The currency of its balance.
    pub currencies_id: i64,
    /// Unique within the reseller.
    pub name: String,
    /// Whether it is served.
    pub status: ClientStatus,
    /// How far the balance may fall below zero; `None` = without limit.
    pub credit: Option<Money>,
    /// The sum of its transactions.
    pub balance: Money,
    /// The states after the last balance edges.
    pub funds: Funds,
    /// When it was created.
    pub c_dt: Moment,
    /// Every other key that was set.
    pub details: Object,
    /// Its custom fields that are set, by key, in the order of their definitions.
    pub custom: Object,
}

impl Client {
    /// A new client from checked fields. Its reseller and currency were found out from them and the caller's key.
    #[must_use]
    pub fn from_new(id: i64, companies_id: i64, currencies_id: i64, now: Moment, checked: &Object) -> Self {
        let mut client = Self {
            id,
            companies_id,
            currencies_id,
            name: String::new(),
            status: ClientStatus::Active,
            credit: Some(Money::ZERO),
            balance: Money::ZERO,
            funds: Funds::default(),
            c_dt: now,
            details: Object::new(),
            custom: Object::new(),
        };
        client.apply(checked);
        client
    }

    /// Takes over what checked fields change. What they leave out stays.
    pub fn apply(&mut self, checked: &Object) {
        if let Some(name) = text(checked, "name") {
            self.name = name;
        }
        if let Some(status) = word(checked, "status", ClientStatus::from_word) {
            self.status = status;
        }
        if checked.contains_key("credit") {
            self.credit = field::money(checked, "credit");
        }
        details::take(&mut self.details, FIELDS, TYPED, checked);
    }

    /// What counts for its balance edges.
    #[must_use]
    pub fn balances(&self) -> Balances {
        Balances { live: self.balance, credit: self.credit }
    }

    /// Balance plus credit; `None` = without limit.
    #[must_use]
    pub fn available(&self) -> Option<Money> {
        self.balances().available()
    }

    /// The client as the Core API returns it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let money_or_null = |amount: Option<Money>| amount.map_or(Value::Null, Money::to_json);
        details::shown(FIELDS, &self.details, |name| {
            Some(match name {
                "id" => self.id.into(),
                "name" => self.name.as_str().into(),
                "companies_id" => self.companies_id.into(),
                "currencies_id" => self.currencies_id.into(),
                "status" => self.status.word().into(),
                "credit" => money_or_null(self.credit),
                "balance" | "balance_accountant" => self.balance.to_json(),
                "available" => money_or_null(self.available()),
                "c_dt" => self.c_dt.iso().into(),
                "custom_fields" => Value::Object(self.custom.clone()),
                _ => return None,
            })
        })
    }
}

#[cfg(test)]
#[path = "tests/client.rs"]
mod tests;
