//! A whole object against its table. All wrong fields are named in one answer, unknown ones too.
use crate::{
    Object,
    field::{Access, Field, find},
    refusal::FieldErrors,
};

/// Checks what was sent for a new object (or as the parameters of a method). Gives the keys that were sent,
/// normalised, in the order of the table; defaults are left to the object.
///
/// # Errors
/// Every wrong, unknown, missing or read-only field.
pub fn check_create(fields: &[Field], given: &Object) -> Result<Object, FieldErrors> {
    survey_create(fields, given).all_good()
}

/// Checks what was sent to change an object, without its `id`. Gives the keys that were sent, normalised.
///
/// # Errors
/// Every wrong, unknown or unchangeable field.
pub fn check_update(fields: &[Field], given: &Object) -> Result<Object, FieldErrors> {
    survey_update(fields, given).all_good()
}

/// What is good and what is wrong in what was sent: for objects that check more than their table, so that one answer
/// can name all of it.
pub(crate) struct Checked {
    /// The good fields, normalised.
    pub(crate) good: Object,
    /// The others.
    pub(crate) errors: FieldErrors,
}

impl Checked {
    pub(crate) fn all_good(self) -> Result<Object, FieldErrors> {
        if self.errors.is_empty() { Ok(self.good) } else { Err(self.errors) }
    }
}

pub(crate) fn survey_create(fields: &[Field], given: &Object) -> Checked {
    let forbidden = |access| match access {
        Access::Free | Access::WriteOnly | Access::Fixed => None,
        Access::UpdateOnly | Access::ReadOnly => Some("is given by the system"),
    };
    let mut checked = survey(fields, given, forbidden);
    for field in fields.iter().filter(|field| field.required && !given.contains_key(field.name)) {
        checked.errors.add(field.name, "is required");
    }
    checked
}

pub(crate) fn survey_update(fields: &[Field], given: &Object) -> Checked {
    survey(fields, given, |access| match access {
        Access::Free | Access::WriteOnly | Access::UpdateOnly => None,
        Access::Fixed => Some("cannot be changed"),
        Access::ReadOnly => Some("is given by the system and cannot be changed"),
    })
}

fn survey(fields: &[Field], given: &Object, forbidden: impl Fn(Access) -> Option<&'static str>) -> Checked {
    let mut errors = FieldErrors::new();
    for name in given.keys().filter(|name| find(fields, name).is_none()) {
        errors.add(name, "unknown field");
    }
    let mut good = Object::with_capacity(given.len());
    for field in fields {
        let Some(value) = given.get(field.name) else { continue };
        if let Some(words) = forbidden(field.access) {
            errors.add(field.name, words);
            continue;
        }
        match field.read(value) {
            Ok(value) => drop(good.insert(field.name.to_owned(), value)),
            Err(words) => errors.add(field.name, words),
        }
    }
    Checked { good, errors }
}
