//! A company: a reseller in the tree of resellers.
use super::{id, text, word};
use crate::{
    Object,
    field::{Field, Kind},
    moment::Moment,
    words::words,
};

words! {
    /// Whether a reseller's users may call.
    CompanyStatus {
        /// They may.
        Active = "active",
        /// They are refused, and those of the resellers below it too.
        Disabled = "disabled",
    }
}

/// The currency of a reseller that names none.
pub const CURRENCIES_ID_DEFAULT: i64 = 1;
/// The time zone of a reseller that names none.
pub const TIMEZONE_DEFAULT: &str = "UTC";

/// Every key of a reseller, in the order of the contract.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::new("name", Kind::Line { min: 1, max: 255 }, "Unique over the system").required(),
    Field::id("parent_id", "The reseller above (default: the key's); null = none").or_null(),
    Field::id("currencies_id", "The currency of its new clients (default 1)"),
    Field::new("timezone", Kind::TimeZone, "Where its dates and months begin, an IANA name (default UTC)"),
    Field::new("status", Kind::Choice(CompanyStatus::WORDS), "active (default), or disabled: its users are refused"),
];

/// A reseller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Given by the system.
    pub id: i64,
    /// Unique over the system.
    pub name: String,
    /// The one above.
    pub parent_id: Option<i64>,
    /// The currency of its new clients.
    pub currencies_id: i64,
    /// An IANA name.
    pub timezone: String,
    /// Whether its users may call.
    pub status: CompanyStatus,
    /// When it was created.
    pub c_dt: Moment,
}

impl Company {
    /// A new reseller from checked fields. The one above was found out from them and the caller's key.
    #[must_use]
    pub fn from_new(new_id: i64, parent_id: Option<i64>, now: Moment, checked: &Object) -> Self {
        let mut company = Self {
            id: new_id,
            name: String::new(),
            parent_id: None,
            currencies_id: CURRENCIES_ID_DEFAULT,
            timezone: TIMEZONE_DEFAULT.to_owned(),
            status: CompanyStatus::Active,
            c_dt: now,
        };
        company.apply(checked);
        company.parent_id = parent_id;
        company
    }

    /// Takes over what checked fields change. What they leave out stays.
    pub fn apply(&mut self, checked: &Object) {
        if let Some(name) = text(checked, "name") {
            self.name = name;
        }
        if checked.contains_key("parent_id") {
            self.parent_id = id(checked, "parent_id");
        }
        if let Some(currencies_id) = id(checked, "currencies_id") {
            self.currencies_id = currencies_id;
        }
        if let Some(timezone) = text(checked, "timezone") {
            self.timezone = timezone;
        }
        if let Some(status) = word(checked, "status", CompanyStatus::from_word) {
            self.status = status;
        }
    }

    /// True if its users may call.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == CompanyStatus::Active
    }

    /// The reseller as the Core API returns it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let values = [
            ("id", self.id.into()),
            ("name", self.name.clone().into()),
            ("parent_id", self.parent_id.into()),
            ("currencies_id", self.currencies_id.into()),
            ("timezone", self.timezone.clone().into()),
            ("status", self.status.word().into()),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
#[path = "tests/company.rs"]
mod tests;
