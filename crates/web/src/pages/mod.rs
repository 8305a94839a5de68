//! One page a file, or a folder where it is several; its template beside it.
//!
//! | page | question it answers |
//! |---|---|
//! | `overview` | is anything wrong? |
//! | `resellers` | who are the resellers? |
//! | `log` | what was sent to handlers, and what came back? |
//! | `queue` | what was not told yet, and why? |
//! | `events` | what happened, and what came of it? |
//! | `resyncs` | how far have resyncs come? |
//! | `loops` | which handlers answer each other? |
//! | `login`, `refused` | who are you; why is there no page |
pub(crate) mod events;
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
