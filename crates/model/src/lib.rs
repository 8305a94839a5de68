//! Plain data and rules: no I/O, no async, no clock, no SQL.
//!
//! | file | subject |
//! |---|---|
//! | [`money`] | exact amounts in millionths |
//! | [`moment`] | instants in microseconds, as text and back |
//! | [`nets`] | addresses and subnets |
//! | [`json`] | the strict parser, comparison by value, masks |
//! | [`field`] | field tables: what a caller may send, and what is wrong with it |
//! | [`objects`] | clients, accounts, packages, transactions, companies, users |
//! | [`period`] | durations and their calendar |
//! | [`life`] | the life of a client package: which step is due, and when |
//! | [`event`] | the catalogue of events and the event itself |
//! | [`handler`] | who is called, when and how |
//! | [`funds`] | the balance edges |
//! | [`refusal`] | every way in which a request is refused |
//! | [`trace`] | a place in a trace, for `traceparent` |
mod decimal;
pub mod event;
pub mod field;
pub mod funds;
pub mod handler;
pub mod json;
pub mod life;
pub mod moment;
pub mod money;
pub mod nets;
pub mod objects;
pub mod period;
pub mod refusal;
pub mod trace;
mod words;

/// An object of JSON: ordered keys, exact numbers.
pub type Object = serde_json::Map<String, serde_json::Value>;
