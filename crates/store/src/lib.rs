//! Where rows live: the only crate that speaks SQL to an engine.
//!
//! [`Store::write`] takes a plain synchronous closure and gives a future: when it is done, what the closure wrote is
//! flushed to the disk. [`Store::read`] runs a closure in a snapshot. Domain code is ordinary straight code over
//! [`Tx`] and knows neither the engine nor `async`.
//!
//! | place | subject |
//! |---|---|
//! | [`Tx`], [`Param`], [`Row`], [`Subject`] | the face of a transaction |
//! | `sqlite/` | the engine inside: one writer that groups commits, a few readers |
//! | `postgres/` | the engine for many nodes: several writers, a transaction a closure |
//! | `engine` | what both have in common: who waits to write, who waits to read |
//! | `migrate`, `migrations/` | the schema |
//! | [`tables`] | one table a file: its statements and the functions that run them |
//! | [`moving`] | from one database into another: copies, backups |
//! | `numbering` | numbers that the engine gives |
//! | [`Vault`] | secrets, sealed |
//! | [`Clock`] | time, passed in |
//! | `ids` | ids in blocks |
//! | [`anybody`] | TLS with whoever answers; SQL handlers want it too |
//! | `again`, `taken` | where several write at once: who gives way, and who comes second to a name |
//! | [`Faults`] | failures on purpose, for tests |
mod again;
pub mod anybody;
mod clock;
mod engine;
mod error;
mod faults;
mod ids;
mod migrate;
pub mod moving;
mod numbering;
mod opening;
mod place;
mod postgres;
mod sqlite;
mod store;
mod subject;
pub mod tables;
mod taken;
mod tx;
mod value;
mod vault;

pub use clock::{Clock, Hand};
pub use error::{Error, OpenError};
pub use faults::{Faults, Place};
pub use ids::Sequence;
pub use postgres::notices::Heard;
pub use store::{Database, Figures, Options, Store};
pub use subject::Subject;
pub use tx::Tx;
pub use value::{FromColumn, Param, Row};
pub use vault::{MasterKey, Vault};
