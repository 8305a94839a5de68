//! The PostgreSQL engine: some writers with a connection each, a transaction for each closure; readers as beside SQLite.
//!
//! | file | subject |
//! |---|---|
//! | `address` | the URL of a database, and what may be shown of it |
//! | `tls` | how far the server is trusted |
//! | `session` | one connection: statements prepared once, those that need no answer sent along with the next |
//! | `pool` | a connection that is made again when it is lost |
//! | `writers`, `readers` | the threads |
//! | `notices` | messages between those who work on one database |
//! | `schema` | migrations, under a lock |
//! | `dialect` | where the shared SQL must be spelled otherwise |
//! | `value` | values on their way in and out |
//! | `failure` | what the server's errors mean |
//!
//! Connections are driven by the thread that uses them: a runtime of their own that runs while a statement is waited for.
mod address;
mod dialect;
mod failure;
pub(crate) mod notices;
mod pool;
mod readers;
mod schema;
mod session;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod value;
mod writers;

pub(crate) use address::Address;
pub(crate) use pool::Dialer;
pub(crate) use readers::start as start_readers;
pub(crate) use schema::open;
pub(crate) use session::{Limits, Session};
pub(crate) use value::{Integer, column};
pub(crate) use writers::{Health, start as start_writers};
