//! A custom field: a key of the carrier's own for its clients or packages, and the rules for what it may hold.
//!
//! The definition has an id, and values are kept by it: so a key can be renamed, and a key that is defined anew does not
//! wake the values of an old one.
use serde_json::Value;

use super::{id, text, word};
use crate::{
    Object,
    field::{self, Checked, Field, Kind},
    refusal::FieldErrors,
    words::words,
};

words! {
    /// What has the field.
    ObjectType {
        /// Clients.
        Clients = "clients",
        /// Packages.
        Packages = "packages",
    }
}

/// Definitions of one object type that may concern one reseller, its own and those of the resellers above it together.
pub const DEFINITIONS_MAX: i64 = 200;
/// Characters of a key.
const KEY_CHARACTERS_MAX: usize = 64;
/// Bytes of one value as JSON.
const VALUE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of all values of one object as JSON.
pub const VALUES_BYTES_MAX: usize = 64 * 1024;
/// Where a definition stands, if nothing is said.
const ORDER_DEFAULT: i64 = 100;
/// Keys that mean something else among a method's parameters, and `password`, which is treated as a secret wherever it stands.
const RESERVED: &[&str] = &["id", "AUTH", "dry_run", "idempotency_key", "force", "password"];

/// Every key of a definition, in the order of the contract.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::id("companies_id", "The reseller for whose objects and those below it counts (default: the key's, or 1); null = all")
        .or_null()
        .fixed(),
    Field::new("object_type", Kind::Choice(ObjectType::WORDS), "What has the field").required().fixed(),
    Field::new("key", Kind::Word { min: 1, max: KEY_CHARACTERS_MAX }, "Letters, digits and _, beginning with a letter")
        .required(),
    Field::new("title", Kind::Line { min: 1, max: 255 }, "What people see").required(),
    Field::new("order", Kind::Integer { min: 1, max: i32::MAX as i64 }, "1 is shown first (default 100); ties go by id"),
];

/// What any custom field may hold; null = not set.
pub const VALUE: Field =
    Field::new("value", Kind::Scalar { bytes: VALUE_BYTES_MAX }, "The value of a custom field; null = not set").or_null();
/// The values of one object, by key.
pub const VALUES: Kind = Kind::Values { bytes: VALUES_BYTES_MAX };

/// Checks what was sent for a new definition.
///
/// # Errors
/// Every wrong field.
pub fn check_create(given: &Object) -> Result<Object, FieldErrors> {
    with_good_key(field::survey_create(FIELDS, given)).all_good()
}

/// Checks what was sent to change a definition, its `id` included.
///
/// # Errors
/// Every wrong field.
pub fn check_update(given: &Object) -> Result<Object, FieldErrors> {
    let mut changes = given.clone();
    let identity = changes.shift_remove_entry("id").into_iter().collect();
    let Checked { good: mut checked, mut errors } = field::survey_create(&[Field::ID], &identity);
    let changes = with_good_key(field::survey_update(FIELDS, &changes));
    checked.extend(changes.good);
    errors.merge(changes.errors);
    Checked { good: checked, errors }.all_good()
}

fn with_good_key(mut checked: Checked) -> Checked {
    if let Some(words) = checked.good.get("key").and_then(Value::as_str).and_then(key_error) {
        checked.errors.add("key", words);
    }
    checked
}

fn key_error(key: &str) -> Option<&'static str> {
    let good = key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if !good {
        Some("must be letters, digits and _, beginning with a letter")
    } else if RESERVED.contains(&key) {
        Some("is reserved")
    } else {
        None
    }
}

/// Checks values by key, whatever the keys: which of them are defined is for those to say who see the definitions.
///
/// # Errors
/// Every wrong value.
pub fn check_values(given: &Object) -> Result<Object, FieldErrors> {
    let (mut good, mut errors) = (Object::with_capacity(given.len()), FieldErrors::new());
    for (key, value) in given {
        match VALUE.read(value) {
            Ok(value) => drop(good.insert(key.clone(), value)),
            Err(words) => errors.add(key, words),
        }
    }
    if errors.is_empty() { Ok(good) } else { Err(errors) }
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Given by the system.
    pub id: i64,
    /// The reseller for whose objects, and those below it, it counts; `None` = all.
    pub companies_id: Option<i64>,
    /// What has the field.
    pub object_type: ObjectType,
    /// Its name in the API; no object ever has two fields of one key.
    pub key: String,
    /// What people see.
    pub title: String,
    /// Where it stands among the others.
    pub order: i64,
}

impl CustomField {
    /// A new definition from checked fields. Its reseller was found out from them and the caller's key.
    #[must_use]
    pub fn from_new(new_id: i64, companies_id: Option<i64>, checked: &Object) -> Self {
        let object_type = word(checked, "object_type", ObjectType::from_word).unwrap_or(ObjectType::Clients);
        let mut definition =
            Self { id: new_id, companies_id, object_type, key: String::new(), title: String::new(), order: ORDER_DEFAULT };
        definition.apply(checked);
        definition
    }

    /// Takes over what checked fields change. What they leave out stays.
    pub fn apply(&mut self, checked: &Object) {
        if let Some(key) = text(checked, "key") {
            self.key = key;
        }
        if let Some(title) = text(checked, "title") {
            self.title = title;
        }
        if let Some(order) = id(checked, "order") {
            self.order = order;
        }
    }

    /// The definition as the Core API returns it.
    #[must_use]
    pub fn shown(&self) -> Object {
        let values = [
            ("id", self.id.into()),
            ("companies_id", self.companies_id.into()),
            ("object_type", self.object_type.word().into()),
            ("key", self.key.clone().into()),
            ("title", self.title.clone().into()),
            ("order", self.order.into()),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
#[path = "tests/custom_field.rs"]
mod tests;
