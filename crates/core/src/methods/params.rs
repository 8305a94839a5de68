//! What the methods of all objects have in common: ids, differences, what a chain's answer depends on.
use hookswitch_model::{
    Object,
    field::{self, Field},
    json,
    moment::Moment,
    refusal::FieldErrors,
};
use serde_json::Value;

/// `{id}`.
pub(crate) const ID: &[Field] = &[Field::ID];
/// `{id, force}`.
pub(crate) const ID_AND_FORCE: &[Field] = &[Field::ID, Field::FORCE];

/// Exactly these fields, all wrong ones named at once.
pub(crate) fn checked(fields: &[Field], given: &Object) -> Result<Object, FieldErrors> {
    field::check_create(fields, given)
}

/// `{id}` and nothing else.
pub(crate) fn id_only(given: &Object) -> Result<Object, FieldErrors> {
    checked(ID, given)
}

/// `id` and what changes.
pub(crate) fn id_and_changes(fields: &[Field], given: &Object) -> Result<Object, FieldErrors> {
    let mut changes = given.clone();
    let mut identity = Object::new();
    if let Some(id) = changes.shift_remove("id") {
        identity.insert("id".into(), id);
    }
    let mut errors = FieldErrors::new();
    let mut checked = id_only(&identity).unwrap_or_else(|wrong| {
        errors.merge(wrong);
        Object::new()
    });
    match field::check_update(fields, &changes) {
        Ok(good) => checked.extend(good),
        Err(wrong) => errors.merge(wrong),
    }
    if errors.is_empty() { Ok(checked) } else { Err(errors) }
}

/// The `id` of checked parameters.
pub(crate) fn id(given: &Object) -> i64 {
    integer(given, "id").unwrap_or(0)
}

/// An integer of checked parameters; `None` if absent or null.
pub(crate) fn integer(given: &Object, name: &str) -> Option<i64> {
    given.get(name).and_then(Value::as_i64)
}

/// A text of checked parameters; `None` if absent or null.
pub(crate) fn text<'a>(given: &'a Object, name: &str) -> Option<&'a str> {
    given.get(name).and_then(Value::as_str)
}

/// A time of checked parameters, or a date in a time zone; `None` if absent or null.
pub(crate) fn moment(given: &Object, name: &str, timezone: &str) -> Option<Moment> {
    text(given, name).and_then(|text| Moment::parse_either(text, timezone))
}

/// What an update really changes.
pub(crate) struct Difference {
    /// `id` and the new values.
    pub(crate) data: Object,
    /// The old values.
    pub(crate) previous: Object,
}

impl Difference {
    /// True if this key changes.
    pub(crate) fn changed(&self, name: &str) -> bool {
        self.previous.contains_key(name)
    }
}

/// Compares an object before and after an update, over the keys that were asked to change; `None` = no change.
pub(crate) fn difference(before: &Object, after: &Object, request: &Object) -> Option<Difference> {
    let (mut data, mut previous) = (Object::new(), Object::new());
    if let Some(id) = after.get("id") {
        data.insert("id".into(), id.clone());
    }
    for name in request.keys().filter(|name| *name != "id") {
        let (old, new) = (before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
        if !json::same(old, new) {
            data.insert(name.clone(), new.clone());
            previous.insert(name.clone(), old.clone());
        }
    }
    (!previous.is_empty()).then_some(Difference { data, previous })
}

/// The present values of the keys of `data` and of those that always matter.
pub(crate) fn watched(data: &Object, before: &Object, always: &[&str]) -> Object {
    let names = data.keys().map(String::as_str).chain(always.iter().copied());
    names.map(|name| (name.to_owned(), before.get(name).cloned().unwrap_or(Value::Null))).collect()
}
