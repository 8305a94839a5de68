//! What the billing core keeps: one object a file, each with its field table, its type and its whole answer.
//!
//! A field table lists every key in the contract's order, and an answer has exactly these keys: `shown()` walks the
//! table. Keys that the program itself never reads live in `details`, as they were given.
//!
//! | file | subject |
//! |---|---|
//! | [`client`] | who pays |
//! | [`account`] | what a softswitch knows a client's calls by |
//! | [`package`] | what can be had for a fee, period after period |
//! | [`client_package`] | what a client has of it |
//! | [`transaction`] | the ledger |
//! | [`company`] | resellers |
//! | [`custom_field`] | what a carrier keeps of its clients and packages besides, by keys of its own |
//! | [`resync`] | a handler that is told how things stand |
//! | [`user`] | who may call, with which role |
//! | `details` | the keys of an object that the program only keeps |
pub mod account;
pub mod client;
pub mod client_package;
pub mod company;
pub mod custom_field;
mod details;
pub mod package;
pub mod resync;
pub mod transaction;
pub mod user;

use serde_json::Value;

use crate::Object;

/// The text of a checked field; `None` if it is absent, null or empty.
fn text(checked: &Object, name: &str) -> Option<String> {
    checked.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The word of a checked field, read by an enum's `from_word`.
fn word<T>(checked: &Object, name: &str, from_word: impl Fn(&str) -> Option<T>) -> Option<T> {
    checked.get(name).and_then(Value::as_str).and_then(from_word)
}

/// The id in a checked field; `None` if it is absent or null.
fn id(checked: &Object, name: &str) -> Option<i64> {
    checked.get(name).and_then(Value::as_i64)
}
