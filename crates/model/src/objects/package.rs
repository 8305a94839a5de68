//! A package: what a client can be given for a fee, period after period.
use serde_json::Value;

use super::{custom_field, text, word};
use crate::{
    Object,
    field::{self, Field, Kind},
    moment::Moment,
    money::Money,
    period::Period,
    refusal::FieldErrors,
    words::words,
};

words! {
    /// Whether a package can be had.
    PackageStatus {
        /// It can be assigned.
        Active = "active",
        /// It can't be assigned any more; those who have it keep it.
        Disabled = "disabled",
        /// The same, and it is closed for all who have it.
        Archive = "archive",
    }
}

/// A fee.
pub const FEE: Kind = Kind::Money { min: Money::ZERO, max: Money::MAX };

/// Every key of a package, in the order of the contract.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::id("companies_id", "The reseller (default: the key's, or 1)").fixed(),
    Field::new("name", Kind::Line { min: 1, max: 128 }, "For people").required(),
    Field::new(
        "status",
        Kind::Choice(PackageStatus::WORDS),
        "active (default); disabled: not assigned any more; archive: closed for all who have it",
    ),
    Field::new("period", Kind::Duration { from_a_second: true }, "How long a paid period is, such as P1M").required(),
    Field::id("currencies_id", "The currency of its fees (default: the reseller's)").fixed(),
    Field::new("activation_fee", FEE, "Charged once, with the first period (default 0)"),
    Field::new("period_fee", FEE, "Charged for each period (default 0)"),
    Field::new(
        "advance_renew",
        Kind::Duration { from_a_second: false },
        "How long before its end a period is renewed, at its beginning at the earliest (default PT1H)",
    ),
    Field::new(
        "renew_due",
        Kind::Duration { from_a_second: false },
        "How long after its end a period may still be renewed; then it is closed. null = without end",
    )
    .or_null(),
    Field::new("effective_from", Kind::TimeOrDate, "When it can be had from; null = always").or_null(),
    Field::new("effective_till", Kind::TimeOrDate, "When it can't be had any more; null = never").or_null(),
    Field::notes(),
    Field::new(
        "custom_fields",
        custom_field::VALUES,
        "By key, as custom_fields.* defines them: those named here change, null takes a value away; shown are those that are set",
    ),
];

/// A package.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// Given by the system.
    pub id: i64,
    /// Its reseller: clients of this one and of those below it can have it.
    pub companies_id: i64,
    /// The currency of its fees; a client has it in the same.
    pub currencies_id: i64,
    /// For people.
    pub name: String,
    /// Whether it can be had.
    pub status: PackageStatus,
    /// How long a paid period is.
    pub period: Period,
    /// Charged once.
    pub activation_fee: Money,
    /// Charged for each period.
    pub period_fee: Money,
    /// How long before its end a period is renewed.
    pub advance_renew: Period,
    /// How long after its end a period may still be renewed; `None` = without end.
    pub renew_due: Option<Period>,
    /// When it can be had from.
    pub effective_from: Option<Moment>,
    /// When it can't be had any more.
    pub effective_till: Option<Moment>,
    /// Free text.
    pub notes: Option<String>,
    /// When it was created.
    pub c_dt: Moment,
    /// Its custom fields that are set, by key, in the order of their definitions. Which keys there are is known to the
    /// database only, so checked fields alone don't change them.
    pub custom: Object,
}

impl Package {
    /// A new package from checked fields. Its reseller and currency were found out from them and the caller's key.
    #[must_use]
    pub fn from_new(id: i64, companies_id: i64, currencies_id: i64, now: Moment, timezone: &str, checked: &Object) -> Self {
        let mut package = Self {
            id,
            companies_id,
            currencies_id,
            name: String::new(),
            status: PackageStatus::Active,
            period: Period::zero(),
            activation_fee: Money::ZERO,
            period_fee: Money::ZERO,
            advance_renew: Period::hours(1),
            renew_due: None,
            effective_from: None,
            effective_till: None,
            notes: None,
            c_dt: now,
            custom: Object::new(),
        };
        package.apply(checked, timezone);
        package
    }

    /// Takes over what checked fields change. What they leave out stays. Dates begin in `timezone`.
    pub fn apply(&mut self, checked: &Object, timezone: &str) {
        if let Some(name) = text(checked, "name") {
            self.name = name;
        }
        if let Some(status) = word(checked, "status", PackageStatus::from_word) {
            self.status = status;
        }
        for (name, own) in [("period", &mut self.period), ("advance_renew", &mut self.advance_renew)] {
            if let Some(period) = word(checked, name, Period::parse) {
                *own = period;
            }
        }
        if checked.contains_key("renew_due") {
            self.renew_due = word(checked, "renew_due", Period::parse);
        }
        for (name, own) in [("activation_fee", &mut self.activation_fee), ("period_fee", &mut self.period_fee)] {
            if let Some(fee) = field::money(checked, name) {
                *own = fee;
            }
        }
        for (name, own) in [("effective_from", &mut self.effective_from), ("effective_till", &mut self.effective_till)] {
            if checked.contains_key(name) {
                *own = word(checked, name, |text| Moment::parse_either(text, timezone));
            }
        }
        if let Some(notes) = checked.get("notes") {
            self.notes = notes.as_str().map(str::to_owned);
        }
    }

    /// What is wrong across its fields.
    #[must_use]
    pub fn rules(&self) -> FieldErrors {
        match (self.effective_from, self.effective_till) {
            (Some(from), Some(till)) if till <= from => FieldErrors::one("effective_till", "must be after effective_from"),
            _ => FieldErrors::new(),
        }
    }

    /// The package as the Core API returns it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let time = |moment: Option<Moment>| moment.map_or(Value::Null, |moment| moment.iso().into());
        let values = [
            ("id", self.id.into()),
            ("companies_id", self.companies_id.into()),
            ("name", self.name.as_str().into()),
            ("status", self.status.word().into()),
            ("period", self.period.to_string().into()),
            ("currencies_id", self.currencies_id.into()),
            ("activation_fee", self.activation_fee.to_json()),
            ("period_fee", self.period_fee.to_json()),
            ("advance_renew", self.advance_renew.to_string().into()),
            ("renew_due", self.renew_due.map_or(Value::Null, |period| period.to_string().into())),
            ("effective_from", time(self.effective_from)),
            ("effective_till", time(self.effective_till)),
            ("notes", self.notes.clone().into()),
            ("custom_fields", Value::Object(self.custom.clone())),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
