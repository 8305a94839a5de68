//! One page a file, or a folder where it is several; its template beside it.
//!
//! | page | question it answers |
//! |---|---|
//! | `overview` | is anything wrong? |
//! | `handlers` | who is asked before, who is told after, and does each do its job? |
//! | `resellers` | who are the resellers? |
//! | `status` | how is the program itself? |
//! | `log` | what was sent to handlers, and what came back? |
//! | `queue` | what was not told yet, and why? |
//! | `events` | what happened, and what came of it? |
//! | `resyncs` | how far have resyncs come? |
//! | `loops` | which handlers answer each other? |
//! | `login`, `refused` | who are you; why is there no page |
pub(crate) mod events;
pub(crate) mod handlers;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod loops;
pub(crate) mod overview;
pub(crate) mod plain;
pub(crate) mod queue;
pub(crate) mod refused;
pub(crate) mod resellers;
pub(crate) mod resyncs;
pub(crate) mod status;
