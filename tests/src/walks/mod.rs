//! Walks over every method that the program has: what the contract says of all of them is tried on each.
//!
//! | file | subject |
//! |---|---|
//! | `table` | one row a method: who may call it, with what; a method without a row fails |
//! | `objects` | one of each object, and a tree of resellers with them |
//! | `dump` | all that the API shows, for comparing |
//! | `roles` | what a role may not do, and what it never sees |
//! | `strangers` | what a reseller asks of others' objects is answered as if they weren't there |
//! | `scopes` | what a reseller finds, counts and hears of is its own |
//! | `repeats` | idempotency keys and dry runs |
//! | `described` | every answer is what its description says |
//! | `paging` | limits, totals, and both ways of paging |
mod described;
mod dump;
mod objects;
mod paging;
mod repeats;
mod roles;
mod scopes;
mod strangers;
mod table;

use hookswitch_core::registry::{METHODS, Method, Takes};

/// Every method, in the order of the registry.
fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().flat_map(|object| object.iter())
}

/// Every method that lists something.
fn searches() -> impl Iterator<Item = &'static Method> {
    methods().filter(|method| matches!(method.takes, Takes::Filters(_)))
}
