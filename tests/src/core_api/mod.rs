//! The Core API, method by method and convention by convention (`apis.md`, section 1).
mod accounts;
mod clients;
mod companies;
mod custom_fields;
mod dry_run;
mod idempotency;
mod keys;
mod protocol;
mod resellers;
mod roles;
mod search;
mod transactions;
mod users;
mod wrong_fields;
