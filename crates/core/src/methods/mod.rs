//! One file an object, plain functions over a transaction: how each method is validated, which event it raises,
//! what its data carries, and how it is written. A new method is one function here and one row of its file's table.
pub(crate) mod accounts;
pub(crate) mod balance;
pub(crate) mod client_custom_fields;
pub(crate) mod client_packages;
pub(crate) mod clients;
pub(crate) mod companies;
pub(crate) mod custom_fields;
pub(crate) mod deliveries;
pub(crate) mod events;
pub(crate) mod executions;
pub(crate) mod handler_status;
pub(crate) mod handlers;
pub(crate) mod hours;
pub(crate) mod loops;
pub(crate) mod outcomes;
pub(crate) mod packages;
pub(crate) mod params;
pub(crate) mod reach;
pub(crate) mod resyncs;
mod sample;
pub(crate) mod scripts;
pub(crate) mod system;
pub(crate) mod transactions;
mod trials;
pub(crate) mod users;
