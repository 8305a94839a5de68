//! One page a file, or a folder where it is several; its template beside it.
//!
//! | page | question it answers |
//! |---|---|
//! | `overview` | is anything wrong? |
//! | `handlers` | who is asked before, who is told after, and does each do its job? |
//! | `resellers` | who are the resellers? |
//! | `status` | how is the program itself? |
//! | `login`, `refused` | who are you; why is there no page |
pub(crate) mod handlers;
pub(crate) mod login;
pub(crate) mod overview;
pub(crate) mod plain;
pub(crate) mod refused;
pub(crate) mod resellers;
pub(crate) mod status;
