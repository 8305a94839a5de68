//! Comparisons of JSON that say what differs.
use serde_json::Value;

/// Asserts that every member of `expected` is in `actual` with that value, objects within objects likewise.
///
/// # Panics
/// With the path of the first difference.
#[track_caller]
pub fn assert_has(actual: &Value, expected: &Value) {
    if let Some(difference) = difference("", actual, expected) {
        panic!("{difference}\nin {actual:#}");
    }
}

fn difference(path: &str, actual: &Value, expected: &Value) -> Option<String> {
    let Value::Object(members) = expected else {
        return (actual != expected).then(|| format!("{path}: expected {expected}, found {actual}"));
    };
    members.iter().find_map(|(key, value)| match actual.get(key) {
        Some(found) => difference(&format!("{path}/{key}"), found, value),
        None => Some(format!("{path}/{key}: expected {value}, found no such member")),
    })
}

/// The `id`s of the rows, in their order.
///
/// # Panics
/// When a row has none.
#[must_use]
#[track_caller]
pub fn ids(rows: &Value) -> Vec<i64> {
    column(rows, "id").iter().map(|id| id.as_i64().expect("an id is an integer")).collect()
}

/// The `name`s of the rows, in their order.
///
/// # Panics
/// When a row has none.
#[must_use]
#[track_caller]
pub fn names(rows: &Value) -> Vec<String> {
    column(rows, "name").iter().map(|name| name.as_str().expect("a name is a text").to_owned()).collect()
}

/// One member of each row.
///
/// # Panics
/// When `rows` is no array or a row lacks it.
#[must_use]
#[track_caller]
pub fn column(rows: &Value, key: &str) -> Vec<Value> {
    let rows = rows.as_array().unwrap_or_else(|| panic!("an array of rows, not {rows}"));
    rows.iter().map(|row| row.get(key).unwrap_or_else(|| panic!("no {key} in {row}")).clone()).collect()
}
