//! A client package: a package that a client has, for itself or for one of its accounts. Which step of its life is due, and
//! when, is in [`crate::life`].
use serde_json::Value;

use super::{
    client::Client,
    id,
    package::{FEE, Package},
    word,
};
use crate::{
    Object,
    field::{self, Field, Kind},
    moment::Moment,
    money::Money,
    words::words,
};

words! {
    /// Where a client package stands in its life.
    Condition {
        /// Assigned, not paid yet.
        New = "new",
        /// In a paid period, or its renewal is not decided yet.
        Activated = "activated",
        /// Out of paid periods, or switched off.
        Deactivated = "deactivated",
        /// Over for ever.
        Closed = "closed",
    }
}

words! {
    /// What a condition is good for, in one word.
    ClientPackageStatus {
        /// It is served.
        Active = "active",
        /// The clock will activate it as soon as it can.
        Pending = "pending",
        /// It is not served, unless somebody activates it.
        Archive = "archive",
    }
}

words! {
    /// What the next step waits for, besides its time.
    Hold {
        /// Money: a payment or more credit tries the step at once.
        Funds = "funds",
        /// A handler has forbidden the renewal.
        Forbidden = "forbidden",
        /// A handler that must be asked has failed.
        Undecided = "undecided",
    }
}

const QUANTITY: Kind = Kind::Integer { min: 1, max: 1_000_000 };

/// Every key of a client package, in the order of the contract.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::id("clients_id", "Its client").required().fixed(),
    Field::id("accounts_id", "The account that it is for; null = the client as a whole").fixed().or_null(),
    Field::id("packages_id", "The package").required().fixed(),
    Field::line("packages_name", 128, "The package's name").read_only(),
    Field::new("quantity", QUANTITY, "Fees are times it (default 1)").fixed(),
    Field::new("status", Kind::Choice(ClientPackageStatus::WORDS), "active, pending or archive").read_only(),
    Field::new("condition", Kind::Choice(Condition::WORDS), "Where it stands in its life").read_only(),
    Field::new("start_dt", Kind::TimeOrDate, "When it may be activated (default: now)").fixed(),
    Field::new("stop_dt", Kind::TimeOrDate, "When it is closed; null = not by time").fixed().or_null(),
    Field::new("period_start_dt", Kind::Time, "When the last paid period began").read_only().or_null(),
    Field::new("period_stop_dt", Kind::Time, "When it ends").read_only().or_null(),
    Field::new("activation_fee", FEE, "For one of them (default: the package's)").fixed(),
    Field::new("period_fee", FEE, "For one of them and one period (default: the package's)").fixed(),
    Field::line("reason", 255, "Why it was deactivated or closed, or why its renewal is not decided").read_only(),
];

/// A period that was paid, and where the next one is counted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// When it began.
    pub start: Moment,
    /// When it ends.
    pub stop: Moment,
    /// Ends of periods are whole periods after this: that keeps the day of the month.
    pub anchor: Moment,
    /// How many periods after the anchor this one ends.
    pub count: i64,
    /// The length of a period when this one began: with another one, counting begins anew.
    pub period: String,
}

/// What the clock knows of its next step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// When it looks here next; `None` = never.
    pub due: Option<Moment>,
    /// How often the step that is due has been refused.
    pub tries: u32,
    /// Since when handlers put off a deactivation or a closing.
    pub put_off_since: Option<Moment>,
}

/// A client package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPackage {
    /// Given by the system.
    pub id: i64,
    /// Its client.
    pub clients_id: i64,
    /// The client's reseller.
    pub companies_id: i64,
    /// The account that it is for; `None` = the client as a whole.
    pub accounts_id: Option<i64>,
    /// The package.
    pub packages_id: i64,
    /// The package's name.
    pub packages_name: String,
    /// Fees are times it.
    pub quantity: i64,
    /// Where it stands in its life.
    pub condition: Condition,
    /// When it may be activated.
    pub start: Moment,
    /// When it is closed.
    pub stop: Option<Moment>,
    /// The last period that was paid.
    pub paid: Option<Paid>,
    /// For one of them.
    pub activation_fee: Money,
    /// For one of them and one period.
    pub period_fee: Money,
    /// Why it was deactivated or closed, or why its renewal is not decided.
    pub reason: Option<String>,
    /// What the next step waits for.
    pub hold: Option<Hold>,
    /// The clock's next look.
    pub planned: Planned,
    /// When it was assigned.
    pub c_dt: Moment,
}

impl ClientPackage {
    /// A package as a client gets it, on the package's terms, from `now` on.
    #[must_use]
    pub fn new(id: i64, client: &Client, package: &Package, now: Moment) -> Self {
        Self {
            id,
            clients_id: client.id,
            companies_id: client.companies_id,
            accounts_id: None,
            packages_id: package.id,
            packages_name: package.name.clone(),
            quantity: 1,
            condition: Condition::New,
            start: now,
            stop: None,
            paid: None,
            activation_fee: package.activation_fee,
            period_fee: package.period_fee,
            reason: None,
            hold: None,
            planned: Planned::default(),
            c_dt: now,
        }
    }

    /// Takes over what a caller may say at assignment; `timezone` is where its dates begin.
    pub fn apply(&mut self, checked: &Object, timezone: &str) {
        self.accounts_id = id(checked, "accounts_id").or(self.accounts_id);
        self.quantity = id(checked, "quantity").unwrap_or(self.quantity);
        let moment = |name: &str| word(checked, name, |text| Moment::parse_either(text, timezone));
        self.start = moment("start_dt").unwrap_or(self.start);
        self.stop = moment("stop_dt").or(self.stop);
        self.activation_fee = field::money(checked, "activation_fee").unwrap_or(self.activation_fee);
        self.period_fee = field::money(checked, "period_fee").unwrap_or(self.period_fee);
    }

    /// What an amount for one of them comes to for all of them; `None` beyond the range of amounts.
    #[must_use]
    pub fn times_quantity(&self, fee: Money) -> Option<Money> {
        let whole = Money::from_micros(fee.micros().checked_mul(self.quantity)?);
        (whole <= Money::MAX).then_some(whole)
    }

    /// What its condition is good for.
    #[must_use]
    pub fn status(&self) -> ClientPackageStatus {
        match (self.condition, self.hold) {
            (Condition::Activated, _) => ClientPackageStatus::Active,
            (Condition::New, _) | (Condition::Deactivated, Some(Hold::Funds)) => ClientPackageStatus::Pending,
            (Condition::Deactivated | Condition::Closed, _) => ClientPackageStatus::Archive,
        }
    }

    /// True until it is closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.condition != Condition::Closed
    }

    /// The client package as the Core API returns it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let time = |moment: Option<Moment>| moment.map_or(Value::Null, |moment| moment.iso().into());
        let values = [
            ("id", self.id.into()),
            ("clients_id", self.clients_id.into()),
            ("accounts_id", self.accounts_id.into()),
            ("packages_id", self.packages_id.into()),
            ("packages_name", self.packages_name.as_str().into()),
            ("quantity", self.quantity.into()),
            ("status", self.status().word().into()),
            ("condition", self.condition.word().into()),
            ("start_dt", self.start.iso().into()),
            ("stop_dt", time(self.stop)),
            ("period_start_dt", time(self.paid.as_ref().map(|paid| paid.start))),
            ("period_stop_dt", time(self.paid.as_ref().map(|paid| paid.stop))),
            ("activation_fee", self.activation_fee.to_json()),
            ("period_fee", self.period_fee.to_json()),
            ("reason", self.reason.clone().into()),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
