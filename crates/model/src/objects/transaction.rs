//! A transaction: a row of the ledger, the only way to change a balance. Never changed, never deleted.
use serde_json::Value;

use super::{id, text, word};
use crate::{
    Object,
    field::{self, Field, Kind},
    moment::Moment,
    money::Money,
    refusal::FieldErrors,
    words::words,
};

words! {
    /// What a transaction is for.
    TransactionType {
        /// Money that came in: above 0.
        Payment = "payment",
        /// Money given back: above 0.
        Refund = "refund",
        /// Something to be paid for: below 0.
        Charge = "charge",
        /// Puts an earlier one right: any amount but 0.
        Correction = "correction",
        /// The fee of a client package, booked by the program only.
        PackageFee = "package_fee",
    }
}

const AMOUNT: Kind = Kind::Money { min: Money::MIN, max: Money::MAX };
/// What a caller may book.
const TYPE: Kind = Kind::Choice(&[
    TransactionType::Payment.word(),
    TransactionType::Refund.word(),
    TransactionType::Charge.word(),
    TransactionType::Correction.word(),
]);

/// Every key of a transaction, in the order of the contract.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::id("clients_id", "Whose balance it changes").required().fixed(),
    Field::new("type", TYPE, "payment or refund (above 0), charge (below 0), correction (any but 0)")
        .required()
        .fixed()
        .shown_as(Kind::Choice(TransactionType::WORDS)),
    Field::new("amount", AMOUNT, "Above 0 credits the client").required().fixed(),
    Field::new("balance_after", AMOUNT, "The balance with it").read_only(),
    Field::notes().fixed(),
    Field::new("c_dt", Kind::Time, "When it was booked").read_only(),
    Field::line("external_id", 128, "Your own id, unique for each client; empty = null").fixed(),
    Field::id("clients_packages_id", "The client package that it is the fee of").read_only().or_null(),
];

/// Checks what was sent for a new transaction, the sign of its amount too.
///
/// # Errors
/// Every wrong, unknown, missing or read-only field.
pub fn check(given: &Object) -> Result<Object, FieldErrors> {
    let mut checked = field::survey_create(FIELDS, given);
    if let Some(words) = sign_error(&checked.good) {
        checked.errors.add("amount", words);
    }
    checked.all_good()
}

/// What is wrong with the amount's sign for its type, as far as both are there.
fn sign_error(good: &Object) -> Option<&'static str> {
    let amount = amount(good)?;
    match word(good, "type", TransactionType::from_word)? {
        TransactionType::Payment if amount <= Money::ZERO => Some("must be above 0 for a payment"),
        TransactionType::Refund if amount <= Money::ZERO => Some("must be above 0 for a refund"),
        TransactionType::Charge if amount >= Money::ZERO => Some("must be below 0 for a charge"),
        TransactionType::Correction if amount.is_zero() => Some("must not be 0"),
        _ => None,
    }
}

/// The amount in the fields of a transaction.
#[must_use]
pub fn amount(fields: &Object) -> Option<Money> {
    field::money(fields, "amount")
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Given by the system.
    pub id: i64,
    /// Whose balance it changes.
    pub clients_id: i64,
    /// What it is for.
    pub kind: TransactionType,
    /// Above 0 credits the client.
    pub amount: Money,
    /// The balance with it.
    pub balance_after: Money,
    /// Free text.
    pub notes: Option<String>,
    /// When it was booked.
    pub c_dt: Moment,
    /// The caller's own id for it.
    pub external_id: Option<String>,
    /// The client package that it is the fee of.
    pub clients_packages_id: Option<i64>,
}

impl Transaction {
    /// A new transaction from checked fields.
    #[must_use]
    pub fn from_new(new_id: i64, checked: &Object, amount: Money, balance_after: Money, now: Moment) -> Self {
        Self {
            id: new_id,
            clients_id: id(checked, "clients_id").unwrap_or(0),
            kind: word(checked, "type", TransactionType::from_word).unwrap_or(TransactionType::Correction),
            amount,
            balance_after,
            notes: checked.get("notes").and_then(Value::as_str).map(str::to_owned),
            c_dt: now,
            external_id: text(checked, "external_id"),
            clients_packages_id: None,
        }
    }

    /// The transaction as the Core API returns it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let values = [
            ("id", self.id.into()),
            ("clients_id", self.clients_id.into()),
            ("type", self.kind.word().into()),
            ("amount", self.amount.to_json()),
            ("balance_after", self.balance_after.to_json()),
            ("notes", self.notes.clone().into()),
            ("c_dt", self.c_dt.iso().into()),
            ("external_id", self.external_id.clone().into()),
            ("clients_packages_id", self.clients_packages_id.into()),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
#[path = "tests/transaction.rs"]
mod tests;
