//! REST: the methods of JSON-RPC at addresses of their own, from the same table.
//!
//! | file | subject |
//! |---|---|
//! | [`address`] | where each method is found |
pub(crate) mod address;
